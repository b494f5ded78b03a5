"""How large binaries and images are, what changed, what fills them.

Sizes come from the verify records, contents from the file that the record tells of; the share of
each crate from an unstripped build, wherever one lies in cargo's target folder. Sizes in bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from doit_cargo.core import layout
from doit_cargo.core.elf import contents
from doit_cargo.core.elf import layout as elf_layout
from doit_cargo.core.elf.header import ElfError
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import read, typed
from doit_cargo.tools import artifact


def rows(ctx: Context, targets: Iterable[Target]) -> list[dict[str, Any]]:
    """One row a shipped binary and target; what is not known is None or empty."""
    return [_row(ctx, target, binary) for target in targets for binary in ctx.ship]


def _row(ctx: Context, target: Target, binary: Binary) -> dict[str, Any]:
    known = read(layout.verify_record(ctx.config, target, binary))
    bytes_now = typed(known, "size", int)
    budget = ctx.policies[target.arch].budgets.get(binary.name)
    symbols, path = _symbols(ctx, target, binary)
    return {
        "binary": binary.name,
        "crate": binary.crate,
        "arch": target.arch,
        "size": bytes_now,
        "previous_size": typed(known, "previous_size", int),
        "budget": budget,
        **_image(ctx, target, binary),
        "share": round(bytes_now / budget, 4) if bytes_now is not None and budget else None,
        "sections": _filled(layout.final_executable(ctx, target, binary), known.get("sha256")),
        "crates": symbols,
        "crates_from": layout.relative([path], ctx.config.root)[0] if path else None,
    }


def _image(ctx: Context, target: Target, binary: Binary) -> dict[str, int | None]:
    """The files in the binary's image, together."""
    known = read(layout.image_record(ctx.config, target, binary))
    return {f"image_{key}": typed(known, key, int) for key in ("size", "previous_size")}


def _filled(path: Path, sha256: str | None) -> dict[str, int]:
    """The sections of the file that the record tells of, and what lies between them."""
    data = _read(path)
    if data is None or artifact.sha256(data) != sha256:
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


def _candidates(record: Path) -> Iterator[Path]:
    """The same binary of every profile: `<target dir>/<triple>/<profile folder>/<bin>`."""
    others = [path for path in record.parent.parent.glob(f"*/{record.name}") if path.is_file()]
    yield from sorted(others, key=lambda path: (path != record, -path.stat().st_mtime))


def _read(path: Path) -> bytes | None:
    try:
        return artifact.read(path)
    except CheckError:
        return None
