"""Why tasks would run: the causes of their own, and the way from the first one to a task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from doit_cargo.core.reach import reachable
from doit_cargo.core.record import digest
from doit_cargo.core.secrets import secret_variable

_SHOWN = 60  # characters of a setting


class Due(NamedTuple):
    """A task that would run: its own `causes`, in words, and the tasks due `below` it.

    `certain` is False if it runs only where what those make differs from what it is now.
    """

    name: str
    causes: tuple[str, ...] = ()
    below: tuple[str, ...] = ()
    certain: bool = True


def roots(dues: Mapping[str, Due], name: str) -> list[Due]:
    """The tasks with causes of their own that make this one due, in the order of the pipeline."""
    above = reachable([name], lambda at: dues[at].below if at in dues else ())
    return [due for due in dues.values() if due.name in above and due.causes]


def chain(dues: Mapping[str, Due], first: str, last: str) -> list[Due]:
    """The shortest way from one task that is due to another that waits for it."""
    came: dict[str, str] = {last: ""}
    queue = [last]
    for name in queue:
        for below in dues[name].below:
            if below not in came:
                came[below] = name
                queue.append(below)
    path, at = [], first
    while at:
        path.append(dues[at])
        at = came[at]
    return path


def settings(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Name → text of every setting in nested mappings; a secret is a digest of it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from settings(inner, f"{name}.{key}" if name else str(key))
        return
    listed = isinstance(value, list | tuple)
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) and listed else str(value)
    yield name, f"sha256:{digest(text)[:12]}" if secret_variable(name, text) else text


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    """What is not the same, a line each."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None:
            yield f"{name} is set now: {_short(new)}"
        elif new is None:
            yield f"{name} is not set any more, it was {_short(old)}"
        elif old != new:
            yield f"{name} changed: {_differing(old, new)}"


def _differing(old: str, new: str) -> str:
    """Both values, from where they differ."""
    same = 0
    while same < min(len(old), len(new)) and old[same] == new[same]:
        same += 1
    start = 0 if max(len(old), len(new)) <= _SHOWN else max(0, same - _SHOWN // 4)
    lead = "…" if start else ""
    return f"{lead}{_short(old[start:])} → {lead}{_short(new[start:])}"


def _short(text: str | None) -> str:
    shown = repr(text or "")
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
