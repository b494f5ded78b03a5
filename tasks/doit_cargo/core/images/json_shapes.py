"""JSON from others, decoded with closed sets of keys.

Go, in which the engines are written, matches keys without regard to case and takes the last of two:
what a reader with less or more in its hands would see otherwise is refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from doit_cargo.core.errors import CheckError


class Keys(NamedTuple):
    """The keys that an object has, in their exact case, and those that it may have."""

    must: frozenset[str]
    may: frozenset[str] = frozenset()


def keys(must: str, may: str = "") -> Keys:
    """The names in two texts, with spaces between them."""
    return Keys(frozenset(must.split()), frozenset(may.split()))


def parse(data: bytes, what: str) -> object:
    """Decode JSON. Raises CheckError if it is none, or has a key twice.

    Keys that differ in case count as one: Go, in which the engines are written, takes the last.
    """
    try:
        found: object = json.loads(data, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise CheckError(f"{what} is not valid JSON: {error}") from None
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        raise ValueError("a duplicate key in one object")
    return dict(pairs)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def closed(value: object, what: str, keys: Keys) -> dict[str, Any]:
    """An object with these keys and no others: what an engine would make of one is not known."""
    found = mapping(value, what)
    for key in found.keys() - keys.must - keys.may:
        raise CheckError(f"{what} has {key[:100]!r}, which no image of ours has")
    for key in sorted(keys.must - found.keys()):
        raise CheckError(f"{what} has no {key!r}")
    return found


def mapping(value: object, what: str) -> dict[str, Any]:
    """An object with any keys."""
    if not isinstance(value, dict):
        raise CheckError(f"{what}: {type(value).__name__} in place of an object")
    return value


def items(found: Mapping[str, Any], key: str) -> list[Any]:
    """The list at that key; empty where there is none."""
    value = found.get(key)
    if value is not None and not isinstance(value, list):
        raise CheckError(f"{key} is not a list")
    return value or []


def text(found: Mapping[str, Any], key: str) -> str:
    """The text at that key; empty where there is none."""
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise CheckError(f"{key} is not text")
    return value or ""


def texts(found: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """The list of texts at that key."""
    values = items(found, key)
    if not all(isinstance(value, str) for value in values):
        raise CheckError(f"{key} contains something that is not text")
    return tuple(values)
