"""The JSON of images, believed in nothing: OCI index, manifest and config, and docker's archive.

Sources: OCI Image Format 1.0 (index, manifest, config, descriptor); Docker image specification 1.2
for the archive of `docker save`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from doit_cargo.core.errors import CheckError

_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_INDEXES: Final = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
_GZIPPED: Final = frozenset(
    {
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    }
)
_PLAIN: Final = frozenset({"application/vnd.oci.image.layer.v1.tar"})


class Descriptor(NamedTuple):
    """What points to a blob: its SHA-256 (hex), size in bytes, media type, and platform if said."""

    sha256: str
    size: int
    media_type: str
    platform: str | None = None

    @property
    def is_index(self) -> bool:
        """Whether it points to an index instead of a manifest."""
        return self.media_type in _INDEXES

    @property
    def is_manifest(self) -> bool:
        """Whether it points to the manifest of one image."""
        return self.media_type == _MANIFEST

    @property
    def gzipped(self) -> bool:
        """Whether a layer is compressed. Raises CheckError for a form that is not known."""
        if self.media_type not in _GZIPPED | _PLAIN:
            raise CheckError(f"a layer of type {self.media_type!r}: only tar and tar+gzip are read")
        return self.media_type in _GZIPPED


class Manifest(NamedTuple):
    """An image's manifest: its config and its layers, the lowest first."""

    config: Descriptor
    layers: tuple[Descriptor, ...]


class Settings(NamedTuple):
    """An image's config: platform, what it runs and how, and the SHA-256s of its layers' tars.

    `texts` are the comments and commands of its history; `volumes` and `on_build` whether it has
    any; the last argument lists are those of Docker: `Shell`, and `Healthcheck`'s `Test`.
    """

    platform: str
    user: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    env: tuple[str, ...]
    labels: Mapping[str, str]
    diff_ids: tuple[str, ...]
    texts: tuple[str, ...]
    volumes: bool
    on_build: bool
    shell: tuple[str, ...]
    health: tuple[str, ...]


def parse(data: bytes, what: str) -> object:
    """Decode JSON. Raises CheckError if it is none, or has a key twice.

    Keys that differ in case count as one: Go, in which the engines are written, takes the last.
    """
    try:
        found: object = json.loads(data, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise CheckError(f"{what} is no JSON to be trusted: {error}") from None
    return found


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key.casefold() for key, _ in pairs}) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return dict(pairs)


def sha256_of(digest: object, what: str) -> str:
    """The hex part of a digest `sha256:…`. Raises CheckError for any other."""
    found = _DIGEST.fullmatch(digest) if isinstance(digest, str) else None
    if not found:
        raise CheckError(f"{what}: {digest!r} is no digest by SHA-256")
    return found[1]


def index(data: bytes, what: str) -> tuple[Descriptor, ...]:
    """The manifests that an index lists."""
    return tuple(
        _descriptor(item, what) for item in _list(_object(parse(data, what), what), "manifests")
    )


def manifest(data: bytes, what: str) -> Manifest:
    """An image manifest."""
    found = _object(parse(data, what), what)
    layers = tuple(_descriptor(item, what) for item in _list(found, "layers"))
    return Manifest(config=_descriptor(found.get("config"), what), layers=layers)


def archive(data: bytes, what: str) -> tuple[str, tuple[str, ...]]:
    """What manifest.json of `docker save` says of its one image: the paths of config and layers."""
    found = parse(data, what)
    if not isinstance(found, list) or len(found) != 1:
        raise CheckError(f"{what} does not list one image")
    image = _object(found[0], what)
    return _text(image, "Config"), _texts(image, "Layers")


def settings(data: bytes, what: str) -> Settings:
    """An image's config. Raises CheckError where a value is not of the kind it has to be."""
    found = _object(parse(data, what), what)
    config = _object(found.get("config") or {}, what)
    names = (_text(found, key) for key in ("os", "architecture", "variant"))
    roots = _object(found.get("rootfs"), what)
    history = [_object(step, what) for step in _list(found, "history")]
    health = _object(config.get("Healthcheck") or {}, what)
    labels = _object(config.get("Labels") or {}, what)
    return Settings(
        platform="/".join(name for name in names if name),
        user=_text(config, "User"),
        entry_point=_texts(config, "Entrypoint"),
        command=_texts(config, "Cmd"),
        env=_texts(config, "Env"),
        labels={name: _text(labels, name) for name in labels},
        diff_ids=tuple(sha256_of(item, what) for item in _list(roots, "diff_ids")),
        texts=tuple(_text(step, key) for step in history for key in ("created_by", "comment")),
        volumes=bool(config.get("Volumes")),
        on_build=bool(config.get("OnBuild")),
        shell=_texts(config, "Shell"),
        health=_texts(health, "Test"),
    )


def _descriptor(value: object, what: str) -> Descriptor:
    found = _object(value, what)
    size, platform = found.get("size"), found.get("platform")
    if not isinstance(size, int) or size < 0:
        raise CheckError(f"{what}: {size!r} is no size")
    return Descriptor(
        sha256=sha256_of(found.get("digest"), what),
        size=size,
        media_type=_text(found, "mediaType"),
        platform=_platform(_object(platform, what)) if platform is not None else None,
    )


def _platform(found: Mapping[str, Any]) -> str:
    names = (_text(found, key) for key in ("os", "architecture", "variant"))
    return "/".join(name for name in names if name)


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CheckError(f"{what}: {type(value).__name__} stands where an object belongs")
    return value


def _list(found: Mapping[str, Any], key: str) -> list[Any]:
    value = found.get(key)
    if value is not None and not isinstance(value, list):
        raise CheckError(f"{key} is no list")
    return value or []


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key)
    if value is not None and not isinstance(value, str):
        raise CheckError(f"{key} is no text")
    return value or ""


def _texts(found: Mapping[str, Any], key: str) -> tuple[str, ...]:
    values = _list(found, key)
    if not all(isinstance(value, str) for value in values):
        raise CheckError(f"{key} has something in it that is no text")
    return tuple(values)
