"""`doit affected`: what a range of commits touches, for a job that builds no more than that."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from doit.cmd_base import DoitCmdBase
from doit.control import TaskControl

from doit_cargo.commands.base import JSON, selected_targets
from doit_cargo.core.document import document
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.task import TaskSpec
from doit_cargo.doit_ext.affected import affected
from doit_cargo.doit_ext.tasks import StepTask
from doit_cargo.tools import console
from doit_cargo.tools.run.exit_codes import guarded

_SINCE = {
    "name": "since", "short": "", "long": "since", "type": str, "default": "HEAD",
    "metavar": "REVISION",
    "help": "compare with the common ancestor of this commit and HEAD [default: %(default)s]",
}  # fmt: skip


class Affected(DoitCmdBase):
    """Print the binaries, a line each."""

    doc_purpose = COMMANDS["affected"]
    doc_usage = "[ARCH ...]"
    cmd_options = (_SINCE, JSON)
    task_list: list[Any]

    def execute(self, params: Any, args: list[str]) -> int:
        """A user's mistake is one message."""
        self._since = params["since"]
        return guarded(lambda: int(super(Affected, self).execute(params, args)))

    def _execute(self, pipeline: Any, pos_args: list[str], json: bool = False) -> int:
        from doit_cargo.tools import git

        ctx = pipeline.ctx
        arches = {target.arch for target in selected_targets(ctx, pos_args)}
        tasks = TaskControl(self.task_list).tasks.values()  # with the edges that files make
        ours = [task for task in tasks if isinstance(task, StepTask)]
        changed = git.changed_since(ctx.config.root, self._since, os.environ)
        found = affected(ctx, ours, changed)
        specs = [task.spec for task in ours if task.name in found.tasks]
        specs = [spec for spec in specs if spec.arch in arches or not spec.arch]
        if found.doubt:
            console.warn(f"note: everything counts as affected, {found.doubt}")
        binaries = _subjects(specs, "package")
        if json:
            console.say(document(
                since=self._since, changed=changed, all_for_lack_of_state=bool(found.doubt),
                binaries=binaries, crates=_subjects(specs, "build"),
                images=_subjects(specs, "image"),
            ))  # fmt: skip
        elif binaries:
            console.say("\n".join(binaries))
        return 0


def _subjects(specs: Iterable[TaskSpec], stage: str) -> list[str]:
    """Each once, in the order of the pipeline."""
    return [*dict.fromkeys(spec.subject for spec in specs if spec.stage == stage)]
