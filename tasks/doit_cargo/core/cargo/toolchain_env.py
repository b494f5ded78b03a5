"""The environment variables and rustc flags that make cargo use a toolchain."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from doit_cargo.core import hosts
from doit_cargo.core.model import Toolchain
from doit_cargo.core.workspace.cargo_config import target_variable

ENCODED = "CARGO_ENCODED_RUSTFLAGS"  # of cargo's sources of flags the strongest
SEPARATOR = "\x1f"
Remaps = Sequence[tuple[str, str]]


def environment(chain: Toolchain, base: Mapping[str, str], remaps: Remaps) -> dict[str, str]:
    """The variables that make cargo, cc-rs, cmake and prost use this toolchain.

    `base` is the rest of cargo's environment: its PATH and CFLAGS are extended, not lost.
    Variables override the same keys of every `.cargo/config.toml`
    (https://doc.rust-lang.org/cargo/reference/config.html#environment-variables).
    """
    return {
        **_linkers(chain),
        **_compilers(chain, base, remaps),
        **({"PROTOC": str(chain.protoc)} if chain.protoc else {}),
        **_rust(chain, base),
    }


def rustflags(chain: Toolchain, remaps: Remaps) -> tuple[str, ...]:
    """Rustc's flags for the target (not for build scripts and proc-macros).

    `link-self-contained=no`: crt1.o, libc and libunwind come from zig, which brings its own and
    would clash with rustc's. `+crt-static` is musl's default and announced to change.
    """
    sysroot = (f"--sysroot={chain.sysroot}",) if chain.private_sysroot else ()
    return (
        *sysroot,
        "-Ctarget-feature=+crt-static",
        "-Clink-self-contained=no",
        *(f"--remap-path-prefix={path}={name}" for path, name in remaps),
    )


def _linkers(chain: Toolchain) -> dict[str, str]:
    """The linkers: zig for the target, cc for the host.

    A configuration written on another host may name a host linker that is not here, and every
    build script would fail.
    """
    triple = chain.target.triple
    wrapper = str(chain.wrappers / f"{triple}-cc")
    return {**host_linker(chain.host), target_variable(triple, "linker"): wrapper}


def host_linker(host: str) -> dict[str, str]:
    """What links build scripts, whatever a configuration file says."""
    return {target_variable(host, "linker"): hosts.LINKER}


def _compilers(chain: Toolchain, base: Mapping[str, str], remaps: Remaps) -> dict[str, str]:
    """The variables of cc-rs and cmake-rs: https://docs.rs/cc/latest/cc/#external-configuration-via-environment-variables."""
    triple = chain.target.triple
    suffix = triple.replace("-", "_")
    found = {
        f"{variable}_{suffix}": str(chain.wrappers / f"{triple}-{tool}")
        for variable, tool in (("CC", "cc"), ("CXX", "c++"), ("AR", "ar"), ("RANLIB", "ranlib"))
    }
    # cc-rs splits at blanks, so a path with one can't be named
    usable = [(path, name) for path, name in remaps if not set(path) & set(" \t\n")]
    maps = " ".join(f"-ffile-prefix-map={path}={name}" for path, name in usable)
    for variable in ("CFLAGS", "CXXFLAGS"):
        given = base.get(f"{variable}_{suffix}") or base.get(variable, "")
        if flags := f"{given} {maps}".strip():
            found[f"{variable}_{suffix}"] = flags
    return found


def _rust(chain: Toolchain, base: Mapping[str, str]) -> dict[str, str]:
    """The compiler itself, not a proxy; build scripts that call `cargo` or `rustc` get it too."""
    if chain.rustc is None:
        return {}
    path = base.get("PATH", os.defpath).split(os.pathsep)
    found = {
        "RUSTC": str(chain.rustc),
        "PATH": os.pathsep.join(dict.fromkeys((str(chain.rustc.parent), *path))),
    }
    if chain.rustup_toolchain:
        found["RUSTUP_TOOLCHAIN"] = chain.rustup_toolchain
    return found
