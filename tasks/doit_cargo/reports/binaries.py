"""The binaries as the records know them, for people and as JSON."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from typing import Any

from doit_cargo.core import layout
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import read, typed
from doit_cargo.core.text import columns, size

_HEAD = ("BINARY", "ARCH", "SIZE", "SHA-256", "VERDICT", "BUILT")


def rows(ctx: Context, targets: Iterable[Target]) -> list[dict[str, Any]]:
    """One row a shipped binary and target; what is not known is None. Sizes in bytes."""
    return [_row(ctx, target, binary) for target in targets for binary in ctx.ship]


def table(found: Sequence[dict[str, Any]]) -> str:
    """The rows in aligned columns."""
    return columns([_HEAD, *(_cells(row) for row in found)])


def _row(ctx: Context, target: Target, binary: Binary) -> dict[str, Any]:
    known = read(layout.verify_record(ctx.config, target, binary))
    path = layout.final_executable(ctx, target, binary)
    return {
        "binary": binary.name,
        "crate": binary.crate,
        "arch": target.arch,
        "size": typed(known, "size", int),
        "sha256": typed(known, "sha256", str),
        "verdict": _verdict(known),
        "built": os.stat(path).st_mtime if path.is_file() else None,
    }


def _verdict(known: dict[str, Any]) -> str | None:
    if not known:
        return None
    return "pass" if known.get("passed") else "fail"


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    built = row["built"]
    return (
        row["binary"],
        row["arch"],
        size(row["size"]) if row["size"] is not None else "-",
        (row["sha256"] or "-")[:12],
        row["verdict"] or "not verified",
        time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(built)) if built else "not built",
    )
