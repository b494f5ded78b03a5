"""What tasks need is checked for all of them before the first one runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.context import read_context
from doit_cargo.core.errors import MissingToolError, SetupError
from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.admission import admit
from doit_cargo.pipeline import STEPS, specs
from doit_cargo.tools.key import Trust
from doit_cargo.tools.run.ownership import is_ours
from doit_cargo.tools.run.session import Session
from helpers.contexts import context
from helpers.project import REPOSITORY


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


def test_nothing_leaves_this_machine_that_others_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Trust, "others", True)
    spec = TaskSpec("push", "", subject="bot", ships=True)
    with pytest.raises(SetupError, match=r"^push:bot: .* run it without --trust-state$"):
        admit(context(tmp_path), [TaskSpec("stage", ""), spec], force=False)


def test_the_steps_that_ship_say_so(tmp_path: Path) -> None:
    """Every stage from the index on."""
    ctx = read_context(REPOSITORY, {"PATH": "", "HOME": str(tmp_path)})
    shipping = {spec.stage for spec in specs(ctx, Session(), STEPS) if spec.ships}

    assert shipping == set(STEPS[STEPS.index("index") :])
