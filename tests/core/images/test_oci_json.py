"""JSON of images: keys in their exact case, and none that is not known; values of one kind."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import oci_json

OCI = "application/vnd.oci.image"
SHA = f"sha256:{'ab' * 32}"
# As buildah 1.28 writes them.
INDEX = {
    "schemaVersion": 2,
    "mediaType": f"{OCI}.index.v1+json",
    "manifests": [
        {
            "mediaType": f"{OCI}.manifest.v1+json", "digest": SHA, "size": 503,
            "platform": {"architecture": "arm", "os": "linux", "variant": "v7"},
        }
    ],
}  # fmt: skip
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": f"{OCI}.manifest.v1+json",
    "config": {"mediaType": f"{OCI}.config.v1+json", "digest": SHA, "size": 2237},
    "layers": [{"mediaType": f"{OCI}.layer.v1.tar+gzip", "digest": SHA, "size": 496433}],
    "annotations": {
        "org.opencontainers.image.base.digest": "", "org.opencontainers.image.base.name": "",
    },
}  # fmt: skip
# As BuildKit of Docker 20.10 does.
CONFIG = {
    "architecture": "arm",
    "variant": "v7",
    "os": "linux",
    "config": {
        "User": "65532:65532",
        "ExposedPorts": {"6687/tcp": {}},
        "Env": ["PATH=/bin", "LOG=info"],
        "Entrypoint": ["/app/service"],
        "Cmd": None,
        "WorkingDir": "/",
        "Labels": {"org.opencontainers.image.title": "notify_server"},
        "Healthcheck": {"Test": ["CMD", "/app/service", "--health"]},
        "OnBuild": None,
    },
    "created": "2026-11-26T13:33:53.686346225Z",
    "history": [
        {
            "created": "1970-01-01T00:00:00Z", "created_by": "ARG CRATE",
            "comment": "buildkit.dockerfile.v0", "empty_layer": True,
        }
    ],
    "rootfs": {"type": "layers", "diff_ids": [SHA]},
}  # fmt: skip
ARCHIVE = [{"Config": "a.json", "RepoTags": ["y:1"], "Layers": ["b/layer.tar"]}]
Reader = Callable[[bytes, str], object]
READERS: dict[str, tuple[Any, Reader]] = {
    "index": (INDEX, oci_json.index),
    "manifest": (MANIFEST, oci_json.manifest),
    "config": (CONFIG, oci_json.settings),
    "archive": (ARCHIVE, oci_json.archive),
}
# Where any key is the builder's own, and what is checked is the value.
FREE = {("config", "ExposedPorts"), ("config", "Labels")}
# What Go's engines obey and this project never asks for.
OBEYED = (
    "cmd", "env", "volumes", "user", "entrypoint", "onbuild", "healthcheck", "labels", "Volumes",
    "StopSignal", "Shell", "ArgsEscaped", "Hostname", "MacAddress", "NetworkDisabled", "Memory",
)  # fmt: skip


def objects(value: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:  # noqa: ANN401
    """Every object in it that has a closed set of keys, and the way to it."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    if isinstance(value, dict) and where[:2] not in FREE:
        yield where, value
    for key, below in items:
        if isinstance(below, dict | list):
            yield from objects(below, (*where, key))


PLACES = {
    f"{name}: {'.'.join(map(str, where)) or 'top'}": (name, where)
    for name, (good, _) in READERS.items()
    for where, _ in objects(good)
}
KEYS = {
    f"{place}: {key}": (name, where, key)
    for place, (name, where) in PLACES.items()
    for key in dict(objects(READERS[name][0]))[where]
}


def change(name: str, where: tuple[Any, ...], act: Callable[[dict[str, Any]], object]) -> None:
    """Read it with one object changed."""
    good, read = READERS[name]
    found = copy.deepcopy(good)
    act(dict(objects(found))[where])
    read(json.dumps(found).encode(), name)


@pytest.mark.parametrize("name", READERS)
def test_what_the_engines_write_is_read(name: str) -> None:
    good, read = READERS[name]
    read(json.dumps(good).encode(), name)


@pytest.mark.parametrize(("name", "where"), PLACES.values(), ids=PLACES.keys())
def test_no_further_key(name: str, where: tuple[Any, ...]) -> None:
    with pytest.raises(CheckError, match="has 'more', which no image of ours has"):
        change(name, where, lambda found: found.update(more=""))


@pytest.mark.parametrize(("name", "where", "key"), KEYS.values(), ids=KEYS.keys())
def test_no_key_in_another_case(name: str, where: tuple[Any, ...], key: str) -> None:
    """Alone and beside the one that is meant."""
    other = key.lower() if key != key.lower() else key.upper()
    with pytest.raises(CheckError, match=f"has '{other}'"):
        change(name, where, lambda found: found.update({other: found.pop(key)}))
    with pytest.raises(CheckError, match="a duplicate key"):
        change(name, where, lambda found: found.update({other: found[key]}))


@pytest.mark.parametrize(("name", "where", "key"), KEYS.values(), ids=KEYS.keys())
@pytest.mark.parametrize("value", [7.5, True, "\0", [[]], {"a": 1}, float("nan")], ids=repr)
def test_no_value_of_another_kind(
    name: str, where: tuple[Any, ...], key: str, value: object
) -> None:
    """Refused, or (a text) kept as it is for the rules to compare."""
    same = type(dict(objects(READERS[name][0]))[where][key]) is type(value)
    unread = (where[:1] == () and key == "RepoTags") or (where == (0,) and key == "RepoTags")
    if same or unread:
        return
    with pytest.raises(CheckError):
        change(name, where, lambda found: found.update({key: value}))


@pytest.mark.parametrize("key", OBEYED)
def test_nothing_that_engines_obey_and_nobody_asked_for(key: str) -> None:
    with pytest.raises(CheckError):
        change("config", ("config",), lambda found: found.update({key: ["x"]}))


MEDIA_TYPES = {
    "an index that says it is a manifest": ("index", (), f"{OCI}.manifest.v1+json"),
    "a list of Docker": (
        "index", (), "application/vnd.docker.distribution.manifest.list.v2+json",
    ),
    "a manifest that says it is an index": ("manifest", (), f"{OCI}.index.v1+json"),
    "a manifest of Docker": (
        "manifest", (), "application/vnd.docker.distribution.manifest.v2+json",
    ),
    "a config of Docker": (
        "manifest", ("config",), "application/vnd.docker.container.image.v1+json",
    ),
    "a config that is anything": ("manifest", ("config",), "text/plain"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "where", "media_type"), MEDIA_TYPES.values(), ids=MEDIA_TYPES.keys()
)
def test_no_other_media_type(name: str, where: tuple[Any, ...], media_type: str) -> None:
    with pytest.raises(CheckError):
        change(name, where, lambda found: found.update(mediaType=media_type))


@pytest.mark.parametrize("version", [1, 3, 2.0, "2", None, True])
@pytest.mark.parametrize("name", ["index", "manifest"])
def test_no_other_version(name: str, version: object) -> None:
    with pytest.raises(CheckError):
        change(name, (), lambda found: found.update(schemaVersion=version))


SIZES = [-1, 1.0, "1", True, None]


@pytest.mark.parametrize("size", SIZES, ids=repr)
def test_no_other_size(size: object) -> None:
    with pytest.raises(CheckError):
        change("index", ("manifests", 0), lambda found: found.update(size=size))


def test_a_base_image_is_none_of_ours() -> None:
    with pytest.raises(CheckError, match="name a base image"):
        change("manifest", ("annotations",), lambda found: found.update(dict.fromkeys(found, "x")))
