"""Holds bytes against the policy that a workspace configures for a target and a binary."""

from __future__ import annotations

from pathlib import Path

from doit_cargo.core.cargo import machine_paths
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.tools.elf import verify


def judge_file(
    ctx: Context, opinion: verify.SecondOpinion, target: Target, binary: Binary, path: Path
) -> verify.Verdict:
    """The verdict about the file's bytes, read once. Raises CheckError if it is no sound ELF."""
    data = verify.read_artifact(path, max_size=verify.SIZE_LIMIT)
    return judge(ctx, opinion, target, binary, path=path, data=data)


def judge(
    ctx: Context,
    opinion: verify.SecondOpinion,
    target: Target,
    binary: Binary,
    *,
    path: Path,
    data: bytes,
) -> verify.Verdict:
    """The verdict about these very bytes, found at `path`. Raises CheckError if unsound."""
    try:
        return verify.check(
            data,
            binary=binary,
            target=target,
            policy=ctx.policies[target.arch],
            needles=machine_paths.private_paths(ctx, target),
            opinion=opinion,
        )
    except CheckError as error:
        raise CheckError(f"{path}: {error}") from None
