"""`doit env`: prints the environment and command that cargo gets."""

from __future__ import annotations

import shlex
from typing import Any

from doit_cargo.commands.base import JSON, ContextCommand, selected_targets
from doit_cargo.core.cargo import command
from doit_cargo.core.document import document
from doit_cargo.core.model import Context, Target
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.tools import console


class Env(ContextCommand):
    """Print one shell command a target."""

    doc_purpose = COMMANDS["env"]
    cmd_options = (JSON,)

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Print them. What is secret is named, not shown."""
        rows = [_row(ctx, target) for target in selected_targets(ctx, names)]
        if options["json"]:
            console.say(document(targets=rows))
            return 0
        for row in rows:
            words = {name: f"{name}={_shell_word(value)}" for name, value in row["env"].items()}
            words |= {name: f'{name}="${name}"' for name in row["from_shell"]}
            variables = (words[name] for name in sorted(words))
            print(f"# {row['arch']}: in {row['directory']}")
            print(" \\\n  ".join(["env -i", *variables, shlex.join(row["argv"])]))
        return 0


def _row(ctx: Context, target: Target) -> dict[str, Any]:
    """A target's command; `env` has what is shown, `from_shell` the names of what is not."""
    env, shown = command.cargo_env(ctx, target), command.settings(ctx, target)
    return {
        "arch": target.arch,
        "triple": target.triple,
        "directory": str(ctx.graph.root),
        "argv": [*command.argv(ctx, target, [binary.name for binary in ctx.ship])],
        "env": {name: value for name, value in sorted(env.items()) if name in shown},
        "from_shell": sorted(env.keys() - shown.keys()),
    }


def _shell_word(value: str) -> str:
    """The value for a shell, readable: cargo parts encoded flags by a control character."""
    if "\x1f" not in value:
        return shlex.quote(value)
    escaped = value.replace("\\", r"\\").replace("\x1f", r"\0037")
    return f'"$(printf %b {shlex.quote(escaped)})"'
