"""`doit audit`: checks what lies on disk, from scratch; then says, from state, what is stale."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from doit.cmd_base import DoitCmdBase

from doit_cargo.commands.base import JSON, changed_files, selected_targets
from doit_cargo.core import layout
from doit_cargo.core.document import document
from doit_cargo.core.model import Config, Target
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.text import plural
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools import console, files
from doit_cargo.tools.run.content_index import FileIndex
from doit_cargo.tools.run.exit_codes import guarded

_MAIN_JOB = ("toolchain", "build", "strip", "verify", "package", "manifest", "stage")


class Audit(DoitCmdBase):
    """Print a line a fault."""

    doc_purpose = COMMANDS["audit"]
    doc_usage = "[ARCH ...]"
    cmd_options = (JSON,)

    def execute(self, params: Any, args: list[str]) -> int:
        """A user's mistake is one message."""
        return guarded(lambda: int(super(Audit, self).execute(params, args)))

    def _execute(self, pipeline: Any, pos_args: list[str], json: bool = False) -> int:
        from doit_cargo.reports import audit

        ctx, index = pipeline.ctx, pipeline.checker.index
        targets = selected_targets(ctx, pos_args)
        index.distrust()
        faults = [
            *audit.faults(ctx, targets, pipeline.session.opinion),
            *self._stale(targets, ctx.config.root),
            *_wrong(ctx.config, index),
        ]
        pipeline.session.close()
        count, notes = len(ctx.ship) * len(targets), self._not_judged(targets)
        if json:
            console.say(document(valid=not faults, checked=count, faults=faults, notes=notes))
        else:
            console.say("\n".join((*faults, *notes, _verdict(len(faults), count))))
        return 1 if faults else 0

    def _not_judged(self, targets: Sequence[Target]) -> list[str]:
        """The builds that may be stale for all that files tell."""
        arches = {target.arch for target in targets}
        specs = (spec for task in self.task_list if (spec := spec_of(task)))
        return [
            f"note: {spec.name} is not checked: its build script reruns in every build, and "
            "audit runs nothing"
            for spec in specs
            if spec.asks and spec.arch in arches
        ]

    def _stale(self, targets: Sequence[Target], root: Path) -> list[str]:
        tasks = {task.name: task for task in self.task_list}
        arches = {target.arch for target in targets}
        found = []
        for task in self.task_list:
            spec = spec_of(task)
            if spec and spec.action and spec.stage in _MAIN_JOB and spec.arch in arches:
                status = self.dep_manager.get_status(task, tasks, get_log=True)
                if status.status != "up-to-date":
                    found.append(f"{task.name} is stale: {_reason(status.reasons, root)}; run doit")
        return found


def _verdict(faults: int, count: int) -> str:
    if faults:
        return plural(faults, "fault")
    return f"{plural(count, 'binary', 'binaries')} and all copies are valid"


def _wrong(config: Config, index: FileIndex) -> Iterator[str]:
    """Files that doit takes for others; without the index it reads them all again."""
    if index.wrong:
        files.remove(config.root, layout.content_index(config))
    for path in layout.relative(map(Path, sorted(index.wrong)), config.root):
        yield f"{path} was changed without a change of its times or size: run doit"


def _reason(reasons: Any, root: Path) -> str:
    """The first file that differs, and how many there are; no file means settings."""
    changed = sorted(changed_files(reasons))
    if not changed:
        return "its settings or outputs changed"
    shown = layout.relative([Path(changed[0])], root)[0]
    return shown if len(changed) == 1 else f"{shown} and {len(changed) - 1} more"
