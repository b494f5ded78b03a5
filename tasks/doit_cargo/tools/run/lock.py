"""One run at a time in a workspace: the second waits and says for whom."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools import console, files, locks, waiting

# Who holds which lock, in the environment of what a holder starts: `pid@lock`, the outermost first.
_HOLDERS = "DOIT_CARGO_RUN"


_MODE = 0o600


class RunLock:
    """A workspace's lock. The kernel drops it when its holder ends, however it ends.

    It is two: of a file that other users can't open, and of the root folder itself, which nobody
    removes beneath it, as a task or `rm -r` may remove the file.
    """

    def __init__(self, root: Path, state: Path) -> None:
        self._path = state / "lock"
        self._root = root
        self._descriptor = self._folder = -1
        self._outer = ""

    @property
    def held(self) -> bool:
        """Whether it has been taken."""
        return self._descriptor >= 0

    def acquire(self, *, wait: bool) -> bool:
        """Take the lock; says whether it had to wait, so that all it has read may be old.

        Raises PipelineError if another run holds it and `wait` is false.
        """
        try:
            waited = self._take_file(wait=wait)
            waited |= self._take_folder(wait=wait)
        except BaseException:
            self._close()
            raise
        self._outer = os.environ.get(_HOLDERS, "")
        mine = (f"{os.getpid()}@{_identity(at)}" for at in (self._descriptor, self._folder))
        os.environ[_HOLDERS] = " ".join((self._outer, *mine)).strip()
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
            self._close()

    def _take_file(self, *, wait: bool) -> bool:
        waited = False
        while self._descriptor < 0:
            self._descriptor = self._open()
            waited |= _lock(self._descriptor, self._descriptor, wait=wait)
            if not _is_there(self._path, self._descriptor):  # removed, or replaced, meanwhile
                self._close()
        return waited

    def _open(self) -> int:
        if not self._path.exists():
            files.create(self._root, self._path, _MODE)
        descriptor = os.open(self._path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        if os.fstat(descriptor).st_mode & 0o777 != _MODE:
            with suppress(OSError):  # another user's
                os.fchmod(descriptor, _MODE)
        return descriptor

    def _take_folder(self, *, wait: bool) -> bool:
        self._folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _lock(self._folder, self._descriptor, wait=wait)
        except OSError:  # a network's file system that locks no folders
            return False

    def _close(self) -> None:
        for descriptor in (self._descriptor, self._folder):
            if descriptor >= 0:
                os.close(descriptor)
        self._descriptor = self._folder = -1


def _is_there(path: Path, descriptor: int) -> bool:
    """Tell whether what was locked is still what lies there."""
    with suppress(OSError):
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    return False


def _lock(descriptor: int, signed: int, *, wait: bool) -> bool:
    """Lock the file or folder; whether somebody else had it. `signed` is where its name stands."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _refuse_inside(descriptor)
        if locks.is_of_another_user(locks.holder(descriptor)):
            return False  # it holds the folder, which it can read: no doit of ours
        holder = os.pread(signed, 100, 0).decode(errors="replace") or "just started"
        if not wait:
            raise PipelineError(f"another doit runs in this workspace ({holder})") from None
        what = f"waiting for another doit in this workspace ({holder})"
        with waiting.told(what, console.warn):
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
