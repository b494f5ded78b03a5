"""doit's thread runner with one cargo behind it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from doit.exceptions import BaseFail, TaskFailed, UnmetDependency
from doit.runner import FAILURE, MThreadRunner
from doit.task import Task

from doit_cargo.core.errors import MissingToolError
from doit_cargo.core.model import Context
from doit_cargo.doit_ext.planner import Planner
from doit_cargo.doit_ext.tasks import outcome_of, spec_of
from doit_cargo.tools import files
from doit_cargo.tools.run.lock import RunLock
from doit_cargo.tools.run.session import Session

if TYPE_CHECKING:
    from doit_cargo.tools.run.cargo_cache import CargoCache
    from doit_cargo.tools.run.preflight import Preflight


class CargoRunner(MThreadRunner):
    """Plans the one cargo before the first task is dispatched, and keeps state honest."""

    final_result: int
    ctx: Context
    session: Session
    preflight: Callable[[], Preflight]
    lock: RunLock
    _since = 0
    _idle: Sequence[Task] = ()
    _cargo_cache: CargoCache | None = None

    def run_all(self, task_dispatcher: Any) -> int:
        """Plan, start cargo, run the tasks; whatever happens, nothing of it runs on."""
        try:
            self._prepare(task_dispatcher)
            code = int(super().run_all(task_dispatcher))
            self._look_again()
            self._remember()
            return code
        finally:
            self.session.close()

    def run_tasks(self, task_dispatcher: Any) -> None:
        """Doit has the reporter say its last word even when the run was broken off."""
        try:
            super().run_tasks(task_dispatcher)
        except BaseException:
            self.reporter.broken_off = True
            raise

    def _prepare(self, dispatcher: Any) -> None:
        tasks = list(in_order(dispatcher.tasks, dispatcher.selected_tasks))
        self._since = time.time_ns()
        self._programs(tasks)
        # `doit ignore` would make a task count as done: it may add work, never grant a pass.
        self.dep_manager.status_is_ignore = _never
        planner = Planner(self.ctx, self.dep_manager.checker, self._status_in(dispatcher.tasks))
        plans = planner.plans(tasks, always=self.always_execute)
        self._answer_once(planner)
        self.session.note(planner.digests)
        if planner.digests:
            gc.enable()
            self.lock.sign()
            files.sweep(self.ctx.config.root, self.ctx.config.outputs.state)
        if plans:
            preflight = self.preflight()
            orders = preflight.orders(plans, keep_going=self.continue_)
            self._cargo_cache = preflight.cargo_cache
            self.session.start(orders, self.ctx.graph, self.reporter.progress)
            self._idle = [task for task in tasks if task.name in planner.current]
        # A parked thread for each awaited crate, or those that wait would starve the others.
        self.num_process += sum(len(plan.crates) for plan in plans)

    def _programs(self, tasks: Iterable[Task]) -> None:
        """What is missing is told at once, before anything is compiled."""
        wanted = [name for task in tasks if (spec := spec_of(task)) for name in spec.programs]
        if wanted:
            from doit_cargo.core.images.engines import missing

            if lines := missing(wanted, self.ctx.env):
                raise MissingToolError("\n".join(lines))

    def _answer_once(self, planner: Planner) -> None:
        """What the planner found up to date stays so: its identity is pinned for this run."""
        ask = self.dep_manager.get_status

        def answer(task: Task, tasks: dict[str, Task]) -> Any:
            status = planner.current.get(task.name) or ask(task, tasks)
            if task.name in planner.digests and status.status == "up-to-date":
                status.status = "run"  # cargo makes it anew, though its inputs are what they were
            return status

        self.dep_manager.get_status = answer

    def _look_again(self) -> None:
        """Cargo may have written the same bytes again for a task with nothing to do."""
        for spec in filter(None, map(spec_of, self._idle)):
            for path in spec.made():
                self.dep_manager.checker.output_state(path)

    def _remember(self) -> None:
        """Remember what cargo keeps for later builds."""
        made: dict[str, set[str]] = {}
        for name, paths in (pair for cached in self.session.cached() for pair in cached.items()):
            made.setdefault(name, set()).update(paths)
        if made and self._cargo_cache:
            self._cargo_cache.note(made)

    def _status_in(self, tasks: dict[str, Task]) -> Any:
        return lambda task: self.dep_manager.get_status(task, tasks, get_log=True)

    def process_task_result(self, node: Any, base_fail: BaseFail | None) -> None:
        """Depend on what the build was found to read; look afresh at what the task wrote."""
        task = node.task
        if not task.actions:  # a group: stock doit would save that it ran, every time
            node.run_status = "successful"
            return
        self.dep_manager.checker.forget(task.targets)
        if base_fail is None:
            outcome = outcome_of(task)
            task.file_dep.difference_update(outcome.no_longer)
            self.dep_manager.checker.discover(outcome.discovered, self._since)
            task.file_dep.update(outcome.discovered)
        super().process_task_result(node, base_fail)

    def _handle_task_error(self, node: Any, base_fail: BaseFail) -> None:
        """A failed check is 1, with its dependents unmet too; doit's 2 stays for real errors."""
        before = self.final_result
        super()._handle_task_error(node, base_fail)
        if isinstance(base_fail, TaskFailed | UnmetDependency) and before in (0, FAILURE):
            self.final_result = FAILURE


def _never(task: Task) -> bool:
    del task
    return False


def in_order(tasks: dict[str, Task], selected: Iterable[str]) -> Iterator[Task]:
    """The selected tasks and all they depend on, in the order of the pipeline."""
    wanted: set[str] = set()
    queue = list(selected)
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue += tasks[name].task_dep + tasks[name].setup_tasks
    return (task for name, task in tasks.items() if name in wanted)
