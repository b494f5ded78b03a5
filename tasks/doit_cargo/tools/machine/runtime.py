"""Compares what setup compiled with the records of what it was when it was made.

A record is sealed, so that a cache and its records can be shared by those that share a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from doit_cargo.core import bounded
from doit_cargo.core.model import Toolchain
from doit_cargo.core.record import encode
from doit_cargo.core.toolchain import runtime
from doit_cargo.core.toolchain.compiler import std_in
from doit_cargo.tools import private
from doit_cargo.tools.key import seal


def fault(chain: Toolchain) -> str:
    """What is wrong with what setup compiled for a target, if anything."""
    return std_fault(chain) or zig_fault(chain)


def is_known(chain: Toolchain) -> bool:
    """Whether a setup with this user's key has made what zig links, and it is there."""
    record = _read(chain.zig_cache, chain.zig_record)
    return bool(record) and all(path.is_file() for _, path in runtime.places(chain, record))


def zig_fault(chain: Toolchain) -> str:
    """The same of what zig links."""
    record = _read(chain.zig_cache, chain.zig_record)
    if not record:
        kind = "stripped" if chain.stripped else "unstripped"
        return f"musl for {kind} {chain.target.triple} executables is not compiled yet"
    return _told("musl", chain, _altered(dict(runtime.places(chain, record)), record))


def std_fault(chain: Toolchain) -> str:
    """The same of a std that setup built: a file too many is one that rustc might load."""
    std = std_in(chain.sysroot, chain.target.triple) if chain.sysroot else None
    if chain.std_record is None or chain.sysroot is None or std is None:
        return ""
    record = _read(chain.sysroot, chain.std_record)
    if not record:
        return f"there is no record of who built std for {chain.target.triple}"
    found = {path.name: path for path in std.iterdir()}
    return _told("std", chain, _altered({name: std / name for name in record} | found, record))


def keep_linked(chain: Toolchain, paths: Iterable[str], zig_cache: Path) -> None:
    """Write down what zig has made in that cache. Raises OSError."""
    places = runtime.places(chain._replace(zig_cache=zig_cache), paths)
    _keep(chain.zig_cache, chain.zig_record, dict(places))


def keep_std(sysroot: Path, record: Path, std: Path) -> None:
    """Write down the libraries of a std that was built. Raises OSError.

    The seal is of the sysroot: all installations of this package that use it believe it.
    """
    _keep(sysroot, record, {path.name: path for path in std.iterdir()})


def _keep(folder: Path, file: Path, places: Mapping[str, Path]) -> None:
    record = encode({name: _sum(path) for name, path in places.items()})
    private.write(file, seal(folder).sealed(file.name, record))


def _read(folder: Path, file: Path) -> runtime.Record:
    found = seal(folder).opened(file.name, private.read(file) or b"")
    return runtime.decode(found or b"")


def _altered(places: Mapping[str, Path], record: runtime.Record) -> Path | None:
    """The first file that is not as the record has it."""
    for name, place in places.items():
        try:
            if _sum(place) != record.get(name):
                return place
        except OSError:
            return place
    return None


def _told(what: str, chain: Toolchain, altered: Path | None) -> str:
    if altered is None:
        return ""
    return f"{what} for {chain.target.triple} was changed since `doit setup` ({altered})"


def _sum(path: Path) -> str:
    return hashlib.sha256(bounded.read(path)).hexdigest()
