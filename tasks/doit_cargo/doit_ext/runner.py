"""doit's runner with one cargo behind it: the pipeline's tasks beside it, all others as ever.

The main thread asks doit's dispatcher for tasks, decides, and saves. What cargo has to compile is
decided when all that a build waits for has run; until then builds are put aside. The pipeline's
actions run in a few threads, a crate's own when cargo has delivered it. The tasks of others run
in the main thread, one at a time, or in doit's own workers where `-n` asks for them.
"""

from __future__ import annotations

import gc
import queue
from collections import deque
from typing import TYPE_CHECKING, Any

from doit.exceptions import BaseFail, InvalidDodoFile, InvalidTask

from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.cargo_work import CargoWork
from doit_cargo.doit_ext.feed import Feed
from doit_cargo.doit_ext.results import ResultRunner
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.doit_ext.threads import Threads

if TYPE_CHECKING:
    from doit_cargo.doit_ext.workers import Workers


class CargoRunner(ResultRunner):
    """Runs the tasks of one command, and keeps state honest whatever the others do."""

    work: CargoWork
    workers: Workers | None = None

    def run_all(self, task_dispatcher: Any) -> int:
        """Run the tasks; whatever happens, nothing of it runs on."""
        self.begin(task_dispatcher)
        self._threads = Threads()
        self._events: queue.SimpleQueue[tuple[str, Any, BaseFail | None]] = queue.SimpleQueue()
        self._in_flight = 0
        self._feed = Feed(task_dispatcher)
        self._backlog: deque[Any] = deque()  # others' nodes that wait for a worker
        self._awaited: dict[tuple[str, str], Any] = {}  # build nodes by architecture and crate
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
            self._threads.stop()
            if self.workers:
                self.workers.stop()

    def _loop(self) -> None:
        while True:
            if self._stop_running:
                self._feed.stop()
            if node := self._next():
                self._start(node)
            elif self._feed.has_news:
                continue
            elif not self._stop_running and self.work.may_plan(quiet=not self._in_flight):
                self._plan()
            elif self._in_flight:
                self._finish_one(*self._events.get())
            elif self._feed.ended:
                return
            else:
                raise InvalidDodoFile(self.dispatcher.deadlock())

    def _plan(self) -> None:
        if not (released := self.work.plan()) and not self._in_flight:
            raise InvalidDodoFile(self.dispatcher.deadlock())
        self._feed.release(released)

    def _next(self) -> Any:
        """Of those that wait for a worker the first when one is free, else what comes."""
        if self._backlog and not self._stop_running and self.workers and self.workers.free:
            return self._backlog.popleft()
        return self._feed.next()

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
                self._feed.release(self.work.plan())
        else:
            self._start_own(node, spec)

    def _start_own(self, node: Any, spec: TaskSpec) -> None:
        node.ignored_deps.clear()  # `doit ignore` may add work, it makes nothing of ours up to date
        if not self.select_task(node, self.dispatcher.tasks):
            self._feed.done(node)
        elif not spec.action:  # a group: doit would save that it ran, every time
            node.run_status = "successful"
            self._feed.done(node)
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
        self.work.admit(spec)
        self._threads.run(lambda: self._events.put(("own", node, self.execute_task(node.task))))
        self._in_flight += 1

    def _start_other(self, node: Any) -> None:
        """As doit does: here, or in a worker when one is free."""
        gc.enable()
        if self.workers and not self.workers.free:
            self._backlog.append(node)
        elif not self.select_task(node, self.dispatcher.tasks):
            self._feed.done(node)
        elif self.workers:
            self.workers.submit(node.task)
            self._in_flight += 1
        else:
            self._execute(node)

    def _execute(self, node: Any) -> None:
        self.process_task_result(node, self.execute_task(node.task))
        self._feed.done(node)

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
            self._feed.done(what)
        elif self.workers and (task := self.workers.take(what, self.reporter)):
            self._in_flight -= 1
            node = self.dispatcher.nodes[task.name]
            self.process_task_result(node, what.get("failure"))
            self._feed.done(node)

    def give_up(self) -> None:
        """The crates on their way are no failures."""
        self._in_flight -= len(self._awaited)
        self._awaited.clear()
        self.work.stop_builds()
