"""JSON records: deterministic bytes out, suspicion in."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def encode(record: Mapping[str, Any]) -> bytes:
    """The record's bytes: sorted keys, so that equal records are equal files."""
    return (json.dumps(record, indent=1, sort_keys=True) + "\n").encode()


def read(path: Path | str) -> dict[str, Any]:
    """The record at that path; an unreadable or damaged one counts as empty: it grants nothing."""
    try:
        with open(path, "rb") as file:
            loaded = json.load(file)
    except (OSError, ValueError, RecursionError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def previous_size(known: Mapping[str, Any], key: str, value: str) -> int | None:
    """The size in bytes before the last change, given the record that is about to be replaced.

    `value` is what the new record will hold at `key` (a hash): if it is the same, the size of the
    build before stays. A reader shows the difference; nothing is decided by it.
    """
    found = known.get("previous_size" if known.get(key) == value else "size")
    return found if isinstance(found, int) else None


def digest(value: object) -> str:
    """A SHA-256 (hex) over any JSON-able value, independent of key order."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()
