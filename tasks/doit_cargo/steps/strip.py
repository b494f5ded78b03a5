"""strip:<arch>:<bin>: splits an executable for `split_debug`: what ships, and its debug file.

What ships is verified after this: no unverified byte is packaged, whatever the tool did.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError, MissingToolError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.task import TaskSpec, task_name

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "strip"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and shipped binary; none without `split_debug`."""
    del session
    if not ctx.config.split_debug:
        return
    from doit_cargo.core.toolchain import objcopy

    for target in ctx.config.targets:
        tool = objcopy.find(ctx.toolchains[target.arch], ctx.env)
        for binary in ctx.ship:
            yield _spec(ctx, target, binary, tool)


def _spec(ctx: Context, target: Target, binary: Binary, tool: Path | None) -> TaskSpec:
    kept = layout.debug_file(ctx.config, target, binary)
    return TaskSpec(
        stage=NAME,
        arch=target.arch,
        subject=binary.name,
        doc=f"strip {binary.name}, keeping {layout.relative([kept], ctx.config.root)[0]}",
        action=partial(_split, ctx, target, binary, tool),
        inputs=(layout.artifact(ctx, target, binary.name), *filter(None, [tool])),
        outputs=(layout.final_executable(ctx, target, binary), kept),
        group=task_name(NAME, target.arch),
    )


def _split(ctx: Context, target: Target, binary: Binary, tool: Path | None) -> None:
    from doit_cargo.core.toolchain.objcopy import REMEDY
    from doit_cargo.tools import artifact, files
    from doit_cargo.tools.elf import objcopy
    from doit_cargo.tools.run import as_built

    if tool is None:
        raise MissingToolError(f"no objcopy is installed, which split_debug needs: {REMEDY}")
    source, kept = (
        layout.artifact(ctx, target, binary.name), layout.debug_file(ctx.config, target, binary)
    )  # fmt: skip
    data = artifact.read(source)
    as_built.check(ctx, target, binary, artifact.sha256(data))
    try:
        small, debug = objcopy.split(tool, data, debug_name=kept.name)
    except CheckError as error:
        raise CheckError(f"{source}: {error}") from None
    root = ctx.config.root
    files.write(root, kept, debug, layout.FILE_MODE)
    files.write(root, layout.final_executable(ctx, target, binary), small, layout.BINARY_MODE)
