"""What setup compiled for a target: what zig links, and std where the compiler came without it.

It lies in the cache, where anyone with write access can alter it. What it was when it was made is
in a record outside the cache: a line with a seal, then a JSON object, path → SHA-256 in hex. zig's
has the paths below zig's cache of musl, libunwind, compiler-rt and the crt files, and `relro.o`,
which is beside the wrappers. A target has two of these, as zig makes other ones for stripped
executables. That of std has the names of its libraries.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core import bounded, record
from doit_cargo.core.toolchain import caches, relro

if TYPE_CHECKING:
    from doit_cargo.core.model import Toolchain

Record = Mapping[str, str]

FOLDER = "toolchain"
_MADE = "o/[0-9a-f]{32}/"  # where zig keeps what it makes
_NAME = r"[\w.+-]+"
_PATH = re.compile(f"(?:{_MADE})?{_NAME}")
_LINKED = re.compile(f"(?:^|/)({_MADE}{_NAME}|{re.escape(relro.OBJECT)})$")
_MOST_BYTES = 1 << 16


def zig_record(state: Path, wrappers: Path, *, stripped: bool) -> Path:
    """The file of what zig links; what it makes depends on what the wrappers say."""
    return state / FOLDER / f"{wrappers.name}{'-stripped' if stripped else ''}.json"


def std_record(state: Path, sysroot: Path) -> Path:
    """The file of a std that setup built; of each cache folder its own."""
    return state / FOLDER / f"std-{sysroot.name}-{caches.key((str(sysroot),))}.json"


def linked(said: str) -> frozenset[str]:
    """What is ours or zig's in what the linker is given, by the last line of `zig cc -v`.

    The lines before are of what zig made of objects first.
    """
    words = (said.splitlines() or [""])[-1].split()
    return frozenset(found[1] for word in words if (found := _LINKED.search(word)))


def decode(data: bytes) -> dict[str, str]:
    """The record that the bytes are; empty if they are none."""
    found = record.decode(data)
    whole = all(_PATH.fullmatch(path) and isinstance(sha, str) for path, sha in found.items())
    return found if whole else {}


def linked_files(chain: Toolchain) -> tuple[Path, ...]:
    """What the record of zig names, whether it is there or not; () without a record.

    Whether the record can be trusted is checked by callers that have the key.
    """
    try:
        found = decode(bounded.read(chain.zig_record, _MOST_BYTES).partition(b"\n")[2])
    except OSError:
        return ()
    return tuple(place for _, place in places(chain, sorted(found)))


def places(chain: Toolchain, paths: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Each path of zig's record, and the file that it stands for."""
    for path in paths:
        yield path, (chain.wrappers if path == relro.OBJECT else chain.zig_cache) / path
