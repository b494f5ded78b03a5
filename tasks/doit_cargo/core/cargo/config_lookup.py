"""Looks up a key in cargo's configuration files, strongest first.

Cargo joins lists and tables of all files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from doit_cargo.core.toml_file import TomlFile


class Setting(NamedTuple):
    """What a configuration file says at a key."""

    file: TomlFile
    keys: tuple[str, ...]
    value: object


def lookup(configs: Iterable[TomlFile], *keys: str) -> Iterator[Setting]:
    """What the files say at that key, strongest first."""
    for file in configs:
        value: object = file.data
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield Setting(file, keys, value)


def strongest(configs: Iterable[TomlFile], *keys: str) -> Setting | None:
    """What cargo goes by at that key, if it is not a list (lists and tables are joined)."""
    return next(lookup(configs, *keys), None)
