"""Shared by `why` and `plan`: the tasks that are asked about, and what a run would do of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from doit.cmd_base import DoitCmdBase

from doit_cargo.commands.base import JSON
from doit_cargo.core.document import document
from doit_cargo.core.document import task as described
from doit_cargo.core.reach import reachable
from doit_cargo.core.text import one_line
from doit_cargo.doit_ext.foresight import Foresight, foresee
from doit_cargo.doit_ext.neighbours import together
from doit_cargo.doit_ext.selection import Selection, select
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools import console
from doit_cargo.tools.run.exit_codes import guarded


class Foreseeing(DoitCmdBase):
    """A command that says what a run of the same tasks would do; it starts and writes nothing."""

    doc_usage = "[TASK|BINARY|CRATE|ARCH ...]"
    cmd_options = (JSON,)
    task_list: list[Any]
    sel_tasks: Any

    def execute(self, params: Any, args: list[str]) -> int:
        """A user's mistake is one message."""
        Selection.defaults = not args
        return guarded(lambda: int(super(Foreseeing, self).execute(params, args)))

    def _execute(self, pipeline: Any, pos_args: list[str], json: bool = False) -> int:
        control, _ = together(self.task_list, pipeline)
        select(control, pos_args or self.sel_tasks, pipeline)
        found = foresee(pipeline.ctx, self.dep_manager, control)
        if json:
            console.say(document(**_body(found, control.tasks)))
        else:
            console.say("\n".join((*self.lines(found, control), *_notes(found))))
        return 0

    def lines(self, found: Foresight, control: Any) -> Iterator[str]:
        """What a person reads."""
        raise NotImplementedError


def asked_for(control: Any) -> list[str]:
    """The selected tasks, in place of a group the tasks in it."""
    tasks = control.tasks

    def members(name: str) -> list[str]:
        return [] if tasks[name].actions else [*tasks[name].task_dep]

    names = reachable(control.selected_tasks, members)
    return [name for name, task in tasks.items() if name in names and task.actions]


def _body(found: Foresight, tasks: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "tasks": [
            {**due._asdict(), **described(spec_of(tasks[due.name]))} for due in found.dues.values()
        ],
        "not_known": [*found.asked],
        "others": [*found.others],
    }


def _notes(found: Foresight) -> Iterator[str]:
    for name in found.asked:
        yield f"note: {one_line(name)}: a run asks its build script first"
    for name in found.others:
        yield f"note: {one_line(name)} is a task of your own: what it changes is not known"
