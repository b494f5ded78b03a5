"""Reading OCI layouts and layers: what is whole is read, whatever is wrong is refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import tarfile
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.images import contents, oci

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
PROGRAM = b"\x7fELF, as it were"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def layer(*members: tuple[str, int, bytes | None], owner: int = 0) -> bytes:
    """A tar of (name, mode, data); None is a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, mode, data in members:
            info = tarfile.TarInfo(name)
            info.mode, info.uid, info.gid, info.size = mode, owner, owner, len(data or b"")
            info.type = tarfile.DIRTYPE if data is None else tarfile.REGTYPE
            archive.addfile(info, io.BytesIO(data or b""))
    return gzip.compress(buffer.getvalue(), mtime=0)


GOOD = layer(("app/", 0o755, None), ("app/service", 0o755, PROGRAM))


class Writer:
    """Writes a layout as the specification has it: the reader's counterpart, for tests only."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "blobs" / "sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def blob(self, data: bytes, kind: str = "x") -> dict[str, Any]:
        (self.folder / "blobs" / "sha256" / sha256(data)).write_bytes(data)
        return {"mediaType": kind, "digest": f"sha256:{sha256(data)}", "size": len(data)}

    def document(self, value: object, kind: str) -> dict[str, Any]:
        return self.blob(json.dumps(value).encode(), kind)

    def image(self, architecture: str, *layers: bytes) -> dict[str, Any]:
        config = self.document({"os": "linux", "architecture": architecture, "config": {}}, "c")
        manifest = {"config": config, "layers": [self.blob(data) for data in layers]}
        platform = {"os": "linux", "architecture": architecture}
        return self.document(manifest, MANIFEST) | {"platform": platform}

    def index(self, *images: dict[str, Any]) -> str:
        entry = self.document({"manifests": list(images)}, INDEX)
        (self.folder / "index.json").write_text(json.dumps({"manifests": [entry]}))
        return str(entry["digest"])


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path / "layout")


def test_a_layout_is_read_with_all_its_files(writer: Writer) -> None:
    digest = writer.index(writer.image("amd64", GOOD), writer.image("arm64", GOOD))
    found = oci.read(writer.folder)

    assert found.digest == digest
    assert [image.platform for image in found.images] == ["linux/amd64", "linux/arm64"]
    assert found.images[0].layers == (GOOD,)
    assert {str(path) for path in found.files} == {
        os.path.join(folder, name) for folder, _, names in os.walk(writer.folder) for name in names
    }


def test_every_byte_counts(writer: Writer) -> None:
    """Whatever bit of whatever blob is turned, the layout is refused."""
    writer.index(writer.image("amd64", GOOD))
    chance = random.Random(1)  # noqa: S311 - a repeatable test
    for path in sorted((writer.folder / "blobs" / "sha256").iterdir()):
        whole = path.read_bytes()
        for _ in range(20):
            data = bytearray(whole)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
            with pytest.raises(ValueError, match="not what its name says"):
                oci.read(writer.folder)
        path.write_bytes(whole)
    oci.read(writer.folder)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"manifests": []}', '{"manifests": [{}, {}]}', '{"manifests": [5]}',
     '{"manifests": [{"mediaType": "x", "digest": "sha256:0", "size": 1}]}',
     '{"manifests": [{"mediaType": "INDEX", "digest": "../../../etc/passwd", "size": 1}]}',
     '{"manifests": [{"mediaType": "INDEX", "digest": 7, "size": 1}]}',
     "[" * 100_000],
)  # fmt: skip
def test_what_is_no_index_is_refused(writer: Writer, text: str) -> None:
    (writer.folder / "index.json").write_text(text.replace("INDEX", INDEX))

    with pytest.raises(ValueError, match="layout"):
        oci.read(writer.folder)


def test_links_pipes_and_missing_files_are_refused(writer: Writer, tmp_path: Path) -> None:
    writer.index(writer.image("amd64", GOOD))
    path = writer.folder / "index.json"
    elsewhere = tmp_path / "index.json"
    path.rename(elsewhere)
    with pytest.raises(ValueError, match="No such file"):
        oci.read(writer.folder)
    path.symlink_to(elsewhere)
    with pytest.raises(ValueError, match=r"index\.json"):
        oci.read(writer.folder)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(ValueError, match="no regular file"):
        oci.read(writer.folder)


def test_an_image_of_another_platform_is_refused(writer: Writer) -> None:
    image = writer.image("arm64", GOOD)
    image["platform"]["architecture"] = "amd64"
    writer.index(image)

    with pytest.raises(ValueError, match="an image of linux/arm64 stands for linux/amd64"):
        oci.read(writer.folder)


def faults(*layers: bytes) -> list[str]:
    found, program = contents.entries(layers)
    assert program in {PROGRAM, b""}
    return contents.faults(found, {"/app/service": sha256(PROGRAM)})


def test_one_program_in_a_folder_is_what_is_meant() -> None:
    assert faults(GOOD) == []
    assert faults(layer(("app/service", 0o755, PROGRAM))) == []


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ([], ["/app/service is not there as it should be"]),
        ([("app/service", 0o4755, PROGRAM)], ["/app/service is not there as it should be"]),
        ([("app/service", 0o777, PROGRAM)], ["/app/service is not there as it should be"]),
        ([("app/service", 0o755, PROGRAM), ("bin/sh", 0o755, b"")],
         ["/bin/sh belongs to nothing"]),
        ([("app", 0o777, None), ("app/service", 0o755, PROGRAM)], ["/app is no plain folder"]),
        ([("app/.wh.service", 0o644, b""), ("app/service", 0o755, PROGRAM)],
         ["/app/.wh.service belongs to nothing"]),
    ],
)  # fmt: skip
def test_anything_else_is_a_fault(
    members: list[tuple[str, int, bytes | None]], expected: list[str]
) -> None:
    assert faults(layer(*members)) == expected


def test_an_owner_other_than_root_is_a_fault() -> None:
    other = layer(("app", 0o755, None), ("app/service", 0o755, PROGRAM), owner=65532)

    assert faults(other) == ["/app/service is not there as it should be", "/app is no plain folder"]


def test_a_program_that_stands_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="twice"):
        contents.entries([GOOD, GOOD])
    with pytest.raises(ValueError, match="twice"):
        contents.entries([layer(("app/service", 0o755, b"a"), ("./app/service", 0o755, b"b"))])


def test_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "MAX_BYTES", 1000)
    with pytest.raises(ValueError, match="more than 1000 bytes"):
        contents.entries([layer(("a", 0o644, b"x" * 600), ("b", 0o644, b"x" * 600))])


NO_LAYERS = (b"", b"text", GOOD[:-30], gzip.compress(b"x" * 5000))


@pytest.mark.parametrize("data", NO_LAYERS, ids=["empty", "text", "cut", "no tar"])
def test_what_is_no_layer_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="cannot be read"):
        contents.entries([data])
