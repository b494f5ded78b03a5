"""Writes images by hand, so that each may be wrong in one way and right in all others."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from helpers.elf_files import elf

PROGRAM = elf(machine=62)
FOREIGN = elf(machine=183)
PLACE = "usr/local/bin/chat"
USER = "65532:65532"
OCI = "application/vnd.oci.image"


@dataclass(frozen=True, kw_only=True)
class Member:
    """A tar member: a plain file of root's unless told otherwise. Its size may be a lie."""

    name: str = PLACE
    data: bytes = b""
    mode: int = 0o755
    uid: int = 0
    gid: int = 0
    type: bytes = tarfile.REGTYPE
    link: str = ""
    size: int | None = None
    pax: Mapping[str, str] = field(default_factory=dict)


BINARY = Member(data=PROGRAM)
FOLDERS = tuple(
    Member(name=name, type=tarfile.DIRTYPE) for name in ("usr/", "usr/local/", "usr/local/bin/")
)
CONFIG: Mapping[str, Any] = {
    "User": USER,
    "Entrypoint": [f"/{PLACE}"],
    "Env": ["PATH=/usr/local/bin"],
    "Labels": {"org.opencontainers.image.title": "chat"},
}
LABELS: Mapping[str, str] = CONFIG["Labels"]


def layer(*members: Member) -> bytes:
    """The bytes of a layer's tar: as Go writes it, but pax headers are Python's."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for member in members:
            info = tarfile.TarInfo(member.name)
            info.size = len(member.data)
            info.mode, info.uid, info.gid = member.mode, member.uid, member.gid
            info.type, info.linkname = member.type, member.link
            info.pax_headers = dict(member.pax)
            tar.addfile(info, io.BytesIO(member.data))
        end = tar.offset
    return _plain(buffer.getvalue()[:end], members) + bytes(1024)


def _plain(data: bytes, members: Sequence[Member]) -> bytes:
    """Give folders the slash that Python leaves out, and write the false sizes."""
    changed = bytearray(data)
    with tarfile.open(fileobj=io.BytesIO(data + bytes(1024))) as tar:
        for info, member in zip(tar.getmembers(), members, strict=True):
            start = info.offset_data - 512
            if member.size is not None:
                changed[start + 124 : start + 136] = b"%011o\0" % member.size
            if member.name.endswith("/") and len(member.name) <= 100:
                changed[start : start + 100] = member.name.encode().ljust(100, b"\0")
            changed[start + 329 : start + 345] = b"0000000\0" * 2  # devmajor and devminor
            checksum(changed, start)
    return bytes(changed)


def checksum(data: bytearray, start: int) -> None:
    """Write the checksum that goes with the header that begins there."""
    data[start + 148 : start + 156] = b" " * 8
    data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])


GOOD = (layer(*FOLDERS, BINARY),)


def config(
    layers: Iterable[bytes], *, architecture: str = "amd64", top: Mapping[str, Any] | None = None,
    **changes: object,
) -> bytes:  # fmt: skip
    """An image's config; `changes` are of what Docker calls Config."""
    ids = [f"sha256:{sha256(data)}" for data in layers]
    found = {
        "os": "linux",
        "architecture": architecture,
        "config": {**CONFIG, **changes},
        "rootfs": {"type": "layers", "diff_ids": ids},
        "history": [{"created_by": "COPY chat /usr/local/bin/chat"}],
    }
    return json.dumps({**found, **(top or {})}).encode()


def sha256(data: bytes) -> str:
    """The SHA-256 (hex) of bytes."""
    return hashlib.sha256(data).hexdigest()


class Layout:
    """An OCI layout with one image in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.blobs = folder / "blobs" / "sha256"
        self.blobs.mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def put(self, layers: Sequence[bytes], text: bytes, *, platform: str | None) -> Layout:
        """Write an image and the index.json that lists it alone."""
        self.index([self.image(layers, text, platform=platform)])
        return self

    def image(
        self, layers: Sequence[bytes], text: bytes, *, platform: str | None
    ) -> dict[str, Any]:
        """Add an image, its layers compressed; its descriptor."""
        manifest = {
            "schemaVersion": 2,
            "config": self.blob(text, f"{OCI}.config.v1+json"),
            "layers": [
                self.blob(gzip.compress(data, mtime=0), f"{OCI}.layer.v1.tar+gzip")
                for data in layers
            ],
        }
        pointer = self.blob(json.dumps(manifest).encode(), f"{OCI}.manifest.v1+json")
        if platform:
            system, _, architecture = platform.partition("/")
            pointer["platform"] = {"os": system, "architecture": architecture}
        return pointer

    def index(self, manifests: list[dict[str, Any]]) -> None:
        """Write index.json."""
        (self.folder / "index.json").write_bytes(_index(manifests))

    def index_in_index(self, manifests: list[dict[str, Any]]) -> str:
        """Write index.json as `buildah manifest push` does; the digest of the inner index."""
        inner = self.blob(_index(manifests), f"{OCI}.index.v1+json")
        self.index([inner])
        return str(inner["digest"])

    def blob(self, data: bytes, media_type: str) -> dict[str, Any]:
        """Add a blob; its descriptor."""
        (self.blobs / sha256(data)).write_bytes(data)
        return {"mediaType": media_type, "size": len(data), "digest": f"sha256:{sha256(data)}"}


def _index(manifests: list[dict[str, Any]]) -> bytes:
    return json.dumps({"schemaVersion": 2, "manifests": manifests}).encode()


def docker_archive(path: Path, layers: Sequence[bytes], text: bytes) -> str:
    """Write what `docker save` writes; the image's id (hex)."""
    names = [f"{sha256(data)}/layer.tar" for data in layers]
    files = {f"{sha256(text)}.json": text, **dict(zip(names, layers, strict=True))}
    listed = [{"Config": f"{sha256(text)}.json", "RepoTags": ["chat:1"], "Layers": names}]
    files["manifest.json"] = json.dumps(listed).encode()
    members = [Member(name=name, data=data) for name, data in files.items()]
    path.write_bytes(layer(*members))
    return sha256(text)
