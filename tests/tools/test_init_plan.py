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

    assert str(caught.value).splitlines() == ["nothing was written:", f"{root} may not be written"]
    assert init_files.plan(root, texts, force=False, keep=False).kept == ()
