"""JSON records: deterministic when written, not trusted when read."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from doit_cargo.core import bounded

T = TypeVar("T")


def encode(record: Mapping[str, Any]) -> bytes:
    """The record's bytes: sorted keys, so that equal records are equal files."""
    return (json.dumps(record, indent=1, sort_keys=True) + "\n").encode()


def read(path: Path | str) -> dict[str, Any]:
    """The record at that path; an unreadable or damaged one counts as empty: it grants nothing."""
    try:
        return decode(bounded.read(path))
    except OSError:
        return {}


def decode(data: bytes) -> dict[str, Any]:
    """The record that the bytes are; damaged ones count as empty."""
    try:
        loaded = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def paths(record: Mapping[str, Any], key: str) -> list[str]:
    """The paths listed at that key; a list with anything else in it counts as empty."""
    found = record.get(key)
    return found if isinstance(found, list) and all(map(_is_path, found)) else []


def texts(record: Mapping[str, Any], key: str) -> list[str]:
    """The texts listed at that key; what else is in the list is left out."""
    found = record.get(key)
    listed = found if isinstance(found, list | tuple) else ()
    return [text for text in listed if isinstance(text, str)]


def _is_path(value: object) -> bool:
    try:
        return isinstance(value, str) and b"\0" not in os.fsencode(value) and value != ""
    except UnicodeEncodeError:
        return False


def typed(record: Mapping[str, Any], key: str, kind: type[T]) -> T | None:
    """The value at that key if it is of that kind: a damaged record may hold anything."""
    found = record.get(key)
    return found if isinstance(found, kind) else None


def previous_size(known: Mapping[str, Any], key: str, value: str) -> int | None:
    """The size in bytes before the last change, given the record that is about to be replaced.

    `value` is what the new record will hold at `key` (a hash): if it is the same, the size of the
    build before stays. A reader shows the difference; nothing is decided by it.
    """
    return typed(known, "previous_size" if known.get(key) == value else "size", int)


def digest(value: object) -> str:
    """A SHA-256 (hex) over any JSON-able value, independent of key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
