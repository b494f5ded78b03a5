"""What a project ships and which tasks there are: the table of contents of `list`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from doit_cargo.core import document
from doit_cargo.core.model import Context
from doit_cargo.core.task import TaskSpec
from doit_cargo.core.text import columns

_HEAD = ("BINARY", "CRATE")


def shipped(ctx: Context) -> list[dict[str, Any]]:
    """One row a binary and architecture, with where its copies lie (relative to the root)."""
    return [
        {**document.binary(ctx.config, target, binary), "default": target.default}
        for target in ctx.config.targets
        for binary in ctx.ship
    ]


def task(name: str, doc: str, spec: TaskSpec | None) -> dict[str, Any]:
    """A task: its stage, architecture and subject if it is one of ours, else None."""
    return {"name": name, "doc": doc, **document.task(spec)}


def page(ctx: Context, stages: Iterable[Sequence[str]], others: Iterable[Sequence[str]]) -> str:
    """Binaries, stages, and the tasks of others, each with what it is."""
    arches = [t.arch for t in ctx.config.targets if t.default]
    named = [t.arch for t in ctx.config.targets if not t.default]
    more = f", and {', '.join(named)} by name" if named else ""
    rows = [(binary.name, binary.crate) for binary in ctx.ship]
    parts = [
        f"ships, for {', '.join(arches) or 'no architecture'}{more}\n{_indented([_HEAD, *rows])}",
        f"stages, in order\n{_indented(stages)}",
    ]
    if own := list(others):
        parts.append(f"tasks of dodo.py\n{_indented(own)}")
    return "\n\n".join(parts)


def _indented(rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"  {line}" for line in columns(list(rows)).splitlines())
