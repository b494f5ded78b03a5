"""The Rust on this machine: rustup's selected toolchain, or the distribution's own."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core.toolchain import rustup


class Rust(NamedTuple):
    """The real executables, not rustup's proxies. `folder` has bin/ and lib/.

    `toolchain` is its name in rustup and `rustup` that program; both None without rustup.
    `chosen_by` says who asked for the toolchain.
    """

    folder: Path | None = None
    cargo: Path | None = None
    rustc: Path | None = None
    toolchain: str | None = None
    rustup: Path | None = None
    chosen_by: str = ""

    def std(self, triple: str) -> Path | None:
        """Where its own std for that target lies, if it has one."""
        return std_in(self.folder, triple) if self.folder else None

    @property
    def source(self) -> Path | None:
        """The source of its std, with all that std depends on, if installed."""
        library = self.folder / "lib/rustlib/src/rust/library" if self.folder else None
        return library if library and (library / "std/Cargo.toml").is_file() else None

    def libraries(self) -> tuple[Path, ...]:
        """The shared libraries that are the compiler: the driver, and LLVM if it lies apart."""
        for folder in self._library_folders():
            names = sorted(os.listdir(folder)) if folder.is_dir() else []
            if drivers := fnmatch.filter(names, "librustc_driver-*"):
                found = (*drivers, *fnmatch.filter(names, "libLLVM*"))
                return tuple(folder / name for name in found if (folder / name).is_file())
        return ()

    def _library_folders(self) -> Iterator[Path]:
        """`lib`, and below it the folder of Debian's multiarch."""
        for name in ("lib", "lib64"):
            folder = self.folder / name if self.folder else None
            if folder and folder.is_dir():
                yield folder
                yield from (folder / n for n in os.listdir(folder) if "-linux-gnu" in n)


def std_in(folder: Path, triple: str) -> Path | None:
    """The library folder of a target below a sysroot, if a whole std lies in it."""
    lib = folder / "lib" / "rustlib" / triple / "lib"
    try:
        names = os.listdir(lib)
    except OSError:
        return None
    return lib if fnmatch.filter(names, "libstd-*.rlib") else None


def find(workspace: Path, env: Mapping[str, str], *, host: str) -> Rust:
    """What `cargo` means in that folder."""
    program = on_path("cargo", env)
    if program is None:
        return Rust()
    if rustup.is_proxy(program):
        return _from_rustup(program, workspace, env, host)
    real = Path(os.path.realpath(program))
    rustc = real.with_name("rustc")
    beside = rustc if _runs(str(rustc)) else on_path("rustc", env)
    if beside is None or rustup.is_proxy(beside):
        return Rust(cargo=real)
    beside = Path(os.path.realpath(beside))
    return Rust(folder=beside.parent.parent, cargo=real, rustc=beside)


def on_path(name: str, env: Mapping[str, str]) -> Path | None:
    """The program of that name on PATH or in cargo's own folder, where rustup puts its proxies."""
    cargo_home = env.get("CARGO_HOME") or (env.get("HOME") and f"{env['HOME']}/.cargo") or ""
    folders = env.get("PATH", os.defpath).split(os.pathsep)
    for folder in (*folders, *([f"{cargo_home}/bin"] if cargo_home else [])):
        if folder and _runs(path := f"{folder}/{name}"):
            return Path(path)
    return None


def _from_rustup(proxy: Path, workspace: Path, env: Mapping[str, str], host: str) -> Rust:
    program = Path(proxy.parent, "rustup")
    choice = rustup.choose(workspace, env, host=host)
    if choice is None:
        return Rust(rustup=program)
    cargo, rustc = choice.folder / "bin" / "cargo", choice.folder / "bin" / "rustc"
    by_name = choice.folder.is_dir() and not choice.name.startswith("/")
    return Rust(
        folder=choice.folder if choice.folder.is_dir() else None,
        cargo=cargo if _runs(str(cargo)) else None,
        rustc=rustc if _runs(str(rustc)) else None,
        toolchain=choice.folder.name if by_name else choice.name,
        rustup=program,
        chosen_by=choice.source,
    )


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
