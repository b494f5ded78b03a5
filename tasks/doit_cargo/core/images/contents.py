"""The contents of an image: the entries of its layers, and the tree that they make together.

Source of the whiteout rules: OCI Image Layer Filesystem Changeset, section "Whiteouts".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from doit_cargo.core.images.oci_json import Settings

Kind = Literal["file", "folder", "whiteout", "opaque"]

_PREFIX = ".wh."
_OPAQUE = ".wh..wh..opq"


class Executable(NamedTuple):
    """An ELF file's machine (glibc's `elf.h`), or why it is not a valid ELF file."""

    machine: int | None
    fault: str = ""


class Entry(NamedTuple):
    """One entry of a layer.

    `path` has no leading slash; of a whiteout it is the path that it hides, of an opaque one the
    folder whose lower content it hides. `mode` is the permission bits with setuid, setgid and
    sticky, `size` is in bytes, `sha256` (hex) is of the content; `elf` is set for whatever starts
    like an ELF file.
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


def entry_path(name: str) -> str:
    """The path of a tar member below the root: no leading slash, no `.`; empty for the root.

    Raises ValueError for what a safe archive has not: absolute paths, `..`, control characters.
    """
    if not name.isprintable():
        raise ValueError("its name has characters that are no text")
    if name.startswith("/"):
        raise ValueError("its path is absolute")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise ValueError("its path goes up by '..'")
    return "/".join(parts)


def whiteout(path: str) -> tuple[str, Kind] | None:
    """What a path of a regular file hides, and how; None if it is no whiteout.

    Raises ValueError for a name that begins like one and is none.
    """
    folder, _, name = path.rpartition("/")
    if not name.startswith(_PREFIX):
        return None
    if name == _OPAQUE:
        return folder, "opaque"
    hidden = name.removeprefix(_PREFIX)
    if hidden in ("", ".", "..") or hidden.startswith(_PREFIX):
        raise ValueError("it is no whiteout that the OCI specification knows")
    return f"{folder}/{hidden}".lstrip("/"), "whiteout"


def tree(layers: Sequence[Iterable[Entry]]) -> dict[str, Entry]:
    """What a container sees, by path: later layers above earlier ones, whiteouts applied."""
    seen: dict[str, Entry] = {}
    for layer in layers:
        entries = tuple(layer)
        for entry in entries:  # a whiteout hides what lower layers have, never its own layer's
            if entry.kind == "whiteout":
                _drop(seen, entry.path, itself=True)
            elif entry.kind == "opaque":
                _drop(seen, entry.path, itself=False)
        for entry in entries:
            if entry.kind == "file":
                _drop(seen, entry.path, itself=True)
            if entry.kind in ("file", "folder"):
                seen[entry.path] = entry
    return seen


def _drop(seen: dict[str, Entry], path: str, *, itself: bool) -> None:
    below = f"{path}/" if path else ""
    for known in [known for known in seen if known.startswith(below) and known != path]:
        del seen[known]
    if itself:
        seen.pop(path, None)
