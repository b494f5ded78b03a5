"""Which lines about our plugins are old or missing in doit.cfg and pyproject.toml.

The parsers that doit uses say what a line means, and have the last word on every change.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from doit_cargo.core.plugin_lines.changes import Change, end, split, updated
from doit_cargo.core.plugin_lines.files import FORMS, INI_FILE, Entries, Form, encode
from doit_cargo.plugins import BACKENDS, COMMANDS

_STABLE: Final = "doit_cargo.plugins:"
_OURS: Final = re.compile(r"doit_cargo[\w.]*:\w")
_NAMES: Final[Mapping[str, Mapping[str, str]]] = {"COMMAND": COMMANDS, "BACKEND": BACKENDS}
_WANTED: Final[Entries] = {
    (category, name): _STABLE + plugin
    for category, names in _NAMES.items()
    for name, plugin in names.items()
}
_NEEDED: Final = {("COMMAND", "run"), ("BACKEND", "doit-cargo")}  # nothing runs without them


class _Statement(NamedTuple):
    """A line (its number, and the text without its end), and the entries that it makes."""

    number: int
    line: str
    entries: Entries


def review(files: Mapping[str, str]) -> tuple[Change, ...]:
    """What has to change in these files (name → text), so that every plugin is there by name.

    What is missing goes into the file that names others of ours, else into doit.cfg.
    """
    entries = _readable(files)
    there = {key for found in entries.values() for key in found}
    missing = [key for key in _WANTED if key not in there]
    place = home(files) or INI_FILE
    found = list(_broken(files))
    for name in entries:
        found += _review(name, files[name], missing if name == place else [])
    return tuple(found)


def updates(files: Mapping[str, str], changes: Sequence[Change]) -> dict[str, bytes]:
    """The files that these changes change, as they should be written."""
    new = {
        name: updated(text, [change for change in changes if change.file == name])
        for name, text in files.items()
    }
    return {name: encode(text) for name, text in new.items() if text != files[name]}


def home(files: Mapping[str, str]) -> str:
    """The file that names our plugins, the one that counts if both do; "" if none does."""
    ours = [name for name, found in _readable(files).items() if any(map(_is_ours, found.values()))]
    return ours[-1] if ours else ""


def _readable(files: Mapping[str, str]) -> dict[str, Entries]:
    """What each file names, in doit's order."""
    found = {name: _reads(form, files[name]) for name, form in FORMS.items() if name in files}
    return {name: entries for name, entries in found.items() if entries is not None}


def _reads(form: Form, text: str) -> Entries | None:
    try:
        return form.entries(text)
    except ValueError:
        return None


def _broken(files: Mapping[str, str]) -> Iterator[Change]:
    for name, text in files.items():
        try:
            FORMS[name].entries(text)
        except ValueError as error:
            yield Change(name, 0, "", "", f"doit cannot read it: {error}", by_hand=True)


def _review(file: str, text: str, missing: Sequence[tuple[str, str]]) -> list[Change]:
    """One file's changes; one after which doit would read anything else is left to the user."""
    form = FORMS[file]
    statements = list(_statements(text, form))
    old = [change for statement in statements for change in _old(file, statement)]
    new = [_missing(file, text, statements, key) for key in missing]
    new.sort(key=lambda change: not change.number)  # a new section comes last
    hidden = list(_hidden(file, form.entries(text), statements))
    wanted = form.entries(text) | {
        key: _location(key, location) or location
        for statement in statements
        for key, location in statement.entries.items()
    }
    if _reads(form, updated(text, [*old, *new])) != wanted | {key: _WANTED[key] for key in missing}:
        new = _by_hand(new)
    if _reads(form, updated(text, old)) != wanted:
        old, new = _by_hand(old), _by_hand(new)
    return [*old, *hidden, *new]


def _by_hand(changes: Iterable[Change]) -> list[Change]:
    return [change._replace(by_hand=True) for change in changes]


def _statements(text: str, form: Form) -> Iterator[_Statement]:
    """The lines that name plugins of ours.

    What stands before a line must be readable, and so with the line: then it is a statement, and
    no part of a text of many lines.
    """
    lines = split(text)
    for index, line in enumerate(lines):
        if not _OURS.search(line):
            continue
        before = _reads(form, "".join(lines[:index]))
        after = _reads(form, "".join(lines[: index + 1]))
        if before is not None and after is not None:
            entries = {key: value for key, value in after.items() if before.get(key) != value}
            yield _Statement(index + 1, line.removesuffix(end(line)), entries)


def _old(file: str, statement: _Statement) -> Iterator[Change]:
    """The line if it names modules of before, or a plugin that there is not."""
    line, gone = statement.line, False
    for key, location in statement.entries.items():
        new = _location(key, location)
        gone |= not new
        line = line.replace(location, new or location, 1)
    if line != statement.line:
        yield Change(file, statement.number, statement.line, line, "is an old name")
    elif gone:
        why = "names a plugin that does not exist"
        yield Change(file, statement.number, statement.line, "", why, by_hand=True)


def _hidden(file: str, entries: Entries, statements: Iterable[_Statement]) -> Iterator[Change]:
    """Old names that no line holds by itself, as in a text of many lines."""
    seen = {key for statement in statements for key in statement.entries}
    for key, location in entries.items():
        new = _location(key, location)
        if key not in seen and new not in {"", location}:
            line, text = FORMS[file].line(key[1], new), f"{key[1]} = {location!r}"
            yield Change(file, 0, text, line, "is an old name", by_hand=True)


def _missing(
    file: str, text: str, statements: Iterable[_Statement], key: tuple[str, str]
) -> Change:
    """A plugin that no file names: it goes below the last of its kind, else below the header."""
    form, (category, name) = FORMS[file], key
    number, line = _header(text, form, category), form.line(name, _WANTED[key])
    for statement in statements:
        for (of, other), location in statement.entries.items():
            if of == category and (like := _like(statement.line, other, location)):
                number, line = statement.number, like.format(name, _WANTED[key])
    section = form.section(category)
    return Change(file, number, "", line, f"{name} is missing", section, needed=key in _NEEDED)


def _header(text: str, form: Form, category: str) -> int:
    """The number of the line that begins the section; 0 if there is none."""
    lines = split(text)
    for number, line in enumerate(lines, 1):
        found = form.header(category).match(line)
        if found and _reads(form, "".join(lines[:number])) is not None:
            return number
    return 0


def _like(line: str, name: str, location: str) -> str:
    """A pattern with two gaps, of a line that is nothing but `name = location`; else ""."""
    key, place = re.escape(name), re.escape(location)
    found = re.match(rf"(\s*)([\"']?){key}\2(\s*=\s*)([\"']?){place}\4\s*(#.*)?$", line)
    return f"{found[1]}{{}}{found[3]}{found[4]}{{}}{found[4]}" if found else ""


def _is_ours(location: str) -> bool:
    return bool(_OURS.match(location))


def _location(key: tuple[str, str], location: str) -> str:
    """What an entry has to name: itself unless it is ours and old; "" if there is no such plugin.

    A command may have another name of the user's own.
    """
    category, name = key
    names, plugin = _NAMES[category], location.rpartition(":")[2]
    known = plugin in names.values()
    if not _is_ours(location) or (known and location == _STABLE + plugin):
        return location
    wanted = names.get(name) or (plugin if known else "")
    return _STABLE + wanted if wanted else ""
