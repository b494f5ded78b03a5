"""What commands print with `--json`: documents with a version, described in docs/json.md."""

from __future__ import annotations

import json
from typing import Final

VERSION: Final = 1
"""Raised when a field changes its meaning or goes; a new field alone does not raise it."""


def document(**body: object) -> str:
    """The document as text, in ASCII: no name in it has power over a terminal."""
    return json.dumps({"version": VERSION, **body}, indent=1)
