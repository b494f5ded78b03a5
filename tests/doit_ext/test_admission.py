"""What tasks need is checked for all of them before the first one runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.errors import MissingToolError
from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.admission import admit
from doit_cargo.tools.run.ownership import is_ours
from helpers.contexts import context


def test_every_program_that_lacks_is_named_once_and_nothing_is_made(tmp_path: Path) -> None:
    ctx = context(tmp_path)._replace(env={"PATH": str(tmp_path)})
    owned = ctx.config.outputs.images / "bot"
    specs = [
        TaskSpec("image", "", inputs=(), outputs=(), programs=("buildah",), owns=owned),
        TaskSpec("push", "", inputs=(), outputs=(), programs=("buildah", "skopeo")),
    ]
    with pytest.raises(MissingToolError) as caught:
        admit(ctx, specs, force=False)

    assert str(caught.value).splitlines() == [
        "buildah is not installed: apt-get install buildah",
        "skopeo is not installed: apt-get install skopeo",
    ]
    assert not is_ours(ctx.config, owned)


def test_programs_on_path_are_enough(tmp_path: Path) -> None:
    (tmp_path / "buildah").touch(0o755)
    ctx = context(tmp_path)._replace(env={"PATH": str(tmp_path)})
    owned = ctx.config.outputs.images / "bot"
    spec = TaskSpec("image", "", inputs=(), outputs=(), programs=("buildah",), owns=owned)
    admit(ctx, [spec], force=False)

    assert is_ours(ctx.config, owned)
