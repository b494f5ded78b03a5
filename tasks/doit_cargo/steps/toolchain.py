"""toolchain:<arch>: everything that all crates of a target depend on, as one digest.

Compiler, std, linker, protoc, the workspace's manifests and lock file, cargo's configuration,
command line and environment. Each crate depends on the record, not on the files.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core import layout
from doit_cargo.core.cargo import command
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context, Target
from doit_cargo.core.record import digest, encode
from doit_cargo.core.task import TaskSpec, task_name
from doit_cargo.core.toolchain import locate

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "toolchain"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """One task a target."""
    common = workspace_files(ctx)
    for target in ctx.config.targets:
        yield TaskSpec(
            stage=NAME,
            arch=target.arch,
            doc=f"what every {target.arch} build depends on: compiler, std, linker, settings",
            action=partial(_write, ctx, session, target),
            inputs=(
                *ctx.toolchains[target.arch].identity,
                *command.wrapper_programs(ctx, target),
                *common,
            ),
            outputs=(layout.toolchain_record(ctx.config, target),),
            fingerprint=digest(describe(ctx, target)),
            settings=partial(describe, ctx, target),
            group=NAME,
        )


def workspace_files(ctx: Context) -> tuple[Path, ...]:
    """The workspace's own files that no single crate owns."""
    root = ctx.graph.root
    candidates = [root / "Cargo.toml", root / "Cargo.lock", *ctx.graph.roots_elsewhere]
    for folder in (root, *root.parents):
        candidates += [folder / "rust-toolchain.toml", folder / "rust-toolchain"]
    for crate in ctx.graph.crates.values():
        candidates.append(crate.manifest)  # its features count for every crate
        if not crate.member:  # it may inherit from the workspace that it belongs to
            candidates += [folder / "Cargo.toml" for folder in crate.directory.parents]
    found = dict.fromkeys(path for path in candidates if path.is_file())
    return (*found, *(Path(file.path) for file in ctx.graph.configs), *ctx.graph.vendored)


def describe(ctx: Context, target: Target) -> dict[str, object]:
    """What is no file: the argv that all builds share, and the environment."""
    return {
        "argv": command.base_argv(ctx, target),
        "env": command.settings(ctx, target),
    }


def _write(ctx: Context, session: Session, target: Target) -> None:
    """The digest was taken before cargo started: what is edited later counts next time.

    Raises SetupError if what zig links is not what it made.
    """
    from doit_cargo.tools import files
    from doit_cargo.tools.machine import runtime

    if fault := runtime.fault(ctx.toolchains[target.arch]):
        raise SetupError(f"{fault}: {locate.setup_command(target)}")
    content = {
        "digest": session.digest(task_name(NAME, target.arch)),
        "env": digest(command.readable(ctx, target)),
        "target": str(ctx.graph.target_directory),
    }
    path = layout.toolchain_record(ctx.config, target)
    files.save(ctx.config.root, path, encode(content))
