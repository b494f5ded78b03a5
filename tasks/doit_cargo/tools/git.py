"""Asks git what is not committed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core.errors import CheckError
from doit_cargo.tools import process

_SHOWN = 5
_TIMEOUT = 60.0  # seconds


def must_be_committed(folder: Path, env: Mapping[str, str]) -> None:
    """Raise CheckError if a file below the folder is not as the last commit has it."""
    argv = ["git", "-C", str(folder), "status", "--porcelain", "--", "."]
    changed = process.run(argv, env=env, timeout=_TIMEOUT).splitlines()
    if changed:
        listed = "\n".join(changed[:_SHOWN] + ["…"] * (len(changed) > _SHOWN))
        raise CheckError(
            f"images.tags names the revision, but {folder} differs from it: commit first\n{listed}"
        )
