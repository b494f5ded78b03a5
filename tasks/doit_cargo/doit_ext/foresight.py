"""What a run would do, from the planner that decides it; nothing is started or written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from doit_cargo.core.model import Context
from doit_cargo.core.why import Due
from doit_cargo.doit_ext.causes import causes
from doit_cargo.doit_ext.planner import Planner, is_planned
from doit_cargo.doit_ext.prerequisites import upstream
from doit_cargo.doit_ext.status import status_of
from doit_cargo.doit_ext.tasks import StepTask

_UNKNOWN = "something that it depends on is not as it was"


class Foresight(NamedTuple):
    """The tasks that are due, each after those it needs, and what cannot be known beforehand.

    `asked` are crates whose build script the run asks first, `others` tasks of the user's own that
    run before one of ours.
    """

    dues: dict[str, Due]
    asked: tuple[str, ...]
    others: tuple[str, ...]


def foresee(ctx: Context, manager: Any, control: Any) -> Foresight:
    """Of the selected tasks, and of all that they wait for."""
    wanted = upstream(control.selected_tasks, control.tasks)
    tasks = [task for name, task in control.tasks.items() if name in wanted]
    ours = [task for task in tasks if isinstance(task, StepTask) and task.actions]
    others = [t.name for t in tasks if not isinstance(t, StepTask) and t.actions]
    with manager.checker.pinning():
        planner = Planner(ctx, manager.checker, lambda task: status_of(task, manager))
        planner.plans(ours, always=False, ask=False)
        dues = _dues(ctx, manager, planner, ours)
    asked = (task.name for task in ours if task.spec.asks and task.name not in dues)
    return Foresight(dues, tuple(asked), tuple(others))


def _dues(
    ctx: Context, manager: Any, planner: Planner, tasks: Sequence[StepTask]
) -> dict[str, Due]:
    makers = {path: task.name for task in tasks for path in task.targets}
    dues: dict[str, Due] = {}
    remade: set[str] = set()
    for task in tasks:
        if planner.is_current(task):
            continue
        status, own = planner.answer(task), tuple[str, ...]()
        stale = status.status != "up-to-date"
        if stale:
            saved = manager.backend.saved(task.name)
            own = causes(ctx, task, status.reasons, saved, makers=makers, remade=remade)
        below = tuple(name for name in task.task_dep if name in dues)
        if stale and not (own or below):
            own = (_UNKNOWN,)
        if own or below:
            certain = bool(own) or is_planned(task.spec)
            dues[task.name] = Due(task.name, own, below, certain)
            remade.update(task.targets)
    return dues
