"""The user's own settings for cargo: its configuration files, and `env` of ours.

Most workspaces say nothing: what understands it is imported where something is setting.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from doit_cargo.core.model import Context, Target

if TYPE_CHECKING:
    from doit_cargo.core.cargo.env_table import Entry
    from doit_cargo.core.cargo.rustc_wrappers import Wrapper


def _is_configured(ctx: Context) -> bool:
    return bool(ctx.graph.configs) or any("RUST" in name for name in ctx.config.env)


def flags(ctx: Context, target: Target) -> tuple[str, ...]:
    """The user's flags for rustc, without those that would break the build."""
    if not _is_configured(ctx):
        return ()
    from doit_cargo.core.cargo import user_flags  # noqa: PLC0415

    sources = user_flags.sources(ctx.graph.configs, ctx.config.env, target.triple)
    return user_flags.kept(sources)


def env_table(ctx: Context) -> Mapping[str, Entry]:
    """The `[env]` of cargo's configuration."""
    if not ctx.graph.configs:
        return {}
    from doit_cargo.core.cargo import env_table as table  # noqa: PLC0415

    return table.entries(ctx.graph.configs)


def wrappers(ctx: Context, env: Mapping[str, str]) -> tuple[Wrapper, ...]:
    """The rustc wrappers that cargo would call, with that environment."""
    if not _is_configured(ctx):
        return ()
    from doit_cargo.core.cargo import rustc_wrappers  # noqa: PLC0415

    return tuple(rustc_wrappers.wanted(ctx.graph.configs, env, str(ctx.graph.root)))


def fewer_jobs(ctx: Context) -> int:
    """The number of cores where cargo's configuration asks for more jobs than that, else 0."""
    from doit_cargo.core.cargo.config_lookup import strongest  # noqa: PLC0415

    cores, setting = os.cpu_count() or 1, strongest(ctx.graph.configs, "build", "jobs")
    asked = setting.value if setting and "CARGO_BUILD_JOBS" not in ctx.config.env else 0
    return cores if isinstance(asked, int) and asked > cores else 0
