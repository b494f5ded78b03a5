"""The user's own files: what another could have written is not read."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from doit_cargo.core import user_state
from doit_cargo.tools import private


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = user_state.folder({"XDG_STATE_HOME": str(tmp_path)}) / "file"
    private.write(path, b"mine")
    return path


def test_what_was_written_is_read(file: Path) -> None:
    assert private.read(file) == b"mine"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)


def linked(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("elsewhere")))


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def foldered(path: Path) -> None:
    path.unlink()
    path.mkdir(mode=0o700)


def others(path: Path) -> None:
    os.chown(path, 12345, 12345)


SUSPECTS: dict[str, Callable[[Path], object]] = {
    "absent": Path.unlink,
    "a link": linked,
    "a pipe": piped,
    "a folder": foldered,
    "readable to others": lambda path: path.chmod(0o644),
    "writable to the group": lambda path: path.chmod(0o620),
    "of another user": others,
    "in a folder of another user": lambda path: others(path.parent),
    "in a folder for all to write": lambda path: path.parent.chmod(0o777),
    "too large": lambda path: path.write_bytes(bytes(4 * 1024**2 + 1)),
}


@pytest.mark.parametrize("spoil", SUSPECTS.values(), ids=SUSPECTS.keys())
def test_nothing_is_read_that_is(file: Path, spoil: Callable[[Path], object]) -> None:
    try:
        spoil(file)
    except PermissionError:
        pytest.skip("root alone can give a file away")

    assert private.read(file) is None


FOLDERS = {
    "the specification's variable": ({"XDG_STATE_HOME": "/state", "HOME": "/h"}, "/state"),
    "a relative one is ignored": ({"XDG_STATE_HOME": "state", "HOME": "/h"}, "/h/.local/state"),
    "the home": ({"HOME": "/h"}, "/h/.local/state"),
}


@pytest.mark.parametrize(("env", "folder"), FOLDERS.values(), ids=FOLDERS.keys())
def test_the_folder_is_named_by(env: dict[str, str], folder: str) -> None:
    assert user_state.folder(env) == Path(folder, "doit-cargo")
