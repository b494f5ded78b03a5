"""Looks up what a failure printed in the table of known failures."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from doit_cargo.core.diagnosis.surroundings import Surroundings
from doit_cargo.core.diagnosis.table import Failure
from doit_cargo.core.terminal import uncoloured

# What is printed is nobody's we trust, and may be megabytes. Causes stand at its beginning (the
# first error) or at its end (a build script's last words); no line of interest is longer.
_HEAD, _TAIL, _LINE = 32_000, 96_000, 2_000  # characters
_FIRST, _LAST = 500, 1_500  # lines
_MOST = 2  # hints under one message: more would bury it

# Warnings repeat what a build script's error says below, or have nothing to do with it.
_PART = re.compile(r"(?m)^(?=(?:error(?:\[E\d{4}\])?|warning): )")
_SCRIPT = re.compile(r"error: failed to run custom build command for `(?P<crate>[\w-]{1,100})")
_CRATE = re.compile(r"error: could not compile `(?P<crate>[\w-]{1,100})`")


class Hint(NamedTuple):
    """The row of the table that fits, with the names that were found in place of its groups."""

    row: str
    cause: str
    remedy: str
    see: str


class _Block(NamedTuple):
    """One error and all that was printed under it."""

    lines: Sequence[str]
    crate: str
    script: bool


def diagnose(
    text: str, around: Surroundings, table: Sequence[Failure], crate: str = ""
) -> tuple[Hint, ...]:
    """What is known of it: at most one hint an error, and two in all, each once.

    `crate` is the one that failed, where the text names none.
    """
    found = (_first(block, around, table) for block in _blocks(text, crate))
    return tuple(dict.fromkeys(hint for hint in found if hint))[:_MOST]


def _blocks(text: str, crate: str) -> Iterator[_Block]:
    for part in _PART.split(_excerpt(text)):
        if part.startswith("warning: "):
            continue
        script, compiled = _SCRIPT.match(part), _CRATE.match(part)
        named = script or compiled
        yield _Block(part.splitlines(), named["crate"] if named else crate, script is not None)


def _excerpt(text: str) -> str:
    if len(text) > _HEAD + _TAIL:
        text = f"{text[:_HEAD]}\n{text[-_TAIL:]}"
    lines = [line[:_LINE] for line in uncoloured(text).splitlines() if line]
    if len(lines) > _FIRST + _LAST:
        lines[_FIRST:-_LAST] = []
    return "\n".join(lines)


def _first(block: _Block, around: Surroundings, table: Sequence[Failure]) -> Hint | None:
    return next(filter(None, (_fit(row, block, around) for row in table)), None)


def _fit(row: Failure, block: _Block, around: Surroundings) -> Hint | None:
    """The row's hint for this error, if all that it asks for is there."""
    if row.script and not block.script:
        return None
    match = next((m for e in row.says for line in block.lines if (m := e.search(line))), None)
    if match is None:
        return None
    names = {group: _plain(text) for group, text in match.groupdict(default="").items()}
    names = {"crate": block.crate or "a crate", **names}
    found = _conditions(row, names, around)
    if found is None:
        return None
    names |= found
    return Hint(row.name, row.cause.format_map(names), row.remedy.format_map(names), row.see)


def _conditions(row: Failure, names: dict[str, str], around: Surroundings) -> dict[str, str] | None:
    """What the conditions found, by name; None if one of them does not hold."""
    if row.locked and not around.locks(row.locked):
        return None
    found = {}
    if row.file:
        found["file"] = around.first_file(row.file)
    if row.config:
        escaped = {name: re.escape(text) for name, text in names.items()}
        found["place"] = around.configured(row.config.format_map(escaped))
    if row.absent:
        found["absent"] = ", ".join(around.lacking(row.absent))
    return found if all(found.values()) else None


def _plain(text: str) -> str:
    """Nothing that a terminal would obey."""
    return "".join(letter for letter in text if letter.isprintable())
