"""The user's own rustc flags, to which ours are added: cargo reads only one source of them.

Source: The Cargo Book, "Configuration", `build.rustflags`: CARGO_ENCODED_RUSTFLAGS, RUSTFLAGS,
all `target.*.rustflags` that match, `build.rustflags`; the first of the four that is there. With
`--target` none of them reaches build scripts and macros.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from doit_cargo.core.cargo.cfg import speaks_of
from doit_cargo.core.cargo.config_lookup import lookup
from doit_cargo.core.cargo.toolchain_env import ENCODED, SEPARATOR
from doit_cargo.core.toml_file import TomlFile
from doit_cargo.core.workspace.cargo_config import target_variable


class Source(NamedTuple):
    """Flags in one place: a key in a file, or a variable of the configuration's `env`."""

    file: TomlFile | None
    keys: tuple[str, ...]
    flags: tuple[str, ...]


class Option(NamedTuple):
    """An option of rustc's: its words as given, and codegen options without their `-C`."""

    words: tuple[str, ...]
    name: str


class Refusal(NamedTuple):
    """What begins like `name` is taken out, since it would break a static build by zig."""

    name: str
    why: str


_ZIG = "zig links for musl"
REFUSED = (
    Refusal("-Clinker=", _ZIG),
    Refusal("-Clinker-flavor=", _ZIG),
    Refusal("-Clink-arg=-fuse-ld", f"{_ZIG}, with its own linker"),
    Refusal("-Clink-self-contained", "crt1.o and libc come from zig"),
    Refusal("-Cprefer-dynamic", "a static executable has no shared libraries"),
)
_DYNAMIC = "-crt-static"
DYNAMIC = Refusal(f"-Ctarget-feature={_DYNAMIC}", "what is shipped is static")
# Followed, with a word of warning in doctor.
DOUBTFUL = (
    Refusal(
        "-Ctarget-cpu=native",
        "the binaries need a processor like this machine's, and another machine builds others",
    ),
    Refusal("-Crelocation-model=static", "the policy's rule `pie` refuses such executables"),
    Refusal("-Crelocation-model=dynamic-no-pic", "the policy's rule `pie` refuses them"),
)


def sources(configs: Sequence[TomlFile], env: Mapping[str, str], triple: str) -> tuple[Source, ...]:
    """Where cargo would take a target's flags from, in the order in which rustc gets them."""
    if ENCODED in env:
        flags = env[ENCODED].split(SEPARATOR) if env[ENCODED] else []
        return (Source(None, (ENCODED,), tuple(flags)),)
    if "RUSTFLAGS" in env:
        return (Source(None, ("RUSTFLAGS",), tuple(env["RUSTFLAGS"].split())),)
    found = tuple(source for source in _of_target(configs, env, triple) if source.flags)
    return found or tuple(_of_build(configs, env))


def kept(found: Iterable[Source]) -> tuple[str, ...]:
    """Their flags, without those that would break the build."""
    return tuple(
        word
        for source in found
        for option in options(source.flags)
        if refusal(option) is None
        for word in _static(option)
    )


def refusal(option: Option) -> Refusal | None:
    """Why an option is not used, all of it."""
    return next((rule for rule in REFUSED if option.name.startswith(rule.name)), None)


def _static(option: Option) -> tuple[str, ...]:
    """The option without `-crt-static`, which may stand in a list of features."""
    if not is_dynamic(option):
        return option.words
    features = option.name.partition("=")[2].split(",")
    if left := [name for name in features if name != _DYNAMIC]:
        return (f"-Ctarget-feature={','.join(left)}",)
    return ()


def is_dynamic(option: Option) -> bool:
    """Whether it asks for executables that are not static."""
    name, _, features = option.name.partition("=")
    return name == "-Ctarget-feature" and _DYNAMIC in features.split(",")


def doubt(option: Option) -> Refusal | None:
    """What to say of an option that is used and may surprise."""
    return next((rule for rule in DOUBTFUL if option.name == rule.name), None)


def options(flags: Iterable[str]) -> Iterator[Option]:
    """The flags with a codegen option's words together, in whichever way it is written."""
    words = iter(flags)
    for word in words:
        if word in {"-C", "--codegen"}:
            value = tuple(islice(words, 1))
            yield Option((word, *value), _codegen("".join(value)))
        elif word.startswith(("-C", "--codegen=")):
            yield Option((word,), _codegen(word.removeprefix("-C").removeprefix("--codegen=")))
        else:
            yield Option((word,), word)


def _codegen(text: str) -> str:
    """Rustc takes `_` for `-` in a codegen option's name."""
    name, equals, value = text.partition("=")
    return f"-C{name.replace('_', '-')}{equals}{value}"


def _of_target(
    configs: Sequence[TomlFile], env: Mapping[str, str], triple: str
) -> Iterator[Source]:
    """The triple's own table first, then those of cfg expressions that hold for it."""
    yield from _listed(configs, env, target_variable(triple, "rustflags"), "target", triple)
    tables = {name for table in lookup(configs, "target") for name in _names(table.value)}
    for name in sorted(tables - {triple}):
        if speaks_of(name, triple):
            yield from _listed(configs, {}, "", "target", name)


def _of_build(configs: Sequence[TomlFile], env: Mapping[str, str]) -> Iterator[Source]:
    return _listed(configs, env, "CARGO_BUILD_RUSTFLAGS", "build")


def _listed(
    configs: Sequence[TomlFile], env: Mapping[str, str], variable: str, *table: str
) -> Iterator[Source]:
    """A list that cargo joins from all files, the strongest last, and the variable after them."""
    for place in reversed(tuple(lookup(configs, *table, "rustflags"))):
        yield Source(place.file, place.keys, _flags(place.value))
    if variable in env:
        yield Source(None, (variable,), tuple(env[variable].split()))


def _flags(value: object) -> tuple[str, ...]:
    """A string is split at blanks; cargo refuses what is neither that nor a list of strings."""
    if isinstance(value, str):
        return tuple(value.split())
    listed = value if isinstance(value, list) else []
    return tuple(flag for flag in listed if isinstance(flag, str))


def _names(value: object) -> Iterable[str]:
    return value if isinstance(value, dict) else ()
