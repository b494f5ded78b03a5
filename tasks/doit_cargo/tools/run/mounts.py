"""On which file systems a file's ctime tells of every change of its bytes.

Linux's local disk file systems set it at each write, and at the first store through a shared
mapping after the page was last written back. tmpfs never writes back, so later stores go untold;
network and user-space file systems (NFS, SMB, 9p, virtiofs, FUSE) show another kernel's times,
or a cache of them. Where the type is unknown (no /proc) none is trusted.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache

_TRUSTED = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "overlay"}
)  # fmt: skip
_MOUNTS = "/proc/self/mountinfo"


class Mounts:
    """Answers for a device once: asking costs a no-op nothing."""

    def __init__(self, table: str | None = None) -> None:
        self._table = table
        self._trusted: dict[int, bool] = {}

    def keep_ctime(self, path: str, device: int) -> bool:
        """Whether the ctime of files on that device (`st_dev`), one of them `path`, is proof."""
        if device not in self._trusted:
            self._trusted[device] = self._type(os.path.realpath(path)) in _TRUSTED
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
