"""Reads images from where they lie: a folder in OCI layout, or the archive of `docker save`.

Nothing is believed: every blob is read once, and its SHA-256 has to be the one that points to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import json_shapes, oci_json, ustar
from doit_cargo.core.images.contents import Image, Layer
from doit_cargo.core.images.oci_json import Descriptor
from doit_cargo.tools import artifact
from doit_cargo.tools.images import layer_reader

_JSON_LIMIT = 4 << 20
# A binary, certificates and time zones; what builders write around them is added to each.
_LAYERS = 16
_AROUND = 1 << 20  # bytes of headers, and what a layer grows by that cannot be compressed


class Layout(NamedTuple):
    """All that a folder of OCI layout holds: digest of its index, images, and its files.

    `images` has the digest of each image's manifest ("sha256:…"), in the order of the index.
    """

    digest: str
    images: Mapping[str, Image]
    files: tuple[Path, ...]


def oci(path: Path, platform: str, limit: int = artifact.SIZE_LIMIT) -> Image:
    """The image of one platform in a folder of OCI layout.

    `limit` is the bytes of all files that should be in it. Raises CheckError if there is none or
    more than one, a digest is wrong, or anything is in another form than the one that is known.
    """
    folder = _Folder(path, limit)
    found = [item for item in folder.manifests() if item.platform in (platform, None)]
    if len(found) != 1:
        raise CheckError(f"{path} has {len(found)} images for {platform}, not one")
    return folder.image(found[0])


def layout(path: Path, limit: int = artifact.SIZE_LIMIT) -> Layout:
    """Every image in a folder of OCI layout that has one index. Raises CheckError as `oci` does."""
    folder = _Folder(path, limit)
    folder.marker()
    top = folder.top()
    if len(top) != 1 or not top[0].is_index:
        raise CheckError(f"{path}/index.json does not list one index")
    images = {f"sha256:{item.sha256}": folder.image(item) for item in folder.below(top[0])}
    return Layout(f"sha256:{top[0].sha256}", images, tuple(folder.files))


def docker(path: Path, limit: int = artifact.SIZE_LIMIT) -> Image:
    """The one image in an archive of `docker save`. Raises CheckError as `oci` does."""
    data = artifact.read(path, max_size=limit + _LAYERS * _AROUND)
    members = _members(data, path)
    text = _member(members, "manifest.json", path)
    name, names = oci_json.archive(bytes(text), f"{path}: manifest.json")
    config = bytes(_member(members, name, path))
    layers = (layer_reader.pieces(_member(members, name, path)) for name in names)
    return _image(config, layers, what=str(path), platform=None, limit=limit)


class _Folder:
    """A folder in OCI layout; `files` are those of it that were read."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self.files: list[Path] = []

    def marker(self) -> None:
        found = json_shapes.parse(self._read("oci-layout", _JSON_LIMIT), f"{self._path}/oci-layout")
        if found != {"imageLayoutVersion": "1.0.0"}:
            raise CheckError(f"{self._path}/oci-layout does not say version 1.0.0")

    def top(self) -> tuple[Descriptor, ...]:
        """What index.json lists."""
        return oci_json.index(self._read("index.json", _JSON_LIMIT), f"{self._path}/index.json")

    def below(self, item: Descriptor) -> tuple[Descriptor, ...]:
        """What an index lists."""
        return oci_json.index(self._blob(item), f"{self._path}: the index")

    def manifests(self) -> Iterator[Descriptor]:
        """All in index.json, and in an index in it, which is as deep as builders go."""
        for item in self.top():
            yield from self.below(item) if item.is_index else (item,)

    def image(self, item: Descriptor) -> Image:
        if not item.is_manifest:
            raise CheckError(f"{self._path}: {item.media_type!r} in place of an image's manifest")
        manifest = oci_json.manifest(self._blob(item), f"{self._path}: the manifest")
        config = self._blob(manifest.config)
        layers = map(self._unpacked, manifest.layers)
        return _image(
            config, layers, what=str(self._path), platform=item.platform, limit=self._limit
        )

    def _unpacked(self, item: Descriptor) -> Iterator[bytes]:
        data = self._blob(item, self._limit + _AROUND)
        if item.gzipped:
            return layer_reader.unzipped(data, f"{self._path}: a layer")
        return layer_reader.pieces(data)

    def _blob(self, item: Descriptor, limit: int = _JSON_LIMIT) -> bytes:
        data = self._read(f"blobs/sha256/{item.sha256}", limit)
        what = f"{self._path}: blob {item.sha256[:12]}"
        if len(data) != item.size:
            raise CheckError(f"{what} has {len(data):,} bytes, not {item.size:,}")
        _compare(artifact.sha256(data), item.sha256, what)
        return data

    def _read(self, name: str, limit: int) -> bytes:
        path = self._path / name
        self.files.append(path)
        return artifact.read(path, max_size=limit)


def _image(
    config: bytes, layers: Iterable[Iterable[bytes]], *, what: str, platform: str | None, limit: int
) -> Image:
    settings = oci_json.settings(config, f"{what}: the config")
    if len(settings.diff_ids) > _LAYERS:
        raise CheckError(f"{what}: {len(settings.diff_ids)} layers, {_LAYERS} at most are read")
    found: list[Layer] = []
    for tar, wanted in zip_longest(layers, settings.diff_ids):
        if tar is None or wanted is None:
            raise CheckError(f"{what}: its config and its manifest differ in the number of layers")
        place = f"{what}: layer {len(found) + 1}"
        read = layer_reader.layer(tar, place, limit)
        _compare(read.sha256, wanted, place)
        found.append(read.entries)
    digest = artifact.sha256(config)
    return Image(id=digest, settings=settings, layers=tuple(found), platform=platform)


def _compare(found: str, wanted: str, what: str) -> None:
    if found != wanted:
        raise CheckError(f"{what} has SHA-256 {found}, not {wanted}: it was altered")


def _members(data: bytes, path: Path) -> dict[str, memoryview]:
    """The files of the archive by name, in the one form of a header that docker writes."""
    view, offset, found = memoryview(data), 0, dict[str, memoryview]()
    try:
        while any(block := bytes(view[offset : offset + ustar.BLOCK])):
            header = ustar.decode(block.ljust(ustar.BLOCK, b"\1"))
            offset += ustar.BLOCK
            if header.name in found:
                raise CheckError(f"{path}: {header.name!r} is in it twice")
            found[header.name] = view[offset : offset + header.size]
            offset += header.padded
    except ValueError as error:
        raise CheckError(f"{path} is not a Docker archive: {error}") from None
    if any(view[offset:]) or len(view) < offset + ustar.BLOCK:
        raise CheckError(f"{path} is cut short, or something follows its end")
    return found


def _member(members: Mapping[str, memoryview], name: str, path: Path) -> memoryview:
    if name not in members:
        raise CheckError(f"{path}: there is no file {name[:200]!r} in it")
    return members[name]
