"""Formats numbers for people, and cleans untrusted text before a terminal shows it."""

from __future__ import annotations

import re
from collections.abc import Sequence

_KIB = 1024
# Colours and weights as rustc writes them (ECMA-48, SGR): nothing that hides, blinks or moves.
_SGR_CODE = r"(?:[0-4]?|2[1-4]|[34][0-79]|9[0-7]|10[0-7]|[34]8;5;\d{1,3}|[34]8;2(?:;\d{1,3}){3})"
_COLOUR = rf"\x1b\[{_SGR_CODE}(?:;{_SGR_CODE})*m"
# Controls but line feed and tab, marks that turn the direction of text, line separators, a byte
# that is not text (as a surrogate).
_CONTROL = r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
_FOREIGN = rf"({_COLOUR})|{_CONTROL}"  # compiled when there is something to replace: 2 ms
_BREAKS = rf"[\n\t]|{_CONTROL}"


def plain(text: str) -> str:
    """The text with no more power over a terminal than to be read and to be coloured.

    Of escape sequences only colours stay; any other control character is written as its escape.
    """
    if text.replace("\n", "").isprintable():
        return text
    return re.sub(_FOREIGN, _kept_or_escaped, text.replace("\r\n", "\n"))


def one_line(name: object) -> str:
    """A name that others chose, in one line and without colours: none can forge a line of ours."""
    text = str(name)
    return text if text.isprintable() else re.sub(_BREAKS, _escaped, text)


def _kept_or_escaped(found: re.Match[str]) -> str:
    return found[1] or _escaped(found)


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def size(count: int) -> str:
    """Bytes in binary units (KiB = 1024 bytes), with one decimal."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB"):
        if amount < _KIB:
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= _KIB
    return f"{amount:.1f} GiB"


def seconds(elapsed: float) -> str:
    """A duration: `0.3 s`, `2 min 5 s`."""
    if elapsed < 60:  # noqa: PLR2004
        return f"{elapsed:.1f} s"
    return f"{int(elapsed) // 60} min {int(elapsed) % 60} s"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def columns(lines: Sequence[Sequence[str]]) -> str:
    """Lines of as many cells each, aligned."""
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )
