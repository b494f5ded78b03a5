"""Saves the results of tasks: what they depend on from now on, and the run's exit code."""

from __future__ import annotations

import os
import time
from typing import Any

from doit.exceptions import BaseFail, DependencyError, TaskFailed, UnmetDependency
from doit.runner import FAILURE, Runner

from doit_cargo.doit_ext.cargo_work import others_code
from doit_cargo.doit_ext.neighbours import Sources
from doit_cargo.doit_ext.state import UnsavableError
from doit_cargo.doit_ext.tasks import outcome_of, spec_of


class ResultRunner(Runner):
    """Saves the results of our tasks by what they were found to read, those of others as doit."""

    final_result: int
    dispatcher: Any
    sources: Sources | None = None

    def begin(self, dispatcher: Any) -> None:
        """A run starts: what is changed from now on may have been read before."""
        self.dispatcher = dispatcher
        self._since = time.time_ns()

    def give_up(self) -> None:
        """A task of the user's own has failed, and the run should stop."""

    def process_task_result(self, node: Any, base_fail: BaseFail | None) -> None:
        """Depend on what the build was found to read; look afresh at what the task wrote."""
        task, checker = node.task, self.dep_manager.checker
        checker.forget(map(os.path.abspath, task.targets))
        if spec_of(task) is None:
            self._process_other(node, base_fail)
            return
        if base_fail is None:
            outcome = outcome_of(task)
            task.file_dep.difference_update(outcome.no_longer)
            checker.discover(outcome.discovered, self._since)
            task.file_dep.update(outcome.discovered)
            if self.sources:
                task.file_dep.difference_update(self.sources.made_later(task))
        with checker.pinning():
            super().process_task_result(node, base_fail)

    def _process_other(self, node: Any, base_fail: BaseFail | None) -> None:
        try:
            with others_code():
                super().process_task_result(node, base_fail)
        except UnsavableError as error:
            message = f"ERROR: Task '{node.task.name}' saving success: {error}"
            self._handle_task_error(node, DependencyError(message))

    def _handle_task_error(self, node: Any, base_fail: BaseFail) -> None:
        """A failed check is 1, with its dependents unmet too; doit's 2 stays for real errors."""
        before = self.final_result
        super()._handle_task_error(node, base_fail)
        if spec_of(node.task) is None:
            if self._stop_running:
                self.give_up()
        elif isinstance(base_fail, TaskFailed | UnmetDependency) and before in (0, FAILURE):
            self.final_result = FAILURE
