"""doit's own parallel workers, for the user's tasks: processes or threads, as `-P` says.

They are started before any thread of ours: a forked process has no use for half a thread.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Any

from doit.exceptions import BaseFail
from doit.runner import JobTask, JobTaskPickle, MRunner, MThreadRunner
from doit.task import DelayedLoaded, Task

from doit_cargo.doit_ext.cargo_work import OthersError

Events = queue.SimpleQueue[tuple[str, Any, BaseFail | None]]
_END = {"end": True}


class Workers:
    """As many as `-n` says; each runs one task at a time, as doit's MRunner has it do."""

    def __init__(self, count: int, *, threads: bool, runner: Any) -> None:
        self._count = count
        kind = MThreadRunner if threads or not MRunner.available() else MRunner
        self._inner = kind(
            runner.dep_manager, runner.reporter, runner.continue_, runner.always_execute,
            runner.stream, count,
        )  # fmt: skip
        self._forks = kind is MRunner
        if not self._forks:  # there every thread would run all teardowns, and we again
            self._inner.teardown_list = runner.teardown_list
            self._inner.teardown = lambda: None
        self._jobs, self._results = self._inner.Queue(), self._inner.Queue()
        self._children: list[Any] = []
        self._tasks: Mapping[str, Task] = {}
        self._busy = 0
        self._pump: threading.Thread | None = None

    @property
    def free(self) -> bool:
        """Whether one has nothing to do."""
        return self._busy < self._count

    def start(self, tasks: Mapping[str, Task], events: Events) -> None:
        """Start them; what they tell becomes events of the kind `other`."""
        self._tasks = self._inner.tasks = tasks
        reporter = self._inner.reporter.__class__
        arguments = (self._jobs, self._results, reporter)
        for _ in range(self._count):
            child = self._inner.Child(target=self._inner.execute_task_subprocess, args=arguments)
            child.start()
            self._children.append(child)

        def pump() -> None:
            while (result := self._results.get()) != _END:
                events.put(("other", result, None))

        self._events = events
        started = threading.Thread(target=pump, daemon=True)
        started.start()
        self._pump = started

    def submit(self, task: Task) -> None:
        """Give a task to a free one."""
        self._busy += 1
        whole = task.loader is DelayedLoaded and self._forks
        self._jobs.put(JobTask(task) if whole else JobTaskPickle(task))

    def take(self, result: Any, reporter: Any) -> Task | None:
        """What one of them tells: a task that has ended, or something for the reporter."""
        if "exit" in result:
            error = result["exit"](result["exception"])
            if isinstance(error, OSError | ImportError | RuntimeError):  # no message of ours
                raise OthersError(result["exception"]) from error
            raise error
        task = self._tasks[result["name"]]
        if "reporter" in result:
            getattr(reporter, result["reporter"])(task)
            return None
        self._busy -= 1
        task.update_from_pickle(result["task"])
        for action, out, err in zip(task.actions, result["out"], result["err"], strict=True):
            action.out, action.err = out, err
        return task

    def finish(self, reporter: Any) -> None:
        """Have them run their teardowns and end."""
        for _ in self._children:
            self._jobs.put(None)
        for child in self._children:
            child.join()
        self._children = []
        self._results.put(_END)
        if self._pump:
            self._pump.join()
        while not self._events.empty():
            kind, result, _ = self._events.get()
            if kind == "other":
                self.take(result, reporter)

    def stop(self) -> None:
        """End those that a run which was broken off has left."""
        for child in self._children:
            if hasattr(child, "terminate"):
                child.terminate()
        self._children = []
