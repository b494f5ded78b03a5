"""Holds bytes against the policy that a workspace configures for a target and a binary."""

from __future__ import annotations

from doit_cargo.core import cargo_plan
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.tools import elf


def judge(
    ctx: Context, opinion: elf.SecondOpinion, target: Target, binary: Binary, data: bytes
) -> elf.Verdict:
    """The verdict about these very bytes. Raises CheckError if they are no sound ELF file."""
    return elf.check(
        data,
        binary=binary,
        target=target,
        policy=ctx.policies[target.arch],
        needles=cargo_plan.private_paths(ctx, target),
        opinion=opinion,
    )
