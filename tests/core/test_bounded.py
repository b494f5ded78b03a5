"""Files of others: regular ones alone, and no more of them than there ought to be."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from doit_cargo.core import bounded, record
from doit_cargo.core.toolchain import rustup


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("Größe".encode())

    assert bounded.read(tmp_path / "a", 7) == "Größe".encode()
    assert bounded.read_text(tmp_path / "a") == "Größe"


def test_one_byte_more_than_there_may_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 8)

    with pytest.raises(OSError, match="larger than 7 bytes") as caught:
        bounded.read(tmp_path / "a", 7)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, str(tmp_path / "a"))


@pytest.mark.parametrize("kind", ["pipe", "folder", "zeros", "nothing", "loop"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "zeros":
        path.symlink_to("/dev/zero")
    elif kind == "loop":
        path.symlink_to(path)

    with pytest.raises(OSError, match="a'"):
        bounded.read(path)
    assert record.read(path) == {}


def test_a_toolchain_file_without_an_end_is_none(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home/settings.toml").symlink_to("/dev/zero")
    (tmp_path / "rust-toolchain").symlink_to("/dev/zero")
    (tmp_path / "rust-toolchain.toml").symlink_to("/dev/zero")

    env = {"RUSTUP_HOME": str(tmp_path / "home")}
    assert rustup.choose(tmp_path, env, host="x86_64-unknown-linux-gnu") is None
