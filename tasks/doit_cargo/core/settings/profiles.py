"""Whether cargo has a profile, and whether its binaries ship."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doit_cargo.core.model import RELEASE
from doit_cargo.core.settings.faults import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from doit_cargo.core.model import Config, CrateGraph
    from doit_cargo.core.toml_file import Table

_OFF = (None, False, 0, "0", "none", "false")


def profile_fault(config: Config, graph: CrateGraph) -> str:
    """Why cargo cannot build with the configured profile; empty if it can."""
    for name, table in _line(config, graph):
        if table is not None:
            continue
        if name == "debug":  # the folder of `dev`
            return "cargo has no profile 'debug', did you mean 'dev'?"
        by = f", which '{config.profile}' inherits" if name != config.profile else ""
        return f"cargo has no profile '{name}'{by}, {nearest(name, tuple(sorted(graph.profiles)))}"
    return ""


def is_for_development(config: Config, graph: CrateGraph) -> bool:
    """Whether it is a development profile: unstripped, with symbols, not shipped.

    `release` is never.
    """
    wanted = not links_stripped(config, graph)
    debug = _setting(config, graph, "debug")
    return wanted and debug not in _OFF and config.profile != RELEASE and not config.split_debug


def links_stripped(config: Config, graph: CrateGraph) -> bool:
    """Whether rustc has the linker strip: as asked, else where there is no debug information.

    Source: "strip" in the Cargo Book, chapter "Profiles".
    """
    strip = _setting(config, graph, "strip")
    return (_setting(config, graph, "debug") in _OFF) if strip is None else strip not in _OFF


def _setting(config: Config, graph: CrateGraph, key: str) -> object:
    """The value that holds, the nearest profile's; None if nobody sets it."""
    tables = (table or {} for _, table in _line(config, graph))
    return next((table[key] for table in tables if key in table), None)


def _line(config: Config, graph: CrateGraph) -> Iterator[tuple[str, Table | None]]:
    """The profile and those that it inherits from, each with what is said of it: None, nothing.

    A variable is stronger than a file. It ends where it would go round.
    """
    name, seen = config.profile, set[str]()
    while name not in seen:
        seen.add(name)
        overrides = _variables(name, config.env)
        exists = name in graph.profiles or overrides
        table = {**graph.profiles.get(name, {}), **overrides} if exists else None
        yield name, table
        above = (table or {}).get("inherits")
        name = above if isinstance(above, str) else name


def _variables(name: str, env: Mapping[str, str]) -> dict[str, str]:
    """What cargo's environment says of a profile: key → value."""
    prefix = f"CARGO_PROFILE_{name.upper().replace('-', '_')}_"
    return {key.removeprefix(prefix).lower(): env[key] for key in env if key.startswith(prefix)}
