"""The command that says which packages, with which features, a build compiles."""

from __future__ import annotations

from doit_cargo.core.cargo.command import features, is_locked, namesakes
from doit_cargo.core.model import Context, Target


def tree_argv(ctx: Context, target: Target, form: str, *, offline: bool) -> tuple[str, ...]:
    """`cargo tree` of the whole workspace, as it is built for the target; a line a dependency.

    Each line has its depth before `form`. `offline`: nothing is fetched, and no lock file written.
    """
    return (
        str(ctx.toolchains[target.arch].cargo or "cargo"), "tree", "--workspace",
        *(word for name in namesakes(ctx) for word in ("--exclude", name)),
        "--target", target.triple, "--edges", "normal,build", "--prefix", "depth",
        "--format", form, *features(ctx.config.features),
        *["--locked"] * (offline or is_locked(ctx)),
        *["--offline"] * (offline or ctx.config.offline),
    )  # fmt: skip
