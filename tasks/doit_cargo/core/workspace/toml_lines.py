"""The line of a key in a TOML file, for messages: the parser knows none."""

from __future__ import annotations

from collections.abc import Sequence

from doit_cargo.core import toml_file
from doit_cargo.core.toml_file import Table

_MOST = 1000  # each line is a parse of all that stands before it


def line_of(path: str, keys: Sequence[str]) -> int | None:
    """The line (from 1) where the statement begins that sets the key; None if it can't be told.

    The first beginning of the file that is TOML and has the key ends with that statement; the
    beginning before that one ends where it starts. So strings, comments, dotted keys and inline
    tables are read by the parser itself.
    """
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = file.read().split("\n")
    except (OSError, UnicodeDecodeError):
        return None
    sound = 0
    for count in range(1, min(len(lines), _MOST) + 1):
        data = _parsed("\n".join(lines[:count]))
        if data is None:
            continue
        if _has(data, keys):
            return sound + 1
        sound = count
    return None


def _parsed(text: str) -> Table | None:
    try:
        return toml_file.parse(text)
    except (ValueError, RecursionError):
        return None


def _has(data: object, keys: Sequence[str]) -> bool:
    for key in keys:
        if not (isinstance(data, dict) and key in data):
            return False
        data = data[key]
    return True
