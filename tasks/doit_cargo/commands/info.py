"""`doit info TASK`: doit's own, which follows the whole chain of a task of ours."""

from __future__ import annotations

from io import StringIO
from typing import TextIO

from doit import cmd_info
from doit.control import TaskControl
from doit.task import Task

from doit_cargo.commands.base import JSON, changed_files
from doit_cargo.core.document import document
from doit_cargo.core.errors import SetupError
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.settings.faults import nearest
from doit_cargo.core.text import plain
from doit_cargo.doit_ext.prerequisites import upstream
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.reports import contents
from doit_cargo.tools import console
from doit_cargo.tools.run.exit_codes import guarded

_DONE = "status     : up-to-date\n"
_BEHIND = "status     : run\n * These tasks, which it waits for, are not up to date:\n"


class Info(cmd_info.Info):
    """A task of ours is up to date only if all are that it waits for."""

    doc_purpose = COMMANDS["info"]
    outstream: TextIO
    task_list: list[Task]
    cmd_options = (*cmd_info.Info.cmd_options, JSON)

    def _execute(self, pos_args: list[str], hide_status: bool = False, json: bool = False) -> int:
        if json and len(pos_args) == 1:
            return guarded(lambda: self._print_json(pos_args[0]))
        return guarded(lambda: self._tell(pos_args, hide_status=hide_status))

    def _tell(self, names: list[str], *, hide_status: bool) -> int:
        self._check(names)
        said = StringIO()
        outstream, self.outstream = self.outstream, said
        code = int(super()._execute(names, hide_status) or 0)
        text = said.getvalue()
        if _DONE in text and (behind := self._behind(names[0])):
            code, lines = 1, "".join(f"    - {name}\n" for name in behind)
            text = text.replace(_DONE, f"{_BEHIND}{lines}", 1)
        outstream.write(plain(text))
        return code

    def _check(self, names: list[str]) -> None:
        known = tuple(task.name for task in self.task_list)
        for name in names:
            if name not in known:
                raise SetupError(f"there is no task '{name}', {nearest(name, known)}")

    def _print_json(self, name: str) -> int:
        """The same as a document; 1 if the task has something to do."""
        self._check([name])
        tasks = {task.name: task for task in self.task_list}
        task = tasks[name]
        found = self.dep_manager.get_status(task, tasks, get_log=True)
        behind = self._behind(name)
        current = found.status == "up-to-date" and not behind
        console.say(document(
            task=contents.task(task.name, task.doc or "", spec_of(task)),
            up_to_date=current,
            changed=sorted(changed_files(found.reasons)),
            waits_for=behind,
            file_dep=sorted(task.file_dep),
            task_dep=sorted(task.task_dep),
            targets=[*task.targets],
        ))  # fmt: skip
        return 0 if current else 1

    def _behind(self, name: str) -> list[str]:
        """The tasks that a task of ours waits for and that have work to do, in their order."""
        tasks = TaskControl(self.task_list).tasks
        if spec_of(tasks[name]) is None:
            return []
        before = upstream([name], tasks) - {name}
        return [
            task.name
            for task in tasks.values()
            if task.name in before and task.actions and self._has_work(task, tasks)
        ]

    def _has_work(self, task: Task, tasks: dict[str, Task]) -> bool:
        return bool(self.dep_manager.get_status(task, tasks).status != "up-to-date")
