"""Who holds a lock of flock(2), as Linux lists it."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_LOCKS = Path("/proc/locks")  # proc_locks(5): number, kind, mode, access, pid, device:inode, range


def holder(descriptor: int) -> int | None:
    """The process id of who holds the lock of this open file; None if nothing tells."""
    inode = str(os.fstat(descriptor).st_ino)
    with suppress(OSError, ValueError):
        for line in _LOCKS.read_text().splitlines():
            words = line.split()
            if "FLOCK" in words and "->" not in words and words[5].rpartition(":")[2] == inode:
                return int(words[4])
    return None


def is_of_another_user(pid: int | None) -> bool:
    """Tell whether a process belongs to neither this user nor root."""
    with suppress(OSError):
        return pid is not None and os.stat(f"/proc/{pid}").st_uid not in {os.getuid(), 0}
    return False
