"""`doit show`: the binaries as the records know them."""

from __future__ import annotations

from typing import Any

from doit_cargo.commands.base import JSON, ContextCommand, selected_targets
from doit_cargo.core.document import document
from doit_cargo.core.model import Context
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.tools import console


class Show(ContextCommand):
    """Print a row a binary and target."""

    doc_purpose = COMMANDS["show"]
    cmd_options = (JSON,)

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Print a table, or the same as JSON."""
        from doit_cargo.reports import binaries

        rows = binaries.rows(ctx, selected_targets(ctx, names))
        console.say(document(binaries=rows) if options["json"] else binaries.table(rows))
        return 0
