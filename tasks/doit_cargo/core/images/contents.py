"""What lies in the layers of an image: every entry, with its owner, mode and hash."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from doit_cargo.core.images.dockerfile import PROGRAM

MAX_ENTRIES = 10_000
MAX_BYTES = 1 << 30  # of all files together


class Entry(NamedTuple):
    """A file or a folder: kind ("file", "folder", else "other"), mode, owner, SHA-256 of a file."""

    kind: str
    mode: int
    uid: int
    gid: int
    sha256: str | None


def entries(layers: Iterable[bytes]) -> tuple[dict[str, Entry], bytes]:
    """Absolute path → entry, and the bytes of the program.

    Raises ValueError for what is no layer, too much, or there twice.
    """
    try:
        return _entries(layers)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise ValueError(f"a layer cannot be read: {error}") from None


def faults(found: Mapping[str, Entry], expected: Mapping[str, str]) -> list[str]:
    """What is wrong with an image that must hold these files (path → SHA-256), no more, root's."""
    folders = {path[:at] for path in expected for at, sign in enumerate(path) if sign == "/" and at}
    lines = [f"{path} belongs to nothing" for path in found if path not in {*folders, *expected}]
    for path, sha in expected.items():
        mode = 0o755 if path == PROGRAM else 0o644
        if found.get(path) != Entry("file", mode, 0, 0, sha):
            lines.append(f"{path} is not there as it should be")
    lines += [
        f"{path} is no plain folder"
        for path in sorted(folders & set(found))
        if found[path] != Entry("folder", 0o755, 0, 0, None)
    ]
    return lines


def _entries(layers: Iterable[bytes]) -> tuple[dict[str, Entry], bytes]:
    found: dict[str, Entry] = {}
    program, left = b"", MAX_BYTES
    for archive, member in _members(layers):
        left -= member.size
        if left < 0 or len(found) == MAX_ENTRIES:
            raise ValueError(f"more than {MAX_BYTES} bytes or {MAX_ENTRIES} entries")
        path, entry, data = _member(archive, member)
        if path in found and "file" in (entry.kind, found[path].kind):
            raise ValueError(f"{path} is in the image twice")
        found[path] = entry
        program = data if path == PROGRAM else program
    return found, program


def _members(layers: Iterable[bytes]) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo]]:
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer), mode="r:*") as archive:
            for member in archive:
                yield archive, member


def _member(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, Entry, bytes]:
    file = archive.extractfile(member) if member.isreg() else None
    data = file.read() if file else b""
    kind = "file" if file else "folder" if member.isdir() else "other"
    sha = hashlib.sha256(data).hexdigest() if file else None
    path = "/" + member.name.removeprefix("./").strip("/")
    return path, Entry(kind, member.mode & 0o7777, member.uid, member.gid, sha), data
