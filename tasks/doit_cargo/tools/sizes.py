"""How large the binaries are, what changed, what fills them: for people and as JSON.

Sizes come from the verify records, contents from the file that the record tells of; the share of
each crate from an unstripped build, wherever one lies in cargo's target folder. Sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from doit_cargo.core import layout
from doit_cargo.core.elf import contents
from doit_cargo.core.elf import layout as elf_layout
from doit_cargo.core.elf.header import ElfError
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import read
from doit_cargo.core.text import columns, size
from doit_cargo.tools import elf

_SECTIONS, _CRATES = 5, 6
_HEAD = ("BINARY", "ARCH", "SIZE", "CHANGE", "BUDGET", "USED")
_NO_CRATES = (
    "No unstripped build to name the crates from. Give Cargo.toml a profile "
    '(inherits = "{profile}", strip = false), then run what `doit env profile=NAME` prints.'
)


def rows(ctx: Context, targets: Iterable[Target]) -> list[dict[str, Any]]:
    """One row a shipped binary and target; what is not known is None or empty."""
    return [_row(ctx, target, binary) for target in targets for binary in ctx.ship]


def tables(found: Sequence[dict[str, Any]], profile: str) -> str:
    """Sizes and budgets; sections; crates: what is not known is left out."""
    parts = [_sizes(found), _sections(found), _crates(found)]
    if not parts[-1]:
        parts[-1] = _NO_CRATES.format(profile=profile)
    return "\n\n".join(filter(None, parts))


def _row(ctx: Context, target: Target, binary: Binary) -> dict[str, Any]:
    known = read(layout.verify_record(ctx.config, target, binary))
    own = _number(known, "size")
    budget = ctx.policies[target.arch].budgets.get(binary.name)
    symbols, path = _symbols(ctx, target, binary)
    return {
        "binary": binary.name,
        "crate": binary.crate,
        "arch": target.arch,
        "size": own,
        "previous_size": _number(known, "previous_size"),
        "budget": budget,
        "share": round(own / budget, 4) if own is not None and budget else None,
        "sections": _filled(layout.shipped(ctx, target, binary), known.get("sha256")),
        "crates": symbols,
        "crates_from": layout.relative([path], ctx.config.root)[0] if path else None,
    }


def _number(record: dict[str, Any], key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) else None


def _filled(path: Path, sha256: str | None) -> dict[str, int]:
    """The sections of the file that the record tells of, and what lies between them."""
    data = _read(path)
    if data is None or elf.sha256(data) != sha256:
        return {}
    try:
        found = contents.sections(elf_layout.parse(data))
    except ElfError:
        return {}
    return {**found, contents.OTHER: max(0, len(data) - sum(found.values()))}


def _symbols(ctx: Context, target: Target, binary: Binary) -> tuple[dict[str, int], Path | None]:
    """The crates in the configured profile's executable, else in the newest that has symbols."""
    for path in _candidates(layout.artifact(ctx, target, binary.name)):
        data = _read(path)
        try:
            found = contents.crates(elf_layout.parse(data)) if data else {}
        except ElfError:
            continue
        if found:
            return found, path
    return {}, None


def _candidates(own: Path) -> Iterator[Path]:
    """The same binary of every profile: `<target dir>/<triple>/<profile folder>/<bin>`."""
    others = [path for path in own.parent.parent.glob(f"*/{own.name}") if path.is_file()]
    yield from sorted(others, key=lambda path: (path != own, -path.stat().st_mtime))


def _read(path: Path) -> bytes | None:
    try:
        return elf.read_artifact(path, max_size=elf.SIZE_LIMIT)
    except CheckError:
        return None


def _sizes(found: Sequence[dict[str, Any]]) -> str:
    total = sum(row["size"] or 0 for row in found)
    lines = [_HEAD, *(_cells(row) for row in found), ("total", "", size(total), "", "", "")]
    return columns(lines)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    own, before, budget = row["size"], row["previous_size"], row["budget"]
    return (
        row["binary"],
        row["arch"],
        size(own) if own is not None else "-",
        _change(own - before) if None not in (own, before) else "-",
        size(budget) if budget is not None else "-",
        f"{row['share']:.0%}" if row["share"] is not None else "-",
    )


def _change(difference: int) -> str:
    """With its sign; whole bytes below a KiB."""
    sign = "-" if difference < 0 else "+"
    return f"{sign}{size(abs(difference))}" if difference else "none"


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
    held = [row["sections"].get(name, 0) for name in names]
    rest = sum(row["sections"].values()) - sum(held)
    return (row["binary"], row["arch"], *map(size, (*held, rest)))


def _crates(found: Sequence[dict[str, Any]]) -> str:
    lines = [
        (row["binary"], row["arch"], _largest(row["crates"]), row["crates_from"])
        for row in found
        if row["crates"]
    ]
    head = ("BINARY", "ARCH", "LARGEST CRATES (functions and constants)", "FROM")
    return columns([head, *lines]) if lines else ""


def _largest(crates: dict[str, int]) -> str:
    shown = dict(islice(crates.items(), _CRATES))
    rest = sum(crates.values()) - sum(shown.values())
    names = [f"{name} {size(count)}" for name, count in shown.items()]
    return ", ".join([*names, f"rest {size(rest)}"] if rest else names)
