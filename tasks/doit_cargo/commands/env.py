"""`doit env`: prints the environment and command that cargo gets."""

from __future__ import annotations

import shlex
from typing import Any

from doit_cargo.commands.base import ContextCommand, selected_targets
from doit_cargo.core.cargo import command
from doit_cargo.core.model import Context


class Env(ContextCommand):
    """Print one shell command a target."""

    doc_purpose = "print the environment and command that cargo gets, ready for a shell"

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Print them. What is secret is named, not shown."""
        del options
        for target in selected_targets(ctx, names):
            env, shown = command.cargo_env(ctx, target), command.settings(ctx, target)
            words = [
                f"{name}={_shell_word(value)}" if name in shown else f'{name}="${name}"'
                for name, value in sorted(env.items())
            ]
            argv = command.argv(ctx, target, [binary.name for binary in ctx.ship])
            print(f"# {target.arch}: in {ctx.graph.root}")
            print(" \\\n  ".join(["env -i", *words, shlex.join(argv)]))
        return 0


def _shell_word(value: str) -> str:
    """The value for a shell, readable: cargo parts encoded flags by a control character."""
    if "\x1f" not in value:
        return shlex.quote(value)
    escaped = value.replace("\\", r"\\").replace("\x1f", r"\0037")
    return f'"$(printf %b {shlex.quote(escaped)})"'
