"""What is in the way of new files is found before any of them is written."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools import init_files

NOBODY = 65534


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that everybody may read and only its owner write; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "config").mkdir()
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def somebody_else(root: Path) -> Iterator[None]:
    """Be a user who may not write there; root may write everywhere, and so becomes nobody."""
    if os.geteuid() != 0:
        root.chmod(0o555)
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


def test_a_folder_that_may_not_be_written(root: Path) -> None:
    texts = {"dodo.py": "x", "docker/Dockerfile": "x"}
    with somebody_else(root), pytest.raises(PipelineError) as caught:
        init_files.plan(root, texts, force=False, keep=False)

    assert str(caught.value).splitlines() == ["nothing was written:", f"{root} is not writable"]
    assert init_files.plan(root, texts, force=False, keep=False).kept == ()


def test_where_pyproject_names_the_plugins_no_doit_cfg_is_written(root: Path) -> None:
    texts = {"doit.cfg": "", "dodo.py": ""}
    (root / "pyproject.toml").write_text(
        '[tool.doit.plugins.command]\nrun = "doit_cargo.doit_ext.run:Run"\n'
    )
    kept = init_files.plan(root, texts, force=False, keep=True)
    fresh = init_files.plan(root, texts, force=False, keep=False)

    names = {path.name for path in kept.written}
    assert (names, kept.updated) == (
        {"dodo.py", "pyproject.toml", ".gitignore"},
        (root / "pyproject.toml",),
    )
    assert {path.name for path in fresh.written} == {"doit.cfg", "dodo.py", ".gitignore"}


def test_a_file_that_doit_cannot_read_is_said_and_left(root: Path) -> None:
    (root / "doit.cfg").write_text("run = x\n")
    made = init_files.plan(root, {"doit.cfg": ""}, force=False, keep=True)

    assert (made.kept, made.updated) == ((root / "doit.cfg",), ())
    assert [*made.lines(root)][-1].startswith("doit.cfg: doit cannot read it: File contains no sec")
