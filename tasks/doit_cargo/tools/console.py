"""The one writer to standard output and standard error: what others wrote passes `plain` first."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from typing import IO, ClassVar

from doit_cargo.core.text import plain

# What a message tells the user to run.
_ADVICE = (
    r"(?<![\w./-])doit(?= (?:setup|doctor|clean|list|show|audit|verify|env|size|info|forget|hooks|"
    r"push|image|smoke|--force)\b)"
)


class Door:
    """How the user came: by which command (a message names no other), from which folder.

    While a run has a screen, `screen` writes to standard error, and `note` says what is happening.
    """

    name = "doit"
    folder = ""
    screen: ClassVar[Callable[[str], None] | None] = None
    note: ClassVar[Callable[[str], None]] = lambda _: None


def say(text: str, end: str = "\n") -> None:
    """Print to standard output."""
    sys.stdout.write(writable(spoken(text) + end, sys.stdout))


def warn(text: str) -> None:
    """Print a line to standard error, at once."""
    if Door.screen:
        Door.screen(text)
        return
    sys.stderr.write(writable(f"{spoken(text)}\n", sys.stderr))
    sys.stderr.flush()


def draw(text: str) -> None:
    """Write a line of ours that moves, as it is, to standard error."""
    sys.stderr.write(text)
    sys.stderr.flush()


def writable(text: str, stream: IO[str]) -> str:
    """The text with escapes for what the stream's encoding has no letters for."""
    encoding = getattr(stream, "encoding", None) or "utf-8"
    if text.isascii() or encoding.lower() in ("utf-8", "utf8"):
        return text
    return text.encode(encoding, "backslashreplace").decode(encoding)


def spoken(text: str) -> str:
    """The text as a terminal gets it, with the commands that this user has."""
    found = plain(text)
    return found if Door.name == "doit" else re.sub(_ADVICE, Door.name, found)
