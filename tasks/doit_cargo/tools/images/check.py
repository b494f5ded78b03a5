"""Checks from scratch that the images of an OCI layout are what they must be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import dockerfile, rules
from doit_cargo.core.images.contents import Image
from doit_cargo.core.images.rules import Expected
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.tools import artifact
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from doit_cargo.tools.images import archive_reader, inputs


def expected(ctx: Context, images: Images, target: Target, binary: Binary, image: str) -> Expected:
    """What the image (its id, SHA-256 in hex) of a binary must be. Raises CheckError."""
    extra, service = inputs.extra_files(images), dockerfile.service_of(images, binary)
    health = dockerfile.health_command(service)
    return Expected(
        id=image,
        platform=target.platform,
        binary=dockerfile.PROGRAM.lstrip("/"),
        sha256=inputs.manifest_sum(ctx, target, binary),
        user=images.user,
        entry_point=(dockerfile.PROGRAM,),
        env=service.env,
        files={path.lstrip("/"): artifact.sha256(data) for path, data in extra.items()},
        labels=dockerfile.labels(images, ctx.graph.crates[binary.crate], binary),
        ports=dockerfile.ports(service),
        health=("CMD", *health) if health else (),
    )


def limit(ctx: Context, images: Images, binary: Binary, *targets: Target) -> int:
    """The bytes of all files that may be in an image of the binary. Raises CheckError."""
    extra = sum(len(data) for data in inputs.extra_files(images).values())
    try:
        sizes = [layout.staged(ctx.config, target, binary).stat().st_size for target in targets]
    except OSError as error:
        raise CheckError(f"{error.filename} cannot be read: {error.strerror}: run doit") from None
    return extra + max(sizes)


def checked(
    ctx: Context, images: Images, opinion: SecondOpinion, binary: Binary, folder: Path
) -> archive_reader.Layout:
    """The layout of a binary's images, one for each target.

    Raises CheckError unless every blob is whole and each image holds, and says of itself, what it
    must; the binary in it is that of the manifest, which is verified again.
    """
    try:
        found = archive_reader.layout(folder, limit(ctx, images, binary, *ctx.config.targets))
    except CheckError as error:
        raise CheckError(f"{error}: run doit index") from None
    wanted = {target.platform: target for target in ctx.config.targets}
    platforms = [str(image.platform) for image in found.images.values()]
    if sorted(platforms) != sorted(wanted):
        raise CheckError(
            f"{folder} is for {', '.join(platforms)}, not {', '.join(wanted)}: run doit index"
        )
    faults: list[str] = []
    for platform, image in zip(platforms, found.images.values(), strict=True):
        lines = _faults(ctx, images, opinion, wanted[platform], binary, image)
        faults += [f"{folder}, {platform}: {line}" for line in lines]
    if faults:
        raise CheckError("\n".join([*faults, "run doit index"]))
    return found


def _faults(  # noqa: PLR0917 - what one image is held against
    ctx: Context, images: Images, opinion: SecondOpinion, target: Target, binary: Binary,
    image: Image,
) -> Iterator[str]:  # fmt: skip
    """The image has the bytes of the manifest, and so has the staged binary that is verified."""
    try:
        inputs.staged(ctx, opinion, target, binary)
        yield from rules.faults(image, expected(ctx, images, target, binary, image.id))
    except CheckError as error:
        yield str(error)
