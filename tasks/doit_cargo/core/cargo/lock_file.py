"""Cargo.lock: which packages a package is made of."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path


def dependencies(path: Path) -> Mapping[str, frozenset[str]]:
    """Every package's direct dependencies, by name; nothing where there is no readable file.

    Versions of one name are taken together: too many are better than too few here.
    """
    try:
        packages = tomllib.loads(path.read_text(encoding="utf-8"))["package"]
        found: dict[str, frozenset[str]] = {}
        for package in packages:
            names = {line.split(" ")[0] for line in package.get("dependencies", ())}
            found[package["name"]] = found.get(package["name"], frozenset()) | names
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found


def closure(graph: Mapping[str, frozenset[str]], name: str) -> frozenset[str]:
    """The package and all that are below it."""
    below, queue = {name}, [name]
    while queue:
        new = graph.get(queue.pop(), frozenset()) - below
        below |= new
        queue += new
    return frozenset(below)
