"""The order of a workspace's crates: each after those it depends on."""

from __future__ import annotations

import heapq
from collections.abc import Mapping

from doit_cargo.core.errors import ConfigError
from doit_cargo.core.model import Crate


def ordered(crates: Mapping[str, Crate], manifest: str) -> dict[str, Crate]:
    """Dependencies first, and by name where that leaves a choice.

    Raises ConfigError that names a cycle, with the root's manifest as its place.
    """
    waiting = {name: len(crate.dependencies) for name, crate in crates.items()}
    above: dict[str, list[str]] = {name: [] for name in crates}
    for name, crate in crates.items():
        for below in crate.dependencies:
            above[below].append(name)
    ready = sorted(name for name, count in waiting.items() if count == 0)
    found: dict[str, Crate] = {}
    while ready:
        name = heapq.heappop(ready)
        found[name] = crates[name]
        for user in above[name]:
            waiting[user] -= 1
            if waiting[user] == 0:
                heapq.heappush(ready, user)
    if len(found) < len(crates):
        raise ConfigError((f"{manifest}: dependency cycle: {_cycle(crates, found)}",))
    return found


def _cycle(crates: Mapping[str, Crate], done: Mapping[str, Crate]) -> str:
    """One of the cycles among the crates that could not be ordered: a → b → a."""
    name = min(name for name in crates if name not in done)
    trail: list[str] = []
    while name not in trail:
        trail.append(name)
        name = next(below for below in crates[name].dependencies if below not in done)
    return " → ".join([*trail[trail.index(name) :], name])
