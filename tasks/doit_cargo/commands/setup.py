"""`doit setup`: installs what the main job needs."""

from __future__ import annotations

from typing import Any

from doit_cargo.commands.base import ContextCommand, selected_targets
from doit_cargo.core.model import Context
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.settings.profiles import links_stripped
from doit_cargo.tools import console


class Setup(ContextCommand):
    """Fix what doctor finds missing."""

    doc_purpose = COMMANDS["setup"]

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Install it, saying each command before it runs."""
        from doit_cargo.tools.machine.setup import setup

        del options
        targets = selected_targets(ctx, names)
        setup(
            targets,
            workspace=ctx.config.workspace,
            env=ctx.env,
            stripped=links_stripped(ctx.config, ctx.graph),
            say=console.say,
        )
        return 0
