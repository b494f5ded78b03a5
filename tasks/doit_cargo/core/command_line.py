"""Sorts the words of a command line: options may come before or after names; rejects wrong ones."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from typing import NamedTuple

from doit_cargo.core.errors import UsageError
from doit_cargo.core.settings.faults import nearest, quote


class Option(NamedTuple):
    """An option by its names without dashes ("" if it has none of that kind).

    `inverse` is the long name that turns a flag off. `valued` tells whether a value follows,
    `number` whether that is a whole number.
    """

    short: str
    long: str
    inverse: str = ""
    valued: bool = False
    number: bool = False


def asks_for_help(words: Iterable[str]) -> bool:
    """Whether `-h` or `--help` is among them."""
    return any(word in ("-h", "--help") for word in takewhile(lambda word: word != "--", words))


def arrange(words: Sequence[str], options: Iterable[Option], *, strict: bool = True) -> list[str]:
    """The same words with the options first, as getopt wants them.

    Raises UsageError for an option that does not exist, or one whose value is missing or is not the
    number it should be. Unless `strict` an unknown one behind a name stays where it is: it may be
    an option of a task's.
    """
    known = tuple(options)
    first: list[str] = []
    rest: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            rest += waiting
        elif not word.startswith("-") or word == "-":
            rest.append(word)
        elif not strict and rest and _option(word, known) is None:
            rest += [word, *waiting]
        else:
            first += _with_value(word, known, waiting)
    return [*first, "--", *rest] if any(word.startswith("-") for word in rest) else [*first, *rest]


def _with_value(word: str, known: tuple[Option, ...], waiting: Iterator[str]) -> Iterator[str]:
    option = _option(word, known)
    if option is None:
        raise UsageError(_unknown(word, known))
    yield word
    if not option.valued:
        return
    name, value = _inside(word, option)
    if value is None:
        value = next(waiting, None)
        if value is None:
            raise UsageError(f"{word} needs a value")
        yield value
    if option.number and not re.fullmatch(r"[+-]?\d+", value):
        raise UsageError(f"{name} needs a whole number, not {quote(value)}")


def _inside(word: str, option: Option) -> tuple[str, str | None]:
    """The option's name as it was written, and its value if that is in the same word."""
    if word.startswith("--"):
        name, sign, value = word.partition("=")
        return name, value if sign else None
    flags, _, value = word.partition(option.short)
    return flags + option.short, value or None


def _option(word: str, known: tuple[Option, ...]) -> Option | None:
    """What a word asks for; of several short flags in one word the last, if all are known."""
    if word.startswith("--"):
        return _long(word[2:].partition("=")[0], known)
    found: Option | None = None
    for letter in word[1:]:
        found = next((option for option in known if option.short == letter), None)
        if found is None or found.valued:
            break  # the rest of the word is its value
    return found


def _long(name: str, known: tuple[Option, ...]) -> Option | None:
    """By its whole name, or by the beginning of one, as getopt has it."""
    names = {n: option for option in known for n in (option.long, option.inverse) if n}
    if name in names:
        return names[name]
    begun = [option for n, option in names.items() if n.startswith(name)]
    return begun[0] if len(begun) == 1 else None


def _unknown(word: str, known: tuple[Option, ...]) -> str:
    name = word.partition("=")[0]
    names = tuple(f"--{n}" for option in known for n in (option.long, option.inverse) if n)
    return f"there is no option {name}, {nearest(name, names)}"
