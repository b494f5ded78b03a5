"""The page of `doit-cargo --help`: commands by what a person wants to do."""

from __future__ import annotations

from typing import Final

from doit_cargo.core.purposes import COMMANDS
from doit_cargo.core.text import columns

_GROUPS: Final = {
    "look": (
        "list", "why", "plan", "affected", "info", "show", "size", "history", "audit", "env"
    ),
    "set up": ("init", "setup", "doctor", "hooks", "completions"),
    "tidy": ("clean", "forget"),
}  # fmt: skip
_NAMES: Final = {"run": "run [NAME ...]", "init": "init [PATH]", "completions": "completions SHELL"}
_HEAD = """\
Verified, static Linux binaries of a Cargo workspace.

usage: doit-cargo COMMAND [OPTION ...] [NAME ...]"""
_BUILD: Final = (
    ("run [NAME ...]", COMMANDS["run"]),
    ("STAGE", "up to there: build, verify, package, stage, image, push …"),
    ("BINARY | CRATE", "package a binary, or compile a crate"),
    ("ARCH", "all of it for an architecture"),
)
_FOOT = """\
`doit-cargo help COMMAND` says more. Options stand before or after names.
`profile=NAME` and `config=FILE` choose for one run. It works in every folder
of the project."""


def text() -> str:
    """The whole page."""
    parts = {"build": _BUILD, **{title: _rows(names) for title, names in _GROUPS.items()}}
    width = max(len(name) for rows in parts.values() for name, _ in rows)
    tables = [
        f"{title}\n" + columns([(f"  {name:<{width}}", purpose) for name, purpose in rows])
        for title, rows in parts.items()
    ]
    return "\n\n".join((_HEAD, *tables, _FOOT))


def _rows(names: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    return tuple((_NAMES.get(name, name), COMMANDS[name]) for name in names)
