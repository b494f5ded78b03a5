"""Cargo's own lock of a folder that it builds in: held while anything there is removed.

Seen with strace. Cargo 1.95 locks `<target>/<profile>/.cargo-lock`, then, where it builds for
another machine, `<target>/<triple>/<profile>/.cargo-lock`, each alone; with a `build-dir` these lie
there. Cargo 1.97 shares these locks with its like and has others beside them. Whoever holds one
alone keeps both waiting.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from doit_cargo.tools import console, files, locks, waiting

NAME = ".cargo-lock"
_PATIENCE = 1.0  # in seconds: a cargo with nothing to do is done by then
_STEP = 0.05


@contextmanager
def held(folders: Iterable[Path]) -> Iterator[tuple[Path, ...]]:
    """Hold cargo's locks of these folders, as far as they are there: the host's has to be first.

    Gives those that are: in another nothing may be removed.
    """
    with ExitStack() as stack:
        locked = []
        for folder in folders:
            # cargo makes what is missing, and says what is in its way
            with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                stack.enter_context(_one(folder / NAME))
                locked.append(folder)
        yield tuple(locked)


def remove(root: Path, folder: Path) -> None:
    """Remove a folder below `root` in which there are folders with such locks.

    A process that waits for one, or comes later, finds nothing there and starts again.
    """
    with held(sorted(path.parent for path in folder.glob(f"*/{NAME}"))):
        gone = folder.with_name(f"{folder.name}.removed")
        files.move_folder(root, folder, gone)
    files.remove(root, gone)


def holder_of(paths: Iterable[Path]) -> str:
    """Who has one of these locks; another cargo, as far as anybody knows."""
    for path in paths:
        with suppress(OSError):
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                if locks.holder(descriptor):
                    return _holder(descriptor)
            finally:
                os.close(descriptor)
    return "another cargo"


@contextmanager
def _one(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _acquire(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, path: Path) -> None:
    until = time.monotonic() + _PATIENCE
    while not _is_ours(descriptor):
        if time.monotonic() > until:
            what = f"waiting for cargo's lock held by {_holder(descriptor)} ({path})"
            with waiting.told(what, console.warn):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            return
        time.sleep(_STEP)


def _is_ours(descriptor: int) -> bool:
    """Where a file system knows no locks, cargo works without one too."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in (errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK):
            raise
    return True


def _holder(descriptor: int) -> str:
    """The process that has the lock; another cargo, as far as anybody knows."""
    pid = locks.holder(descriptor)
    with suppress(OSError):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        name = " ".join(os.fsdecode(word) for word in command[:2])
        return f"{name.strip()}, pid {pid}"
    return "another cargo"
