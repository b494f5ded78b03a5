"""The toolchain cache: one folder in the user's home, shared by all workspaces.

wrappers/<triple>-<key>/<triple>-cc   zig as a C compiler and linker (zig_scripts.py)
wrappers/<triple>-<key>/relro.o       linked into every executable (relro.py)
sysroots/<triple>-<key>/lib/…         std, where the toolchain has none (tools/std.py)
zig/<key>/                            zig's own cache: musl, libunwind, compiler-rt (runtime.py)
CACHEDIR.TAG                          says that this folder is ours; without it nothing is removed
tmp/                                  half-made things; swept by the next setup
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from doit_cargo.core.toolchain.compiler import Rust
from doit_cargo.core.toolchain.wheels import Wheel

VARIABLE = "DOIT_CARGO_CACHE"
STD_RECIPE = 1  # counts up when tools/std.py builds another std from the same compiler


def cache_folder(env: Mapping[str, str]) -> Path | None:
    """The cache folder; None if no variable says where it could be.

    XDG: https://specifications.freedesktop.org/basedir-spec/latest/; a relative path in
    XDG_CACHE_HOME must be ignored.
    """
    if env.get(VARIABLE):
        return Path(env[VARIABLE]).absolute()
    if env.get("XDG_CACHE_HOME", "").startswith("/"):
        return Path(env["XDG_CACHE_HOME"], "doit-cargo")
    home = env.get("HOME", "")
    return Path(home, ".cache", "doit-cargo") if home.startswith("/") else None


def sysroot(cache: Path, rust: Rust, triple: str) -> Path:
    """Where the private std of that compiler and target belongs."""
    compiler = [path for path in (rust.rustc, *rust.libraries()) if path]
    parts = (f"{path.name} {path.stat().st_size}" for path in compiler)
    return cache / "sysroots" / f"{triple}-{key((str(STD_RECIPE), *parts))}"


def wrappers(cache: Path, triple: str, version: str, scripts: Mapping[str, str]) -> Path:
    """Where the wrappers with these contents belong, for that version of zig."""
    return cache / "wrappers" / f"{triple}-{key((version, *scripts, *scripts.values()))}"


def zig(cache: Path, wheel: Wheel) -> Path:
    """The cache folder of that zig, as it is installed now.

    Another installation's would have other bytes under the same names: debug information has
    paths. One made anew at the same path needs a new folder too: zig knows its sources by inode
    and time, so it would compile musl once more, in place of what was checked.
    """
    return cache / "zig" / key((str(wheel.program), *_installation(wheel.record)))


def _installation(record: Path) -> Iterator[str]:
    """What every new installation has of its own; nothing where the record cannot be read."""
    try:
        found = record.stat()
    except OSError:
        return
    yield from map(str, (found.st_ino, found.st_mtime_ns, found.st_size))


def key(parts: Iterable[str]) -> str:
    """A short name for these texts: 12 hex digits of a SHA-256."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
