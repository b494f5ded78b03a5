"""How numbers are written for people."""

from __future__ import annotations

from collections.abc import Sequence

_KIB = 1024


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
