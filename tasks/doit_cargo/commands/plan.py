"""`doit plan [NAME]`: what a run would do, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from doit_cargo.commands.foreseeing import Foreseeing
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.text import columns, one_line
from doit_cargo.core.why import Due
from doit_cargo.doit_ext.foresight import Foresight


class Plan(Foreseeing):
    """Print a line a task."""

    doc_purpose = COMMANDS["plan"]

    def lines(self, found: Foresight, control: Any) -> Iterator[str]:
        """First what runs in any case, then what runs if the bytes differ."""
        del control
        if not found.dues:
            yield "nothing to do"
            return
        for certain, title in ((True, "runs"), (False, "runs if what it takes differs then")):
            if rows := [_row(due) for due in found.dues.values() if due.certain is certain]:
                yield title
                yield from (f"  {line}" for line in columns(rows).splitlines())


def _row(due: Due) -> tuple[str, str]:
    if not due.causes:
        return due.name, f"after {due.below[0]}" if due.below else ""
    more = f", and {len(due.causes) - 1} more" if len(due.causes) > 1 else ""
    return due.name, f"{one_line(due.causes[0])}{more}"
