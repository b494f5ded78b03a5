"""The one writer to standard output and standard error: what others wrote passes `plain` first."""

from __future__ import annotations

import re
import sys

from doit_cargo.core.text import plain

# What a message tells the user to run.
_ADVICE = (
    r"(?<![\w./-])doit(?= (?:setup|doctor|clean|list|show|audit|verify|env|size|info|forget|hooks|"
    r"push|image|smoke|--force)\b)"
)


class Door:
    """The command that the user came by: a message names no other."""

    name = "doit"


def say(text: str, end: str = "\n") -> None:
    """Print to standard output."""
    sys.stdout.write(spoken(text) + end)


def warn(text: str) -> None:
    """Print a line to standard error, at once."""
    sys.stderr.write(f"{spoken(text)}\n")
    sys.stderr.flush()


def spoken(text: str) -> str:
    """The text as a terminal gets it, with the commands that this user has."""
    found = plain(text)
    return found if Door.name == "doit" else re.sub(_ADVICE, Door.name, found)
