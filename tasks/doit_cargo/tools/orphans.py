"""Ends what a command has left running: daemons that went away from its process group.

On Linux a process may have the orphans below it become its own children (PR_SET_CHILD_SUBREAPER,
prctl(2)). Elsewhere they go to the first process, and are left alone.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_SUBREAPER = 36
_ROUNDS = 100  # each ends the children of those that the one before has ended


def adopt() -> None:
    """From now on have the orphans among this process's descendants for children."""
    if sys.platform == "linux":
        with suppress(ImportError, OSError, AttributeError):
            import ctypes  # noqa: PLC0415 - a Python may come without it, and it takes 10 ms

            ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def end(variable: str, value: str, *, ours: frozenset[int]) -> None:
    """Kill the children that have this variable, and theirs.

    `ours` are children that were started here. The variable is one that only the command had: the
    orphans of others are left alone.
    """
    if os.environ.get(variable) == value:
        return  # whatever was started here has it
    mark = os.fsencode(f"{variable}={value}")
    for _ in range(_ROUNDS):
        others = (pid for pid in _children() if pid not in ours and not _is_of_this_group(pid))
        found = [pid for pid in others if mark in _environment(pid)]
        if not found:
            return
        for pid in found:
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _children() -> Iterator[int]:
    for path in Path("/proc/self/task").glob("*/children"):
        with suppress(OSError):
            yield from map(int, path.read_text().split())


def _is_of_this_group(pid: int) -> bool:
    """Whether it was started here as a shell starts it: a command of a task of the user's own."""
    with suppress(OSError):
        return os.getpgid(pid) == os.getpgrp()
    return False


def _environment(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return []
