"""Whose ctime is believed: by the mount table's own rules, and nobody's without one."""

from __future__ import annotations

import hashlib
import os
import subprocess  # noqa: TID251
import sys
from pathlib import Path

import pytest

from doit_cargo.tools.run.content_index import FileIndex
from doit_cargo.tools.run.mounts import Mounts
from helpers.seals import SEAL

TABLE = """\
22 1 0:1 / / rw - ext4 /dev/vda rw
23 22 0:2 / /proc rw - proc proc rw
24 22 0:3 / /home/net rw shared:1 - nfs4 host:/x rw
25 22 0:4 / /home/a\\040b rw - fuse.sshfs x rw
26 22 0:5 / /tmp rw - tmpfs tmpfs rw
27 22 0:6 / /over rw - tmpfs tmpfs rw
28 22 0:7 / /over rw - xfs /dev/x rw
nonsense
"""
CHROOT = """
import ctypes, os, sys
from doit_cargo.tools.run.mounts import Mounts
os.chroot(sys.argv[1])
print(Mounts().keep_ctime("/", 1))
"""


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/file", True),
        ("/home/file", True),
        ("/home/net/file", False),
        ("/home/network/file", True),
        ("/home/a b/file", False),
        ("/tmp/file", False),  # noqa: S108 - a name in a table
        ("/over/file", True),
    ],
)
def test_the_longest_mount_point_counts(path: str, kept: bool) -> None:
    assert Mounts(TABLE).keep_ctime(path, device=1) is kept


def test_without_a_table_nothing_is_believed() -> None:
    assert not Mounts("").keep_ctime("/file", device=1)


@pytest.mark.integration
@pytest.mark.skipif(os.geteuid() != 0, reason="chroot is root's")
def test_in_a_chroot_the_kernel_is_asked(tmp_path: Path) -> None:
    """The table there lacks the file system that its root lies on."""
    before = Mounts().keep_ctime(str(tmp_path), tmp_path.stat().st_dev)
    argv: list[str | Path] = [sys.executable, "-c", CHROOT, tmp_path]

    done = subprocess.run(argv, check=True, capture_output=True, text=True)

    assert done.stdout == f"{before}\n"


def test_where_it_is_not_believed_every_file_is_read(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"one")
    index = FileIndex(tmp_path / "index", SEAL, Mounts("22 1 0:1 / / rw - 9p share rw\n"))

    assert index.sha256(str(source)) == hashlib.sha256(b"one").hexdigest()
    assert index.save() is None
