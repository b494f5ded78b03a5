"""A few hundred odd layers; the program beside this file makes as many as it is told."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from pathlib import Path

import archives
import pytest

from doit_cargo.core.errors import CheckError
from helpers import engines
from helpers.images import sha256

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.getuid() != 0, reason="owners are unpacked by root alone"),
]


@pytest.fixture(autouse=True)
def _umoci() -> None:
    engines.need("umoci")


def test_what_is_accepted_is_what_umoci_unpacks(tmp_path: Path) -> None:
    found = archives.search(tmp_path, seed=5, count=400)

    assert found.faults == []
    assert found.ends["accepted"] > 80
    assert found.ends["refused"] > 200


def pythons(place: Path) -> dict[str, archives.Seen]:
    """What Python's tarfile sees, which reads more than one form."""
    index = json.loads((place / "index.json").read_text())
    blobs = place / "blobs" / "sha256"
    named = str(index["manifests"][0]["digest"]).partition(":")[2]
    layer = json.loads((blobs / named).read_text())["layers"][0]
    data = (blobs / str(layer["digest"]).partition(":")[2]).read_bytes()
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as tar:
            for info in tar:
                content = tar.extractfile(info) if info.isreg() else None
                sha = sha256(content.read()) if content else ""
                kind = "folder" if info.isdir() else "file" if info.isreg() else "other"
                found[info.name] = archives.Seen(kind, info.mode & 0o7777, info.uid, info.gid, sha)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise CheckError(str(error)) from None
    return found


def test_a_reader_that_takes_more_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's own, for one: it and Go differ in what they see."""
    monkeypatch.setattr(archives, "ours", pythons)

    assert len(archives.search(tmp_path, seed=5, count=100).faults) > 5
