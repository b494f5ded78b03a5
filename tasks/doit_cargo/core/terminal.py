"""Whether a stream gets colours and a status line, as the environment asks.

Sources: https://no-color.org, https://force-color.org, https://bixense.com/clicolors, and The Cargo
Book, "term.color".
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

# Compiled where they are used: a run with nothing to do has no use for them.
_ANSI = r"\x1b\[[0-9;?]{0,20}[A-Za-z]"
_CODES = {"good": "1;32", "bad": "1;31", "hint": "1;36", "warning": "1;33"}
# `  --> src/lib.rs:3:5`, `  ::: src/lib.rs:9:1`, `panicked at build.rs:4:5`, maybe in colours.
_SGR = r"(?:\x1b\[[0-9;]{0,20}m)*"
_PLACE = (
    rf"(?m)((?:^[ \t]*{_SGR}(?:-->|:::){_SGR} {_SGR})|panicked at )"
    r"([^\s:\x1b][^:\x1b\n]*)(?=:\d+:\d+)"
)


def has_colours(env: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether to write colours to a stream; `terminal` tells whether it is one."""
    if env.get("NO_COLOR"):
        return False
    if forced := env.get("FORCE_COLOR"):
        return forced not in ("0", "false")
    if env.get("CLICOLOR_FORCE", "0") != "0":
        return True
    if (word := env.get("CARGO_TERM_COLOR")) in ("always", "never"):
        return word == "always"
    dull = env.get("CLICOLOR") == "0" or env.get("TERM") == "dumb" or env.get("CI")
    return terminal and not dull


def has_status_line(env: Mapping[str, str], *, terminal: bool) -> bool:
    """Whether a line may be drawn again and again: not in a log that somebody reads later."""
    return terminal and env.get("TERM") != "dumb" and not env.get("CI")


def paint(text: str, style: str) -> str:
    """The first word in the colour of that style (`good`, `bad`, `hint`, `warning`)."""
    word, blank, rest = text.partition(" ")
    return f"\x1b[{_CODES[style]}m{word}\x1b[0m{blank}{rest}"


def uncoloured(text: str) -> str:
    """The text without colours."""
    return re.sub(_ANSI, "", text) if "\x1b" in text else text


def seen_from(text: str, root: Path, here: Path) -> str:
    """What the compiler said, which runs in `root`, with the paths as they are from `here`."""
    if root == here:
        return text
    return re.sub(_PLACE, lambda found: found[1] + os.path.relpath(root / found[2], here), text)
