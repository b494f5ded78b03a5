"""Shared by the commands: reading the context, choosing architectures, printing JSON."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from doit.cmd_base import Command

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context, Target
from doit_cargo.doit_ext.options import flag
from doit_cargo.doit_ext.selection import selected_context
from doit_cargo.tools.run.exit_codes import guarded
from doit_cargo.tools.run.hints import Hints

JSON = flag("json", "print JSON")


class ContextCommand(Command):
    """A command that works on the context alone: no tasks, no state, no lock."""

    doc_usage = "[ARCH ...]"

    def execute(self, opt_values: Any, pos_args: list[str]) -> int:
        """Read the context and do the work; a user's mistake is one message."""
        hints = Hints(os.environ)
        return guarded(
            lambda: self.work(hints.inside(selected_context(Path.cwd())), opt_values, pos_args),
            hints.append_to,
        )

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Do it; the exit code."""
        raise NotImplementedError


def selected_targets(ctx: Context, arches: Sequence[str]) -> tuple[Target, ...]:
    """The named targets, or those built by default. Raises SetupError for an unknown name."""
    known = {target.arch: target for target in ctx.config.targets}
    if unknown := [arch for arch in arches if arch not in known]:
        raise SetupError(f"no target {', '.join(unknown)}: there are {', '.join(known)}")
    if arches:
        return tuple(known[arch] for arch in arches)
    return tuple(target for target in ctx.config.targets if target.default)


def changed_files(reasons: Any) -> set[str]:
    """The files that doit names among the reasons for which a task is not up to date."""
    lists = (paths for paths in reasons.values() if isinstance(paths, list))
    return {path for paths in lists for path in paths if isinstance(path, str)}
