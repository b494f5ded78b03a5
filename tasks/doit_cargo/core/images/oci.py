"""Reads an OCI layout and believes none of it: every blob is hashed, every number bounded.

Source: OCI image specification 1.1 (image-layout, image-index, manifest, config).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

MAX_JSON = 4 << 20  # bytes; what the distribution specification lets a registry expect
MAX_BLOB = 1 << 30  # bytes
_INDEX = "application/vnd.oci.image.index.v1+json"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_DIGEST = re.compile("sha256:[0-9a-f]{64}")


class Image(NamedTuple):
    """One platform's image: digest of its manifest, its configuration, the bytes of its layers."""

    platform: str
    digest: str
    config: Mapping[str, Any]
    layers: tuple[bytes, ...]


class Layout(NamedTuple):
    """An index and its images; `files` are all files that belong to the layout."""

    digest: str
    images: tuple[Image, ...]
    files: tuple[Path, ...]


def read(folder: Path) -> Layout:
    """Read the one index of a layout. Raises ValueError saying what is wrong, with the path."""
    reader = _Reader(folder)
    try:
        return reader.layout()
    except _BrokenError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"{folder} is no OCI layout of one index: {error!r}") from None
    except OSError as error:
        raise ValueError(f"{error.filename or folder}: {error.strerror}") from None


class _BrokenError(ValueError):
    """What is wrong, and where."""


class _Reader:
    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files = [folder / "oci-layout", folder / "index.json"]

    def layout(self) -> Layout:
        marker, top = self._files
        if json.loads(_bytes(marker, MAX_JSON))["imageLayoutVersion"] != "1.0.0":
            raise _BrokenError(f"{marker}: not version 1.0.0")
        (entry,) = json.loads(_bytes(top, MAX_JSON))["manifests"]
        index = self._document(entry, _INDEX)
        images = tuple(self._image(child) for child in index["manifests"])
        return Layout(digest=entry["digest"], images=images, files=tuple(self._files))

    def _image(self, entry: Mapping[str, Any]) -> Image:
        manifest = self._document(entry, _MANIFEST)
        config = self._blob(manifest["config"], MAX_JSON)
        read = json.loads(config)
        layers = tuple(self._blob(layer, MAX_BLOB) for layer in manifest["layers"])
        said, own = _platform(entry["platform"]), _platform(read)
        if said.split("/")[:2] != own.split("/")[:2]:
            raise _BrokenError(f"{self._folder}: an image of {own} stands for {said}")
        return Image(platform=said, digest=entry["digest"], config=read, layers=layers)

    def _document(self, entry: Mapping[str, Any], kind: str) -> dict[str, Any]:
        if entry["mediaType"] != kind:
            raise _BrokenError(f"{self._folder}: {entry['mediaType']} where {kind} is meant")
        return dict(json.loads(self._blob(entry, MAX_JSON)))

    def _blob(self, entry: Mapping[str, Any], limit: int) -> bytes:
        """The bytes of a blob, which are those that its digest and size name."""
        digest = entry["digest"]
        if not _DIGEST.fullmatch(digest):
            raise _BrokenError(f"{self._folder}: no SHA-256 digest: {digest[:80]!r}")
        sha = digest.removeprefix("sha256:")
        path = self._folder / "blobs" / "sha256" / sha
        data = _bytes(path, limit)
        if len(data) != entry["size"] or hashlib.sha256(data).hexdigest() != sha:
            raise _BrokenError(f"{path} is not what its name says")
        self._files.append(path)
        return data


def _platform(entry: Mapping[str, Any]) -> str:
    """`linux/arm64`, or `linux/arm/v7` with a variant."""
    parts = (entry["os"], entry["architecture"], entry.get("variant"))
    return "/".join(part for part in parts if part)


def _bytes(path: Path, limit: int) -> bytes:
    """A regular file's bytes, not followed through a link, at most `limit`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _BrokenError(f"{path}: no regular file")
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _BrokenError(f"{path}: over {limit} bytes")
    return data
