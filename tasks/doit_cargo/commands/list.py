"""`doit list`: doit's own, and a table of contents; file names are escaped.

By its own door, asked for nothing in particular, it is a table of contents.
"""

from __future__ import annotations

from typing import IO, Any

from doit import cmd_list
from doit.task import Task

from doit_cargo.commands.base import JSON
from doit_cargo.core.document import document
from doit_cargo.core.model import Context
from doit_cargo.core.purposes import COMMANDS, STAGES
from doit_cargo.core.text import plain
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools import console
from doit_cargo.tools.run.exit_codes import guarded

_ASKS = ("subtasks", "quiet", "status", "private", "list_deps", "template")


class List(cmd_list.List):
    """As doit has it, and as JSON."""

    outstream: Any
    task_list: list[Task]
    doc_purpose = COMMANDS["list"]
    cmd_options = (*cmd_list.List.cmd_options, JSON)

    def execute(self, params: Any, args: list[str]) -> int:
        """List them, by a stream that escapes what is not text."""
        self.outstream = _Plain(self.outstream)
        self._params = params
        plain_call = not args and not any(params.get(name) for name in _ASKS)
        self._is_page = plain_call and console.Door.name != "doit"
        return guarded(lambda: int(super(List, self).execute(params, args) or 0))

    def _execute(  # noqa: PLR0917 - doit looks up the parameters by these names
        self,
        subtasks: bool = False,
        quiet: bool = True,
        status: bool = False,
        private: bool = False,
        list_deps: bool = False,
        template: str | None = None,
        sort: str = "name",
        pos_args: list[str] | None = None,
    ) -> int:
        pipeline = self._params.get("pipeline")
        if pipeline and self._params["json"]:
            return self._print_json(pipeline.ctx)
        if pipeline and self._is_page:
            return self._print_page(pipeline.ctx)
        found = super()._execute(
            subtasks, quiet, status, private, list_deps, template, sort, pos_args
        )
        return int(found or 0)

    def _print_json(self, ctx: Context) -> int:
        from doit_cargo.reports import contents

        tasks = [contents.task(task.name, task.doc or "", spec_of(task)) for task in self.task_list]
        console.say(document(binaries=contents.shipped(ctx), tasks=tasks))
        return 0

    def _print_page(self, ctx: Context) -> int:
        from doit_cargo.reports import contents

        ours = {spec.stage for task in self.task_list if (spec := spec_of(task))}
        stages = [(name, purpose) for name, purpose in STAGES.items() if name in ours]
        others = [
            (task.name, task.doc or "")
            for task in self.task_list
            if spec_of(task) is None and not task.subtask_of and not task.name.startswith("_")
        ]
        console.say(contents.page(ctx, stages, others))
        return 0


class _Plain:
    """The stream as doit uses it."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write it escaped."""
        return self._stream.write(plain(text))
