"""The failures of a run: each cause once, and in the end what waits for it and what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from doit.exceptions import BaseFail
from doit.task import Task

from doit_cargo.core.reach import reachable
from doit_cargo.core.task import task_name
from doit_cargo.core.text import plural
from doit_cargo.doit_ext.tasks import BuildFailed, spec_of

_MOST = 5  # names in one line

Explain = Callable[[str, str], Sequence[str]]
"""What is known of a message and the crate that failed: hints, each given once."""


class Failures:
    """Collects them. `tasks` are all tasks by name and `selected` the names asked for."""

    def __init__(self, explain: Explain) -> None:
        self.tasks: Mapping[str, Task] = {}
        self.selected: Sequence[str] = ()
        self._explain = explain
        self._failed: dict[str, Task] = {}  # what failed → its task, or one that waits for it
        self._blocked: set[str] = set()  # tasks whose crate was not built for another's failure
        self._unmet: dict[str, list[str]] = {}  # tasks that can't run → what they need
        self._shown: set[tuple[str, str]] = set()
        self._hints: list[tuple[str, str]] = []
        self.causes: list[tuple[str, str]] = []
        """What failed, by name, and what was said of it."""

    @property
    def any(self) -> bool:
        """Whether a task of ours failed, or could not run."""
        return bool(self._failed or self._unmet)

    def unmet(self, task: Task, needs: str) -> None:
        """A task can't run without these."""
        self._unmet[task.name] = needs.split()

    def add(self, task: Task, fail: BaseFail) -> Iterator[str]:
        """Take a failure; what to show of it now."""
        if isinstance(fail, BuildFailed):
            yield from self._add_build(task, fail)
        else:
            yield self._new(task.name, task, fail.get_msg(), _crate(task))

    def last_words(self, done: set[str]) -> tuple[Sequence[str], str, Sequence[str]]:
        """Hints, what failed and how much waits for it, and what to run again, if we know."""
        several = len(self._failed) > 1
        hints = [
            hint.replace("hint:", f"hint for {name}:", 1) if several else hint
            for name, hint in self._hints
        ]
        if not self._failed:
            return hints, self._not_run(), []
        again = [task.name for task in self._failed.values()]
        return hints, self._summary(done), again if len(again) <= _MOST else ["run"]

    def _not_run(self) -> str:
        """What a task of the user's own keeps from running, which doit has told of."""
        needs = {name for names in self._unmet.values() for name in names}
        roots = ", ".join(sorted(needs - self._unmet.keys()))
        return f"not run: {plural(len(self._unmet), 'task')}, which need {roots}"

    def _add_build(self, task: Task, fail: Any) -> Iterator[str]:
        own = _crate(task)
        if fail.needs:
            self._blocked.add(task.name)
        for cause in fail.causes:
            name, key = self._name(task, cause.crate), (cause.crate, cause.text)
            if key not in self._shown:
                self._shown.add(key)
                yield self._new(name, task, cause.text, cause.crate or own)
            elif cause.crate == own:  # for another architecture, in the same words
                self._failed.setdefault(name, task)

    def _name(self, task: Task, crate: str) -> str:
        """A local crate is called by its task, another by its name."""
        spec = task.spec
        name = task.name.removesuffix(spec.name) + task_name("build", spec.arch, crate)
        if crate and (name in self.tasks or crate == spec.subject):
            return str(name)
        return f"{crate or 'cargo'} for {spec.arch}"

    def _new(self, name: str, task: Task, text: str, crate: str) -> str:
        self._failed[name] = self.tasks.get(name, task)
        self.causes.append((name, text.rstrip()))
        self._hints += [(name, hint) for hint in self._explain(text, crate)]
        return f"FAILED   {name}\n{text.rstrip()}"

    def _summary(self, done: set[str]) -> str:
        names = list(self._failed)
        more = [f"and {len(names) - _MOST} more"] * (len(names) > _MOST)
        builds = self._builds()
        waiting = self._waiting(builds)
        untried = builds.keys() - done - waiting - self._failed.keys()
        parts = [f"failed: {', '.join((*names[:_MOST], *more))}"]
        stopped = [*waiting, *(self._failed.keys() & builds.keys())]
        binaries = sum(len(builds[name].targets) - 1 for name in stopped)
        counts = [plural(len(waiting), "crate")] * bool(waiting)
        counts += [plural(binaries, "binary", "binaries")] * bool(binaries)
        if counts:
            verb = "waits" if len(waiting) + binaries == 1 else "wait"
            parts.append(f"{' and '.join(counts)} {verb} for {'it' if len(names) == 1 else 'them'}")
        if untried:
            parts.append(f"{plural(len(untried), 'crate')} not tried (see --continue)")
        return "; ".join(parts)

    def _builds(self) -> dict[str, Task]:
        """The builds among what was asked for and what that needs."""
        names = reachable(self.selected, self._needs)
        found = {name: self.tasks[name] for name in names if name in self.tasks}
        return {name: task for name, task in found.items() if _crate(task)}

    def _waiting(self, builds: Mapping[str, Task]) -> set[str]:
        """Those of them that need what failed, by whatever way."""
        above = defaultdict(list)
        for name in reachable(builds, self._needs):
            for below in self._needs(name):
                above[below].append(name)
        bad = reachable((*self._blocked, *self._failed), lambda name: above[name])
        return (bad & builds.keys()) - self._failed.keys()

    def _needs(self, name: str) -> Sequence[str]:
        task = self.tasks.get(name)
        return task.task_dep if task else ()


def _crate(task: Task) -> str:
    """The crate that a task builds, or ""."""
    spec = spec_of(task)
    return spec.subject if spec and spec.action and spec.stage == "build" else ""
