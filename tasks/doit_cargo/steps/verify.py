"""verify:<arch>:<bin>: holds a built executable against the policy of its target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from doit_cargo.core import layout
from doit_cargo.core.cargo import command
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target, TaskSpec
from doit_cargo.core.record import digest, encode, previous_size, read

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "verify"
SUMMARY = "check every binary against config/policy.yaml"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and shipped binary."""
    for target in ctx.config.targets:
        for binary in ctx.ship:
            yield TaskSpec(
                name=f"{NAME}:{target.arch}:{binary.name}",
                doc=f"check that {binary.name} is a static {target.arch} executable as required",
                action=partial(_verify, ctx, session, target, binary),
                inputs=(layout.shipped(ctx, target, binary),),
                outputs=(layout.verify_record(ctx.config, target, binary),),
                fingerprint=digest(command.requirements(ctx, target, binary)),
                group=f"{NAME}:{target.arch}",
            )


def _verify(ctx: Context, session: Session, target: Target, binary: Binary) -> Mapping[str, Any]:
    from doit_cargo.tools import files
    from doit_cargo.tools.elf import verify

    path = layout.shipped(ctx, target, binary)
    verdict = verify.verify_file(ctx, session.opinion, target, binary, path)
    own = layout.verify_record(ctx.config, target, binary)
    content = {
        **verify.as_record(verdict),
        "previous_size": previous_size(read(own), "sha256", verdict.sha256),
    }
    files.write(ctx.config.root, own, encode(content))
    if not verdict.passed:
        raise CheckError(f"{path} does not pass:\n{verify.explain(verdict)}")
    return {"size": verdict.size, "warnings": verify.explain(verdict)}
