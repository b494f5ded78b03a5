"""Asks LIEF about ELF files: one child a run, with a memory limit and a time limit for each file.

A file that makes the child crash, hang or outgrow its limits is not accepted: fail closed.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from doit_cargo.core.errors import CheckError, MissingToolError
from doit_cargo.tools.process import DEVNULL, PIPE, spawn

if TYPE_CHECKING:
    from types import TracebackType
    from typing import IO, Self

# By the clock: at nice 10 on a machine that is busy otherwise, one second became more than 24.
SECONDS, BYTES_PER_SECOND = 120.0, 10_000_000
MEMORY = 2 << 30
_LONGEST_ANSWER = 1 << 20
_PROGRAM = Path(__file__).with_name("lief_child.py")


class _ChildLostError(Exception):
    """The child gave no answer; the text says why."""


class SecondOpinion:
    """LIEF's view of ELF files. Safe to use from several threads; one file is read at a time.

    `seconds` is the time limit of a file (one second for every 10 MB is added), `memory` the
    child's address space in bytes, `program` what is run in place of the child's own file.
    """

    def __init__(
        self, *, seconds: float = SECONDS, memory: int = MEMORY, program: Path = _PROGRAM
    ) -> None:
        self._seconds = seconds
        self._memory = memory
        self._program = program
        self._lock = threading.Lock()
        self._child: _Child | None = None

    def __enter__(self) -> Self:
        """Start the child."""
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End the child."""
        self.close()

    def start(self) -> None:
        """Start the child if there is none, and return at once: it imports LIEF meanwhile.

        Call it from the main thread: on Linux the child ends with the thread that started it.
        Raises MissingToolError if LIEF is not installed.
        """
        with self._lock:
            self._living()

    def ask(self, data: bytes) -> dict[str, Any]:
        """Read a file's bytes with LIEF: all facts of `core.elf.Facts` but those in `reader.OWN`.

        A child that gives no answer is replaced and asked once more. Raises CheckError if LIEF
        refuses the bytes or no child could answer, MissingToolError if LIEF cannot be used.
        """
        with self._lock:
            answer = self._twice(data)
        if "unavailable" in answer:
            raise MissingToolError(f"LIEF does not work: {answer['unavailable']}. {_INSTALL}")
        if "error" in answer:
            raise CheckError(f"LIEF cannot read it: {answer['error']}")
        return answer

    def close(self) -> None:
        """End the child; it may be started again."""
        with self._lock:
            self._end()

    def _twice(self, data: bytes) -> dict[str, Any]:
        with suppress(_ChildLostError):
            return self._once(data)
        try:
            return self._once(data)
        except _ChildLostError as lost:
            raise CheckError(f"LIEF gave no answer, twice: {lost}") from None

    def _once(self, data: bytes) -> dict[str, Any]:
        try:
            return self._living().ask(data, self._seconds + len(data) / BYTES_PER_SECOND)
        except BaseException:
            # What it says from now on would be taken for the answer to the next file.
            self._end()
            raise

    def _living(self) -> _Child:
        # It may have ended while nobody asked: with the thread that started it.
        if self._child and self._child.ended():
            self._end()
        if self._child is None:
            self._child = _Child(self._program, self._memory)
        return self._child

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
        self._child = None


class _Child:
    """A running child, and the memory that it shares with this process to be given bytes."""

    def __init__(self, program: Path, memory: int) -> None:
        argv: list[str | Path] = [sys.executable, "-I", "-S", program]
        folder = lief_folder()
        self._shared = _shared_memory()
        try:
            self._process = spawn(
                [*argv, str(self._shared), str(memory), folder], env=_environment(),
                stdin=PIPE, stdout=PIPE, stderr=DEVNULL, pass_fds=[self._shared],
            )  # fmt: skip
        except BaseException:
            os.close(self._shared)
            raise
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)
        self._poll = select.poll()
        self._poll.register(self._answers, select.POLLIN)

    def ended(self) -> bool:
        """Whether the process is over."""
        return self._process.poll() is not None

    def ask(self, data: bytes, seconds: float) -> dict[str, Any]:
        """Hand over the bytes and wait for the answer. Raises _ChildLostError."""
        deadline = time.monotonic() + seconds
        _fill(self._shared, data)
        try:
            os.write(self._requests.fileno(), len(data).to_bytes(8))
        except OSError:
            raise _ChildLostError(self._fate()) from None
        size = int.from_bytes(self._read(4, deadline, seconds))
        if size > _LONGEST_ANSWER:
            raise _ChildLostError("its answer cannot be read")
        return _decoded(self._read(size, deadline, seconds))

    def end(self) -> None:
        """Kill the child, whatever it does, and wait for it."""
        self._process.kill()
        self._process.wait()
        self._requests.close()
        self._answers.close()
        os.close(self._shared)

    def _read(self, size: int, deadline: float, seconds: float) -> bytes:
        found = b""
        while len(found) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not self._poll.poll(left * 1000):
                raise _ChildLostError(f"it took more than {seconds:.0f} s")
            chunk = os.read(self._answers.fileno(), size - len(found))
            if not chunk:
                raise _ChildLostError(self._fate())
            found += chunk
        return found

    def _fate(self) -> str:
        """Say how a child ended that closed its pipes; give it a moment to do so by itself."""
        for _ in range(100):
            if self.ended():
                break
            time.sleep(0.01)
        self._process.kill()
        code = self._process.wait()
        return f"it was ended by signal {-code}" if code < 0 else f"it ended with {code}"


_INSTALL = "Install it: pip install lief"


def lief_folder() -> str:
    """Find the folder of the package without importing it: the child looks nowhere else."""
    found = importlib.util.find_spec("lief")
    if found is None or not found.origin:
        raise MissingToolError(f"LIEF is missing, no binary can be verified. {_INSTALL}")
    return str(Path(found.origin).parent.parent)


def _environment() -> dict[str, str]:
    """Nothing of what others told us in confidence; only where Python's own library lies."""
    return {k: v for k, v in os.environ.items() if k == "LD_LIBRARY_PATH"}


def _shared_memory() -> int:
    """Make a file that both processes have open and nobody else can: writing to it never waits."""
    create = getattr(os, "memfd_create", None)  # Linux
    if create:
        return int(create("elf"))
    import tempfile  # noqa: PLC0415 - slow to import, not needed on Linux

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _fill(descriptor: int, data: bytes) -> None:
    rest, at = memoryview(data), 0
    while rest:
        written = os.pwrite(descriptor, rest, at)
        rest, at = rest[written:], at + written


def _decoded(answer: bytes) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _ChildLostError("its answer cannot be read")
    return found
