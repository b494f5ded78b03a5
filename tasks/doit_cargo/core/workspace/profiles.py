"""Cargo's profiles, as the workspace's root manifest and cargo's configuration have them."""

from __future__ import annotations

from collections.abc import Iterable

from doit_cargo.core.model import PROFILES
from doit_cargo.core.toml_file import Table, TomlFile


def read(root: TomlFile, configs: Iterable[TomlFile]) -> dict[str, Table]:
    """Name → what cargo itself, over it the manifest, over that the configuration says of it.

    The configuration files are given strongest first. What is wrong with one cargo says itself.
    """
    found = dict(PROFILES)
    for file in (root, *reversed(tuple(configs))):
        tables = file.data.get("profile")
        for name, table in tables.items() if isinstance(tables, dict) else ():
            if isinstance(table, dict):
                found[name] = {**found.get(name, {}), **table}
    return found
