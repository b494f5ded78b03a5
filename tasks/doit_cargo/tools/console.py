"""The one writer to standard output and standard error: what others wrote passes `plain` first."""

from __future__ import annotations

import sys

from doit_cargo.core.text import plain


def say(text: str, end: str = "\n") -> None:
    """Print to standard output."""
    sys.stdout.write(plain(text) + end)


def warn(text: str) -> None:
    """Print a line to standard error, at once."""
    sys.stderr.write(f"{plain(text)}\n")
    sys.stderr.flush()
