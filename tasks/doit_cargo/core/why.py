"""Why tasks would run: the causes of their own, and the way from the first one to a task."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

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


def ways(dues: Mapping[str, Due], names: Iterable[str]) -> dict[str, list[Due]]:
    """Each task with causes of its own that makes one of these due → the shortest way to that one.

    In the order of the pipeline.
    """
    came = dict.fromkeys((name for name in names if name in dues), "")
    queue = [*came]
    for name in queue:
        new = [below for below in dues[name].below if below not in came]
        came.update(dict.fromkeys(new, name))
        queue += new
    return {
        due.name: [*_way(dues, came, due.name)]
        for due in dues.values()
        if due.causes and due.name in came
    }


def _way(dues: Mapping[str, Due], came: Mapping[str, str], name: str) -> Iterator[Due]:
    while name:
        yield dues[name]
        name = came[name]


def settings(value: object, name: str = "") -> Iterator[tuple[str, str]]:
    """Name → text of every setting in nested mappings; a secret is a digest of it."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from settings(inner, f"{name}.{key}" if name else str(key))
        return
    text = " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
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
