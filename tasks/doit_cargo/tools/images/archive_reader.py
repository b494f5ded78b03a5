"""Reads images from where they lie: a folder in OCI layout, or the archive of `docker save`.

Nothing is believed: every blob is read once, and its SHA-256 has to be the one that points to it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import oci_json
from doit_cargo.core.images.contents import Image, Layer
from doit_cargo.core.images.oci_json import Descriptor
from doit_cargo.tools import artifact
from doit_cargo.tools.images import layer_reader

_JSON_LIMIT = 4 << 20
_MEMBER_LIMIT = 1_000


class Layout(NamedTuple):
    """All that a folder of OCI layout holds: digest of its index, images, and its files.

    `images` has the digest of each image's manifest ("sha256:…"), in the order of the index.
    """

    digest: str
    images: Mapping[str, Image]
    files: tuple[Path, ...]


def oci(path: Path, platform: str) -> Image:
    """The image of one platform in a folder of OCI layout.

    Raises CheckError if there is none or more than one, a digest is wrong, or a layer is unsafe.
    """
    folder = _Folder(path)
    found = [item for item in folder.manifests() if item.platform in (platform, None)]
    if len(found) != 1:
        raise CheckError(f"{path} has {len(found)} images for {platform}, not one")
    return folder.image(found[0])


def layout(path: Path) -> Layout:
    """Every image in a folder of OCI layout that has one index. Raises CheckError as `oci` does."""
    folder = _Folder(path)
    folder.marker()
    top = folder.top()
    if len(top) != 1 or not top[0].is_index:
        raise CheckError(f"{path}/index.json does not list one index")
    images = {f"sha256:{item.sha256}": folder.image(item) for item in folder.below(top[0])}
    return Layout(f"sha256:{top[0].sha256}", images, tuple(folder.files))


def docker(path: Path) -> Image:
    """The one image in an archive of `docker save`. Raises CheckError as `oci` does."""
    members = _members(path)
    text = _member(members, "manifest.json", path)
    name, names = oci_json.archive(text, f"{path}: manifest.json")
    config = _member(members, name, path)
    layers = (_member(members, name, path) for name in names)
    return _image(config, layers, what=str(path), platform=None)


class _Folder:
    """A folder in OCI layout; `files` are those of it that were read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.files: list[Path] = []

    def marker(self) -> None:
        found = oci_json.parse(self._read("oci-layout", _JSON_LIMIT), f"{self._path}/oci-layout")
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
            raise CheckError(
                f"{self._path}: {item.media_type!r} where an image's manifest is meant"
            )
        manifest = oci_json.manifest(self._blob(item), f"{self._path}: the manifest")
        config = self._blob(manifest.config)
        layers = map(self._unpacked, manifest.layers)
        return _image(config, layers, what=str(self._path), platform=item.platform)

    def _unpacked(self, item: Descriptor) -> bytes:
        data = self._blob(item, layer_reader.LAYER_LIMIT)
        return layer_reader.unzipped(data, f"{self._path}: a layer") if item.gzipped else data

    def _blob(self, item: Descriptor, limit: int = _JSON_LIMIT) -> bytes:
        data = self._read(f"blobs/sha256/{item.sha256}", limit)
        what = f"{self._path}: blob {item.sha256[:12]}"
        if len(data) != item.size:
            raise CheckError(f"{what} has {len(data):,} bytes, not {item.size:,}")
        _check(data, item.sha256, what)
        return data

    def _read(self, name: str, limit: int) -> bytes:
        path = self._path / name
        self.files.append(path)
        return artifact.read(path, max_size=limit)


def _image(config: bytes, layers: Iterable[bytes], *, what: str, platform: str | None) -> Image:
    settings = oci_json.settings(config, f"{what}: the config")
    found: list[Layer] = []
    for data, wanted in zip_longest(layers, settings.diff_ids):
        if data is None or wanted is None:
            raise CheckError(f"{what}: its config and its manifest have not as many layers")
        place = f"{what}: layer {len(found) + 1}"
        _check(data, wanted, place)
        found.append(layer_reader.layer(data, place))
    digest = artifact.sha256(config)
    return Image(id=digest, settings=settings, layers=tuple(found), platform=platform)


def _check(data: bytes, wanted: str, what: str) -> None:
    if (found := artifact.sha256(data)) != wanted:
        raise CheckError(f"{what} has SHA-256 {found}, not {wanted}: it was altered")


def _members(path: Path) -> dict[str, bytes]:
    """The files of the archive by name; what is no file (docker links equal layers) is left out."""
    data = artifact.read(path, max_size=layer_reader.LAYER_LIMIT)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=layer_reader.Headers(data), mode="r:") as archive:
            for count, member in enumerate(archive, 1):
                if member.name in found or count > _MEMBER_LIMIT:
                    raise CheckError(f"{path}: {member.name[:200]!r} is in it twice or too many")
                if member.isreg() and member.size >= 0:
                    found[member.name] = data[member.offset_data :][: member.size]
    except layer_reader.BROKEN as error:
        raise CheckError(f"{path} is no archive of docker: {error}") from None
    return found


def _member(members: Mapping[str, bytes], name: str, path: Path) -> bytes:
    if name not in members:
        raise CheckError(f"{path}: there is no file {name[:200]!r} in it")
    return members[name]
