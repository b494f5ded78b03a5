"""Shows a run: a line a result, what is happening, each failure once, a summary."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from doit.exceptions import BaseFail, UnmetDependency
from doit.reporter import ConsoleReporter
from doit.task import Task

from doit_cargo.core.text import plural, seconds, size
from doit_cargo.doit_ext.failures import Failures
from doit_cargo.doit_ext.progress import Progress
from doit_cargo.doit_ext.screen import Looks, Screen
from doit_cargo.doit_ext.tasks import outcome_of, size_of, spec_of
from doit_cargo.doit_ext.wording import details, told, warned
from doit_cargo.tools import console

if TYPE_CHECKING:
    from doit_cargo.doit_ext.github import Github
    from doit_cargo.tools.cargo.progress import Step


class Results(NamedTuple):
    """How the tasks of ours ended: by `run`, `same`, `failed` and `unmet`.

    `took` has the seconds of those that ran, `causes` what failed and what was said of it.
    """

    tasks: Mapping[str, Iterable[Task]]
    took: Mapping[str, float]
    causes: Iterable[tuple[str, str]]
    seconds: float


class LineReporter:
    """A doit reporter. Of the tasks of others it tells as doit's own console reporter does."""

    desc = "a line for each result of doit-cargo's tasks and a summary, the rest as on the console"

    def __init__(self, outstream: IO[str], options: dict[str, Any]) -> None:
        self._root: Path | None = options.get("root")
        self._started = float(options.get("since", time.monotonic()))
        self._progress = Progress(self._started)
        looks = options.get("looks", Looks())
        self._screen = Screen(outstream, looks, self._progress, options.get("workspace"))
        self._stock = ConsoleReporter(self._screen, options)
        self._failures = Failures(options["explain"])
        self._again = str(options.get("again", "doit"))
        self._shows_warnings = bool(options.get("warnings"))
        self._done: dict[str, list[Task]] = {"run": [], "same": [], "failed": [], "unmet": []}
        self._github: Github | None = options.get("github")
        self._errors: list[str] = []
        self.broken_off = False

    def initialize(self, tasks: dict[str, Task], selected_tasks: list[str]) -> None:
        """The selection is known, nothing has run."""
        self._failures.tasks, self._failures.selected = tasks, selected_tasks

    def progress(self, step: Step) -> None:
        """How far cargo is. Called from the thread that reads it, too."""
        self._progress.step(step)
        self._screen.watch()

    def get_status(self, task: Task) -> None:
        """A task is about to be asked for its status."""

    def execute_task(self, task: Task) -> None:
        """A task starts."""
        spec = spec_of(task)
        if spec is None:
            self._screen.lend(task.name)
            self._stock.execute_task(task)
        elif spec.action:
            self._progress.start(task.name)
            self._screen.watch()

    def add_success(self, task: Task) -> None:
        """A task has ended well."""
        self._progress.end(task.name)
        spec = spec_of(task)
        if spec is None:
            self._screen.take_back(task.name)
        elif spec.action:
            self._done["run"].append(task)
            outcome = outcome_of(task)
            self._screen.result(self._github.begin_group() if self._github else "")
            self._screen.result(told(spec, outcome).rstrip(), "good")
            for text in details(outcome):
                self._screen.result(text.rstrip())

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
        """A task failed, or can't run since another did, which was told of that one."""
        self._progress.end(task.name)
        if spec_of(task) is None:
            self._screen.take_back(task.name)
            self._stock.add_failure(task, fail)
        elif isinstance(fail, UnmetDependency):
            self._done["unmet"].append(task)
            self._failures.unmet(task, str(fail.message))
        else:
            self._done["failed"].append(task)
            for text in self._failures.add(task, fail):
                self._tell_failure(text)

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
        self._screen.end()
        self._stock.complete_run()
        for error in self._errors:
            console.warn(f"ERROR: {error}")
        if self.broken_off:
            return
        if self._failures.any:
            self._tell_failures()
        elif any(self._done.values()):
            self._screen.result(self._github.end_group() if self._github else "")
            for text in warned(self._done["same"], whole=self._shows_warnings):
                self._screen.problem(text, "warning")
            self._screen.result(self._summary())

    def results(self) -> Results:
        """How the run has ended, so far."""
        elapsed = time.monotonic() - self._started
        return Results(self._done, self._progress.took, self._failures.causes, elapsed)

    def _tell_failure(self, text: str) -> None:
        if self._github is None:
            self._screen.problem(text, "bad")
            return
        self._screen.result(self._github.end_group())
        self._screen.problem(self._github.quiet(text), "bad")
        for line in self._github.annotations(text):
            self._screen.result(line)

    def _tell_failures(self) -> None:
        done = {task.name for state in ("run", "same") for task in self._done[state]}
        hints, summary, again = self._failures.last_words(done)
        for hint in hints:
            self._screen.problem(hint, "hint")
        self._screen.problem(f"{summary}, {self._elapsed()}", "bad")
        if again:
            self._screen.problem(f"again: {' '.join((self._again, *again))}")

    def _summary(self) -> str:
        verified = [task for state in ("run", "same") for task in self._of(state, "verify")]
        counted, elapsed = self._counted(verified), self._elapsed()
        if not self._done["run"]:
            return f"up to date: {counted} ({elapsed})"
        built, reused = self._binaries("run"), self._binaries("same")
        return f"{counted}: {built} built, {reused} reused, {elapsed}"

    def _elapsed(self) -> str:
        return seconds(time.monotonic() - self._started)

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
