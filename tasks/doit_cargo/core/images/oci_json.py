"""The JSON of images, decoded without trust: OCI index, manifest and config, and docker's archive.

Sources: OCI Image Format 1.0 (index, manifest, config, descriptor); Docker image specification 1.2
for the archive of `docker save`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images.json_shapes import closed, items, keys, mapping, parse, text, texts

_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_INDEX: Final = "application/vnd.oci.image.index.v1+json"
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
_GZIPPED: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
_PLAIN: Final = "application/vnd.oci.image.layer.v1.tar"


# What buildah 1.28 and BuildKit of Docker 20.10 write for images of docker/Dockerfile. Nothing else
# is known to mean nothing to every engine.
INDEX: Final = keys("schemaVersion manifests", "mediaType")
DESCRIPTOR: Final = keys("mediaType digest size", "platform")
PLATFORM: Final = keys("os architecture", "variant")
MANIFEST: Final = keys("schemaVersion config layers", "mediaType annotations")
ANNOTATIONS: Final = keys(
    "", "org.opencontainers.image.base.digest org.opencontainers.image.base.name"
)
ARCHIVE: Final = keys("Config RepoTags Layers")
IMAGE: Final = keys("os architecture config rootfs history", "created variant")
CONFIG: Final = keys(
    "User Entrypoint Env", "Cmd ExposedPorts Healthcheck Labels OnBuild WorkingDir"
)
ROOTS: Final = keys("type diff_ids")
STEP: Final = keys("created_by", "created comment empty_layer")
HEALTH: Final = keys("", "Test")


class Descriptor(NamedTuple):
    """What points to a blob: its SHA-256 (hex), size in bytes, media type, and platform if said."""

    sha256: str
    size: int
    media_type: str
    platform: str | None = None

    @property
    def is_index(self) -> bool:
        """Whether it points to an index instead of a manifest."""
        return self.media_type == _INDEX

    @property
    def is_manifest(self) -> bool:
        """Whether it points to the manifest of one image."""
        return self.media_type == _MANIFEST

    @property
    def gzipped(self) -> bool:
        """Whether a layer is compressed. Raises CheckError for a form that is not known."""
        if self.media_type not in (_GZIPPED, _PLAIN):
            raise CheckError(f"a layer of type {self.media_type!r}: only tar and tar+gzip are read")
        return self.media_type == _GZIPPED


class Manifest(NamedTuple):
    """An image's manifest: its config and its layers, the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


class Settings(NamedTuple):
    """An image's config: platform, what it runs and how, and the SHA-256s of its layers' tars.

    `ports` are those that it exposes (`6687/tcp`), `folder` is its working directory, `texts` are
    the comments and commands of its history, and `health` is the `Test` of Docker's health check.
    """

    platform: str
    user: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[str, ...]
    labels: Mapping[str, str]
    diff_ids: tuple[str, ...]
    texts: tuple[str, ...]
    ports: tuple[str, ...]
    folder: str
    health: tuple[str, ...]


def sha256_of(digest: object, what: str) -> str:
    """The hex part of a digest `sha256:…`. Raises CheckError for any other."""
    found = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if not found:
        raise CheckError(f"{what}: {digest!r} is not a SHA-256 digest")
    return found[1]


def index(data: bytes, what: str) -> tuple[Descriptor, ...]:
    """The manifests that an index lists."""
    found = closed(parse(data, what), what, INDEX)
    _version(found, what, _INDEX)
    return tuple(_descriptor(item, what) for item in items(found, "manifests"))


def manifest(data: bytes, what: str) -> Manifest:
    """An image manifest."""
    found = closed(parse(data, what), what, MANIFEST)
    _version(found, what, _MANIFEST)
    if any(closed(found.get("annotations", {}), f"{what}: annotations", ANNOTATIONS).values()):
        raise CheckError(f"{what}: its annotations name a base image, and there is none")
    layers = tuple(_descriptor(item, what) for item in items(found, "layers"))
    config = _descriptor(found["config"], what)
    if config.media_type != _CONFIG:
        raise CheckError(f"{what}: {config.media_type!r} in place of an image's config")
    return Manifest(config=config, layers=layers)


def archive(data: bytes, what: str) -> tuple[str, tuple[str, ...]]:
    """What manifest.json of `docker save` says of its one image: the paths of config and layers."""
    found = parse(data, what)
    if not isinstance(found, list) or len(found) != 1:
        raise CheckError(f"{what} does not list one image")
    image = closed(found[0], what, ARCHIVE)
    return text(image, "Config"), texts(image, "Layers")


def settings(data: bytes, what: str) -> Settings:
    """An image's config. Raises CheckError where a value is not of the kind it has to be."""
    found = closed(parse(data, what), what, IMAGE)
    config = closed(found["config"], f"{what}: config", CONFIG)
    roots = closed(found["rootfs"], f"{what}: rootfs", ROOTS)
    if roots["type"] != "layers" or config.get("OnBuild") is not None:
        raise CheckError(f"{what}: its rootfs is not a list of layers, or it has OnBuild")
    text(found, "created")
    names = (text(found, key) for key in ("os", "architecture", "variant"))
    health = closed(config.get("Healthcheck", {}), f"{what}: Healthcheck", HEALTH)
    return Settings(
        platform="/".join(name for name in names if name),
        user=text(config, "User"),
        entry_point=texts(config, "Entrypoint"),
        command=texts(config, "Cmd"),
        env=texts(config, "Env"),
        labels=_labels(config.get("Labels"), f"{what}: Labels"),
        diff_ids=tuple(sha256_of(item, what) for item in items(roots, "diff_ids")),
        texts=tuple(_history(found, f"{what}: history")),
        ports=_ports(config.get("ExposedPorts"), f"{what}: ExposedPorts"),
        folder=text(config, "WorkingDir"),
        health=texts(health, "Test"),
    )


def _version(found: Mapping[str, Any], what: str, media_type: str) -> None:
    version = found["schemaVersion"]
    if version != 2 or isinstance(version, bool | float):  # noqa: PLR2004 - the only one there is
        raise CheckError(f"{what}: schemaVersion {version!r}, only 2 is read")
    if found.get("mediaType", media_type) != media_type:
        raise CheckError(f"{what} says that it is {found['mediaType']!r}")


def _labels(value: object, what: str) -> dict[str, str]:
    found = mapping(value or {}, what)
    return {name: text(found, name) for name in found}


def _ports(value: object, what: str) -> tuple[str, ...]:
    found = mapping(value or {}, what)
    if any(item != {} for item in found.values()):
        raise CheckError(f"{what} contains something that is not an empty object")
    return tuple(found)


def _history(found: Mapping[str, Any], what: str) -> Iterator[str]:
    for value in items(found, "history"):
        step = closed(value, what, STEP)
        if not isinstance(step.get("empty_layer", False), bool):
            raise CheckError(f"{what}: empty_layer is neither true nor false")
        yield from (text(step, key) for key in ("created", "created_by", "comment"))


def _descriptor(value: object, what: str) -> Descriptor:
    found = closed(value, f"{what}: a descriptor", DESCRIPTOR)
    size, platform = found["size"], found.get("platform")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        raise CheckError(f"{what}: {size!r} is not a size")
    return Descriptor(
        sha256=sha256_of(found["digest"], what),
        size=size,
        media_type=text(found, "mediaType"),
        platform=None if platform is None else _platform(platform, f"{what}: platform"),
    )


def _platform(value: object, what: str) -> str:
    found = closed(value, what, PLATFORM)
    names = (text(found, key) for key in ("os", "architecture", "variant"))
    return "/".join(name for name in names if name)
