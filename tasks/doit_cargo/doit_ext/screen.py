"""What a run prints: results and problems as lines, and below them a status line.

On a terminal that line moves; elsewhere, where nothing else was written for a while, it is written
as a line of its own.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO, NamedTuple

from doit_cargo.core import terminal
from doit_cargo.core.text import one_line
from doit_cargo.doit_ext.progress import Progress
from doit_cargo.tools import console
from doit_cargo.tools.waiting import ERASE, QUIET, Ticker


class Looks(NamedTuple):
    """How a stream is written to: with colours, with a line that moves."""

    colours: bool = False
    status: bool = False

    @classmethod
    def of(cls, stream: IO[str], env: Mapping[str, str]) -> Looks:
        """As the environment asks for it."""
        is_terminal = stream.isatty()
        return cls(
            terminal.has_colours(env, terminal=is_terminal),
            terminal.has_status_line(env, terminal=is_terminal),
        )


class Screen:
    """Results go to `out`, problems to standard error. Used from several threads.

    `progress` knows what is happening.
    The compiler speaks of files as they are from `root`.
    """

    def __init__(
        self, out: IO[str], looks: Looks, progress: Progress, root: Path | None = None
    ) -> None:
        self._out = out
        self._err = sys.stderr if out is sys.stdout else out
        self._looks = looks
        self._progress = progress
        self._root = root
        self._lock = threading.Lock()
        self._drawn = False
        self._lent: set[str] = set()
        self._last = time.monotonic()
        self._ended = False
        self._ticker: Ticker | None = None

    def result(self, text: str, style: str = "") -> None:
        """Print a line, or several; nothing if there is no text."""
        self._tell(text, style, self._out)

    def problem(self, text: str, style: str = "") -> None:
        """The same to standard error."""
        self._tell(text, style, self._err)

    def write(self, text: str) -> None:
        """Print as it is: what doit's own reporter says of the tasks of others."""
        self._write(text, self._out)

    def lend(self, task: str) -> None:
        """A task of others may write to the terminal itself: the line that moves keeps away."""
        with self._lock:
            self._erase()
            self._lent.add(task)

    def take_back(self, task: str) -> None:
        """It has ended."""
        self._lent.discard(task)

    def watch(self) -> None:
        """From now on something is running that takes its time."""
        if self._ticker is None:
            self._ticker = Ticker(self._tick)
            console.Door.screen, console.Door.note = self.problem, self._progress.note
        if self._looks.status:
            with self._lock:
                self._draw()

    def end(self) -> None:
        """Nothing is running any more."""
        console.Door.screen = None
        with self._lock:
            self._ended = True
            self._erase()
        if self._ticker:
            self._ticker.stop()

    def _tick(self) -> None:
        with self._lock:
            if self._ended:
                return
            if self._looks.status:
                self._draw()
            elif time.monotonic() - self._last >= QUIET and (text := self._progress.line(0)):
                self._put(f"{one_line(text)}\n", self._err)

    def _tell(self, text: str, style: str, stream: IO[str]) -> None:
        if text:
            self._write(console.writable(self._shown(text, style), stream), stream)

    def _shown(self, text: str, style: str) -> str:
        if self._root is not None:
            here = Path(console.Door.folder or os.getcwd())
            text = terminal.seen_from(text, self._root, here)
        text = console.spoken(text)
        if not self._looks.colours:
            return f"{terminal.uncoloured(text)}\n"
        return f"{terminal.paint(text, style) if style else text}\n"

    def _write(self, text: str, stream: IO[str]) -> None:
        with self._lock:
            self._erase()
            self._put(text, stream)
            if text.endswith("\n") and self._ticker and not self._ended:
                self._draw()

    def _put(self, text: str, stream: IO[str]) -> None:
        self._last = time.monotonic()
        _emit(text, stream)

    def _draw(self) -> None:
        width = shutil.get_terminal_size().columns - 1
        if self._looks.status and not self._lent and (text := self._progress.line(width)):
            _emit(ERASE + one_line(text)[:width], self._out)
            self._drawn = True

    def _erase(self) -> None:
        if self._drawn:
            _emit(ERASE, self._out)
            self._drawn = False


def _emit(text: str, stream: IO[str]) -> None:
    """Write it at once. An error names the stream, which has no file's name."""
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        error.filename = "standard error" if stream is sys.stderr else "standard output"
        raise
