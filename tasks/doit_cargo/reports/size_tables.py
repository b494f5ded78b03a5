"""The tables of `doit size`, from its rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from doit_cargo.core.elf import contents
from doit_cargo.core.text import columns, size

_SECTIONS, _CRATES = 3, 5  # what 80 columns hold, and a screen
_HEAD = ("BINARY", "ARCH", "SIZE", "CHANGE", "BUDGET", "USED")
_IMAGE_HEAD = ("IMAGE", "CHANGE")
_NO_CRATES = (
    "No unstripped build to name the crates from. Give Cargo.toml a profile\n"
    '(inherits = "{profile}", strip = false), then run what\n`doit env profile=NAME` prints.'
)


def tables(found: Sequence[dict[str, Any]], profile: str) -> str:
    """Sizes and budgets; sections; crates: what is not known is left out."""
    parts = [_sizes(found), _sections(found), _crates(found)]
    if not parts[-1]:
        parts[-1] = _NO_CRATES.format(profile=profile)
    return "\n\n".join(filter(None, parts))


def _sizes(found: Sequence[dict[str, Any]]) -> str:
    """The images' columns only where there are images."""
    imaged = any(row["image_size"] is not None for row in found)
    head = (*_HEAD, *_IMAGE_HEAD) if imaged else _HEAD
    lines = [(*_cells(row), *(_image_cells(row) if imaged else ())) for row in found]
    total = ("total", "", _size(sum(row["size"] or 0 for row in found)))
    return columns([head, *lines, (*total, *[""] * (len(head) - len(total)))])


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    share = f"{row['share']:.0%}" if row["share"] is not None else "-"
    change = _change(row["size"], row["previous_size"])
    return (row["binary"], row["arch"], _size(row["size"]), change, _size(row["budget"]), share)


def _image_cells(row: dict[str, Any]) -> tuple[str, ...]:
    now, before = row["image_size"], row["image_previous_size"]
    return (_size(now), _change(now, before))


def _size(count: int | None) -> str:
    return "-" if count is None else size(count)


def _change(now: int | None, before: int | None) -> str:
    """The difference with its sign."""
    if now is None or before is None:
        return "-"
    sign = "-" if now < before else "+"
    return f"{sign}{size(abs(now - before))}" if now != before else "none"


def _sections(found: Sequence[dict[str, Any]]) -> str:
    """A column for each of the sections that are largest over all, and one for the rest."""
    total: dict[str, int] = {}
    for row in found:
        for name, count in row["sections"].items():
            total[name] = total.get(name, 0) + count
    total.pop(contents.OTHER, None)
    names = sorted(total, key=lambda name: (-total[name], name))[:_SECTIONS]
    lines = [_places(row, names) for row in found if row["sections"]]
    return columns([("BINARY", "ARCH", *names, "other"), *lines]) if lines else ""


def _places(row: dict[str, Any], names: Sequence[str]) -> tuple[str, ...]:
    shown = [row["sections"].get(name, 0) for name in names]
    rest = sum(row["sections"].values()) - sum(shown)
    return (row["binary"], row["arch"], *map(size, (*shown, rest)))


def _crates(found: Sequence[dict[str, Any]]) -> str:
    """A row a crate, the largest of each binary, and the file that tells."""
    lines = [line for row in found for line in _largest(row)]
    head = ("BINARY", "ARCH", "LARGEST CRATES", "CODE AND CONSTANTS")
    files = dict.fromkeys(f"from {row['crates_from']}" for row in found if row["crates"])
    return "\n".join((columns([head, *lines]), *files)) if lines else ""


def _largest(row: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    shown = dict(islice(row["crates"].items(), _CRATES))
    rest = sum(row["crates"].values()) - sum(shown.values())
    named = (row["binary"], row["arch"])
    for name, count in (*shown.items(), *([("rest", rest)] if rest else [])):
        yield (*named, name, size(count))
        named = ("", "")
