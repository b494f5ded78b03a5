"""The command lines of the engines, as values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core.images.engines import BUILDAH, DOCKER, SKOPEO

LISTING = "{{.ID}} {{.Repository}}:{{.Tag}}"


class Order(NamedTuple):
    """An image to build. `folder` holds the Dockerfile and the folder `context`.

    `epoch` is the creation time that the image tells, in seconds since 1970.
    """

    folder: Path
    references: tuple[str, ...]
    platform: str
    arguments: Mapping[str, str]
    epoch: int

    @property
    def id_file(self) -> Path:
        """Where the engine writes the image's id."""
        return self.folder / "id"


def buildah(storage: Path, *words: str) -> list[str]:
    """A buildah command on a store of its own.

    The same driver everywhere: vfs needs no kernel support and no privilege. The user's
    storage.conf and images stay out of it.
    """
    store = ["--storage-driver", "vfs", "--root", f"{storage}/root", "--runroot", f"{storage}/run"]
    return [BUILDAH.name, *store, *words]


def buildah_build(storage: Path, order: Order) -> list[str]:
    """Build with buildah: nothing is run, so chroot isolation only avoids a container runtime.

    Neither time nor the engine's version gets into the image: the same inputs give its digest.
    """
    fixed = ["--isolation", "chroot", "--format", "oci", "--identity-label=false", "--layers=false"]
    return buildah(storage, "bud", *fixed, "--timestamp", str(order.epoch), *_common(order))


def docker_build(order: Order) -> list[str]:
    """Build with docker; BuildKit is chosen by `docker_env`."""
    return [DOCKER.name, "build", *_common(order)]


def docker_env(env: Mapping[str, str], epoch: int) -> dict[str, str]:
    """BuildKit, plain output, no attestation beside the image, and the time that it tells.

    BuildKit before 0.11 (Debian's docker.io 20.10) knows no SOURCE_DATE_EPOCH: its images tell
    when they were built.
    """
    return {
        **env,
        "DOCKER_BUILDKIT": "1",
        "BUILDKIT_PROGRESS": "plain",
        "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        "SOURCE_DATE_EPOCH": str(epoch),
    }


def _common(order: Order) -> list[str]:
    words = ["--platform", order.platform]
    for name, value in order.arguments.items():
        words += ["--build-arg", f"{name}={value}"]
    for reference in order.references:
        words += ["--tag", reference]
    words += ["--iidfile", str(order.id_file), "--file", f"{order.folder}/Dockerfile"]
    return [*words, f"{order.folder}/context"]


def skopeo_copy(layout: str, destination: str, *, insecure: bool) -> list[str]:
    """Push every platform of an OCI layout, unchanged, to a registry."""
    tls = ["--dest-tls-verify=false"] if insecure else []
    return [SKOPEO, "copy", "--all", *tls, f"oci:{layout}", f"docker://{destination}"]


def skopeo_tag(source: str, destination: str, *, insecure: bool) -> list[str]:
    """Give what a registry has under a digest another name there."""
    tls = ["--src-tls-verify=false", "--dest-tls-verify=false"] if insecure else []
    return [SKOPEO, "copy", "--all", *tls, f"docker://{source}", f"docker://{destination}"]


def skopeo_inspect(reference: str, *, insecure: bool) -> list[str]:
    """Ask a registry for the very bytes of what a tag names."""
    tls = ["--tls-verify=false"] if insecure else []
    return [SKOPEO, "inspect", "--raw", *tls, f"docker://{reference}"]


def epoch(env: Mapping[str, str]) -> int:
    """SOURCE_DATE_EPOCH, else 0. Raises ValueError if it is no whole number of seconds."""
    text = env.get("SOURCE_DATE_EPOCH", "") or "0"
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"SOURCE_DATE_EPOCH={text}: expected whole seconds since 1970")
    return int(text)
