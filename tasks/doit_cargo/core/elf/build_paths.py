"""Finds paths of the building machine inside a binary."""

from __future__ import annotations

import re

_BEFORE, _LONGEST = 40, 120
# Bytes of UTF-8 beyond ASCII count as printable: a home folder may have any name.
_PRINTABLE_START = re.compile(rb"[^\x00-\x1f\x7f]*")
_PRINTABLE_END = re.compile(rb"[^\x00-\x1f\x7f]*\Z")


def find_build_paths(data: bytes, needles: tuple[bytes, ...]) -> tuple[str, ...]:
    """Find each needle once: the printable text around its first place, at most 120 bytes.

    Rust's string literals have no NUL between them, so the text may run into its neighbours.
    """
    places = ((needle, data.find(needle)) for needle in needles if needle)
    return tuple(dict.fromkeys(_around(data, at) for _, at in places if at >= 0))


def _around(data: bytes, at: int) -> str:
    before = _PRINTABLE_END.search(data[max(at - _BEFORE, 0) : at])
    start = at - len(before[0]) if before else at
    text = _PRINTABLE_START.match(data[start : start + _LONGEST])
    return (text[0] if text else b"").decode("utf-8", "replace")
