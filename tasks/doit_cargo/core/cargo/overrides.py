"""Lists what cargo's own configuration asks for and does not get here, or only with a warning.

For `doit doctor`. The decisions are made where the command is (cargo_plan and what it uses).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import hosts, layout
from doit_cargo.core.cargo import command, user_config, user_flags
from doit_cargo.core.cargo.cfg import speaks_of, unknown
from doit_cargo.core.cargo.config_lookup import Setting, lookup, strongest
from doit_cargo.core.model import Context, Target
from doit_cargo.core.workspace.cargo_config import target_variable
from doit_cargo.core.workspace.toml_lines import line_of

_BARE = re.compile("[A-Za-z0-9_-]+")
_MOST = 60  # characters of a value
# What cargo reads of a shell's environment and does not get: builds would depend on the shell.
_SHELL = (
    "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "CARGO_BUILD_RUSTFLAGS", "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER", "CARGO_BUILD_RUSTC_WRAPPER", "CARGO_BUILD_TARGET",
)  # fmt: skip

_CONSENT = "without `cargo: {trust_wrapper: true}`"
# Keys of `build` that never count.
_BUILD = (
    ("target", "the configuration's `targets` say what is built"),
    ("rustc", "the compiler is the one above"),
    ("build-dir", "everything is built in the target directory"),
)


class Override(NamedTuple):
    """A setting, where it is made (line 0: not known), and what becomes of it.

    `used`: it is followed, and this is a warning.
    """

    file: str
    line: int
    what: str
    why: str
    used: bool = False


def render(found: Sequence[Override]) -> str:
    """A line each, as doctor's others are."""
    return "".join(
        f"{'warning' if o.used else 'override':<8}  "
        f"{o.file}{f':{o.line}' if o.line else ''}: {o.what}: {o.why}\n"
        for o in found
    )


def overrides(ctx: Context, targets: Sequence[Target]) -> tuple[Override, ...]:
    """All of them by file and line, those that several targets share once."""
    found = [*_common(ctx), *(line for target in targets for line in _of_target(ctx, target))]
    return tuple(sorted(set(found)))


def _of_target(ctx: Context, target: Target) -> Iterator[Override]:
    yield from _linkers(ctx, target)
    yield from _flags(ctx, target)
    yield from _env(ctx, target)
    for wrapper in command.wrappers(ctx, target):
        if wrapper.is_absent and wrapper.place:
            yield _override(ctx, wrapper.place, "not installed here: rustc is called without it")
        elif wrapper.program is None:
            yield Override(*_place(ctx, None), wrapper.variable, "not installed", used=True)
        elif not ctx.config.trust_wrapper:
            what = wrapper.place.keys[-1] if wrapper.place else wrapper.variable
            why = f"{wrapper.program} answers for rustc: what it compiles is not pushed {_CONSENT}"
            yield Override(*_place(ctx, wrapper.place), what, why, used=True)


def _common(ctx: Context) -> Iterator[Override]:
    """What does not depend on the target."""
    configs, env = ctx.graph.configs, ctx.config.env
    triples = [target.triple for target in ctx.config.targets]
    for name in _SHELL:
        if ctx.env.get(name) and name not in env:
            what = f"{name}={_shown(ctx.env[name])}"
            why = "builds do not depend on the shell; put it into `env:` of the configuration"
            yield Override("environment", 0, what, why)
    for key, why in (*_BUILD, *_jobs(ctx)):
        place = strongest(configs, "build", key)
        if place and place.value not in triples:
            yield _override(ctx, place, why)
    yield from _undecided(ctx)
    for place in _incremental(ctx):
        yield _override(ctx, place, "CARGO_INCREMENTAL=0: such builds are not reproducible")


def _jobs(ctx: Context) -> Iterator[tuple[str, str]]:
    if cores := user_config.fewer_jobs(ctx):
        yield "jobs", f"--jobs {cores}, the cores of this machine"


def _incremental(ctx: Context) -> Iterator[Setting]:
    if ctx.config.env.get("CARGO_INCREMENTAL", "0") == "0":
        keys = (("build", "incremental"), ("profile", ctx.config.profile, "incremental"))
        places = (strongest(ctx.graph.configs, *key) for key in keys)
        yield from (place for place in places if place and place.value is True)


def _linkers(ctx: Context, target: Target) -> Iterator[Override]:
    host, configured = ctx.toolchains[target.arch].host, ctx.config.env
    reasons = {host: f"build scripts are linked by {hosts.LINKER}"}
    for name in _tables(ctx):
        why = "zig links for musl" if speaks_of(name, target.triple) else reasons.get(name, "")
        triple = host if name == host else target.triple
        place = strongest(ctx.graph.configs, "target", name, "linker")
        if why and place and target_variable(triple, "linker") not in configured:
            yield _override(ctx, place, why)


def _tables(ctx: Context) -> set[str]:
    """The triples and conditions of `[target]`."""
    tables = (place.value for place in lookup(ctx.graph.configs, "target"))
    return {name for table in tables if isinstance(table, dict) for name in table}


def _flags(ctx: Context, target: Target) -> Iterator[Override]:
    sources = user_flags.sources(ctx.graph.configs, ctx.config.env, target.triple)
    for source in sources:
        for option in user_flags.options(source.flags):
            why, used = _verdict(option)
            if why:
                what = f"{_dotted(source.keys)}: {option.name}"
                yield Override(*_place(ctx, source), what, why, used)


def _undecided(ctx: Context) -> Iterator[Override]:
    """Tables whose flags may be lost: rustc would have to be asked whether they hold."""
    for name in _tables(ctx):
        place = strongest(ctx.graph.configs, "target", name, "rustflags")
        if place and (word := unknown(name)):
            yield _override(ctx, place, f"treated as false: {word} is not known without rustc")


def _verdict(option: user_flags.Option) -> tuple[str, bool]:
    if user_flags.is_dynamic(option):
        return user_flags.DYNAMIC.why, False
    if refused := user_flags.refusal(option):
        return refused.why, False
    doubt = user_flags.doubt(option)
    return (doubt.why, True) if doubt else ("", False)


def _env(ctx: Context, target: Target) -> Iterator[Override]:
    """C flags are extended, not overridden."""
    table, made = user_config.env_table(ctx), command.settings(ctx, target)
    for name in command.overridden_env(ctx, target):
        if made[name] != table[name].value and not name.startswith(("CFLAGS", "CXXFLAGS")):
            yield _override(ctx, table[name].place, f"it is {made[name]}")


def _override(ctx: Context, place: Setting, why: str) -> Override:
    what = f"{_dotted(place.keys)} = {_shown(place.value)}"
    return Override(*_place(ctx, place), what, why)


def _place(ctx: Context, place: Setting | user_flags.Source | None) -> tuple[str, int]:
    """The file and line; a variable is in the configuration's `env`."""
    file = place.file if place else None
    path = Path(file.path) if file else ctx.config.path
    line = line_of(str(path), place.keys) if place and file else None
    return layout.relative([path], ctx.config.root)[0], line or 0


def _dotted(keys: Sequence[str]) -> str:
    """A key as TOML has it."""
    return ".".join(key if _BARE.fullmatch(key) else f"'{key}'" for key in keys)


def _shown(value: object) -> str:
    """On one line, without control characters, not too long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST else f"{text[:_MOST]}…"
