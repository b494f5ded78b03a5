"""verify:<arch>:<bin>: checks a built executable against the policy of its target."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from doit_cargo.core import layout
from doit_cargo.core.cargo import command
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import digest, encode, previous_size, read
from doit_cargo.core.task import Outcome, TaskSpec, task_name

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "verify"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and shipped binary."""
    for target in ctx.config.targets:
        for binary in ctx.ship:
            yield TaskSpec(
                stage=NAME,
                arch=target.arch,
                subject=binary.name,
                doc=f"check that {binary.name} is a static {target.arch} executable as required",
                action=partial(_verify, ctx, session, target, binary),
                inputs=(layout.final_executable(ctx, target, binary),),
                outputs=(layout.verify_record(ctx.config, target, binary),),
                fingerprint=digest(command.requirements(ctx, target, binary)),
                settings=partial(command.requirements, ctx, target, binary),
                group=task_name(NAME, target.arch),
            )


def _verify(ctx: Context, session: Session, target: Target, binary: Binary) -> Outcome:
    from doit_cargo.tools import files
    from doit_cargo.tools.elf import verify
    from doit_cargo.tools.run import as_built

    path = layout.final_executable(ctx, target, binary)
    verdict = verify.verify_file(ctx, session.opinion, target, binary, path)
    if not ctx.config.split_debug:  # with it, what is split has been asked already
        as_built.check(ctx, target, binary, verdict.sha256)
    record = layout.verify_record(ctx.config, target, binary)
    content = {
        **verify.as_record(verdict),
        "previous_size": previous_size(read(record), "sha256", verdict.sha256),
    }
    files.save(ctx.config.root, record, encode(content))
    if not verdict.passed:
        raise CheckError(f"{path} does not pass:\n{verify.explain(verdict)}")
    return Outcome(size=verdict.size, digest=verdict.sha256, warnings=verify.lines(verdict))
