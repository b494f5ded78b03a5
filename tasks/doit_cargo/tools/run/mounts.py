"""On which file systems a file's ctime changes with every change of its bytes.

Linux's local disk file systems set it at each write, and at the first store through a shared
mapping after the page was last written back. tmpfs never writes back, so later stores go untold;
network and user-space file systems (NFS, SMB, 9p, virtiofs, FUSE) show another kernel's times,
or a cache of them. Where the type is unknown (no /proc, and no statfs) none is trusted.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import cache

_TRUSTED = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "overlay"}
)  # fmt: skip
_MAGIC = {
    0xEF53: "ext4", 0x58465342: "xfs", 0x9123683E: "btrfs", 0xF2F52010: "f2fs", 0x2FC12FC1: "zfs",
    0xCA451A4E: "bcachefs", 0x794C7630: "overlay",
}  # fmt: skip
"""`f_type` of statfs(2) → name. Source: that manual page, linux/magic.h, and zfs's own headers."""
_MOUNTS = "/proc/self/mountinfo"


class Mounts:
    """Answers for a device once: asking costs a no-op nothing."""

    def __init__(self, table: str | None = None) -> None:
        self._table = table
        self._trusted: dict[int, bool] = {}

    def keep_ctime(self, path: str, device: int) -> bool:
        """Whether the ctime of files on that device (`st_dev`), one of them `path`, is proof."""
        if device not in self._trusted:
            real = os.path.realpath(path)
            self._trusted[device] = (self._type(real) or self._by_magic(real)) in _TRUSTED
        return self._trusted[device]

    def _type(self, path: str) -> str:
        """The file system of the longest mount point above the path; of two there, the later."""
        found = ("", "")
        for line in (self._table if self._table is not None else _mountinfo()).splitlines():
            fields, separator, rest = line.partition(" - ")
            if separator:
                point = _plain(fields.split(" ")[4])
                inside = point in {"/", path} or path.startswith(point + "/")
                if inside and len(point) >= len(found[0]):
                    found = (point, rest.split(" ")[0])
        return found[1]

    def _by_magic(self, path: str) -> str:
        """Ask statfs: in a chroot the table lacks what is mounted where its root is."""
        return "" if self._table is not None else _MAGIC.get(_f_type(path), "")


def _f_type(path: str) -> int:
    """`f_type` of statfs(2), the first field of its struct; 0 if it cannot be told."""
    if sys.platform != "linux":
        return 0
    import ctypes  # noqa: PLC0415 - rarely needed, and slow to import

    answer = (ctypes.c_long * 64)()  # larger than any kernel's struct statfs
    with suppress(AttributeError, OSError):
        if not ctypes.CDLL(None).statfs(os.fsencode(path), answer):
            return int(answer[0]) & 0xFFFFFFFF
    return 0


@cache
def _mountinfo() -> str:
    with suppress(OSError), open(_MOUNTS, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()
    return ""


def _plain(point: str) -> str:
    """The kernel writes blanks and backslashes in octal (proc(5))."""
    for code, character in ((r"\040", " "), (r"\011", "\t"), (r"\012", "\n"), (r"\134", "\\")):
        point = point.replace(code, character)
    return point
