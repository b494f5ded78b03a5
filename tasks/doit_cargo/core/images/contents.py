"""The contents of an image: the entries of its layers."""

from __future__ import annotations

from typing import Literal, NamedTuple

from doit_cargo.core.images.oci_json import Settings

Kind = Literal["file", "folder"]

_WHITEOUT = ".wh."  # OCI Image Layer Filesystem Changeset, section "Whiteouts"


class Executable(NamedTuple):
    """An ELF file's machine (glibc's `elf.h`), or why it is not a valid ELF file."""

    machine: int | None
    fault: str = ""


class Entry(NamedTuple):
    """One entry of a layer.

    `path` has no leading slash. `mode` is the permission bits with setuid, setgid and sticky,
    `size` is in bytes, `sha256` (hex) is of the content; `elf` is set for whatever starts like an
    ELF file.
    """

    path: str
    kind: Kind
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    size: int = 0
    sha256: str = ""
    elf: Executable | None = None


Layer = tuple[Entry, ...]


class Image(NamedTuple):
    """An image as it was read: its settings, its layers, and the platform that its index names.

    `id` is the SHA-256 (hex) of its config, which engines know it by. `platform` is None where
    there is no index to name one, as in the archive of `docker save`.
    """

    id: str
    settings: Settings
    layers: tuple[Layer, ...]
    platform: str | None = None


def check_path(path: str) -> None:
    """Raise ValueError for a path that readers could take for another one, or that hides others."""
    if not (path.isascii() and path.isprintable()):
        raise ValueError("its name has characters that are not plain text")
    if path.startswith("/"):
        raise ValueError("its path is absolute")
    parts = path.split("/")
    if not {"", ".", ".."}.isdisjoint(parts):
        raise ValueError("its path has an empty part, '.' or '..' in it")
    if any(part.startswith(_WHITEOUT) for part in parts):
        raise ValueError("it is a whiteout, and nothing lies below that it could hide")
