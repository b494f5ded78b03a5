"""The `[env]` table of cargo's configuration: variables for rustc and build scripts.

Source: The Cargo Book, "Configuration", `[env]`: a variable that is set already stays as it is,
unless the table says `force`. Cargo itself does not go by it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from doit_cargo.core.cargo.config_lookup import Setting, lookup, strongest
from doit_cargo.core.toml_file import TomlFile
from doit_cargo.core.workspace.cargo_config import base


class Entry(NamedTuple):
    """A variable of the table, with the value that cargo gives it."""

    place: Setting
    value: str
    force: bool


def entries(configs: Sequence[TomlFile]) -> dict[str, Entry]:
    """The table's variables, all files joined."""
    tables = [place.value for place in lookup(configs, "env") if isinstance(place.value, dict)]
    names = dict.fromkeys(name for table in tables for name in table)
    return {name: entry for name in names for entry in _entry(configs, name)}


def _entry(configs: Sequence[TomlFile], name: str) -> Iterator[Entry]:
    """None where the value is no string: cargo refuses that itself."""
    place = strongest(configs, "env", name)
    if place and isinstance(place.value, dict):
        place = strongest(configs, "env", name, "value")
    if place and isinstance(place.value, str):
        relative, force = (_flag(configs, name, key) for key in ("relative", "force"))
        folder = base(place.file.path) if relative else ""
        yield Entry(place, os.path.join(folder, place.value), force)


def _flag(configs: Sequence[TomlFile], name: str, key: str) -> bool:
    place = strongest(configs, "env", name, key)
    return place is not None and place.value is True
