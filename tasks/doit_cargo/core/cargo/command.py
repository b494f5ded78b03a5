"""The cargo command of a build, as a value: argv and environment."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from doit_cargo.core.cargo import machine_paths, shell_env, user_config
from doit_cargo.core.cargo.toolchain_env import ENCODED, SEPARATOR, environment, rustflags
from doit_cargo.core.model import Binary, Context, CrateGraph, Features, Target

if TYPE_CHECKING:
    from pathlib import Path

    from doit_cargo.core.cargo.rustc_wrappers import Wrapper

# What cargo, rustc and build scripts may see of the user's environment, and what may therefore
# change their output: all of it is part of a build's fingerprint.
HASHED = (
    "HOME", "CARGO_HOME", "RUSTUP_HOME", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR",
    "SOURCE_DATE_EPOCH",
    "DEVELOPER_DIR", "SDKROOT",  # where macOS has the compiler of build scripts
)  # fmt: skip
# What is the same for everybody: who builds, where on earth, is no part of what comes out. Whoever
# wants it there says so in `env:`.
FIXED = MappingProxyType({"LANG": "C.UTF-8", "TZ": "UTC", "USER": "builder", "LOGNAME": "builder"})
BUILD_DIR = "CARGO_BUILD_BUILD_DIR"
# A git hook runs with git's own programs first on PATH: no reason to build anything anew.
_NOT_ON_PATH = "git-core"


def settings(ctx: Context, target: Target) -> dict[str, str]:
    """The part of cargo's environment that can change the bytes of a build: it is hashed."""
    made = _settings(ctx, target)
    absent = (wrapper for wrapper in user_config.wrappers(ctx, made) if wrapper.is_absent)
    return {**made, **{wrapper.variable: "" for wrapper in absent}}


def _settings(ctx: Context, target: Target) -> dict[str, str]:
    """The same, with the rustc wrappers that are asked for."""
    base = _base(ctx)
    tools = _toolchain_env(ctx, target, base)
    ours = {name: v for name, v in tools.items() if _is_ours(name, ctx.config.env)}
    return {**base, **ours, ENCODED: SEPARATOR.join(flags(ctx, target))}


def _base(ctx: Context) -> dict[str, str]:
    """What is the same for all targets: the user's, what we fix, what is configured."""
    user = {name: ctx.env[name] for name in HASHED if name in ctx.env}
    path = search_path(ctx.env.get("PATH", os.defpath))
    build = {BUILD_DIR: _build_dir(ctx.graph)}
    fixed = {**build, **FIXED, "CARGO_INCREMENTAL": "0", "PATH": path}
    return {**user, **fixed, **ctx.config.env}


def _build_dir(graph: CrateGraph) -> str:
    """The target directory, seen from where cargo is started if there are braces in its path.

    Cargo takes them for templates (https://doc.rust-lang.org/cargo/reference/config.html#buildbuild-dir).
    """
    folder = str(graph.target_directory)
    return os.path.relpath(folder, graph.root) if "{" in folder or "}" in folder else folder


def _toolchain_env(ctx: Context, target: Target, base: Mapping[str, str]) -> dict[str, str]:
    """The toolchain's variables; C flags in cargo's `[env]` are extended like those of `base`.

    Of cc-rs's variables the form with the triple's own hyphens is the strongest: where `[env]`
    has it, so have we.
    """
    table, suffix = user_config.env_table(ctx), target.triple.replace("-", "_")
    weak = {name: entry.value for name, entry in table.items() if not entry.force}
    forced = {name: entry.value for name, entry in table.items() if entry.force}
    exact = {
        name.replace(target.triple, suffix): entry.value
        for name, entry in table.items()
        if target.triple in name
    }
    given = {**weak, **base, **forced, **exact, "PATH": base["PATH"]}
    found = environment(ctx.toolchains[target.arch], given, machine_paths.remaps(ctx, target))
    hyphens = {name.replace(suffix, target.triple): value for name, value in found.items()}
    return {**found, **{name: value for name, value in hyphens.items() if name in table}}


def flags(ctx: Context, target: Target) -> tuple[str, ...]:
    """All flags that rustc gets for the target: the user's, then ours."""
    ours = rustflags(ctx.toolchains[target.arch], machine_paths.remaps(ctx, target))
    return (*user_config.flags(ctx, target), *ours)


def wrappers(ctx: Context, target: Target) -> tuple[Wrapper, ...]:
    """What cargo is to call in rustc's place. The bytes of such a program count."""
    return user_config.wrappers(ctx, _settings(ctx, target))


def wrapper_programs(ctx: Context, target: Target) -> tuple[Path, ...]:
    """The programs among them: those that are there, and called."""
    return tuple(wrapper.program for wrapper in wrappers(ctx, target) if wrapper.program)


def _is_ours(name: str, configured: Mapping[str, str]) -> bool:
    """What the configuration sets stands, but for lists that ours extend."""
    return name not in configured or name == "PATH" or name.startswith(("CFLAGS", "CXXFLAGS"))


def readable(ctx: Context, target: Target) -> dict[str, str]:
    """The variables that build scripts and macros may read without cargo's knowledge.

    Without PATH, which differs from shell to shell.
    """
    return {name: v for name, v in settings(ctx, target).items() if name != "PATH"}


def readable_by_host(ctx: Context) -> dict[str, str]:
    """The same of those that are the target's affair in none: build scripts of macros see them."""
    return {name: value for name, value in _base(ctx).items() if name != "PATH"}


def cargo_env(ctx: Context, target: Target) -> dict[str, str]:
    """The whole environment of a cargo that compiles: build scripts and macros see all of it."""
    hidden = secret_names(ctx)
    kept = {name: v for name, v in shell_env.passed(ctx.env).items() if name not in hidden}
    return {**kept, **settings(ctx, target)}


def fetch_env(ctx: Context, target: Target) -> dict[str, str]:
    """The whole environment of a cargo that only fetches: with what opens registries."""
    return {**shell_env.passed(ctx.env), **settings(ctx, target)}


def secret_names(ctx: Context) -> frozenset[str]:
    """The variables of the shell that are for fetching alone."""
    wrapped = wrapper_programs(ctx, ctx.config.targets[0])
    return shell_env.secret_names(ctx.env, wrapped=bool(wrapped))


def search_path(path: str) -> str:
    """PATH without repetitions and without what a git hook puts in front."""
    parts = [p for p in path.split(os.pathsep) if p and os.path.basename(p) != _NOT_ON_PATH]
    return os.pathsep.join(dict.fromkeys(parts))


def base_argv(ctx: Context, target: Target) -> tuple[str, ...]:
    """The part of the command that is the same whatever is built."""
    config = ctx.config
    return (
        str(ctx.toolchains[target.arch].cargo or "cargo"), "build", "--workspace",
        *(word for name in namesakes(ctx) for word in ("--exclude", name)),
        "--target", target.triple, "--profile", config.profile,
        # the build folder's own spelling, or cargo waits for itself at the lock of both
        "--target-dir", str(ctx.graph.target_directory),
        *features(config.features),
        *_unforced(ctx, target),
    )  # fmt: skip


def _unforced(ctx: Context, target: Target) -> Iterator[str]:
    """Cargo's `[env]` may force a compiler of another machine upon build scripts."""
    table = user_config.env_table(ctx)
    forced = [name for name in overridden_env(ctx, target) if table[name].force]
    made = settings(ctx, target) if forced else {}
    for name in forced:
        yield from ("--config", f"env.{name}.value={_toml(made[name])}")


def overridden_env(ctx: Context, target: Target) -> tuple[str, ...]:
    """The variables of cargo's `[env]` that have a value of ours: the toolchain's."""
    table = user_config.env_table(ctx)
    tools = _toolchain_env(ctx, target, _base(ctx)) if table else {}
    return tuple(
        name for name in tools if name in table and not name.startswith(("PATH", "RUST", "CARGO"))
    )


def namesakes(ctx: Context) -> tuple[str, ...]:
    """The members that ship nothing and have a binary named as a shipped one.

    `--bin` names no crate: cargo would link both into the same file.
    """
    shipped, names = {b.crate for b in ctx.ship}, {b.name for b in ctx.ship}
    return tuple(
        crate.name
        for crate in ctx.graph.crates.values()
        if crate.member and crate.name not in shipped and not names.isdisjoint(crate.bins)
    )


def argv(
    ctx: Context,
    target: Target,
    binaries: Iterable[str],
    *,
    jobs: int = 0,
    keep_going: bool = False,
    color: bool = False,
    fetched: bool = False,
) -> tuple[str, ...]:
    """The command that builds these binaries (none: the libraries) and reports as JSON.

    `fetched`: all sources are there, and cargo stays off the network.
    """
    names = tuple(binaries)
    form = "json-diagnostic-rendered-ansi" if color else "json"
    return (
        *base_argv(ctx, target),
        *["--locked"] * is_locked(ctx),
        *["--offline"] * (ctx.config.offline or fetched),
        *(word for name in names for word in ("--bin", name)),
        *["--lib"] * (not names),
        *(("--jobs", str(number)) if (number := jobs or user_config.fewer_jobs(ctx)) else ()),
        *["--keep-going"] * keep_going,
        f"--message-format={form}",
    )


def fetch_argv(ctx: Context, targets: Iterable[Target]) -> tuple[str, ...]:
    """The command that fetches the sources of all that builds for these targets may need."""
    wanted = tuple(targets)
    return (
        str(ctx.toolchains[wanted[0].arch].cargo or "cargo"), "fetch",
        *["--locked"] * is_locked(ctx),
        *(word for target in wanted for word in ("--target", target.triple)),
    )  # fmt: skip


def is_locked(ctx: Context) -> bool:
    """`--locked` as configured; by default wherever there is a Cargo.lock to hold to."""
    if ctx.config.locked is not None:
        return ctx.config.locked
    return (ctx.graph.root / "Cargo.lock").exists()


def features(wanted: Features) -> tuple[str, ...]:
    """The feature flags: for the whole workspace, so that a binary is the same built alone."""
    return (
        *["--all-features"] * wanted.all,
        *["--no-default-features"] * (not wanted.default),
        *(("--features", ",".join(wanted.names)) if wanted.names else ()),
    )


def requirements(ctx: Context, target: Target, binary: Binary) -> dict[str, object]:
    """All that a verdict depends on but for the bytes."""
    wanted = ctx.policies[target.arch]
    return {
        "levels": dict(wanted.levels),
        "size": [wanted.min_size, wanted.max_size, wanted.budgets.get(binary.name)],
        "triple": target.triple,
        "paths": [os.fsdecode(path) for path in machine_paths.private_paths(ctx, target)],
    }


def _toml(text: str) -> str:
    """A TOML basic string."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
