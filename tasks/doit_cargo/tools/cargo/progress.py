"""Reads cargo's progress: its bar, its downloads, and what it waits for."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

# Source: what Cargo 1.95 prints with CARGO_TERM_PROGRESS_WHEN=always.
_BAR = re.compile(r" *Building \[[^\]]*\] (\d+)/(\d+)(?:: (.*))?")
_FETCH = re.compile(r" *Fetch \[[^\]]*\] *(.*)")
_DOWNLOAD = re.compile(r" *Downloading (\d+ crates?.*)")
_UPDATE = re.compile(r" *Updating (.* (?:index|repository).*)")
_BLOCKED = re.compile(r" *Blocking waiting for file lock on (.*)")
_CUT = "..."  # cargo cuts the names that have no room


class Step(NamedTuple):
    """How far a cargo is: units `done` of `total`, which ones are on their way, or a word of it.

    A `note` says what cargo does before it compiles; `blocked` is what another cargo has locked.
    `pace` are the seconds that a unit took in an earlier build (0: nobody knows).
    """

    done: int = 0
    total: int = 0
    current: tuple[str, ...] = ()
    note: str = ""
    blocked: str = ""
    pace: float = 0.0


Progress = Callable[[Step], None]


def parse(plain: str) -> Step | None:
    """The step that a line (without colours) tells, if it does."""
    if found := _BAR.fullmatch(plain):
        names = (name.removesuffix(_CUT) for name in (found[3] or "").split(", "))
        return Step(int(found[1]), int(found[2]), tuple(filter(None, names)))
    if found := _FETCH.fullmatch(plain):
        return Step(note=f"fetching the index: {found[1]}" if found[1] else "fetching the index")
    if found := _DOWNLOAD.fullmatch(plain):
        return Step(note=f"downloading {found[1]}")
    if found := _UPDATE.fullmatch(plain):
        return Step(note=f"updating {found[1]}")
    if found := _BLOCKED.fullmatch(plain):
        return Step(note=f"waiting for cargo's lock on {found[1]}", blocked=found[1])
    return None
