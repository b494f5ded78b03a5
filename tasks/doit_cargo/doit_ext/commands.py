"""doit commands beside the tasks: setup mends the machine, the others only read."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doit.cmd_base import Command, DoitCmdBase

from doit_cargo.core import layout
from doit_cargo.core.cargo import command
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context, Target
from doit_cargo.core.text import plural
from doit_cargo.doit_ext.chosen import chosen_context
from doit_cargo.doit_ext.tasks import spec_of
from doit_cargo.tools.run.exit_codes import guarded
from doit_cargo.tools.run.hints import Hints

_MAIN_JOB = ("toolchain", "build", "strip", "verify", "package", "manifest", "stage")
_JSON = {
    "name": "json", "short": "", "long": "json", "type": bool, "default": False,
    "help": "print JSON",
}  # fmt: skip


class Reader(Command):
    """A command that works on the context alone: no tasks, no state, no lock."""

    doc_usage = "[ARCH ...]"

    def execute(self, opt_values: Any, pos_args: list[str]) -> int:
        """Read the context and do the work; a user's mistake is one message."""
        hints = Hints(os.environ)
        return guarded(
            lambda: self.work(hints.inside(chosen_context(Path.cwd())), opt_values, pos_args),
            hints.append_to,
        )

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Do it; the exit code."""
        raise NotImplementedError


class Setup(Reader):
    """`doit setup`."""

    doc_purpose = "install what the main job needs: Rust, the targets' std, zig's wrappers"

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Mend what doctor finds, saying each command before it runs."""
        from doit_cargo.tools.machine.setup import setup

        del options
        setup(chosen(ctx, names), workspace=ctx.config.workspace, env=ctx.env, say=print)
        return 0


class Doctor(Reader):
    """`doit doctor`."""

    doc_purpose = "check that everything the main job needs is there; changes nothing"

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """One line a thing; 1 if the main job can't run."""
        from doit_cargo.core.cargo import overrides
        from doit_cargo.doit_ext.written import written
        from doit_cargo.tools import build_scripts
        from doit_cargo.tools.elf import objcopy
        from doit_cargo.tools.machine import doctor, image_doctor

        del options
        targets = chosen(ctx, names)
        findings = (
            *doctor.examine(targets, workspace=ctx.config.workspace, env=ctx.env),
            *image_doctor.examine(ctx),
            *objcopy.examine(ctx),
        )
        print(doctor.render(findings))
        print(overrides.render(overrides.overrides(ctx, targets)), end="")
        for note in (*build_scripts.always_rerun(ctx, targets), *written(ctx, targets)):
            print(f"note      {note}")
        return 0 if doctor.healthy(findings) else 1


class Env(Reader):
    """`doit env`."""

    doc_purpose = "print the environment and command that cargo gets, ready for a shell"

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """One shell command a target. What is secret is named, not shown."""
        del options
        for target in chosen(ctx, names):
            env, shown = command.cargo_env(ctx, target), command.settings(ctx, target)
            words = [
                f"{name}={_shell_word(value)}" if name in shown else f'{name}="${name}"'
                for name, value in sorted(env.items())
            ]
            argv = command.argv(ctx, target, [binary.name for binary in ctx.ship])
            print(f"# {target.arch}: in {ctx.graph.root}")
            print(" \\\n  ".join(["env -i", *words, shlex.join(argv)]))
        return 0


class Show(Reader):
    """`doit show`."""

    doc_purpose = "show the binaries: size, SHA-256, verdict, when built"
    cmd_options = (_JSON,)

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """A table from the records, or the same as JSON."""
        from doit_cargo.tools import show

        rows = show.rows(ctx, chosen(ctx, names))
        print(json.dumps(rows, indent=1) if options["json"] else show.table(rows))
        return 0


class Size(Reader):
    """`doit size`."""

    doc_purpose = "show how large the binaries are, what changed, what fills them, their budgets"
    cmd_options = (_JSON,)

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Tables from the records and the files, or the same as JSON."""
        from doit_cargo.core import size_tables
        from doit_cargo.tools import sizes

        rows = sizes.rows(ctx, chosen(ctx, names))
        text = json.dumps(rows, indent=1) if options["json"] else None
        print(text or size_tables.tables(rows, ctx.config.profile))
        return 0


class Audit(DoitCmdBase):
    """`doit audit`: what lies on disk, from scratch; then, from state, what is stale."""

    doc_purpose = "check everything on disk again, without compiling or changing anything"
    doc_usage = "[ARCH ...]"

    def execute(self, params: Any, args: list[str]) -> int:
        """A user's mistake is one message."""
        return guarded(lambda: int(super(Audit, self).execute(params, args)))

    def _execute(self, pipeline: Any, pos_args: list[str]) -> int:
        from doit_cargo.tools import audit

        ctx = pipeline.ctx
        targets = chosen(ctx, pos_args)
        faults = [
            *audit.faults(ctx, targets, pipeline.session.opinion),
            *self._stale(targets, ctx.config.root),
        ]
        pipeline.session.close()
        for fault in faults:
            print(fault)
        count = len(ctx.ship) * len(targets)
        print(
            plural(len(faults), "fault")
            if faults
            else f"{plural(count, 'binary', 'binaries')} and all copies are sound"
        )
        return 1 if faults else 0

    def _stale(self, targets: Sequence[Target], root: Path) -> list[str]:
        tasks = {task.name: task for task in self.task_list}
        arches = {target.arch for target in targets}
        found = []
        for task in self.task_list:
            spec = spec_of(task)
            if (
                spec
                and spec.kind in _MAIN_JOB
                and spec.action
                and spec.name.split(":")[1] in arches
            ):
                status = self.dep_manager.get_status(task, tasks, get_log=True)
                if status.status != "up-to-date":
                    found.append(f"{task.name} is stale: {_reason(status.reasons, root)}; run doit")
        return found


def chosen(ctx: Context, arches: Sequence[str]) -> tuple[Target, ...]:
    """The named targets, or those built by default. Raises SetupError for an unknown name."""
    known = {target.arch: target for target in ctx.config.targets}
    if unknown := [arch for arch in arches if arch not in known]:
        raise SetupError(f"no target {', '.join(unknown)}: there are {', '.join(known)}")
    if arches:
        return tuple(known[arch] for arch in arches)
    return tuple(target for target in ctx.config.targets if target.default)


def _shell_word(value: str) -> str:
    """The value for a shell, readable: cargo parts encoded flags by a control character."""
    if "\x1f" not in value:
        return shlex.quote(value)
    escaped = value.replace("\\", r"\\").replace("\x1f", r"\0037")
    return f'"$(printf %b {shlex.quote(escaped)})"'


def _reason(reasons: Any, root: Path) -> str:
    """The first file that differs, and how many there are; no file means settings."""
    lists = (paths for paths in reasons.values() if isinstance(paths, list))
    changed = sorted(path for paths in lists for path in paths if isinstance(path, str))
    if not changed:
        return "its settings or outputs changed"
    shown = layout.relative([Path(changed[0])], root)[0]
    return shown if len(changed) == 1 else f"{shown} and {len(changed) - 1} more"
