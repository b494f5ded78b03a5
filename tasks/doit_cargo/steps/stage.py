"""stage:<arch>: the packaged binaries in the Docker build context, re-hashed against the manifest.

One task a target: the context is one tree, in which only what is shipped may lie.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core import bounded, layout, manifest
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import digest
from doit_cargo.core.task import Outcome, TaskSpec

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "stage"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target."""
    for target in ctx.config.targets:
        folder = layout.staging(ctx.config, target)
        yield TaskSpec(
            stage=NAME,
            arch=target.arch,
            doc=f"copy the packaged files to {layout.relative([folder], ctx.config.root)[0]}",
            action=partial(_stage, ctx, session, target),
            inputs=(
                layout.manifest(ctx.config, target),
                *(layout.packaged(ctx.config, target, binary) for binary in ctx.ship),
            ),
            outputs=tuple(layout.staged(ctx.config, target, binary) for binary in ctx.ship),
            fingerprint=digest([f"{b.crate}/{b.name}" for b in ctx.ship]),
            group=NAME,
            owns=folder,
        )


def _stage(ctx: Context, session: Session, target: Target) -> Outcome:
    from doit_cargo.tools import files

    text = bounded.read_text(layout.manifest(ctx.config, target))
    sums = manifest.parse(text)
    size = sum(_copy(ctx, session, target, binary, sums) for binary in ctx.ship)
    keep = frozenset(layout.staged(ctx.config, target, binary) for binary in ctx.ship)
    gone = files.prune(ctx.config.root, layout.staging(ctx.config, target), keep)
    return Outcome(size=size, removed=layout.relative(gone, ctx.config.root))


def _copy(
    ctx: Context, session: Session, target: Target, binary: Binary, sums: Mapping[str, str]
) -> int:
    """Copy a binary unless its bytes and mode are there already; returns its size in bytes.

    A manifest that lies beside the binary proves nothing of it: the bytes are held against the
    policy again, which takes no time for those that were packaged in this run.
    """
    from doit_cargo.tools import artifact, files
    from doit_cargo.tools.elf import verify

    source = layout.packaged(ctx.config, target, binary)
    data = artifact.read(source)
    found = artifact.sha256(data)
    if found != sums.get(f"{binary.crate}/{binary.name}"):
        raise CheckError(f"{source} does not match the manifest: run doit again")
    verify.must_pass(ctx, session.opinion, target, binary, path=source, data=data)
    place = layout.staged(ctx.config, target, binary)
    if not _holds(place, found):
        files.write(ctx.config.root, place, data, layout.BINARY_MODE)
    return len(data)


def _holds(place: Path, wanted: str) -> bool:
    from doit_cargo.tools import artifact, files

    if not files.is_plain(place, layout.BINARY_MODE):
        return False
    try:
        found = artifact.read(place)
    except CheckError:
        return False
    return artifact.sha256(found) == wanted
