"""One run at a time in a workspace: the second waits and says for whom."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools import console, files

# Who holds which lock, in the environment of what a holder starts: `pid@lock`, the outermost first.
_HOLDERS = "DOIT_CARGO_RUN"


class RunLock:
    """A workspace's lock. The kernel drops it when its holder ends, however it ends."""

    def __init__(self, root: Path, state: Path) -> None:
        self._path = state / "lock"
        self._root = root
        self._descriptor = -1
        self._outer = ""

    @property
    def held(self) -> bool:
        """Whether it has been taken."""
        return self._descriptor >= 0

    def acquire(self, *, wait: bool) -> bool:
        """Take the lock; says whether it had to wait, so that all it has read may be old.

        Raises PipelineError if another run holds it and `wait` is false.
        """
        if not self._path.exists():
            files.create(self._root, self._path)
        descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            waited = _lock(descriptor, wait=wait)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        self._outer = os.environ.get(_HOLDERS, "")
        mine = f"{os.getpid()}@{_identity(descriptor)}"
        os.environ[_HOLDERS] = f"{self._outer} {mine}".strip()
        return waited

    def sign(self) -> None:
        """Say who holds it; a run with nothing to do writes nothing."""
        os.ftruncate(self._descriptor, 0)
        name = f"pid {os.getpid()}, since {time.strftime('%H:%M:%S')}"
        os.pwrite(self._descriptor, name.encode(), 0)

    def release(self) -> None:
        """Let the next one in."""
        if self._descriptor >= 0:
            os.environ[_HOLDERS] = self._outer
            if not self._outer:
                del os.environ[_HOLDERS]
            os.close(self._descriptor)
            self._descriptor = -1


def _lock(descriptor: int, *, wait: bool) -> bool:
    """Lock the file; whether somebody else had it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _refuse_inside(descriptor)
        holder = os.pread(descriptor, 100, 0).decode(errors="replace") or "just started"
        if not wait:
            raise PipelineError(f"another doit runs in this workspace ({holder})") from None
        console.warn(f"waiting for another doit in this workspace ({holder})")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return True
    return False


def _refuse_inside(descriptor: int) -> None:
    """Raise PipelineError if who holds the lock waits for this process: both would for ever."""
    for holder in os.environ.get(_HOLDERS, "").split():
        pid, _, lock = holder.partition("@")
        if lock == _identity(descriptor) and _is_alive(pid):
            raise PipelineError(
                f"this doit was started by a task of another one (pid {pid}), which waits for it "
                "and holds the lock of this workspace: name the tasks in that task's task_dep"
            )


def _identity(descriptor: int) -> str:
    found = os.fstat(descriptor)
    return f"{found.st_dev}.{found.st_ino}"


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
