"""Builds Rust's std for a target from the compiler's own source, into a sysroot of our cache.

A distribution ships std for its own machine only, and its source with all that std depends on
(Debian: rust-src, rust-web-src). rustup has no std for targets of tier 3; its component rust-src
names what std depends on in a Cargo.lock, and cargo fetches that. What cargo's build-std makes is
not quite what the Rust project ships; three things are added, as its own build does them:

- panic_abort is compiled with `-C panic=abort`, or a profile with `panic = "abort"` fails to
  link (rustc's bootstrap does it in its rustc shim);
- `-C embed-bitcode=yes`, or `lto = "thin"` and `"fat"` fail;
- the source's path is remapped, so that panic messages don't name this machine's folders.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core import hosts
from doit_cargo.core.cargo.shell_env import passed
from doit_cargo.core.cargo.toolchain_env import host_linker
from doit_cargo.core.errors import PipelineError, SetupError
from doit_cargo.core.toolchain import caches
from doit_cargo.core.toolchain.compiler import Rust
from doit_cargo.core.workspace.cargo_config import cargo_home
from doit_cargo.tools import process, waiting
from doit_cargo.tools.machine.cache import Say, new_folder

_SEED = """\
[package]
name = "seed"
version = "0.0.0"
edition = "2021"
[lib]
path = "seed.rs"
[profile.release]
opt-level = 3
"""
_CONFIG = """\
[source.crates-io]
replace-with = "vendored"
[source.vendored]
directory = "{vendor}"
"""
_WRAPPER = """\
#!/bin/sh
case " $* " in
  *" --crate-name panic_abort "*) exec "$@" -C panic=abort ;;
esac
exec "$@"
"""
_KEPT = ("HOME", "PATH", "LANG", "CARGO_HOME", "RUSTUP_HOME")


def build_std(rust: Rust, triple: str, cache: Path, env: Mapping[str, str], say: Say) -> Path:
    """Build it and return the sysroot. Raises SetupError with the end of cargo's output."""
    final = caches.sysroot(cache, rust, triple)
    library = rust.source
    if library is None:
        raise SetupError(f"no source of std in {rust.folder}")
    say(f"building Rust's std for {triple}, two or three minutes, once, into {final} (100 MB)")
    with new_folder(cache, final) as work:
        seed = work / "build"
        _write_seed(seed, library)
        _compile(rust, triple, seed, library, env)
        _collect(seed / "target" / triple / "release" / "deps", work, triple)
        shutil.rmtree(seed)
    return final


def _write_seed(seed: Path, library: Path) -> None:
    """An empty crate: only what it depends on is wanted."""
    (seed / ".cargo").mkdir(parents=True)
    (seed / "Cargo.toml").write_text(_SEED, encoding="utf-8")
    (seed / "seed.rs").write_text("#![no_std]\n", encoding="utf-8")
    if vendor := _vendored(library):
        quoted = str(vendor).replace("\\", "\\\\").replace('"', '\\"')
        config = _CONFIG.format(vendor=quoted)
        (seed / ".cargo" / "config.toml").write_text(config, encoding="utf-8")
    (seed / "rustc-wrapper").write_text(_WRAPPER, encoding="utf-8")
    (seed / "rustc-wrapper").chmod(0o755)


def _vendored(library: Path) -> Path | None:
    """The folder of all that std depends on, if it came with the source."""
    vendor = library / "vendor"
    return vendor if vendor.is_dir() else None


def _compile(rust: Rust, triple: str, seed: Path, library: Path, env: Mapping[str, str]) -> None:
    argv = [
        rust.cargo or "cargo", "build", "--release", "--quiet", "--target", triple,
        *(["--offline"] if _vendored(library) else []), "-Zbuild-std=std,panic_abort,panic_unwind",
    ]  # fmt: skip
    try:
        with waiting.told(f"building Rust's std for {triple}"):
            process.run(argv, cwd=seed, env=_environment(rust, seed, library, env))
    except PipelineError as error:
        raise SetupError(f"std for {triple} could not be built\n{error}") from error


def _environment(rust: Rust, seed: Path, library: Path, env: Mapping[str, str]) -> dict[str, str]:
    """A clean one: the user's flags, linkers and wrappers are for the user's crates.

    RUSTC_BOOTSTRAP lets a stable compiler take `-Z` options, as the project's own builds do.
    """
    remaps = {
        str(path): "/rustc" for path in (library.parent, Path(os.path.realpath(library)).parent)
    }
    if not _vendored(library):
        remaps = {cargo_home(str(seed), env): "/cargo", **remaps}
    flags = ["-Cembed-bitcode=yes", *(f"--remap-path-prefix={p}={to}" for p, to in remaps.items())]
    return {
        **{name: env[name] for name in _KEPT if name in env},
        **passed(env),
        "RUSTC": str(rust.rustc),
        "RUSTC_BOOTSTRAP": "1",
        "RUSTC_WRAPPER": str(seed / "rustc-wrapper"),
        "RUSTC_WORKSPACE_WRAPPER": "",
        **host_linker(hosts.this_host()),
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        "CARGO_TARGET_DIR": str(seed / "target"),
        "CARGO_INCREMENTAL": "0",
    }


def _collect(built: Path, work: Path, triple: str) -> None:
    """Move the libraries to where rustc looks below a sysroot."""
    lib = work / "lib" / "rustlib" / triple / "lib"
    lib.mkdir(parents=True)
    for path in built.glob("lib*.rlib"):
        if not path.name.startswith("libseed-"):
            path.rename(lib / path.name)
