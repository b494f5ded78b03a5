"""`doit size`: how large binaries and images are, and what fills them."""

from __future__ import annotations

from typing import Any

from doit_cargo.commands.base import JSON, ContextCommand, selected_targets
from doit_cargo.core.document import document
from doit_cargo.core.model import Context
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.tools import console


class Size(ContextCommand):
    """Print tables of sizes."""

    doc_purpose = COMMANDS["size"]
    cmd_options = (JSON,)

    def work(self, ctx: Context, options: Any, names: list[str]) -> int:
        """Print tables from the records and the files, or the same as JSON."""
        from doit_cargo.reports import size_tables, sizes

        rows = sizes.rows(ctx, selected_targets(ctx, names))
        text = document(binaries=rows) if options["json"] else None
        console.say(text or size_tables.tables(rows, ctx.config.profile))
        return 0
