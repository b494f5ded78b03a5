"""doit's dispatcher, which yields each task when all that it waits for has ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from doit.control import TaskDispatcher


class Dispatcher(TaskDispatcher):
    """Without doit's own deadlock: a task may have another as its task_dep and its calc_dep.

    doit takes such a task off one of its two lists when the other has ended, and waits for ever.
    """

    def _node_add_wait_run(self, node: Any, task_list: Sequence[str], calc: bool = False) -> None:
        """Wait for a task once: for its values, if they are asked for."""
        if not calc:
            task_list = [name for name in task_list if name not in node.wait_run_calc]
        super()._node_add_wait_run(node, task_list, calc)
        node.wait_run -= node.wait_run_calc

    def deadlock(self) -> str:
        """What is wrong when every task waits for another; doit has a traceback for it."""
        waits = [
            f"{node.task.name} for {', '.join(sorted(node.wait_run | node.wait_run_calc))}"
            for node in self.waiting
        ]
        return f"these tasks wait for each other: {'; '.join(sorted(waits))}"
