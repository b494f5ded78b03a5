"""Shows a run: a status line on a terminal, a line a result, a summary."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from doit.exceptions import BaseFail, UnmetDependency
from doit.reporter import ConsoleReporter
from doit.task import Task

from doit_cargo.core.text import one_line, plural, seconds, size
from doit_cargo.doit_ext.tasks import outcome_of, size_of, spec_of
from doit_cargo.doit_ext.wording import details, told
from doit_cargo.tools import console

_ERASE = "\r\x1b[K"


class LineReporter:
    """A doit reporter. Of the tasks of others it tells as doit's own console reporter does."""

    desc = "a line for each result of doit-cargo's tasks and a summary, the rest as on the console"

    def __init__(self, outstream: IO[str], options: dict[str, Any]) -> None:
        self._screen = _Screen(outstream, terminal=bool(options.get("terminal")))
        self._stock = ConsoleReporter(self._screen, options)
        self._root: Path | None = options.get("root")
        self._explain: Callable[..., str] = options["explain"]
        self._done: dict[str, list[Task]] = {"run": [], "same": [], "bad": []}
        self._started = float(options.get("since", time.monotonic()))
        self._errors: list[str] = []
        self.broken_off = False

    def initialize(self, tasks: dict[str, Task], selected_tasks: list[str]) -> None:
        """The selection is known, nothing has run."""
        del tasks, selected_tasks

    def progress(self, done: int, total: int, current: str) -> None:
        """Cargo's progress, in units. Called from the thread that reads cargo."""
        elapsed = seconds(time.monotonic() - self._started)
        self._screen.show_status(f"  cargo {done}/{total}  {elapsed}  {current}")

    def get_status(self, task: Task) -> None:
        """A task is about to be asked for its status."""

    def execute_task(self, task: Task) -> None:
        """A task starts."""
        if spec_of(task) is None:
            self._stock.execute_task(task)

    def add_success(self, task: Task) -> None:
        """A task has ended well."""
        spec = spec_of(task)
        if spec and spec.action:
            self._done["run"].append(task)
            outcome = outcome_of(task)
            for text in (told(spec, outcome), *details(outcome)):
                self._screen.line(text.rstrip())

    def skip_uptodate(self, task: Task) -> None:
        """A task has nothing to do."""
        spec = spec_of(task)
        if spec is None:
            self._stock.skip_uptodate(task)
        elif spec.action:
            self._done["same"].append(task)

    def skip_ignore(self, task: Task) -> None:
        """A task is ignored, which the runner never lets one of ours be."""
        self._stock.skip_ignore(task)

    def add_failure(self, task: Task, fail: BaseFail) -> None:
        """A task failed, or can't run since another did."""
        if spec_of(task) is None:
            self._stock.add_failure(task, fail)
            return
        self._done["bad"].append(task)
        if isinstance(fail, UnmetDependency):
            self._screen.line(f"skipped  {task.name}: needs {fail.message}")
        else:
            text = self._explain(fail.get_msg(), _crate(task))
            self._screen.line(f"FAILED   {task.name}\n{text}")

    def cleanup_error(self, exception: BaseFail) -> None:
        """A teardown failed."""
        self._stock.cleanup_error(exception)

    def runtime_error(self, msg: str) -> None:
        """The runner itself can't go on."""
        self._errors.append(msg)

    def teardown_task(self, task: Task) -> None:
        """A teardown starts."""
        self._stock.teardown_task(task)

    def complete_run(self) -> None:
        """The last word."""
        self._screen.show_status("")
        self._stock.complete_run()
        for error in self._errors:
            console.warn(f"ERROR: {error}")
        if not self.broken_off and any(self._done.values()):
            self._screen.line(self._summary())

    def _summary(self) -> str:
        if self._done["bad"]:
            names = sorted(task.name for task in self._done["bad"])
            return f"{plural(len(names), 'task')} failed or skipped: {', '.join(names)}"
        verified = [task for state in ("run", "same") for task in self._of(state, "verify")]
        counted, elapsed = self._counted(verified), seconds(time.monotonic() - self._started)
        if not self._done["run"]:
            return f"up to date: {counted} ({elapsed})"
        built, reused = self._binaries("run"), self._binaries("same")
        return f"{counted}: {built} built, {reused} reused, {elapsed}"

    def _counted(self, verified: list[Task]) -> str:
        if not verified:
            return plural(len(self._done["run"]) + len(self._done["same"]), "task")
        staged = [spec_of(task) for task in self._of("run", "stage") + self._of("same", "stage")]
        folders = [self._shown(spec.owns) for spec in staged if spec and spec.owns]
        where = f" in {', '.join(folders)}" if folders else ""
        total = size(sum(map(size_of, verified)))
        return f"{plural(len(verified), 'binary', 'binaries')}, {total}{where}"

    def _shown(self, folder: Path) -> str:
        return str(folder.relative_to(self._root)) if self._root else str(folder)

    def _of(self, state: str, stage: str) -> list[Task]:
        return [task for task in self._done[state] if (s := spec_of(task)) and s.stage == stage]

    def _binaries(self, state: str) -> int:
        """Built binaries: a build task's outputs but for its record."""
        return sum(len(task.targets) - 1 for task in self._of(state, "build"))


class _Screen:
    """Lines, and below them on a terminal one that is always there. Used from several threads."""

    def __init__(self, out: IO[str], *, terminal: bool) -> None:
        self._out = out
        self._terminal = terminal
        self._lock = threading.Lock()
        self._status = ""

    def line(self, text: str) -> None:
        """Print a line, or several; nothing if there is no text."""
        if text:
            self.write(f"{console.spoken(text)}\n")

    def show_status(self, text: str) -> None:
        """Put this in the place of the status line, if there is a terminal to have one."""
        if self._terminal:
            self._status = one_line(text)[: shutil.get_terminal_size().columns - 1]
            self._write(_ERASE + self._status)

    def write(self, text: str) -> None:
        """Print as it is: what doit's own reporter says of the tasks of others."""
        erase = _ERASE if self._status else ""
        self._write(f"{erase}{text}{self._status if text.endswith(chr(10)) else ''}")

    def _write(self, text: str) -> None:
        try:
            with self._lock:
                self._out.write(text)
                self._out.flush()
        except OSError as error:
            error.filename = "standard output"
            raise


def _crate(task: Task) -> str:
    """The crate that a task builds, or ""."""
    spec = spec_of(task)
    return spec.subject if spec and spec.stage == "build" else ""
