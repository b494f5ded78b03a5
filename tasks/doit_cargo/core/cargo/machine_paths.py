"""Folders of the building machine, and what replaces them in a binary, which must hold none."""

from __future__ import annotations

import os
from collections.abc import Mapping

from doit_cargo.core.model import Context, Target


def remaps(ctx: Context, target: Target) -> tuple[tuple[str, str], ...]:
    """Path prefixes of this machine and what stands for them in a binary; the last match wins."""
    chain = ctx.toolchains[target.arch]
    pairs = [
        *ctx.graph.folders_elsewhere,
        (_cargo_home(ctx.env), "/cargo"),
        (str(chain.sysroot or ""), "/sysroot"),
        (str(ctx.graph.root), "/workspace"),
        (str(ctx.graph.target_directory), "/target"),
    ]
    return tuple((prefix, name) for prefix, name in pairs if prefix)


def private_paths(ctx: Context, target: Target) -> tuple[bytes, ...]:
    """What no shipped binary may contain: folders of the machine that built it."""
    chain = ctx.toolchains[target.arch]
    folders = (
        *(folder for folder, _ in ctx.graph.folders_elsewhere), str(ctx.graph.root),
        str(ctx.graph.target_directory), _cargo_home(ctx.env), str(chain.sysroot or ""),
        str(chain.wrappers.parent), str(chain.zig_cache),
    )  # fmt: skip
    return tuple(dict.fromkeys(os.fsencode(folder) for folder in folders if len(folder) > 1))


def _cargo_home(env: Mapping[str, str]) -> str:
    home = env.get("HOME", "")
    return env.get("CARGO_HOME") or (os.path.join(home, ".cargo") if home else "")
