"""TOML files, read without trust: a value of the wrong type is a fault and counts as absent."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from typing import Any, TypeGuard

import tomli

from doit_cargo.core import bounded

Table = Mapping[str, object]
_EMPTY: Table = {}


class TomlFile:
    """A parsed TOML file and the list that its faults go to, each one line with the file's path.

    The accessors take the table that holds a key and, for the message, the dotted name before it.
    """

    __slots__ = ("data", "faults", "path")

    def __init__(self, path: str, data: Table, faults: list[str]) -> None:
        self.path = path
        self.data = data
        self.faults = faults

    def fault(self, text: str) -> None:
        """Note what is wrong with this file."""
        self.faults.append(f"{self.path}: {text}")

    def table(self, holder: Table, key: str, prefix: str = "") -> Table:
        """The table at that key, empty if there is none."""
        value = holder.get(key, _EMPTY)
        if isinstance(value, dict):
            return value
        self.fault(f"{prefix}{key} must be a table")
        return _EMPTY

    def tables(self, holder: Table, key: str) -> tuple[Table, ...]:
        """The array of tables at that key."""
        values = holder.get(key, ())
        if isinstance(values, list | tuple) and all(isinstance(value, dict) for value in values):
            return tuple(values)
        self.fault(f"{key} must be an array of tables: write [[{key}]]")
        return ()

    def text(self, holder: Table, key: str, prefix: str = "") -> str | None:
        """The string at that key; paths come from here, so it holds no NUL."""
        value = holder.get(key)
        if value is None or _is_text(value):
            return value
        self.fault(f"{prefix}{key} must be a string")
        return None

    def texts(self, holder: Table, key: str, prefix: str = "") -> tuple[str, ...]:
        """The array of strings at that key."""
        values = holder.get(key, ())
        if isinstance(values, list | tuple) and all(map(_is_text, values)):
            return tuple(values)
        self.fault(f"{prefix}{key} must be an array of strings")
        return ()

    def flag(self, holder: Table, key: str, prefix: str = "") -> bool | None:
        """The boolean at that key."""
        value = holder.get(key)
        if value is None or isinstance(value, bool):
            return value
        self.fault(f"{prefix}{key} must be true or false")
        return None


def _is_text(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and "\0" not in value


def read(path: str, faults: list[str], *, named_in: str = "") -> TomlFile | None:
    """The file at that path; None, and a fault, if it is not there (who names it?) or no TOML."""
    try:
        return TomlFile(path, _parse(path), faults)
    except FileNotFoundError:
        faults.append(f"{path}: no such file" + (f", named in {named_in}" if named_in else ""))
    except OSError as error:
        faults.append(f"{path}: {error.strerror}")
    except UnicodeDecodeError:
        faults.append(f"{path}: not UTF-8")
    except ValueError as error:
        faults.append(f"{path}: {error}")
    return None


def _parse(path: str) -> Table:
    return parse(bounded.read(path).removeprefix(codecs.BOM_UTF8).decode())


def parse(text: str) -> dict[str, Any]:
    """What the text says, TOML 1.1 as cargo reads it. Raises ValueError with the place."""
    try:
        return tomli.loads(text)
    except RecursionError as error:  # a nesting or a dotted key beyond tomli's bounds
        raise ValueError(str(error)) from None
