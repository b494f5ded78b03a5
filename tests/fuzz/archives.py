"""Odd layers: what ours accepts of them is what umoci, which reads tar as Go does, unpacks.

    python tests/fuzz/archives.py --seed 1 --count 300

A layer is made of a few random files and folders, in one of tar's formats, and then changed in its
headers, its padding, its end or its compression. It needs root, and umoci from Debian's package.
"""

from __future__ import annotations

import argparse
import gzip
import io
import json
import os
import random
import sys
import tarfile
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from doit_cargo.core.errors import CheckError, PipelineError
from doit_cargo.core.images.contents import Entry
from doit_cargo.tools.images import archive_reader
from doit_cargo.tools.process import run
from helpers.images import OCI, Layout, checksum, config, sha256

PLATFORM = "linux/amd64"
BLOCK = 512
NAMES = (
    "app/service", "app/data/file", "etc/ssl/certs/ca.crt", "a", "b c", "deep/" * 12 + "file",
    "x" * 100, "long/" * 25 + "name", "ä", "./dotted", "/absolute", "app/.wh.service", "up/../down",
)  # fmt: skip
FORMATS = (tarfile.USTAR_FORMAT, tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
TYPES = (
    tarfile.REGTYPE, tarfile.REGTYPE, tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.AREGTYPE,
    tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.CONTTYPE,
)  # fmt: skip
# Fields of a ustar header: offset, size (POSIX.1-2017, pax, "ustar Interchange Format").
FIELDS = (
    (0, 100), (100, 8), (108, 8), (116, 8), (124, 12), (136, 12), (148, 8), (156, 1), (157, 100),
    (257, 6), (263, 2), (265, 32), (297, 32), (329, 8), (337, 8), (345, 155), (500, 12),
)  # fmt: skip


class Seen(NamedTuple):
    """A path as it was unpacked, or as ours reads it."""

    kind: str
    mode: int
    uid: int
    gid: int
    sha256: str


class Found(NamedTuple):
    """What a search came to: how each layer ended, and the faults."""

    ends: Counter[str]
    faults: list[str]


def search(folder: Path, seed: int, count: int) -> Found:
    """Read and unpack that many layers."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated by its seed
    ends: Counter[str] = Counter()
    faults: list[str] = []
    for number in range(count):
        how, data, compressed = odd(draw)
        place = folder / str(number)
        write(place / "oci", data, compressed)
        try:
            read = ours(place / "oci")
        except CheckError:
            ends["refused"] += 1
            continue
        ends["accepted"] += 1
        try:
            unpacked = umoci(place / "oci", place / "bundle")
        except PipelineError as error:
            faults.append(f"layer {number} ({how}): umoci refuses it: {error}")
            continue
        if fault := difference(read, unpacked):
            faults.append(f"layer {number} ({how}): {fault}")
    return Found(ends, faults)


def odd(draw: random.Random) -> tuple[str, bytes, bytes]:
    """How a layer is odd, its tar and its gzip."""
    data = bytearray(_tar(draw))
    said = [draw.choice(CHANGES)(data, draw) for _ in range(draw.choice((0, 0, 1, 1, 2)))]
    compressed = gzip.compress(bytes(data), mtime=0)
    if draw.random() < 0.1:
        compressed = gzip.compress(bytes(data), mtime=draw.choice((0, 5)))
        compressed += draw.choice((b"", b"\0" * 8, gzip.compress(b"more")))
        said.append("gzip")
    return ", ".join(said), bytes(data), compressed


def _tar(draw: random.Random) -> bytes:
    """A few members; most are such that ours takes them."""
    buffer, plain = io.BytesIO(), draw.random() < 0.7
    form = tarfile.USTAR_FORMAT if plain else draw.choice(FORMATS)
    with tarfile.open(fileobj=buffer, mode="w", format=form) as tar:
        for name in draw.sample(NAMES[:5] if plain else NAMES, draw.randrange(1, 4)):
            info = tarfile.TarInfo(name)
            info.type = draw.choice(TYPES[:4] if plain else TYPES)
            data = b"\x01content" * draw.randrange(200) if info.type in TYPES[:3] else b""
            info.size, info.linkname = len(data), "app/service" if info.issym() else ""
            info.mode = draw.choice((0o755, 0o644, 0o600, 0o4755, 0o1777))
            info.uid, info.gid = draw.choice(((0, 0), (0, 0), (65532, 65532), (1 << 21, 0)))
            try:
                tar.addfile(info, io.BytesIO(data))
            except ValueError:  # the format cannot say it
                continue
    made = bytearray(buffer.getvalue())
    if plain:
        _go_form(made)
    return bytes(made)


def _go_form(data: bytearray) -> None:
    """What Go writes otherwise than Python: a folder's slash and the numbers of devices."""
    for start in _headers(data):
        if data[start + 156 : start + 157] == tarfile.DIRTYPE:
            name = bytes(data[start : start + 100]).rstrip(b"\0").rstrip(b"/") + b"/"
            data[start : start + 100] = name[:100].ljust(100, b"\0")
        data[start + 329 : start + 345] = b"0000000\0" * 2
        checksum(data, start)


def _headers(data: bytes | bytearray) -> Iterator[int]:
    at = 0
    while at + BLOCK <= len(data) and any(data[at : at + BLOCK]):
        yield at
        digits = bytes(data[at + 124 : at + 136]).strip(b"\0 ")
        size = int(digits, 8) if digits and not digits.strip(b"01234567") else 0
        at += BLOCK + -(-size // BLOCK) * BLOCK


def _field(data: bytearray, draw: random.Random) -> str:
    """One field of one header, with a checksum that fits; a fifth of them without."""
    start = draw.choice(list(_headers(data)) or [0])
    at, size = draw.choice(FIELDS)
    old = bytes(data[start + at : start + at + size])
    new = draw.choice((
        bytes(size), b" " * size, b"7" * size, old[::-1], old.replace(b"\0", b" "),
        b"0" * (size - 1) + b"\0", draw.choice((b"x", b"g", b"L", b"5", b"0", b"\0"))[:size],
        b"\x80" + old[1:],
    )).ljust(size, b"\0")[:size]  # fmt: skip
    data[start + at : start + at + size] = new
    if draw.random() < 0.8:
        checksum(data, start)
    return f"field at {at}"


def _again(data: bytearray, draw: random.Random) -> str:
    """A member once more, perhaps with another mode."""
    starts = list(_headers(data))
    if not starts:
        return "nothing"
    start = draw.choice(starts)
    end = next((at for at in starts if at > start), starts[-1] + BLOCK)
    copy = bytearray(data[start:end])
    data[start:start] = copy
    return "a member twice"


def _padding(data: bytearray, draw: random.Random) -> str:
    """Bytes that no member has: after a file's content."""
    starts = list(_headers(data))
    if starts:
        at = draw.choice(starts) + BLOCK - draw.randrange(1, 12)
        data[at] = draw.randrange(256)
    return "padding"


def _end(data: bytearray, draw: random.Random) -> str:
    """Fewer zeros, more of them, or something behind them."""
    how = draw.randrange(4)
    if how == 0:
        del data[-BLOCK * draw.randrange(1, 22) :]
    elif how == 1:
        data += bytes(BLOCK * draw.randrange(1, 40))
    elif how == 2:
        data += _tar(draw)
    else:
        del data[-draw.randrange(1, BLOCK) :]
    return f"end {how}"


def _byte(data: bytearray, draw: random.Random) -> str:
    place = draw.randrange(len(data)) if data else 0
    if data:
        data[place] = draw.randrange(256)
    return f"byte {place}"


CHANGES: Sequence[Callable[[bytearray, random.Random], str]] = (
    _field, _field, _field, _again, _padding, _end, _end, _byte,
)  # fmt: skip


def write(place: Path, data: bytes, compressed: bytes) -> None:
    """An image of this one layer."""
    place.parent.mkdir(parents=True, exist_ok=True)
    layout = Layout(place)
    pointer = layout.image([data], config([data]), platform=PLATFORM)
    if compressed != gzip.compress(data, mtime=0):
        manifest = layout.blobs / str(pointer["digest"]).partition(":")[2]
        old = sha256(gzip.compress(data, mtime=0))
        blob = layout.blob(compressed, f"{OCI}.layer.v1.tar+gzip")
        text = manifest.read_text().replace(old, str(blob["digest"]).partition(":")[2])
        size = f'"size": {len(gzip.compress(data, mtime=0))}'
        text = text.replace(size, f'"size": {len(compressed)}')
        pointer |= layout.blob(text.encode(), pointer["mediaType"])
    layout.index([pointer])


def ours(place: Path) -> dict[str, Seen]:
    """What our reader says is in the image. Raises CheckError."""
    (layer,) = archive_reader.oci(place, PLATFORM).layers
    return {entry.path: _seen(entry) for entry in layer}


def _seen(entry: Entry) -> Seen:
    sha = entry.sha256 if entry.kind == "file" else ""
    return Seen(entry.kind, entry.mode, entry.uid, entry.gid, sha)


def umoci(place: Path, bundle: Path) -> dict[str, Seen]:
    """What umoci unpacks. Raises PipelineError."""
    index = place / "index.json"
    listed = json.loads(index.read_text())
    listed["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "it"}
    index.write_text(json.dumps(listed))
    run(["umoci", "unpack", "--image", f"{place}:it", bundle])
    root = bundle / "rootfs"
    return {str(path.relative_to(root)): _looked(path) for path in root.rglob("*")}


def _looked(path: Path) -> Seen:
    status = path.lstat()
    kind = "folder" if path.is_dir() and not path.is_symlink() else "other"
    kind = "file" if path.is_file() and not path.is_symlink() else kind
    data = sha256(path.read_bytes()) if kind == "file" else ""
    return Seen(kind, status.st_mode & 0o7777, status.st_uid, status.st_gid, data)


def difference(read: dict[str, Seen], unpacked: dict[str, Seen]) -> str:
    """What is not alike; folders that only lead to a file are nobody's."""
    implied = {str(parent) for path in read for parent in Path(path).parents}
    for path, seen in unpacked.items():
        if path not in read and path not in implied:
            return f"umoci unpacks {path}, ours does not see it"
        if path in read and read[path] != seen:
            return f"{path}: {read[path]} by ours, {seen} by umoci"
    missing = sorted(read.keys() - unpacked.keys())
    return f"umoci does not unpack {missing}" if missing else ""


def main(argv: Sequence[str]) -> int:
    """Search through as many as are said; 1 if something was found."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        found = search(Path(folder), options.seed, options.count)
    print("\n".join(found.faults))
    print(f"seed {options.seed}: {options.count} layers: {dict(found.ends)}")
    return 1 if found.faults else 0


if __name__ == "__main__":
    os.umask(0o022)
    sys.exit(main(sys.argv[1:]))
