"""`doit reset-dep`: doit's own, for the user's tasks: only a run can say ours are done."""

from __future__ import annotations

from doit import cmd_resetdep
from doit.task import Task

from doit_cargo.core.purposes import COMMANDS
from doit_cargo.doit_ext.neighbours import others
from doit_cargo.tools.run.exit_codes import guarded


class ResetDep(cmd_resetdep.ResetDep):
    """Without a name it passes ours over; a named one of ours is refused by the state."""

    doc_purpose = COMMANDS["reset-dep"]
    base_options = ()
    task_list: list[Task]

    def _execute(self, pos_args: list[str]) -> int:
        tops = [task.name for task in others(self.task_list) if not task.subtask_of]
        names = pos_args or tops  # doit adds the subtasks of each
        if not names:
            return 0
        return guarded(lambda: int(super(ResetDep, self)._execute(names) or 0))
