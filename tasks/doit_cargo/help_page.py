"""The page of `doit-cargo --help`: commands by what a person wants to do."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from doit_cargo.core.text import columns
from doit_cargo.plugins import COMMANDS

_HEAD = """\
Verified, static Linux binaries of a Cargo workspace.

usage: doit-cargo COMMAND [OPTION ...] [NAME ...]"""
_STAGES = (
    ("run [NAME ...]", "build, verify, package and stage all that is shipped, or what is named"),
    ("STAGE", "up to there: build, verify, package, stage, image, smoke, index, push"),
    ("BINARY | CRATE", "package a binary, or compile a crate"),
    ("ARCH", "build, verify, package and stage for an architecture"),
)
_LOOK = ("list", "info", "show", "size", "audit", "env")
_SET_UP = ("setup", "doctor", "hooks")
_TIDY = ("clean", "forget")
_INIT = ("init [PATH]", "put doit-cargo's files into a Cargo workspace")
_DOITS: Final = {"forget": ("doit.cmd_forget", "Forget")}
_FOOT = """\
`doit-cargo help COMMAND` says more. Options stand before or after names; `profile=NAME` and
`config=FILE` choose for one run. It works in every folder of the project."""


def text() -> str:
    """The whole page."""
    parts = {
        "build": _STAGES,
        "look": tuple(map(_row, _LOOK)),
        "set up": (_INIT, *map(_row, _SET_UP)),
        "tidy": tuple(map(_row, _TIDY)),
    }
    width = max(len(name) for rows in parts.values() for name, _ in rows)
    tables = [
        f"{title}\n" + columns([(f"  {name:<{width}}", purpose) for name, purpose in rows])
        for title, rows in parts.items()
    ]
    return "\n\n".join((_HEAD, *tables, _FOOT))


def _row(name: str) -> tuple[str, str]:
    """A command and what it is for, in its own words."""
    module, plugin = _DOITS.get(name, ("doit_cargo.plugins", COMMANDS.get(name, "")))
    purpose: str = getattr(import_module(module), plugin).doc_purpose
    return name, purpose
