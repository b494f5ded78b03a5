"""Reading images that somebody altered, and saying what is wrong with them.

Each image is a real one, on disk, right in every way but one.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess  # noqa: TID251 - a process whose memory is measured
import sys
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images.rules import Expected, faults
from doit_cargo.tools.images import archive_reader, layer_reader
from helpers.images import (
    BINARY,
    FOLDERS,
    FOREIGN,
    GOOD,
    LABELS,
    OCI,
    PLACE,
    PROGRAM,
    USER,
    Layout,
    Member,
    config,
    docker_archive,
    layer,
    sha256,
)  # fmt: skip

AMD64 = "linux/amd64"
EXPECTED = Expected(
    id=sha256(config(GOOD)), platform=AMD64, binary=PLACE, sha256=sha256(PROGRAM), user=USER,
    entry_point=(f"/{PLACE}",), labels=LABELS,
)  # fmt: skip


def found(
    folder: Path,
    *layers: bytes,
    expected: Expected = EXPECTED,
    **changes: Any,  # noqa: ANN401
) -> list[str]:
    """What is wrong with an image of these layers (default: the good one)."""
    made = layers or GOOD
    text = config(made, **changes)
    layout = Layout(folder).put(made, text, platform=expected.platform)
    known = expected._replace(id=sha256(text))
    return list(faults(archive_reader.oci(layout.folder, expected.platform), known))


def with_binary(**changes: Any) -> bytes:  # noqa: ANN401
    """The good layer, its binary changed in one way."""
    return layer(*FOLDERS, Member(**{"data": PROGRAM, **changes}))


def other_bytes(data: bytes, wanted: bytes = PROGRAM, place: str = PLACE) -> str:
    """The complaint about a file of layer 1 that has other bytes than it should."""
    source = "as the manifest says" if place == PLACE else "as is configured"
    return f"layer 1: /{place} has SHA-256 {sha256(data)}, not {sha256(wanted)} {source}"


def test_a_good_image_passes(tmp_path: Path) -> None:
    assert found(tmp_path / "oci") == []

    path = tmp_path / "saved.tar"
    docker_archive(path, GOOD, config(GOOD))
    assert faults(archive_reader.docker(path), EXPECTED) == ()


# What lies in the layers.


def test_the_binary_of_another_architecture_under_the_right_label(tmp_path: Path) -> None:
    assert found(tmp_path, with_binary(data=FOREIGN)) == [
        f"layer 1: /{PLACE} is for aarch64, the image for linux/amd64",
        other_bytes(FOREIGN),
    ]


def test_a_manifest_that_lists_the_wrong_binary_does_not_help_it(tmp_path: Path) -> None:
    """Hash and label agree, and the binary can still not run."""
    lying = EXPECTED._replace(sha256=sha256(FOREIGN))

    assert found(tmp_path, with_binary(data=FOREIGN), expected=lying) == [
        f"layer 1: /{PLACE} is for aarch64, the image for linux/amd64"
    ]


def test_an_altered_byte(tmp_path: Path) -> None:
    altered = PROGRAM[:-1] + bytes([PROGRAM[-1] ^ 1])

    assert found(tmp_path, with_binary(data=altered)) == [other_bytes(altered)]


def test_a_binary_cut_short(tmp_path: Path) -> None:
    first, second = found(tmp_path, with_binary(data=PROGRAM[:100]))

    assert first.startswith(f"layer 1: /{PLACE} starts like an ELF file but is not a valid one: ")
    assert "SHA-256" in second


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"mode": 0o4755}, "has mode 4755, not 0755"),
        ({"mode": 0o2755}, "has mode 2755, not 0755"),
        ({"mode": 0o777}, "has mode 0777, not 0755"),
        ({"mode": 0o644}, "has mode 0644, not 0755"),
        ({"uid": 1000}, "belongs to 1000:0, not to 0:0 or 65532:65532"),
    ],
)
def test_mode_and_owner_of_the_binary(
    tmp_path: Path, change: dict[str, int], reason: str
) -> None:  # fmt: skip
    assert found(tmp_path, with_binary(**change)) == [f"layer 1: /{PLACE} {reason}"]


@pytest.mark.parametrize("change", [{"mode": 0o555}, {"uid": 65532, "gid": 65532}])
def test_a_binary_may_be_read_only_and_the_users_own(
    tmp_path: Path, change: dict[str, int]
) -> None:
    assert found(tmp_path, with_binary(**change)) == []


EXTRA = "is not configured: an image contains only the binary and what the configuration names"
HIDDEN = "looks like a secret, by its name"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("usr/local/bin/notes.txt", EXTRA),
        ("usr/local/bin/.env", HIDDEN),
        ("usr/local/id_rsa", HIDDEN),
        ("usr/server.pem", HIDDEN),
        ("usr/local/credentials", HIDDEN),
        ("bin/sh", "is a shell, and an image of one static binary has none"),
    ],
)
def test_an_extra_file(tmp_path: Path, name: str, reason: str) -> None:
    extra = Member(name=name, data=b"x", mode=0o644)

    assert found(tmp_path, layer(*FOLDERS, BINARY, extra)) == [f"layer 1: /{name} {reason}"]


def test_an_extra_executable_of_another_machine(tmp_path: Path) -> None:
    extra = Member(name="usr/local/bin/helper", data=FOREIGN)

    assert found(tmp_path, layer(*FOLDERS, BINARY, extra)) == [
        "layer 1: /usr/local/bin/helper is for aarch64, the image for linux/amd64",
        f"layer 1: /usr/local/bin/helper {EXTRA}",
    ]


def test_folders_that_anybody_may_write_to(tmp_path: Path) -> None:
    folders = [Member(name="usr/", type=tarfile.DIRTYPE, mode=0o1777), *FOLDERS[1:]]
    tmp = Member(name="tmp/", type=tarfile.DIRTYPE, mode=0o777, uid=65532)

    assert found(tmp_path, layer(*folders, tmp, BINARY)) == [
        "layer 1: /usr has mode 1777, not 0755",
        "layer 1: /tmp is a folder that nothing shipped lies in",
        "layer 1: /tmp has mode 0777, not 0755",
        "layer 1: /tmp belongs to 65532:0, not to 0:0",
    ]


def test_configured_files_are_held_against_their_bytes(tmp_path: Path) -> None:
    """A CA bundle is no secret, in its place and with the bytes that were configured."""
    place = "etc/ssl/certs/ca-certificates.crt.pem"
    bundle = Member(name=place, data=b"certificates", mode=0o644)
    expected = EXPECTED._replace(files={place: sha256(b"certificates")})
    altered = Member(name=place, data=b"certificates and one more", mode=0o644)

    assert found(tmp_path / "a", layer(*FOLDERS, BINARY, bundle), expected=expected) == []
    assert found(tmp_path / "b", layer(*FOLDERS, BINARY, altered), expected=expected) == [
        other_bytes(altered.data, bundle.data, place)
    ]
    assert found(tmp_path / "c", expected=expected) == [f"/{place} is missing"]


# What layers do to one another.


WHITEOUTS = (
    "usr/.wh..env",
    "usr/local/bin/.wh.chat",
    "usr/.wh.local",
    "usr/.wh..wh..opq",
    ".wh.x/y",
)


@pytest.mark.parametrize("name", WHITEOUTS)
def test_a_whiteout_has_nothing_to_hide(tmp_path: Path, name: str) -> None:
    with pytest.raises(CheckError, match="it is a whiteout"):
        found(tmp_path, *GOOD, layer(Member(name=name)))


def test_a_file_that_a_later_layer_replaces_is_shipped_all_the_same(tmp_path: Path) -> None:
    other = PROGRAM + b"\0"
    below = layer(*FOLDERS, Member(data=other))

    assert found(tmp_path, below, layer(BINARY)) == [
        other_bytes(other),
        f"layer 2: /{PLACE} is in a lower layer too",
    ]


def test_two_layers_may_have_the_same_folder_and_nothing_else(tmp_path: Path) -> None:
    folder = layer(Member(name=f"{PLACE}/", type=tarfile.DIRTYPE))
    file = layer(Member(name="usr/local", data=b"x", mode=0o644))

    assert found(tmp_path / "a", *GOOD, layer(*FOLDERS)) == []
    assert found(tmp_path / "b", *GOOD, folder)[-1] == f"layer 2: /{PLACE} is in a lower layer too"
    assert found(tmp_path / "c", *GOOD, file)[-1] == "layer 2: /usr/local is in a lower layer too"
    assert found(tmp_path / "d", *GOOD, *GOOD) == [f"layer 2: /{PLACE} is in a lower layer too"]


# What the config says.


@pytest.mark.parametrize("user", ["", "0", "0:0", "root", "nobody", "00", "65532x"])
def test_root_and_users_without_a_number(tmp_path: Path, user: str) -> None:
    assert found(tmp_path, User=user) == [
        f"its user is {user!r}: a number other than 0 is wanted: {USER}"
    ]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"User": "1000"}, "its user is 1000, not 65532:65532"),
        (
            {"Entrypoint": ["/bin/sh", "-c", f"/{PLACE}"]},
            f"its Entrypoint is ['/bin/sh', '-c', '/{PLACE}'], not ['/{PLACE}']",
        ),
        ({"Cmd": ["--verbose"]}, "its Cmd is ['--verbose'], not []"),
        (
            {"Healthcheck": {"Test": ["CMD-SHELL", "curl localhost"]}},
            "its Healthcheck is ['CMD-SHELL', 'curl localhost'], not []",
        ),
        ({"WorkingDir": "/data"}, "its WorkingDir is '/data', and there is no such folder"),
        ({"ExposedPorts": {"22/tcp": {}}}, "its ExposedPorts are ['22/tcp'], not []"),
        ({"Labels": {"maintainer": "x"}}, "its label maintainer is not as configured"),
        ({"Env": ["MODE=debug"]}, "its variable MODE is not configured"),
        ({"Env": ["PATH=/x", "PATH=/y"]}, "it has a variable twice"),
        ({"architecture": "arm64"}, "its config says platform 'linux/arm64', not linux/amd64"),
        (
            {"top": {"history": [{"created_by": "ARG K=AKIAIOSFODNN7EXAMPLE"}]}},
            "its history contains something that looks like a secret",
        ),
    ],
)
def test_what_a_config_may_not_say(
    tmp_path: Path, changes: dict[str, Any], reason: str
) -> None:  # fmt: skip
    assert found(tmp_path, **changes) == [reason]


@pytest.mark.parametrize(
    ("name", "value"), [("DB_PASSWORD", "hunter2"), ("DB", "postgres://u:hunter2@db/x")]
)
def test_a_secret_is_refused_though_it_is_configured(
    tmp_path: Path, name: str, value: str
) -> None:  # fmt: skip
    """And no message shows it."""
    expected = EXPECTED._replace(env={name: value})

    assert found(tmp_path, expected=expected, Env=[f"{name}={value}"]) == [
        f"its variable {name} looks like a secret"
    ]


def test_the_configured_environment_is_in_it(tmp_path: Path) -> None:
    expected = EXPECTED._replace(env={"MODE": "quiet"})

    assert found(tmp_path / "a", expected=expected, Env=["PATH=/x", "MODE=quiet"]) == []
    assert found(tmp_path / "b", expected=expected, Env=["MODE=loud"]) == [
        "its variable MODE is not as configured"
    ]


def test_the_index_names_another_platform_than_the_config(tmp_path: Path) -> None:
    expected = EXPECTED._replace(platform="linux/arm64", sha256=sha256(FOREIGN))

    assert found(tmp_path, with_binary(data=FOREIGN), expected=expected) == [
        "its config says platform 'linux/amd64', not linux/arm64"
    ]


def test_a_label_may_be_configured_and_still_look_like_a_secret(tmp_path: Path) -> None:
    expected = EXPECTED._replace(labels={"api-key": "x", "source": "y"})

    assert found(tmp_path, expected=expected, Labels={"api-key": "x", "source": "y"}) == [
        "its label api-key looks like a secret"
    ]


# What cannot even be read.


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (Member(name="/etc/passwd"), "its path is absolute"),
        (Member(name="usr/../../etc/passwd"), "its path has an empty part, '.' or '..' in it"),
        (Member(name="./usr"), "its path has an empty part, '.' or '..' in it"),
        (Member(name="usr//a"), "its path has an empty part, '.' or '..' in it"),
        (Member(name="./", type=tarfile.DIRTYPE), "its path has an empty part, '.' or '..' in it"),
        (Member(name="usr/a\nb"), "the name of its header is not plain text"),
        (Member(type=tarfile.SYMTYPE, link="/bin/sh"), "it is a symbolic link"),
        (Member(type=tarfile.LNKTYPE, link="etc/shadow"), "it is a hard link"),
        (Member(type=tarfile.AREGTYPE), "it is a V7 file"),
        (Member(type=tarfile.CHRTYPE), "it is a device"),
        (Member(type=tarfile.BLKTYPE), "it is a device"),
        (Member(type=tarfile.FIFOTYPE), "it is a FIFO"),
        (Member(type=tarfile.CONTTYPE), "it is a contiguous file"),
        (Member(type=b"Z"), "it is of type b'Z'"),
        (Member(link="etc/shadow"), "the linkname of its header is not valid ustar"),
        (Member(name="n" * 300), "it is a pax header"),
        (Member(uid=1 << 40), "it is a pax header"),
        (Member(name="usr/", type=tarfile.DIRTYPE, size=4096), "a folder with content"),
        (Member(pax={"SCHILY.xattr.security.capability": "x"}), "it is a pax header"),
    ],
)
def test_a_tar_with_what_a_safe_one_has_not(tmp_path: Path, member: Member, reason: str) -> None:
    with pytest.raises(CheckError, match="layer 1: ") as caught:
        found(tmp_path, layer(member))

    assert str(caught.value).endswith(f": {reason}")


def refusal(data: bytes, limit: int = 1 << 20) -> str:
    with pytest.raises(CheckError) as caught:
        layer_reader.layer([data], "layer 1", limit)
    return str(caught.value)


def test_a_size_that_is_not_there() -> None:
    data = layer(Member(data=b"x", size=(8 << 30) - 1), BINARY)

    assert refusal(data) == (
        f"layer 1: '{PLACE}': it claims 8,589,934,591 bytes, more than the 1,048,576 of the "
        "whole image"
    )
    assert refusal(data, 8 << 30) == "layer 1 is cut short"


def test_a_file_that_is_there_twice() -> None:
    assert refusal(layer(BINARY, BINARY)) == f"layer 1: '{PLACE}' is in it twice"


def test_an_archive_that_goes_on_after_its_end() -> None:
    """Readers differ in where they stop: at one block of zeros, at two, at a bad header."""
    good = GOOD[0]
    end = len(good) - 1024
    for start in (good, good[:end] + bytes(512), good[:end] + b"\1" * 512):
        assert refusal(start + good).startswith("layer 1: ")
    for rest in (bytes(512), bytes(1023), bytes(10_753), bytes(1024) + b"\1" + bytes(511)):
        assert refusal(good[:end] + rest) == "layer 1: its end is not valid ustar"


def test_what_fills_up_a_block_is_zero() -> None:
    data = bytearray(layer(Member(data=b"x")))
    data[512 + 100] = 1

    assert refusal(bytes(data)) == f"'{PLACE}': the padding of its last block is not zero"


def test_more_members_than_anybody_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_reader, "MEMBER_LIMIT", 3)

    assert refusal(GOOD[0]) == "layer 1 has more than 3 members"


def test_more_layers_than_anybody_needs(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="17 layers, 16 at most are read"):
        found(tmp_path, *(layer() for _ in range(17)))


@pytest.mark.parametrize("cut", range(0, 512 * 5, 256))
def test_a_layer_cut_short_is_refused_or_lacks_what_was_cut(tmp_path: Path, cut: int) -> None:
    """No prefix of the good layer passes for it."""
    data = GOOD[0][:cut]
    try:
        assert found(tmp_path, data) != []
    except CheckError as error:
        assert "layer 1" in str(error)  # noqa: PT017 - either way it is refused


def test_a_bomb_is_not_unpacked() -> None:
    """A gigabyte of zeros in a megabyte: no more is unpacked than may be in the image."""
    packed = gzip.compress(bytes(64 << 20), mtime=0)
    unpacked = 0

    def counted() -> Iterator[bytes]:
        nonlocal unpacked
        for piece in layer_reader.unzipped(packed, "layer 1"):
            unpacked += len(piece)
            yield piece

    with pytest.raises(CheckError, match="its end is not valid ustar"):
        layer_reader.layer(counted(), "layer 1", 1 << 20)
    assert unpacked <= 2 << 20


def test_layers_are_read_in_little_memory(tmp_path: Path) -> None:
    """Three layers, each with 96 MiB of zeros, packed into 96 KiB."""
    layers = [layer(Member(name=f"usr/{n}", data=bytes(96 << 20), mode=0o644)) for n in range(3)]
    Layout(tmp_path).put(layers, config(layers), platform=AMD64)
    del layers
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from doit_cargo.tools.images import archive_reader\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "archive_reader.oci(Path(sys.argv[1]), 'linux/amd64', 300 << 20)\n"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path], capture_output=True, text=True, check=True
    )

    assert int(done.stdout) < 32  # MiB


PLAIN = gzip.compress(GOOD[0], mtime=0)
ODD_GZIP = {
    "cut short": PLAIN[:-9],
    "twice": PLAIN + PLAIN,
    "something after it": PLAIN + b"x",
    "none": b"plain",
    "a name in its header": PLAIN[:3] + b"\x08" + PLAIN[4:10] + b"name\0" + PLAIN[10:],
    "a comment": PLAIN[:3] + b"\x10" + PLAIN[4:10] + b"text\0" + PLAIN[10:],
    "an extra field": PLAIN[:3] + b"\x04" + PLAIN[4:10] + b"\2\0xx" + PLAIN[10:],
    "another checksum": PLAIN[:-8] + bytes(4) + PLAIN[-4:],
    "another length": PLAIN[:-4] + bytes(4),
    "zlib in its place": zlib.compress(GOOD[0]),
}


@pytest.mark.parametrize("data", ODD_GZIP.values(), ids=ODD_GZIP.keys())
def test_gzip_that_is_not_plain_and_alone(data: bytes) -> None:
    with pytest.raises(CheckError, match=r"cut short, or something follows|is not gzip"):
        layer_reader.layer(layer_reader.unzipped(data, "layer 1"), "layer 1", 1 << 20)


# Digests.


def test_a_layer_that_is_not_what_its_digest_says(tmp_path: Path) -> None:
    layout = Layout(tmp_path).put(GOOD, config(GOOD), platform=AMD64)
    blob = layout.blobs / sha256(gzip.compress(GOOD[0], mtime=0))
    data = bytearray(blob.read_bytes())
    data[9] ^= 1  # gzip's "operating system": unpacked it is the same
    blob.write_bytes(data)

    with pytest.raises(CheckError, match=r"blob \w+ has SHA-256 \w+, not \w+: it was altered"):
        archive_reader.oci(tmp_path, AMD64)


def test_a_layer_that_is_not_what_the_config_says(tmp_path: Path) -> None:
    """Each blob has its own digest right; the config names the tar of other bytes."""
    other = (layer(*FOLDERS, Member(data=PROGRAM + b"\0")),)
    layout = Layout(tmp_path).put(GOOD, config(other), platform=AMD64)

    with pytest.raises(CheckError, match=r"layer 1 has SHA-256 \w+, not \w+: it was altered"):
        archive_reader.oci(layout.folder, AMD64)


@pytest.mark.parametrize("layers", [(), GOOD * 2])
def test_as_many_layers_as_the_config_lists(tmp_path: Path, layers: tuple[bytes, ...]) -> None:
    layout = Layout(tmp_path).put(GOOD, config(layers), platform=AMD64)

    with pytest.raises(CheckError, match="differ in the number of layers"):
        archive_reader.oci(layout.folder, AMD64)


def test_an_archive_of_docker_with_another_image(tmp_path: Path) -> None:
    path = tmp_path / "saved.tar"
    other = docker_archive(path, GOOD, config(GOOD, Cmd=["--verbose"]))
    expected = EXPECTED._replace(command=("--verbose",))

    assert faults(archive_reader.docker(path), expected) == (
        f"its id is {other}, not {EXPECTED.id} as was recorded",
    )


def test_an_archive_of_docker_with_another_layer(tmp_path: Path) -> None:
    path = tmp_path / "saved.tar"
    docker_archive(path, (with_binary(data=FOREIGN),), config(GOOD))

    with pytest.raises(CheckError, match=r"layer 1 has SHA-256 \w+, not \w+: it was altered"):
        archive_reader.docker(path)


@pytest.mark.parametrize(
    "text", [b"", b"[]", b'{"manifests": {}}', b'{"manifests": [1]}', b"[" * 100_000, b"\xff"]
)
def test_an_index_that_is_none(tmp_path: Path, text: bytes) -> None:
    layout = Layout(tmp_path)
    (layout.folder / "index.json").write_bytes(text)

    with pytest.raises(CheckError):
        archive_reader.oci(layout.folder, AMD64)


def test_a_key_that_stands_twice_in_the_config(tmp_path: Path) -> None:
    """Go takes the last of `User` and `user`, so a reader that knows only one may be lied to."""
    text = config(GOOD).replace(b'"User": "65532:65532"', b'"User": "65532:65532", "user": "0"')
    layout = Layout(tmp_path).put(GOOD, text, platform=AMD64)

    with pytest.raises(CheckError, match="a duplicate key"):
        archive_reader.oci(layout.folder, AMD64)


def test_a_digest_that_leads_elsewhere(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "oci")
    (tmp_path / "outside").write_text(json.dumps({"layers": []}))
    layout.index([{"digest": "sha256:../../../outside", "size": 1, "mediaType": "x"}])

    with pytest.raises(CheckError, match="is not a SHA-256 digest"):
        archive_reader.oci(layout.folder, AMD64)


def test_a_blob_that_is_a_link(tmp_path: Path) -> None:
    layout = Layout(tmp_path / "oci").put(GOOD, config(GOOD), platform=AMD64)
    blob = layout.blobs / sha256(config(GOOD))
    blob.rename(tmp_path / "config.json")
    blob.symlink_to(tmp_path / "config.json")

    with pytest.raises(CheckError, match="is a symbolic link"):
        archive_reader.oci(layout.folder, AMD64)


def test_a_layer_compressed_in_another_way(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    text = layout.blob(config(GOOD), f"{OCI}.config.v1+json")
    packed = layout.blob(b"(\xb5/\xfd", f"{OCI}.layer.v1.tar+zstd")
    manifest = json.dumps({"schemaVersion": 2, "config": text, "layers": [packed]}).encode()
    layout.index([layout.blob(manifest, f"{OCI}.manifest.v1+json")])

    with pytest.raises(CheckError, match="only tar and tar\\+gzip are read"):
        archive_reader.oci(layout.folder, AMD64)


def test_each_platform_is_there_once(tmp_path: Path) -> None:
    layout = Layout(tmp_path).put(GOOD, config(GOOD), platform=AMD64)

    with pytest.raises(CheckError, match="has 0 images for linux/arm64, not one"):
        archive_reader.oci(layout.folder, "linux/arm64")

    pointers = json.loads((tmp_path / "index.json").read_text())["manifests"]
    layout.index(pointers * 2)
    with pytest.raises(CheckError, match="has 2 images for linux/amd64, not one"):
        archive_reader.oci(layout.folder, AMD64)


# A whole layout: the images of every platform under one index.


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "layout")
    arm = (layer(*FOLDERS, Member(data=FOREIGN)),)
    made.index_in_index(
        [
            made.image(GOOD, config(GOOD), platform=AMD64),
            made.image(arm, config(arm, architecture="arm64"), platform="linux/arm64"),
        ]
    )
    return made


def test_a_layout_is_read_with_all_its_files(layout: Layout) -> None:
    read = archive_reader.layout(layout.folder)
    (inner,) = json.loads((layout.folder / "index.json").read_text())["manifests"]

    assert read.digest == inner["digest"]
    assert [image.platform for image in read.images.values()] == [AMD64, "linux/arm64"]
    assert faults(next(iter(read.images.values())), EXPECTED) == ()
    assert all(layout.folder.joinpath("blobs/sha256", name[7:]).exists() for name in read.images)
    assert set(read.files) == {path for path in layout.folder.rglob("*") if path.is_file()}
    assert archive_reader.oci(layout.folder, AMD64) == next(iter(read.images.values()))


def test_every_byte_of_a_layout_counts(layout: Layout) -> None:
    """Whatever bit of whatever blob is turned, the layout is refused."""
    chance = random.Random(1)  # noqa: S311 - a repeatable test
    for path in sorted(layout.blobs.iterdir()):
        whole = path.read_bytes()
        for _ in range(20):
            data = bytearray(whole)
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
            with pytest.raises(CheckError, match="it was altered"):
                archive_reader.layout(layout.folder)
        path.write_bytes(whole)
    archive_reader.layout(layout.folder)


@pytest.mark.parametrize("marker", ["", "{}", "[]", '{"imageLayoutVersion": "2.0.0"}', "[" * 9999])
def test_a_layout_of_another_version(layout: Layout, marker: str) -> None:
    (layout.folder / "oci-layout").write_text(marker)

    with pytest.raises(CheckError, match="oci-layout"):
        archive_reader.layout(layout.folder)


@pytest.mark.parametrize("copies", [0, 2])
def test_a_layout_of_one_index(layout: Layout, copies: int) -> None:
    manifests = json.loads((layout.folder / "index.json").read_text())["manifests"]
    layout.index(manifests * copies)

    with pytest.raises(CheckError, match=r"index\.json does not list one index"):
        archive_reader.layout(layout.folder)


def test_a_layout_of_an_image_without_an_index(tmp_path: Path) -> None:
    made = Layout(tmp_path).put(GOOD, config(GOOD), platform=AMD64)

    with pytest.raises(CheckError, match=r"index\.json does not list one index"):
        archive_reader.layout(made.folder)


def test_a_manifest_of_another_type(tmp_path: Path) -> None:
    """A registry takes a blob for what its descriptor says."""
    made = Layout(tmp_path)
    image = made.image(GOOD, config(GOOD), platform=AMD64)
    made.index_in_index([{**image, "mediaType": f"{OCI}.config.v1+json"}])

    with pytest.raises(CheckError, match="in place of an image's manifest"):
        archive_reader.layout(made.folder)
    with pytest.raises(CheckError, match="in place of an image's manifest"):
        archive_reader.oci(made.folder, AMD64)


def test_links_pipes_and_missing_files_are_refused(layout: Layout, tmp_path: Path) -> None:
    path, elsewhere = layout.folder / "index.json", tmp_path / "index.json"
    path.rename(elsewhere)
    with pytest.raises(CheckError, match=r"index\.json is missing"):
        archive_reader.layout(layout.folder)
    path.symlink_to(elsewhere)
    with pytest.raises(CheckError, match="is a symbolic link"):
        archive_reader.layout(layout.folder)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(CheckError, match=r"is a FIFO|not a regular file"):
        archive_reader.layout(layout.folder)
