"""Reads images from where they lie: a folder in OCI layout, or the archive of `docker save`.

Nothing is believed: every blob is read once, and its SHA-256 has to be the one that points to it.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import descriptors
from doit_cargo.core.images.descriptors import Descriptor
from doit_cargo.core.images.entries import Image, Layer
from doit_cargo.tools import elf, image_layers

_JSON_LIMIT = 4 << 20
_MEMBER_LIMIT = 1_000


def oci(folder: Path, platform: str) -> Image:
    """The image of one platform in a folder of OCI layout.

    Raises CheckError if there is none or more than one, a digest is wrong, or a layer is unsafe.
    """
    found = [item for item in _manifests(folder) if item.platform in (platform, None)]
    if len(found) != 1:
        raise CheckError(f"{folder} has {len(found)} images for {platform}, not one")
    manifest = descriptors.manifest(_blob(folder, found[0]), f"{folder}: the manifest")
    config = _blob(folder, manifest.config)
    layers = (_unpacked(folder, item) for item in manifest.layers)
    return _image(config, layers, what=str(folder), platform=found[0].platform)


def docker(path: Path) -> Image:
    """The one image in an archive of `docker save`. Raises CheckError as `oci` does."""
    members = _members(path)
    text = _member(members, "manifest.json", path)
    name, names = descriptors.archive(text, f"{path}: manifest.json")
    config = _member(members, name, path)
    layers = (_member(members, name, path) for name in names)
    return _image(config, layers, what=str(path), platform=None)


def _manifests(folder: Path) -> Iterator[Descriptor]:
    """What the index lists; an index in it is followed once, which is as deep as builders go."""
    data = elf.read_artifact(folder / "index.json", max_size=_JSON_LIMIT)
    for item in descriptors.index(data, f"{folder}/index.json"):
        if item.is_index:
            yield from descriptors.index(_blob(folder, item), f"{folder}: the index")
        else:
            yield item


def _blob(folder: Path, item: Descriptor, limit: int = _JSON_LIMIT) -> bytes:
    data = elf.read_artifact(folder / "blobs" / "sha256" / item.sha256, max_size=limit)
    what = f"{folder}: blob {item.sha256[:12]}"
    if len(data) != item.size:
        raise CheckError(f"{what} has {len(data):,} bytes, not {item.size:,}")
    _check(data, item.sha256, what)
    return data


def _unpacked(folder: Path, item: Descriptor) -> bytes:
    data = _blob(folder, item, image_layers.LAYER_LIMIT)
    return image_layers.unzipped(data, f"{folder}: a layer") if item.gzipped else data


def _image(config: bytes, layers: Iterable[bytes], *, what: str, platform: str | None) -> Image:
    settings = descriptors.settings(config, f"{what}: the config")
    found: list[Layer] = []
    for data, wanted in zip_longest(layers, settings.diff_ids):
        if data is None or wanted is None:
            raise CheckError(f"{what}: its config and its manifest have not as many layers")
        place = f"{what}: layer {len(found) + 1}"
        _check(data, wanted, place)
        found.append(image_layers.layer(data, place))
    own = elf.sha256(config)
    return Image(id=own, settings=settings, layers=tuple(found), platform=platform)


def _check(data: bytes, wanted: str, what: str) -> None:
    if (found := elf.sha256(data)) != wanted:
        raise CheckError(f"{what} has SHA-256 {found}, not {wanted}: it was altered")


def _members(path: Path) -> dict[str, bytes]:
    """The files of the archive by name; what is no file (docker links equal layers) is left out."""
    data = elf.read_artifact(path, max_size=image_layers.LAYER_LIMIT)
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=image_layers.Headers(data), mode="r:") as archive:
            for count, member in enumerate(archive, 1):
                if member.name in found or count > _MEMBER_LIMIT:
                    raise CheckError(f"{path}: {member.name[:200]!r} is in it twice or too many")
                if member.isreg() and member.size >= 0:
                    found[member.name] = data[member.offset_data :][: member.size]
    except image_layers.BROKEN as error:
        raise CheckError(f"{path} is no archive of docker: {error}") from None
    return found


def _member(members: Mapping[str, bytes], name: str, path: Path) -> bytes:
    if name not in members:
        raise CheckError(f"{path}: there is no file {name[:200]!r} in it")
    return members[name]
