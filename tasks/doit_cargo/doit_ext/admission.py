"""What tasks need before one of them may run: programs on PATH, and folders that are ours."""

from __future__ import annotations

from collections.abc import Sequence

from doit_cargo.core.errors import MissingToolError, SetupError
from doit_cargo.core.model import Context
from doit_cargo.core.task import TaskSpec
from doit_cargo.tools.key import Trust
from doit_cargo.tools.run.ownership import claim


def admit(ctx: Context, specs: Sequence[TaskSpec], *, force: bool) -> None:
    """Let these tasks run.

    Raises MissingToolError with a line for each program that lacks, SetupError if their folders
    hold files that we never wrote, unless `force`; and for what leaves this machine, if the run
    takes others' state as it is.
    """
    if Trust.others and (ships := [spec.name for spec in specs if spec.ships]):
        raise SetupError(
            f"{ships[0]}: state that others wrote proves nothing: run it without --trust-state"
        )
    if programs := [name for spec in specs for name in spec.programs]:
        from doit_cargo.core.images.engines import missing

        if lines := missing(programs, ctx.env):
            raise MissingToolError("\n".join(lines))
    claim(ctx.config, specs, force=force)
