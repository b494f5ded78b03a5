"""Which builds are selected, and which of the user's tasks they wait for, by any edge doit has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from doit.task import DelayedLoaded, Task

from doit_cargo.core.reach import reachable
from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.planner import is_planned
from doit_cargo.doit_ext.tasks import spec_of

_UNFINISHED = (None, "run")  # doit's run_status of a task that has not ended
_FAILED = "failure"
_EXECUTED = "successful"


def selected_specs(control: Any) -> list[TaskSpec]:
    """The specs of all tasks that the selected ones may have run, in the pipeline's order."""
    tasks = control.tasks
    wanted = upstream(control.selected_tasks, tasks)
    return [spec for name, task in tasks.items() if name in wanted and (spec := spec_of(task))]


def upstream(names: Iterable[str], tasks: Mapping[str, Task]) -> set[str]:
    """These tasks and all that they wait for or may have run."""

    def edges(name: str) -> Iterable[str]:
        task = tasks.get(name)
        return (*_edges(task), *task.setup_tasks) if task else ()

    return reachable(names, edges)


class Prerequisites:
    """Looks at a dispatcher's tasks and nodes; both may grow while it runs."""

    def __init__(self, dispatcher: Any) -> None:
        self._dispatcher = dispatcher
        self._seen: set[str] = set()  # tasks of others' that ran before the last plan

    def unfinished(self) -> bool:
        """Whether a task of the user's own is still to come that a selected build waits for."""
        tasks = self._dispatcher.tasks
        if all(spec_of(task) for task in tasks.values()):
            return False
        selected = self._selected()
        if any(_is_delayed(tasks[name]) for name in selected):
            return True  # what it creates may write sources
        return any(self._status(name) in _UNFINISHED for name in self._others(selected))

    def builds(self, aside: Iterable[Any]) -> list[Task]:
        """The selected builds that wait for nothing but each other, each after those it needs.

        Those that were put `aside` and wait for more all the same are not among them.
        """
        tasks = self._dispatcher.tasks
        wanted = self._selected() | {node.task.name for node in aside}
        found: dict[str, Task] = {}
        for name, task in tasks.items():  # in the order of the pipeline
            if name in wanted and _is_build(task) and self._is_ready(task, found):
                found[name] = task
        return list(found.values())

    def others_ran(self) -> bool:
        """Whether since the last plan a task of the user's own has done its work."""
        ran = {
            name
            for name, node in self._dispatcher.nodes.items()
            if node.run_status == _EXECUTED and node.task.actions and spec_of(node.task) is None
        }
        new = ran - self._seen
        self._seen |= ran
        return bool(new)

    def failed(self, task: Task) -> list[Any]:
        """The nodes of tasks that a build waits for by its inputs and that have failed."""
        nodes = (self._dispatcher.nodes.get(name) for name in task.task_dep)
        return [node for node in nodes if node and node.run_status == _FAILED]

    def _selected(self) -> set[str]:
        """All that will run for sure, and what has been given out already.

        A setup task runs only if the one that names it does: it is not among them before.
        """
        tasks, nodes = self._dispatcher.tasks, self._dispatcher.nodes
        start = [*self._dispatcher.selected_tasks, *nodes]
        return reachable(start, lambda name: _edges(tasks[name]) if name in tasks else ())

    def _others(self, selected: Iterable[str]) -> set[str]:
        """The tasks of others' upstream of the selected builds, as far as ours are not between."""
        tasks = self._dispatcher.tasks
        first = {
            dep
            for name in selected
            if _is_build(tasks[name])
            for dep in tasks[name].task_dep
            if spec_of(tasks[dep]) is None
        }
        edges = lambda name: (d for d in _edges(tasks[name]) if spec_of(tasks[d]) is None)  # noqa: E731
        return reachable(first, edges)

    def _is_ready(self, task: Task, found: dict[str, Task]) -> bool:
        return all(
            name in found or self._status(name) in ("successful", "up-to-date", "ignore")
            for name in task.task_dep
        )

    def _status(self, name: str) -> str | None:
        node = self._dispatcher.nodes.get(name)
        status: str | None = node.run_status if node else None
        return status


def _edges(task: Task) -> Iterator[str]:
    yield from task.task_dep
    yield from task.calc_dep


def _is_build(task: Task) -> bool:
    spec = spec_of(task)
    return spec is not None and is_planned(spec)


def _is_delayed(task: Task) -> bool:
    return bool(task.loader) and task.loader is not DelayedLoaded
