"""The two files in which doit looks for plugins, and how each of them names one."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Final, NamedTuple

from doit_cargo.core import bounded

Entries = dict[tuple[str, str], str]
"""(category, name) → location, as `("COMMAND", "run")` → `doit_cargo.plugins:Run`."""

INI_FILE: Final = "doit.cfg"
CATEGORIES: Final = ("COMMAND", "BACKEND")


class Form(NamedTuple):
    """How a file names plugins.

    `entries` reads its text (ValueError: doit cannot), `section` writes the header of a category,
    `header` matches it in a line, `line` writes an entry.
    """

    entries: Callable[[str], Entries]
    section: Callable[[str], str]
    header: Callable[[str], re.Pattern[str]]
    line: Callable[[str, str], str]


def _ini_entries(text: str) -> Entries:
    # as doit reads it, but for what only other people's lines can have
    parser = ConfigParser(allow_no_value=True, delimiters=("=",), interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text, INI_FILE)
    except Error as error:
        raise ValueError(str(error).replace("\n", " ")) from None
    return {
        (category, name): location or ""
        for category in CATEGORIES
        if parser.has_section(category)
        for name, location in parser[category].items()
    }


def _toml_entries(text: str) -> Entries:
    try:
        found: object = tomllib.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    for key in ("tool", "doit", "plugins"):
        found = found.get(key) if isinstance(found, dict) else None
    tables = found if isinstance(found, dict) else {}
    return {
        (category, name): str(location)
        for category in CATEGORIES
        if isinstance(table := tables.get(category.lower()), dict)
        for name, location in table.items()
    }


_INI: Final = Form(
    entries=_ini_entries,
    section=lambda category: f"[{category}]",
    header=lambda category: re.compile(rf"\[{category}\]"),
    line=lambda name, location: f"{name} = {location}",
)
_TOML: Final = Form(
    entries=_toml_entries,
    section=lambda category: f"[tool.doit.plugins.{category.lower()}]",
    header=lambda category: re.compile(
        rf"\s*\[\s*tool\s*\.\s*doit\s*\.\s*plugins\s*\.\s*{category.lower()}\s*\]"
    ),
    line=lambda name, location: f'{name} = "{location}"',
)
FORMS: Final[Mapping[str, Form]] = {"pyproject.toml": _TOML, INI_FILE: _INI}
"""File → form, in doit's order: what the later one names takes the place of the earlier's."""


def read(folder: Path) -> dict[str, str]:
    """The text of each of these files that is there. Any bytes will do: they can be written back.

    doit reads no other folder than the one it is started in.
    """
    paths = {name: folder / name for name in FORMS}
    return {name: decode(bounded.read(path)) for name, path in paths.items() if path.is_file()}


def decode(data: bytes) -> str:
    """The bytes as text, of which `encode` makes the same bytes."""
    return data.decode("utf-8", "surrogateescape")


def encode(text: str) -> bytes:
    """What `decode` was given."""
    return text.encode("utf-8", "surrogateescape")
