"""What is happening in a run, in one line: on a terminal with a bar, in a log with words."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from doit_cargo.core.text import plural, seconds

if TYPE_CHECKING:
    from doit_cargo.tools.cargo.progress import Step

_BAR = 20  # columns
_FEW = 10  # units that are left: an average says nothing of so few


class Progress:
    """Keeps how far cargo is, and since when each crate and task is on its way.

    `since` is when the run began, as `time.monotonic` has it.
    """

    def __init__(self, since: float) -> None:
        self._since = since
        self._done = self._total = 0
        self._note = ""
        self._pace = 0.0
        self._crates: dict[str, float] = {}
        self._tasks: dict[str, float] = {}
        self.took: dict[str, float] = {}
        """Task → seconds from its start to its end."""

    def step(self, step: Step) -> None:
        """Take what cargo says; an empty step when it has ended."""
        now = time.monotonic()
        self._done, self._total, self._note, self._pace = (
            step.done, step.total, step.note, step.pace
        )  # fmt: skip
        self._crates = {name: self._crates.get(name, now) for name in step.current}

    def note(self, text: str) -> None:
        """Say in a word what is happening, until cargo says more."""
        self._note = text

    def start(self, task: str) -> None:
        """A task starts."""
        self._tasks[task] = time.monotonic()

    def end(self, task: str) -> None:
        """It has ended."""
        if (began := self._tasks.pop(task, None)) is not None:
            self.took[task] = time.monotonic() - began

    def line(self, width: int) -> str:
        """What is happening, for a terminal of that width; 0: as a line of a log; "": nothing."""
        now = time.monotonic()
        head = self._head(bar=width > 0)
        names = _slowest({**self._tasks} if not self._total else self._crates, now)
        if not head and not names:
            return ""
        clock = ", ".join(filter(None, (seconds(now - self._since), self._left())))
        return "  ".join(filter(None, (head or "running", clock, names)))

    def _head(self, *, bar: bool) -> str:
        if self._note or not self._total:
            return self._note
        if not bar:
            return f"compiling: {self._done} of {plural(self._total, 'unit')}"
        full = _BAR * self._done // self._total
        return f"[{'=' * full}{'>' if full < _BAR else ''}".ljust(_BAR + 1)[: _BAR + 1] + (
            f"] {self._done}/{self._total}"
        )

    def _left(self) -> str:
        left = self._total - self._done
        if not self._pace or left < _FEW:
            return ""
        return f"about {seconds(left * self._pace)} left"


def _slowest(since: Mapping[str, float], now: float) -> str:
    """Names with their times, the slowest first."""
    slowest = sorted(dict(since).items(), key=lambda item: item[1])
    return ", ".join(f"{name} {seconds(now - began)}" for name, began in slowest)
