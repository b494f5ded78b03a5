"""One run at a time in a workspace: the second waits and says for whom."""

from __future__ import annotations

import fcntl
import os
import sys
import time
from pathlib import Path

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools import files

_HOLDER = "DOIT_CARGO_RUN"  # the process that holds the lock, in the environment of what it starts


class RunLock:
    """A workspace's lock. The kernel drops it when its holder ends, however it ends."""

    def __init__(self, root: Path, state: Path) -> None:
        self._path = state / "lock"
        self._root = root
        self._descriptor = -1

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
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._wait(wait=wait)
            waited = True
        else:
            waited = False
        os.environ[_HOLDER] = str(os.getpid())  # for a doit that an action of ours starts
        return waited

    def sign(self) -> None:
        """Say who holds it; a run with nothing to do writes nothing."""
        os.ftruncate(self._descriptor, 0)
        name = f"pid {os.getpid()}, since {time.strftime('%H:%M:%S')}"
        os.pwrite(self._descriptor, name.encode(), 0)

    def release(self) -> None:
        """Let the next one in."""
        if self._descriptor >= 0:
            os.environ.pop(_HOLDER, None)
            os.close(self._descriptor)
            self._descriptor = -1

    def _wait(self, *, wait: bool) -> None:
        if (outer := os.environ.get(_HOLDER, "")) and _is_alive(outer):
            raise PipelineError(
                f"this doit was started by a task of another one (pid {outer}), which waits for it "
                "and holds the lock of this workspace: name the tasks in that task's task_dep"
            )
        holder = os.pread(self._descriptor, 100, 0).decode(errors="replace") or "just started"
        if not wait:
            raise PipelineError(f"another doit runs in this workspace ({holder})")
        sys.stderr.write(f"waiting for another doit in this workspace ({holder})\n")
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)


def _is_alive(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
