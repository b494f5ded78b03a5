"""Which of their own sources the builds wrote, as the state of the last runs has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from doit.dependency import JSONCodec

from doit_cargo.core import layout
from doit_cargo.core.model import Context, Target
from doit_cargo.doit_ext.checker import written_by_build
from doit_cargo.doit_ext.state import TaskStore


def written(ctx: Context, targets: Sequence[Target]) -> Iterator[str]:
    """A line for each input that changed while its crate was built.

    In two builds in a row it was the build that wrote it; in one it may have been an editor.
    """
    store = TaskStore(str(ctx.config.state / "state.sqlite3"), JSONCodec())
    found: dict[str, str] = {}
    for target in targets:
        for crate in ctx.graph.crates:
            states = store.states(f"build:{target.arch}:{crate}")
            found |= {path: said for path, state in states if (said := written_by_build(state))}
    for path, said in sorted(found.items()):
        yield f"{layout.relative([Path(path)], ctx.config.root)[0]} {said}"
