"""`doit doctor`: one line for each thing the main job needs; it changes nothing."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from doit_cargo.core import hosts
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.model import Context, Target, Toolchain
from doit_cargo.core.toolchain import caches, objcopy, wheels
from doit_cargo.core.toolchain.compiler import on_path
from doit_cargo.core.toolchain.locate import (
    Parts,
    assemble,
    pip_install,
    rust_remedy,
    setup_command,
    std_of,
    survey,
    wrapper_fault,
)
from doit_cargo.tools import process
from doit_cargo.tools.machine import runtime
from doit_cargo.tools.machine.finding import Finding
from doit_cargo.tools.machine.installed import damage

_GIGA = 1_000_000_000
_ROOM = 1 * _GIGA  # std and zig's cache of two targets take half of it
_TIMEOUT = 60.0


def examine(
    targets: Sequence[Target],
    *,
    workspace: Path,
    env: Mapping[str, str],
    stripped: bool,
    host: str = "",
) -> tuple[Finding, ...]:
    """Look at everything. Starts programs to ask for their versions; writes nothing.

    `stripped` tells whether the linker strips. `host` (a triple) stands for another machine.
    """
    parts = survey(workspace, env, host=host)
    chains = [assemble(target, parts, stripped=stripped) for target in targets]
    return (
        *_rust(parts, workspace, env),
        *(_std(chain, parts) for chain in chains),
        _host_linker(parts.host, env),
        _wheel(parts.zig, "zig", wheels.ZIG, "version"),
        _wheel(parts.protoc, "protoc", wheels.PROTOC, "--version"),
        *(_wrappers(chain, parts) for chain in chains),
        _cache(parts.cache),
        _on_path("git", "git", env, "install git", optional=True),
        *_emulators(targets, parts.host, env),
    )


def examine_objcopy(ctx: Context) -> tuple[Finding, ...]:
    """The tool that `split_debug` needs, if the configuration asks for that. Starts no process."""
    if not ctx.config.split_debug:
        return ()
    tool = objcopy.find(ctx.toolchains[ctx.config.targets[0].arch], ctx.env)
    detail = str(tool or "not installed")
    return (
        Finding(
            name="objcopy (split_debug)", found=tool is not None, detail=detail,
            remedy=objcopy.REMEDY,
        ),
    )  # fmt: skip


def _rust(parts: Parts, workspace: Path, env: Mapping[str, str]) -> Iterator[Finding]:
    rust = parts.rust
    remedy = rust_remedy(rust)
    for name, program in (("rustc", rust.rustc), ("cargo", rust.cargo)):
        if program is None:
            yield Finding(name=name, found=False, detail="not installed", remedy=remedy)
        else:
            version = _ask([program, "--version"], cwd=workspace, env=env)
            yield _ran(name, program, version, remedy)


def _std(chain: Toolchain, parts: Parts) -> Finding:
    target = chain.target
    name, std = f"std {target.arch}", std_of(target.triple, parts)
    if std is None:
        return Finding(
            name=name, found=False, detail=f"none for {target.triple}", remedy=setup_command(target)
        )
    wrong = runtime.std_fault(chain)
    return Finding(
        name=name, found=not wrong, detail=wrong or str(std), remedy=setup_command(target)
    )


def _wheel(wheel: wheels.Wheel | None, name: str, package: str, question: str) -> Finding:
    remedy = pip_install(package)
    if wheel is None:
        return Finding(name=name, found=False, detail=f"not in {sys.prefix}", remedy=remedy)
    if damaged := damage(wheel, package):
        detail, repair = damaged
        return Finding(name=name, found=False, detail=detail, remedy=repair)
    return _ran(name, wheel.program, _ask([wheel.program, question]), remedy)


def _wrappers(chain: Toolchain, parts: Parts) -> Finding:
    name, compiler = f"linker {chain.target.arch}", chain.wrappers / f"{chain.target.triple}-cc"
    remedy = setup_command(chain.target)
    if parts.cache is None or not compiler.is_file():
        return Finding(name=name, found=False, detail="zig's wrapper is not made", remedy=remedy)
    if fault := wrapper_fault(chain.target.triple, parts) or runtime.zig_fault(chain):
        return Finding(name=name, found=False, detail=fault, remedy=remedy)
    return _ran(name, compiler, _ask([compiler, "--version"]), remedy)


def _ran(name: str, program: Path, version: str, remedy: str) -> Finding:
    """A program that is there, and what it said of its version: "" if it did not run."""
    if not version:
        return Finding(name=name, found=False, detail=f"{program} does not run", remedy=remedy)
    return Finding(name=name, found=True, detail=f"{version}  {program}")


def _host_linker(host: str, env: Mapping[str, str]) -> Finding:
    name, remedy = f"{hosts.LINKER} (links build scripts)", hosts.linker_remedy(host)
    found = on_path(hosts.LINKER, env)
    if found is None:
        return Finding(name=name, found=False, detail="not installed", remedy=remedy)
    return _ran(name, found, _ask([found, "--version"]), remedy)


def _on_path(
    name: str, program: str, env: Mapping[str, str], remedy: str, *, optional: bool = False
) -> Finding:
    found = on_path(program, env)
    if found is None:
        return Finding(
            name=name, found=False, detail="not installed", remedy=remedy, optional=optional
        )
    return Finding(name=name, found=True, detail=f"{_ask([found, '--version'])}  {found}")


def _cache(cache: Path | None) -> Finding:
    name = "cache folder"
    remedy = f"export {caches.VARIABLE}=FOLDER"
    if cache is None:
        return Finding(name=name, found=False, detail="no HOME", remedy=remedy)
    place = next(p for p in (cache, *cache.parents) if p.exists())
    if not (place.is_dir() and os.access(place, os.W_OK)):
        return Finding(name=name, found=False, detail=f"{cache} is read-only", remedy=remedy)
    free = shutil.disk_usage(place).free
    detail = f"{cache}, {free / _GIGA:.1f} GB free"
    if free < _ROOM and not (cache / "zig").is_dir():
        return Finding(name=name, found=False, detail=f"{detail}, 1 needed", remedy=remedy)
    return Finding(name=name, found=True, detail=detail)


def _emulators(targets: Sequence[Target], host: str, env: Mapping[str, str]) -> Iterator[Finding]:
    """What runs the binaries of other architectures here."""
    programs = (hosts.emulator(host, target.triple) for target in targets)
    for program in dict.fromkeys(filter(None, programs)):
        yield _on_path(program, program, env, hosts.EMULATORS, optional=True)


def _ask(
    argv: Sequence[str | Path], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> str:
    """The first line of what a program says; "" if it does not run."""
    try:
        return next(iter(process.run(argv, cwd=cwd, env=env, timeout=_TIMEOUT).splitlines()), "")
    except (PipelineError, OSError):
        return ""
