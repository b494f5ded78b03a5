"""TaskSpec → doit task, and the one guard around every action."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from doit.action import BaseAction
from doit.exceptions import BaseFail, TaskError, TaskFailed
from doit.task import Task

from doit_cargo.core import record
from doit_cargo.core.errors import BuildError, PipelineError, explain
from doit_cargo.core.model import RELEASE
from doit_cargo.core.task import Outcome, OwnName, TaskSpec, saved_size
from doit_cargo.doit_ext.checker import ContentChecker, Intact
from doit_cargo.tools import files
from doit_cargo.tools.log import log

_SAVED = "outcome"  # among the values that doit saves of a task


class BuildFailed(TaskFailed):
    """A crate was not built: it failed, or one below it did, or cargo did not come to it."""

    def __init__(self, error: BuildError) -> None:
        super().__init__(str(error))
        self.causes = error.causes
        self.needs = error.needs


class StepAction(BaseAction):
    """Runs a step's action. Unlike doit's PythonAction it leaves sys.stdout alone (threads)."""

    def __init__(self, spec: TaskSpec) -> None:
        self.spec = spec
        self.task: Task | None = None
        self.out = self.err = self.result = None
        self.values: dict[str, Any] = {}
        self.outcome = Outcome()

    def execute(self, out: IO[str] | None = None, err: IO[str] | None = None) -> BaseFail | None:
        """Do the work; what the user can fix becomes a message, the rest a traceback."""
        del out, err
        try:
            with log.task(self.spec) as event:
                self.outcome = (self.spec.action and self.spec.action()) or Outcome()
                event.update(self.outcome.encode())
        except BuildError as error:
            return BuildFailed(error)
        except (PipelineError, OSError) as error:
            return TaskFailed(_message(error))
        except Exception as error:  # noqa: BLE001 - doit prints it with its traceback
            return TaskError(f"internal error in {self.spec.name}", error)
        self.values = {_SAVED: self.outcome.encode()}
        return None


class StepTask(Task):
    """A doit task that knows its spec (doit's own `meta` is for what `doit info` may print)."""

    def __init__(
        self, spec: TaskSpec, prefix: str = "", profile: str = RELEASE, **attributes: Any
    ) -> None:
        super().__init__(
            OwnName(f"{prefix}{spec.name}", profile),
            [StepAction(spec)] if spec.action else None,
            doc=spec.doc,
            subtask_of=spec.group and f"{prefix}{spec.group}",
            task_dep=[f"{prefix}{name}" for name in spec.after],
            **attributes,
        )
        self.spec = spec

    def clean(self, outstream: IO[str], dryrun: bool) -> None:
        """Remove what the task made, saying so as doit does."""
        for path in filter(os.path.lexists, self.targets):
            outstream.write(f"{self.name} - removing file '{path}'\n")
            if not dryrun:
                files.remove(Path(path).parent, Path(path))


def doit_tasks(
    specs: Iterable[TaskSpec],
    checker: ContentChecker,
    prefix: str = "",
    profile: str = RELEASE,
) -> Iterator[Task]:
    """The doit tasks of the pipeline with a cargo profile, in the order of the specs."""
    for spec in specs:
        if spec.action:
            yield _task(spec, checker, prefix, profile)
        else:
            yield StepTask(spec, prefix, profile, has_subtask=True)


def renew(task: Task, specs: Mapping[str, TaskSpec]) -> None:
    """Give a task of ours the spec of its name, made anew: its inputs may be others."""
    task.spec = specs[task.spec.name]
    task.actions[0].spec = task.uptodate[0][0].spec = task.spec
    task.file_dep = {str(path) for path in task.spec.inputs}


def spec_of(task: Task) -> TaskSpec | None:
    """The spec that a task was made from; None for a task of the user's own."""
    return task.spec if isinstance(task, StepTask) else None


def outcome_of(task: Task) -> Outcome:
    """What the task's action found out in this run."""
    return task.actions[0].outcome if isinstance(task, StepTask) and task.actions else Outcome()


def size_of(task: Task) -> int:
    """The size (bytes) that a task tells, from this run or from the one that it is saved of."""
    return saved_size(task.values.get(_SAVED))


def warnings_of(task: Task) -> list[str]:
    """The warnings that a task of a former run was saved with."""
    saved = task.values.get(_SAVED)
    return record.texts(saved, "warnings") if isinstance(saved, dict) else []


def _task(spec: TaskSpec, checker: ContentChecker, prefix: str, profile: str) -> Task:
    return StepTask(
        spec,
        prefix,
        profile,
        file_dep=[str(path) for path in spec.inputs],
        targets=[str(path) for path in spec.outputs],
        uptodate=[Intact(spec, checker)],
    )


def _message(error: Exception) -> str:
    return explain(error) if isinstance(error, OSError) else str(error)
