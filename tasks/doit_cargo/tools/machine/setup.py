"""`doit setup`: installs what the toolchain lacks, in order, and announces each step.

A second run finds everything there and does nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from doit_cargo.core import hosts
from doit_cargo.core.errors import MissingToolError, PipelineError, SetupError
from doit_cargo.core.model import Target, Toolchain
from doit_cargo.core.toolchain import wheels
from doit_cargo.core.toolchain.compiler import Rust, std_in
from doit_cargo.core.toolchain.locate import (
    Parts,
    assemble,
    pip_install,
    std_of,
    survey,
    wrapper_texts,
)
from doit_cargo.core.toolchain.runtime import std_record
from doit_cargo.tools import process, waiting
from doit_cargo.tools.machine import apt, musl, zig
from doit_cargo.tools.machine.cache import Say, locked, require
from doit_cargo.tools.machine.installed import damage
from doit_cargo.tools.machine.runtime import keep_std, std_fault
from doit_cargo.tools.machine.std import build_std

_RUSTUP = "install Rust with rustup (https://rustup.rs), then run doit setup again"
_RUSTUP_STD_MB = 40  # a target's std as rustup fetches it, compressed
_RUSTUP_SOURCE_MB = 3  # the source of std, likewise
_RUSTUP_TIMEOUT = 300.0


Look = Callable[[], Parts]  # what is there now


def setup(
    targets: Sequence[Target],
    *,
    workspace: Path,
    env: Mapping[str, str],
    stripped: bool,
    say: Say,
    host: str = "",
) -> None:
    """Fix the machine for these targets. Raises SetupError with what the user must do.

    `stripped` tells whether the linker strips. `host` (a triple) stands for another machine.
    """
    cache, look = require(env), partial(survey, workspace, env, host=host)
    with locked(cache, say):
        _require_wheels(look())
        _ensure_rust(look(), say)
        _ensure_linker(look(), say)
        for target in targets:
            _ensure_std(assemble(target, look(), stripped=stripped), cache, look(), env, say)
        parts = look()
        _link([assemble(target, parts, stripped=stripped) for target in targets], parts, cache, say)
        chains = [assemble(target, parts, stripped=stripped) for target in targets]
        if missing := list(dict.fromkeys(line for chain in chains for line in chain.missing)):
            raise SetupError("\n".join(missing))
    say(f"{', '.join(target.arch for target in targets)}: everything is installed, in {cache}")


def _require_wheels(parts: Parts) -> None:
    """Both are dependencies of this package; only a broken installation lacks them, or has others.

    Raises MissingToolError.
    """
    found = ((parts.zig, wheels.ZIG), (parts.protoc, wheels.PROTOC))
    if lacking := [name for wheel, name in found if wheel is None]:
        raise MissingToolError(
            f"not installed in this Python: {', '.join(lacking)}\n{pip_install(' '.join(lacking))}"
        )
    damaged = [lines for wheel, name in found if wheel and (lines := damage(wheel, name))]
    if damaged:
        raise MissingToolError("\n".join(line for lines in damaged for line in lines))


def _ensure_rust(parts: Parts, say: Say) -> None:
    rust = parts.rust
    if rust.cargo and rust.rustc:
        say(f"Rust is installed: {rust.rustc}")
    elif rust.rustup and rust.toolchain:
        say(f"toolchain {rust.toolchain} ({rust.chosen_by}) is not installed, about 200 MB")
        _rustup(rust.rustup, ("toolchain", "install", rust.toolchain, "--profile", "minimal"), say)
    elif rust.rustup:
        raise MissingToolError("rustup has no toolchain selected\nrustup default stable")
    else:
        _install_rust(parts.host, say)


def _has_apt(host: str) -> bool:
    """On macOS a program of that name is another system's, whose packages are none of ours."""
    return hosts.is_linux(host) and apt.present()


def _install_rust(host: str, say: Say) -> None:
    """By apt, where we may: compiler, std source, and the linker for build scripts at once."""
    if not _has_apt(host):
        raise MissingToolError(f"Rust is not installed\n{_RUSTUP}")
    packages = apt.rust_packages()
    if not packages and apt.usable():
        apt.update(say)
        packages = apt.rust_packages()
    if not packages:
        raise MissingToolError(f"Rust is not installed, and apt knows no package of it\n{_RUSTUP}")
    _apt((*packages, *apt.HOST_LINKER), "Rust", say, or_else=_RUSTUP)


def _ensure_linker(parts: Parts, say: Say) -> None:
    if parts.has_cc:
        return
    if not _has_apt(parts.host):
        raise MissingToolError(
            f"there is no C compiler `{hosts.LINKER}`, which links build scripts\n"
            f"{hosts.get_linker(parts.host)}"
        )
    _apt(apt.HOST_LINKER, "cc, which links build scripts,", say)


def _apt(packages: Sequence[str], what: str, say: Say, or_else: str = "") -> None:
    if not apt.usable():
        argv = process.quoted(("sudo", *apt.install_command(packages)))
        or_else = f"\nor {or_else}" if or_else else ""
        raise MissingToolError(f"{what} is not installed\n{argv}{or_else}")
    say(f"{what} is not installed")
    apt.install(packages, say)


def _ensure_std(
    chain: Toolchain, cache: Path, parts: Parts, env: Mapping[str, str], say: Say
) -> None:
    """Get std for a target: what is there, else rustup's, else built from source."""
    target = chain.target
    if wrong := std_fault(chain):
        say(wrong)
    elif std := std_of(target.triple, parts):
        say(f"std for {target.triple} is installed: {std}")
        return
    rust, failure = parts.rust, ""
    if rust.rustup and rust.toolchain:
        argv = ("target", "add", "--toolchain", rust.toolchain, target.triple)
        say(f"fetching std for {target.triple}, about {_RUSTUP_STD_MB} MB, into {rust.folder}")
        try:
            _rustup(rust.rustup, argv, say)
        except SetupError as error:
            failure = str(error)
        else:
            return
        say(f"{failure}\nrustup could not fetch it; trying to build it from source")
    if rust.source is None:
        rust = _fetch_source(parts, target, failure, say)
    sysroot = build_std(rust, target.triple, cache, env, say)
    if std := std_in(sysroot, target.triple):
        keep_std(sysroot, std_record(parts.state, sysroot), std)


def _fetch_source(parts: Parts, target: Target, failure: str, say: Say) -> Rust:
    """Get the compiler's own source of std, or say who can."""
    rust = parts.rust
    if rust.rustup and rust.toolchain:
        argv = ("component", "add", "rust-src", "--toolchain", rust.toolchain)
        say(f"fetching the source of std, about {_RUSTUP_SOURCE_MB} MB, into {rust.folder}")
        try:
            _rustup(rust.rustup, argv, say)
        except SetupError as error:
            raise SetupError(f"no std for {target.triple}: {failure}\n{error}") from error
        return rust
    package = apt.source_package(rust.rustc) if rust.rustc and _has_apt(parts.host) else ""
    if not package:
        raise SetupError(
            f"{rust.rustc} has no std for {target.triple}, and no source to build it from in "
            f"{rust.folder}/lib/rustlib/src/rust\n"
            f"install that source from where this compiler came, or {_RUSTUP}"
        )
    _apt((package,), "the source of std", say)
    return rust


def _link(chains: Sequence[Toolchain], parts: Parts, cache: Path, say: Say) -> None:
    """Make the wrappers of the targets, and what zig links with them."""
    if parts.zig is None:
        return
    for chain in chains:
        triple = chain.target.triple
        texts = wrapper_texts(triple, parts.zig.program, chain.zig_cache)
        if not zig.hold(chain.wrappers, texts):
            zig.write_wrappers(cache, chain.wrappers, triple, parts.zig.program, texts)
            say(f"made zig's wrappers for {triple} in {chain.wrappers}")
    musl.compile_missing(chains, cache, say)


def _rustup(program: Path, words: Sequence[str], say: Say) -> None:
    argv: list[str | Path] = [program, *words]
    try:
        with waiting.told(f"running {process.quoted(argv)}", say):
            process.run(argv, timeout=_RUSTUP_TIMEOUT)
    except PipelineError as error:
        raise SetupError(str(error)) from error
