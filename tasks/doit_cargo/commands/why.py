"""`doit why [NAME]`: the first cause, and the way from it to what was asked about."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any

from doit_cargo.commands.foreseeing import Foreseeing, asked_for
from doit_cargo.core import why
from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.text import one_line, plural
from doit_cargo.core.why import Due
from doit_cargo.doit_ext.foresight import Foresight

_SHOWN = 5  # causes of one task


class Why(Foreseeing):
    """Print each first cause and what follows from it."""

    doc_purpose = COMMANDS["why"]

    def lines(self, found: Foresight, control: Any) -> Iterator[str]:
        """Of tasks that are due, else since when nothing has been."""
        asked = asked_for(control)
        ways = why.ways(found.dues, asked)
        if not ways:
            yield _current([control.tasks[name] for name in asked])
            return
        groups: dict[tuple[str, ...], list[str]] = {}
        for name in ways:
            groups.setdefault(found.dues[name].causes, []).append(name)
        for first, *more in groups.values():
            yield from _way(ways[first])
            if more:
                yield f"  the same for {plural(len(more), 'other task')}, like {more[0]}"
        yield f"{plural(len(found.dues), 'task')} would run: see doit plan"


def _way(path: list[Due]) -> Iterator[str]:
    """The causes, and under them a line for each task."""
    causes = path[0].causes
    yield from map(one_line, causes[:_SHOWN])
    if len(causes) > _SHOWN:
        yield f"and {len(causes) - _SHOWN} more"
    for due in path:
        yield f"  → {due.name}" + ("" if due.certain else ", if what it takes differs then")


def _current(tasks: list[Any]) -> str:
    """One line: the oldest of what they made tells since when nothing was to do."""
    times = []
    for path in (path for task in tasks for path in task.targets):
        try:
            times.append(os.stat(path).st_mtime)
        except OSError:
            return "up to date"
    if not times:
        return "up to date"
    return f"up to date since {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(max(times)))}"
