"""`cfg(...)` in the name of a `[target]` table: whether it speaks of a target.

Source: The Cargo Book, "Configuration", `target.<cfg>`; the values are those of
`rustc --print cfg` (a test compares them).
"""

from __future__ import annotations

import re

from doit_cargo.core import architectures

_WORD = re.compile(r'\s*(r?"[^"]*"|[A-Za-z_][A-Za-z0-9_]*|[(),=])\s*')
# Alike for every target here. Cargo asks rustc without a profile: debug assertions are on.
_COMMON = frozenset({
    "true", "unix", "debug_assertions", 'panic="unwind"', 'target_os="linux"', 'target_env="musl"',
    'target_family="unix"', 'target_vendor="unknown"',
})  # fmt: skip

_JUDGED = {fact.partition("=")[0] for fact in _COMMON} | {
    "target_arch", "target_pointer_width", "target_endian", "all", "any", "not", "windows",
    "false", "feature", "test", "proc_macro",
}  # fmt: skip


def speaks_of(name: str, triple: str) -> bool:
    """Whether a table's name, a triple or `cfg(...)`, means that musl target.

    What is not known without rustc (a processor's features, the width of atomics) counts as
    false, and so does an expression that can't be read: cargo refuses it.
    """
    if not (name.startswith("cfg(") and name.endswith(")")):
        return name == triple
    words = _words(name[4:-1])
    try:
        value = _value(words, facts(triple))
    except IndexError:
        return False
    return value and not words


def unknown(name: str) -> str:
    """The first word of a table's name that cannot be evaluated without rustc; "" if all can."""
    words = _words(name[4:-1])[::-1] if name.startswith("cfg(") else []
    named = (word for word in words if word[0].isalpha() and '"' not in word)
    return next((word for word in named if word not in _JUDGED), "")


def facts(triple: str) -> frozenset[str]:
    """What holds for a target, written as rustc prints it."""
    row = architectures.of(triple)
    return _COMMON | {
        f'target_arch="{row.cfg}"',
        f'target_pointer_width="{row.bits}"',
        f'target_endian="{"little" if row.little_endian else "big"}"',
    }


def _words(text: str) -> list[str]:
    """The words in reverse, to be popped; none if the text is no expression."""
    found, place = [], 0
    while place < len(text):
        if (word := _WORD.match(text, place)) is None:
            return []
        found.append(word[1])
        place = word.end()
    return found[::-1]


def _value(words: list[str], known: frozenset[str]) -> bool:
    """Take one expression from the words. Raises IndexError where they end too early."""
    name = words.pop()
    following = words[-1] if words else ""
    if following == "=":
        words.pop()
        return f"{name}={words.pop().removeprefix('r')}" in known
    if following != "(":
        return name in known
    return _combined(name, _arguments(words, known))


def _arguments(words: list[str], known: frozenset[str]) -> list[bool]:
    """Take `(a, b, c)`; a last comma is allowed."""
    words.pop()
    values = []
    while words[-1] != ")":
        values.append(_value(words, known))
        if words[-1] == ",":
            words.pop()
    words.pop()
    return values


def _combined(name: str, values: list[bool]) -> bool:
    if name == "not":
        return not any(values)
    return all(values) if name == "all" else name == "any" and any(values)
