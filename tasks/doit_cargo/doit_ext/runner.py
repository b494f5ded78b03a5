"""doit's runner with one cargo behind it: the pipeline's tasks beside it, all others as ever.

The main thread asks doit's dispatcher for tasks, decides, and saves. What cargo has to compile is
decided when all that a build waits for has run; until then builds are put aside. The pipeline's
actions run in a few threads, a crate's own when cargo has delivered it. The tasks of others run
in the main thread, one at a time, or in doit's own workers where `-n` asks for them.
"""

from __future__ import annotations

import gc
import os
import queue
from collections import deque
from typing import TYPE_CHECKING, Any

from doit.exceptions import BaseFail, InvalidDodoFile, InvalidTask

from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.cargo_work import CargoWork
from doit_cargo.doit_ext.results import ResultRunner
from doit_cargo.doit_ext.tasks import spec_of

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from doit_cargo.doit_ext.workers import Workers

_MOST_THREADS = 8  # smoke tests and images wait for other programs; more would wait for those
_HOLD = "hold on"  # what doit's dispatcher yields when every task waits for another


class CargoRunner(ResultRunner):
    """Runs the tasks of one command, and keeps state honest whatever the others do."""

    work: CargoWork
    workers: Workers | None = None

    def run_all(self, task_dispatcher: Any) -> int:
        """Run the tasks; whatever happens, nothing of it runs on."""
        self.begin(task_dispatcher)
        self._pool: ThreadPoolExecutor | None = None
        self._events: queue.SimpleQueue[tuple[str, Any, BaseFail | None]] = queue.SimpleQueue()
        self._in_flight = 0
        self._ended = False
        self._completed: deque[Any] = deque()  # nodes of which the dispatcher has not been told
        self._pending: deque[Any] = deque()  # nodes that it has given and that can now be started
        self._backlog: deque[Any] = deque()  # others' nodes that wait for a worker
        self._awaited: dict[tuple[str, str], Any] = {}  # architecture and crate → build node
        self._arrived: set[tuple[str, str]] = set()
        self.work.begin(self, lambda *key: self._events.put(("ready", key, None)))
        try:
            code = int(super().run_all(task_dispatcher))
            self.work.remember()
            return code
        finally:
            self.work.close()

    def run_tasks(self, task_dispatcher: Any) -> None:
        """Doit has the reporter say its last word even when the run was broken off."""
        try:
            if self.workers:
                self.workers.start(task_dispatcher.tasks, self._events)
            self._loop()
            if self.workers:
                self.workers.finish(self.reporter)
        except InvalidTask:
            raise
        except BaseException:
            self.reporter.broken_off = True
            raise
        finally:
            if self._pool:
                self._pool.shutdown(wait=False, cancel_futures=True)
            if self.workers:
                self.workers.stop()

    def _loop(self) -> None:
        while True:
            if node := self._next():
                self._start(node)
            elif self._completed:
                continue
            elif not self._stop_running and self.work.may_plan(quiet=not self._in_flight):
                self._plan()
            elif self._in_flight:
                self._finish_one(*self._events.get())
            elif self._ended or self._stop_running:
                return
            else:
                raise InvalidDodoFile(self.dispatcher.deadlock())

    def _plan(self) -> None:
        if not (released := self.work.plan()) and not self._in_flight:
            raise InvalidDodoFile(self.dispatcher.deadlock())
        self._pending += released

    def _next(self) -> Any:
        """A node that can be started; None if there is none for now."""
        if self._stop_running:
            self._completed.clear()
            return None
        if self._pending:
            return self._pending.popleft()
        if self._backlog and self.workers and self.workers.free:
            return self._backlog.popleft()
        if self._ended:
            self._completed.clear()
            return None
        processed = self._completed.popleft() if self._completed else None
        try:
            node = self.dispatcher.generator.send(processed)
        except StopIteration:
            self._ended = True
            return None
        return None if node == _HOLD else node

    def _start(self, node: Any) -> None:
        """Begin with a task: it ends here and now, or an event will tell."""
        spec = spec_of(node.task)
        if spec is None:
            self._start_other(node)
            return
        self.work.enter()
        if self.work.must_plan(node, spec):
            self.work.put_aside(node)
            if self.work.may_plan(quiet=False):
                self._pending += self.work.plan()
        else:
            self._start_own(node, spec)

    def _start_own(self, node: Any, spec: TaskSpec) -> None:
        node.ignored_deps.clear()  # `doit ignore` may add work, it makes nothing of ours up to date
        if not self.select_task(node, self.dispatcher.tasks):
            self._completed.append(node)
        elif not spec.action:  # a group: doit would save that it ran, every time
            node.run_status = "successful"
            self._completed.append(node)
        elif spec.stage == "build":
            self._await(node, (spec.arch, spec.subject))
        else:
            self._submit(node, spec)

    def _await(self, node: Any, key: tuple[str, str]) -> None:
        if key in self._arrived or not self.work.is_ordered(*key):
            self._execute(node)
        else:
            self._awaited[key] = node
            self._in_flight += 1

    def _submit(self, node: Any, spec: TaskSpec) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self.work.admit(spec)

        def act() -> None:
            self._events.put(("own", node, self.execute_task(node.task)))

        count = min(_MOST_THREADS, os.cpu_count() or 1)
        self._pool = self._pool or ThreadPoolExecutor(max_workers=count)
        self._pool.submit(act)
        self._in_flight += 1

    def _start_other(self, node: Any) -> None:
        """As doit does: here, or in a worker when one is free."""
        gc.enable()
        if self.workers and not self.workers.free:
            self._backlog.append(node)
        elif not self.select_task(node, self.dispatcher.tasks):
            self._completed.append(node)
        elif self.workers:
            self.workers.submit(node.task)
            self._in_flight += 1
        else:
            self._execute(node)

    def _execute(self, node: Any) -> None:
        self.process_task_result(node, self.execute_task(node.task))
        self._completed.append(node)

    def _finish_one(self, kind: str, what: Any, fail: BaseFail | None) -> None:
        """Take an event: something has ended, or a crate is there."""
        if kind == "ready":
            self._arrived.add(what)
            if node := self._awaited.pop(what, None):
                self._in_flight -= 1
                self._execute(node)
        elif kind == "own":
            self._in_flight -= 1
            self.process_task_result(what, fail)
            self._completed.append(what)
        elif self.workers and (task := self.workers.take(what, self.reporter)):
            self._in_flight -= 1
            node = self.dispatcher.nodes[task.name]
            self.process_task_result(node, what.get("failure"))
            self._completed.append(node)

    def give_up(self) -> None:
        """The crates on their way are no failures."""
        self._in_flight -= len(self._awaited)
        self._awaited.clear()
        self.work.stop_builds()
