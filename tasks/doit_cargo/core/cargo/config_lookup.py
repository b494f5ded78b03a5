"""What cargo's configuration files say at a key. Cargo joins lists and tables of all files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from doit_cargo.core.toml_file import TomlFile


class Said(NamedTuple):
    """What a configuration file says at a key."""

    file: TomlFile
    keys: tuple[str, ...]
    value: object


def said(configs: Iterable[TomlFile], *keys: str) -> Iterator[Said]:
    """What the files say at that key, strongest first."""
    for file in configs:
        value: object = file.data
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            yield Said(file, keys, value)


def strongest(configs: Iterable[TomlFile], *keys: str) -> Said | None:
    """What cargo goes by at that key, if it is no list (lists and tables are joined)."""
    return next(said(configs, *keys), None)
