"""package:<arch>:<bin> and manifest:<arch>: verified bytes, and nothing else, in docker/binaries.

A package is written from bytes that were checked as they were read; the verify record alone is
no pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from doit_cargo.core import layout, manifest
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import digest, read
from doit_cargo.core.task import Outcome, TaskSpec, task_name

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "package"
MANIFEST = "manifest"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and shipped binary, then one for the manifest of the target."""
    for target in ctx.config.targets:
        for binary in ctx.ship:
            yield TaskSpec(
                stage=NAME,
                arch=target.arch,
                subject=binary.name,
                doc=f"copy the verified {binary.name} to {_place(ctx, target)}",
                action=partial(_package, ctx, session, target, binary),
                inputs=(
                    layout.final_executable(ctx, target, binary),
                    layout.verify_record(ctx.config, target, binary),
                ),
                outputs=(layout.packaged(ctx.config, target, binary),),
                group=task_name(NAME, target.arch),
            )
        yield _manifest_spec(ctx, session, target)


def _manifest_spec(ctx: Context, session: Session, target: Target) -> TaskSpec:
    return TaskSpec(
        stage=MANIFEST,
        arch=target.arch,
        doc=f"write MANIFEST.txt and SHA256SUMS of {_place(ctx, target)}",
        action=partial(_write_manifest, ctx, session, target),
        inputs=tuple(layout.packaged(ctx.config, target, binary) for binary in ctx.ship),
        outputs=(layout.manifest(ctx.config, target), layout.checksums(ctx.config, target)),
        fingerprint=digest([ctx.config.title, target.triple, [str(b) for b in ctx.ship]]),
        group=task_name(NAME, target.arch),
        owns=layout.packages(ctx.config, target),
    )


def _package(ctx: Context, session: Session, target: Target, binary: Binary) -> Outcome:
    from doit_cargo.tools import artifact, files
    from doit_cargo.tools.elf import verify

    source = layout.final_executable(ctx, target, binary)
    data = artifact.read(source)
    verdict = verify.verify_bytes(ctx, session.opinion, target, binary, path=source, data=data)
    known = read(layout.verify_record(ctx.config, target, binary))
    if not verdict.passed or known.get("sha256") != verdict.sha256:
        raise CheckError(f"{source} changed after it was verified: run doit again")
    place = layout.packaged(ctx.config, target, binary)
    files.write(ctx.config.root, place, data, layout.BINARY_MODE)
    return Outcome(size=len(data), digest=verdict.sha256)


def _write_manifest(ctx: Context, session: Session, target: Target) -> Outcome:
    """Sums of what lies there now, which must be what was verified; nothing else stays."""
    from doit_cargo.tools import files

    config = ctx.config
    sums = {binary: _sum(ctx, session, target, binary) for binary in ctx.ship}
    texts = {
        layout.manifest(config, target): manifest.text(config.title, target, sums),
        layout.checksums(config, target): manifest.checksums(sums),
    }
    for path, text in texts.items():
        files.write(config.root, path, text.encode(), layout.FILE_MODE)
    keep = {*texts, *(layout.packaged(config, target, binary) for binary in ctx.ship)}
    gone = files.prune(config.root, layout.packages(config, target), frozenset(keep))
    return Outcome(removed=layout.relative(gone, config.root))


def _sum(ctx: Context, session: Session, target: Target, binary: Binary) -> str:
    from doit_cargo.tools import artifact
    from doit_cargo.tools.elf import verify

    path = layout.packaged(ctx.config, target, binary)
    data = artifact.read(path)
    found = artifact.sha256(data)
    if found != read(layout.verify_record(ctx.config, target, binary)).get("sha256"):
        raise CheckError(f"{path} changed after it was verified: run doit again")
    verify.must_pass(ctx, session.opinion, target, binary, path=path, data=data)
    return found


def _place(ctx: Context, target: Target) -> str:
    return layout.relative([layout.packages(ctx.config, target)], ctx.config.root)[0]
