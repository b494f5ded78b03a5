"""Writing below the root: one rename, no links followed, nothing half-written."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from doit_cargo.core.errors import CheckError
from doit_cargo.tools import files


def test_write_makes_folders_and_sets_the_mode(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / "tool"

    files.write(tmp_path, place, b"bytes", 0o755)

    assert place.read_bytes() == b"bytes"
    assert place.stat().st_mode & 0o7777 == 0o755
    assert os.listdir(place.parent) == ["tool"]


def test_a_link_in_place_of_the_file_is_replaced_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_bytes(b"mine")
    root = tmp_path / "root"
    root.mkdir()
    (root / "tool").symlink_to(outside)

    files.write(root, root / "tool", b"new")

    assert outside.read_bytes() == b"mine"
    assert not (root / "tool").is_symlink()
    assert (root / "tool").read_bytes() == b"new"


def test_a_folder_in_place_of_the_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "tool" / "deep").mkdir(parents=True)
    (tmp_path / "tool" / "deep" / "file").write_text("x")

    files.write(tmp_path, tmp_path / "tool", b"new")

    assert (tmp_path / "tool").read_bytes() == b"new"


@pytest.mark.parametrize("link", ["docker", "docker/binaries", "docker/binaries/x86_64"])
def test_nothing_is_written_through_a_linked_folder(tmp_path: Path, link: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    root = tmp_path / "root"
    (root / link).parent.mkdir(parents=True)
    (root / link).symlink_to(outside)

    with pytest.raises(CheckError, match=f"{link} is a symbolic link"):
        files.write(root, root / "docker" / "binaries" / "x86_64" / "tool", b"new")

    assert list(outside.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "tool"
    place.write_bytes(b"old")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space left") as caught:
        files.write(tmp_path, place, b"new")

    assert caught.value.filename == str(place)
    assert place.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["tool"]


def test_remove_takes_a_link_not_what_it_names(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "file").write_text("x")
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "link").symlink_to(kept)

    files.remove(tmp_path, tree)

    assert not tree.exists()
    assert (kept / "file").exists()


def test_prune_removes_what_is_not_kept_and_says_so(tmp_path: Path) -> None:
    for name in ("keep/a", "drop/b", "drop/deep/c", "keep/.d.123.tmp"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    os.mkfifo(tmp_path / "pipe")

    gone = files.prune(tmp_path, tmp_path, frozenset({tmp_path / "keep" / "a"}))

    assert [p.relative_to(tmp_path).as_posix() for p in gone] == [
        "drop/b", "drop/deep/c", "keep/.d.123.tmp", "pipe",
    ]  # fmt: skip
    assert [p.relative_to(tmp_path).as_posix() for p in sorted(tmp_path.rglob("*"))] == [
        "keep", "keep/a",
    ]  # fmt: skip


def test_removing_what_is_not_there_is_fine(tmp_path: Path) -> None:
    files.remove(tmp_path, tmp_path / "no" / "such" / "file")

    assert list(tmp_path.iterdir()) == []
