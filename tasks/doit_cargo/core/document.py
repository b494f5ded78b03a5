"""What commands print with `--json`: documents with a version, described in docs/json.md."""

from __future__ import annotations

import json
from typing import Final

from doit_cargo.core import layout
from doit_cargo.core.model import Binary, Config, Target
from doit_cargo.core.task import TaskSpec

VERSION: Final = 1
"""Raised when a field changes its meaning or goes; a new field alone does not raise it."""


def task(spec: TaskSpec | None) -> dict[str, str | None]:
    """What a task is: stage, architecture, subject; None each for a task of the user's own."""
    parts = (spec.stage, spec.arch, spec.subject) if spec else ("", "", "")
    return dict(zip(("stage", "arch", "subject"), (part or None for part in parts), strict=True))


def binary(config: Config, target: Target, found: Binary) -> dict[str, str]:
    """A binary for a target: its names, and its two copies (relative to the root)."""
    copies = layout.packaged(config, target, found), layout.staged(config, target, found)
    package, staged = layout.relative(copies, config.root)
    return {
        "binary": found.name,
        "crate": found.crate,
        "arch": target.arch,
        "triple": target.triple,
        "package": package,
        "staged": staged,
    }


def document(**body: object) -> str:
    """The document as text, in ASCII: no name in it has power over a terminal."""
    return json.dumps({"version": VERSION, **body}, indent=1)
