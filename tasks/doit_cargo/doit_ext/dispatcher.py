"""doit's dispatcher, which yields each task when all that it waits for has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from doit.control import TaskDispatcher
from doit.task import DelayedLoaded, Task

Adopt = Callable[[Iterable[Task]], list[tuple[str, str]]]
"""Given new tasks of others', adds edges from ours to them: build and task."""
_CREATED = "reset generator"  # what doit's own generator says when tasks were created late


class Dispatcher(TaskDispatcher):
    """Knows of tasks that are created late, and ends where doit's own waits for ever.

    That is where a task has another as its task_dep and its calc_dep: doit takes it off one of
    its two lists when the other has ended.
    """

    def __init__(
        self, tasks: Mapping[str, Task], targets: Any, selected: Sequence[str], adopt: Adopt
    ) -> None:
        self._adopt = adopt
        self._known = {id(task) for task in tasks.values()}
        super().__init__(tasks, targets, selected)

    def deadlock(self) -> str:
        """What is wrong when every task waits for another; doit has a traceback for it."""
        waits = [
            f"{node.task.name} for {', '.join(sorted(node.wait_run | node.wait_run_calc))}"
            for node in self.waiting
        ]
        return f"these tasks wait for each other: {'; '.join(sorted(waits))}"

    def _node_add_wait_run(self, node: Any, task_list: Sequence[str], calc: bool = False) -> None:
        """Wait for a task once: for its values, if they are asked for."""
        if not calc:
            task_list = [name for name in task_list if name not in node.wait_run_calc]
        super()._node_add_wait_run(node, task_list, calc)
        node.wait_run -= node.wait_run_calc

    def _add_task(self, node: Any) -> Iterator[Any]:
        for step in super()._add_task(node):
            if isinstance(step, str) and step == _CREATED:
                self._meet_new_tasks()
            yield step

    def _meet_new_tasks(self) -> None:
        """Have our builds wait for tasks that were just created and make sources of theirs."""
        new = [
            task
            for task in self.tasks.values()
            if task.loader is DelayedLoaded and id(task) not in self._known
        ]
        self._known.update(map(id, new))
        for build, name in self._adopt(new):
            if (node := self.nodes.get(build)) and node.run_status is None:
                self._wait_too(node, name)

    def _wait_too(self, node: Any, name: str) -> None:
        """A build that is waiting already, or was put aside, waits for one task more."""
        if fresh := self._gen_node(None, name):
            self.ready.append(fresh)
        if node in self.waiting:
            self._node_add_wait_run(node, [name])
        else:
            node.task_dep.append(name)
