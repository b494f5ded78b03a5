"""Checks from scratch the very bytes that leave: hash against the manifest, and the policy."""

from __future__ import annotations

from pathlib import Path

from doit_cargo.core import bounded, layout, manifest
from doit_cargo.core.errors import CheckError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import dockerfile
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.tools import artifact
from doit_cargo.tools.elf import verify
from doit_cargo.tools.elf.second_opinion import SecondOpinion


def staged(ctx: Context, opinion: SecondOpinion, target: Target, binary: Binary) -> bytes:
    """A staged binary's bytes. Raises CheckError unless the manifest lists them and they pass."""
    path = layout.staged(ctx.config, target, binary)
    data = artifact.read(path)
    if artifact.sha256(data) != manifest_sum(ctx, target, binary):
        raise CheckError(f"{path} does not match the manifest: run doit again")
    verify.must_pass(ctx, opinion, target, binary, path=path, data=data)
    return data


def extra_files(images: Images) -> dict[str, bytes]:
    """Path in the image → what lies there beside the program. Raises CheckError."""
    return {path: read(source) for path, source in dockerfile.extra_files(images).items()}


def read(path: Path) -> bytes:
    """A file of this machine that images are made of. Raises CheckError."""
    try:
        return bounded.read(path)
    except OSError as error:
        raise CheckError(
            f"{path}, which images need, cannot be read: {error.strerror} (certificates and time "
            "zones: apt-get install ca-certificates tzdata)"
        ) from None


def manifest_sum(ctx: Context, target: Target, binary: Binary) -> str:
    """The SHA-256 that the manifest lists. Raises CheckError if there is none."""
    path = layout.manifest(ctx.config, target)
    try:
        sums = manifest.parse(bounded.read_text(path))
        return sums[f"{binary.crate}/{binary.name}"]
    except (OSError, ValueError, KeyError) as error:
        raise CheckError(f"{path} does not list {binary.name} ({error}): run doit") from None
