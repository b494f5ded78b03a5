"""Reads the table of known failures, which is data: `failures.toml` beside this module."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import toml_file

FILE = Path(__file__).with_name("failures.toml")


class Failure(NamedTuple):
    """A row of the table.

    It fits where one of `says` is found in a line of what was printed, and every condition that
    is given holds: `script`, in a build script's failure; `locked`, Cargo.lock has that crate;
    `file`, the workspace's root holds one of these; `config`, a line of cargo's configuration
    matches; `absent`, one of these programs is not on cargo's PATH. The groups of the expression
    that matched may stand in `config`, and with `crate` (whose build failed), `place` (file and
    line that `config` found), `file` and `absent` (those that were found or missing) in the two
    texts: {group}. `see` is the heading's anchor in docs/troubleshooting.md.
    """

    name: str
    says: tuple[re.Pattern[str], ...]
    cause: str
    remedy: str
    see: str
    script: bool = False
    locked: str = ""
    file: tuple[str, ...] = ()
    config: str = ""
    absent: tuple[str, ...] = ()


def load() -> tuple[Failure, ...]:
    """The rows, the more specific ones first."""
    rows = toml_file.parse(FILE.read_text(encoding="utf-8"))["failure"]
    return tuple(_failure(**row) for row in rows)


def _failure(
    *,
    name: str,
    says: list[str],
    cause: str,
    remedy: str,
    see: str,
    script: bool = False,
    locked: str = "",
    file: list[str] | None = None,
    config: str = "",
    absent: list[str] | None = None,
) -> Failure:
    """A row's keys are these and no others: a slip of the pen in the table is a TypeError."""
    return Failure(
        name=name,
        says=tuple(re.compile(expression) for expression in says),
        cause=cause,
        remedy=remedy,
        see=see,
        script=script,
        locked=locked,
        file=tuple(file or ()),
        config=config,
        absent=tuple(absent or ()),
    )
