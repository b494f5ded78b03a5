"""Which of their own sources builds wrote, from the state of the last runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from doit_cargo.core import layout
from doit_cargo.core.model import Context, Target
from doit_cargo.core.task import task_name
from doit_cargo.tools.run import input_state

States = Callable[[str], Iterable[tuple[str, object]]]
"""Task name → what was saved of each of its files (path, state)."""


def self_written(ctx: Context, targets: Sequence[Target], states: States) -> Iterator[str]:
    """A line for each input that changed while its crate was built."""
    found: dict[str, str] = {}
    for target in targets:
        for crate in ctx.graph.crates:
            saved = states(task_name("build", target.arch, crate))
            found |= {path: text for path, state in saved if (text := _text(state))}
    for path, text in sorted(found.items()):
        yield f"{layout.relative([Path(path)], ctx.config.root)[0]} {text}"


def _text(state: object) -> str:
    """In two builds in a row it was the build that wrote it; in one it may have been an editor."""
    if input_state.is_self_written(state):
        return "is written by the build itself, which plain cargo then takes for an edit"
    if state == input_state.UNSURE:
        return "changed during the last build: by a build script, or by hand"
    return ""
