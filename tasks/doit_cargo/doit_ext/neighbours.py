"""The pipeline's tasks beside others in one dodo.py: clashing names, and who waits for whom.

doit compares paths as text. Between a task of ours and another's one spelling of a file is any
spelling of it, and a file below a crate's folder is a source of it, whether it is there yet or not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from doit.control import TaskControl
from doit.doit_cmd import DoitMain
from doit.exceptions import InvalidDodoFile
from doit.task import Task

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context, CrateGraph
from doit_cargo.doit_ext.planner import is_planned
from doit_cargo.doit_ext.prerequisites import upstream
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.plugins import COMMANDS


def others(tasks: Iterable[Task]) -> list[Task]:
    """The user's own tasks."""
    return [task for task in tasks if spec_of(task) is None]


def check_names(tasks: Iterable[Task]) -> None:
    """Raise SetupError with every name that a task of the user's own shares with one of ours."""
    tasks = tuple(tasks)
    ours = {task.name: spec for task in tasks if (spec := spec_of(task))}
    lines = [
        f"the task {task.name} has the name of doit-cargo's stage `{ours[task.name].stage}`: "
        'rename it, or write load(__file__, prefix="rust") in dodo.py: then ours is called '
        f"rust-{task.name}"
        for task in others(tasks)
        if task.name in ours
    ]
    if lines:
        raise SetupError("\n".join(lines))


def explain_names(error: InvalidDodoFile) -> InvalidDodoFile:
    """Doit's refusal of a task called like a command, and whose command that is."""
    text, doits = str(error), {command.get_name() for command in DoitMain.DOIT_CMDS}
    for name in COMMANDS.keys() - doits:
        if f"'{name}' because this is a command name" in text:
            return InvalidDodoFile(
                f"{text} The command `{name}` is doit-cargo's: give it another name in the "
                "[COMMAND] section of doit.cfg (or pyproject.toml), or rename the task."
            )
    return error


class Targets(dict[str, str]):
    """doit's map of target → task, in which a target of ours is found by any spelling."""

    def __init__(self, found: Mapping[str, str], ours: Iterable[Task]) -> None:
        super().__init__(found)
        self._ours: dict[str, str] = {path: task.name for task in ours for path in task.targets}
        self._owned: list[tuple[str, str]] = [
            (f"{spec.owns}/", task.name) for task in ours if (spec := spec_of(task)) and spec.owns
        ]

    def __contains__(self, path: object) -> bool:
        """Whether a task makes the file."""
        return super().__contains__(path) or self.ours(str(path)) is not None

    def __missing__(self, path: str) -> str:
        """The task of ours that makes a file, for which doit has no entry."""
        if (name := self.ours(path)) is None:
            raise KeyError(path)
        return name

    def ours(self, path: str) -> str | None:
        """The task of ours that makes a file, by whatever spelling of its path."""
        for real in _spellings(path):
            if real in self._ours:
                return self._ours[real]
            for folder, name in self._owned:
                if real.startswith(folder):
                    return name
        return None


def link(control: Any, ctx: Context) -> Sources:
    """Add the edges between our tasks and others' that doit does not see in a TaskControl.

    Raises SetupError if another's task writes what one of ours does.
    """
    foreign = others(control.tasks.values())
    ours = [task for task in control.tasks.values() if spec_of(task)]
    sources = Sources(ctx, ours if foreign else (), control.tasks)
    if foreign:
        targets = Targets(control.targets, ours)
        refuse_shared_targets(foreign, targets)
        control.targets = targets
        for task in foreign:
            control.add_implicit_task_dep(targets, task, task.file_dep)
        sources.adopt(foreign)
    return sources


def together(
    tasks: list[Task], pipeline: Any, *, delayed: bool = False
) -> tuple[TaskControl, Sources]:
    """Ours and others' in one TaskControl, with all edges; `tasks` gets the stages not made yet.

    `delayed` is doit's `auto_delayed_regex`. Raises SetupError for what two of them share.
    """
    if others(tasks):  # they may depend on any stage
        tasks += pipeline.rest()
    check_names(tasks)
    control = TaskControl(tasks, auto_delayed_regex=delayed)
    return control, link(control, pipeline.ctx)


def refuse_shared_targets(foreign: Iterable[Task], targets: Targets) -> None:
    """Raise SetupError with every file that a task of ours makes too."""
    lines = [
        f"{path} is a target of the task {task.name} and of doit-cargo's {owner}"
        for task in foreign
        for path in task.targets
        if (owner := targets.ours(path))
    ]
    if lines:
        raise SetupError("\n".join(lines))


class Sources:
    """Which of our builds read a file that another's task makes."""

    def __init__(self, ctx: Context, ours: Iterable[Task], tasks: Mapping[str, Task]) -> None:
        self._tasks = tasks
        self._builds = [
            (task, spec) for task in ours if (spec := spec_of(task)) and is_planned(spec)
        ]
        self._inputs: dict[str, list[Task]] = {}
        for task, _ in self._builds:
            for path in task.file_dep:
                self._inputs.setdefault(path, []).append(task)
        self._folders = crate_folders(ctx.graph)
        self._outputs = tuple(f"{path}/" for path in ctx.config.filled.values())
        self._target = f"{ctx.graph.target_directory}/"
        self._no_sources: dict[str, set[str]] = {}  # of a build: what is made of its output
        self._makers: list[Task] = []  # the tasks of others that have targets

    def adopt(self, foreign: Iterable[Task]) -> list[tuple[str, str]]:
        """Have each build wait for the tasks that make something it reads: build and task, if new.

        What a task makes of a build's output is no source of that build, though it may lie in
        its crate's folder.
        """
        edges: list[tuple[str, str]] = []
        makers = [task for task in foreign if task.targets]
        self._makers += makers
        for task in makers:
            waits_for = upstream([task.name], self._tasks)
            for path in task.targets:
                for build in self._readers(path):
                    if build.name in waits_for:
                        self._no_sources.setdefault(build.name, set()).update(_spellings(path))
                    elif task.name not in build.task_dep:
                        build.task_dep.append(task.name)
                        edges.append((build.name, task.name))
        self.leave_out(build for build, _ in self._builds)
        return edges

    def leave_out(self, builds: Iterable[Task]) -> None:
        """Take from the builds' inputs what is made of their output."""
        for build in builds:
            build.file_dep.difference_update(self._no_sources.get(build.name, ()))

    def made_later(self, build: Task) -> set[str]:
        """What the tasks of others make that wait for a build: it is found, and was not read."""
        made = (
            task.targets
            for task in self._makers
            if build.name in upstream([task.name], self._tasks)
        )
        return {real for paths in made for path in paths for real in _spellings(path)}

    def _readers(self, path: str) -> Iterator[Task]:
        for real in _spellings(path):
            yield from self._inputs.get(real, ())
            crate = self._crate_of(real)
            yield from (task for task, spec in self._builds if spec.subject == crate)

    def _crate_of(self, path: str) -> str | None:
        if path.startswith((*self._outputs, self._target)):
            return None
        return crate_of(self._folders, path)


def crate_folders(graph: CrateGraph) -> dict[str, str]:
    """Folder → the crate in it, the deepest first."""
    folders = {str(crate.directory): name for name, crate in graph.crates.items()}
    return dict(sorted(folders.items(), key=lambda item: -len(item[0])))


def crate_of(folders: Mapping[str, str], path: str) -> str | None:
    """The crate in whose folder, of `crate_folders`, a path lies."""
    found = (name for at, name in folders.items() if path == at or path.startswith(f"{at}/"))
    return next(found, None)


def _spellings(path: str) -> tuple[str, ...]:
    """The paths by which ours may know a file."""
    return tuple(dict.fromkeys((os.path.abspath(path), os.path.realpath(path))))
