"""Whether an executable is still what cargo delivered to a run: others may write there too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import read
from doit_cargo.tools import artifact, files

KEY = "executables"
"""Where the record of a build has their sums."""


def sums(executables: Mapping[str, Path]) -> dict[str, str]:
    """Binary → SHA-256, of what cargo has just delivered, which holds its lock for that long.

    Raises CheckError if one cannot be read.
    """
    return {name: artifact.sha256(artifact.read(path)) for name, path in executables.items()}


def check(ctx: Context, target: Target, binary: Binary, sha256: str) -> None:
    """Raise CheckError if these are not the delivered bytes; the next run builds them anew."""
    record = layout.build_record(ctx.config, target, binary.crate)
    known = read(record).get(KEY)
    if isinstance(known, dict) and known.get(binary.name, sha256) != sha256:
        files.remove(ctx.config.root, record)
        path = layout.artifact(ctx, target, binary.name)
        raise CheckError(
            f"{path} is not what this project's cargo built: another one has written it since; "
            "run doit again"
        )
