"""Starts processes: the only module that does. An argv list, never a shell string."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess  # noqa: TID251 - this is the one place
import weakref
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

from doit_cargo.core.errors import MissingToolError, PipelineError

# Reads until its starter is gone (end of file) and then kills the group; a line dismisses it.
# `-s KILL --` is the one form that every sh reads with a negative number (dash no other).
_WATCHDOG = 'read -r _ || kill -s KILL -- "-$1"'

_UMASK = 0o022

Process = subprocess.Popen
PIPE = subprocess.PIPE
DEVNULL = subprocess.DEVNULL


def quoted(argv: Sequence[str | Path]) -> str:
    """The command as a shell would take it, for messages and logs."""
    return shlex.join(str(word) for word in argv)


def find(name: str, path: str | None = None) -> Path | None:
    """The executable of that name on PATH (or on `path`), or None."""
    found = shutil.which(name, path=path)
    return Path(found) if found else None


_started: weakref.WeakSet[subprocess.Popen[bytes]] = weakref.WeakSet()


def spawn(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: int | IO[Any] = DEVNULL,
    stdout: int | IO[Any] | None = None,
    stderr: int | IO[Any] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a process as the leader of a group of its own.

    What it makes has the modes that it has by default, whatever the user's umask: another user's
    build comes out the same.
    Raises MissingToolError if the program is not there.
    """
    try:
        started = subprocess.Popen(
            [str(word) for word in argv],
            env=None if env is None else dict(env),
            cwd=cwd,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            process_group=0,
            pass_fds=pass_fds,
            umask=_UMASK,
        )
    except FileNotFoundError as error:
        raise MissingToolError(f"cannot run {argv[0]}: {error.strerror}") from error
    _started.add(started)
    return started


def running() -> frozenset[int]:
    """The process ids of what `spawn` has started and nobody has seen end."""
    return frozenset(process.pid for process in [*_started] if process.returncode is None)


def ends(process: Process[bytes], seconds: float) -> bool:
    """Wait for a process; whether it ended in that time."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def output(process: Process[bytes], seconds: float) -> bytes | None:
    """All that a process writes to its standard output; None if that takes longer."""
    try:
        return process.communicate(timeout=seconds)[0]
    except subprocess.TimeoutExpired:
        return None


class Guard:
    """Kills a process group when this process is gone, however it went (SIGKILL too).

    A parent-death signal would reach the group's leader alone (cargo), not its compilers, and
    exists on Linux only; a pipe that the kernel closes reaches all of them, everywhere.
    """

    def __init__(self, leader: subprocess.Popen[bytes]) -> None:
        self._leader = leader
        try:
            self._watchdog = spawn(["/bin/sh", "-c", _WATCHDOG, "sh", str(leader.pid)], stdin=PIPE)
        except BaseException:  # nobody would guard it
            os.killpg(leader.pid, signal.SIGKILL)
            leader.wait()
            raise

    def kill(self) -> None:
        """End the whole group now, and wait for its leader."""
        if self._leader.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self._leader.pid, signal.SIGKILL)
            self._leader.wait()
        self.dismiss()

    def wait(self) -> int:
        """Wait until the leader ends, and end what it left in its group; its exit code."""
        waitid = getattr(os, "waitid", None)  # macOS has it with Python 3.13
        with suppress(ChildProcessError, ProcessLookupError, PermissionError):
            if waitid:  # not reaped yet: its number is still the group's
                waitid(os.P_PID, self._leader.pid, os.WEXITED | os.WNOWAIT)
                os.killpg(self._leader.pid, signal.SIGKILL)
        code = self._leader.wait()
        self.dismiss()
        return code

    def dismiss(self) -> None:
        """Nothing is left to guard: send the watchdog home."""
        with suppress(OSError, ValueError):
            self._watchdog.communicate(b"\n")


class Result(NamedTuple):
    """How a command ended: its exit code, and all that it wrote."""

    code: int
    out: str
    err: str


def run_guarded(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    timeout: float,
) -> Result:
    """Run a command to its end, with all that it starts: none of it outlives this process.

    Raises MissingToolError when the program is not there, PipelineError after `timeout` seconds.
    """
    process = spawn(argv, env=env, cwd=cwd, stdout=PIPE, stderr=PIPE)
    guard = Guard(process)
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        raise PipelineError(f"{quoted(argv)} took more than {timeout:g} s") from error
    finally:
        guard.kill()
    return Result(process.returncode, out.decode(errors="replace"), err.decode(errors="replace"))


def run(
    argv: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: bytes | None = None,
    capture: bool = True,
    timeout: float | None = None,
) -> str:
    """Run a command to its end and return what it wrote to standard output.

    Raises PipelineError with the command and the end of its error output when it fails, and
    MissingToolError when the program is not there.
    """
    try:
        done = subprocess.run(
            [str(word) for word in argv],
            env=None if env is None else dict(env),
            cwd=cwd,
            input=stdin,
            stdin=DEVNULL if stdin is None else None,
            capture_output=capture,
            timeout=timeout,
            check=False,
        )
    except FileNotFoundError as error:
        raise MissingToolError(f"cannot run {argv[0]}: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise PipelineError(f"{quoted(argv)} took more than {timeout:g} s") from error
    if done.returncode != 0:
        stderr = (done.stderr or b"").decode(errors="replace").strip()
        raise PipelineError(f"{quoted(argv)} ended with {done.returncode}\n{stderr}".rstrip())
    return (done.stdout or b"").decode(errors="replace")
