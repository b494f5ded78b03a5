"""Checks an OCI layout from scratch: every blob, and that each image holds what it must."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import contents, dockerfile, oci
from doit_cargo.core.model import Binary, Context, Images, Target
from doit_cargo.tools import elf, shipped


def checked(ctx: Context, opinion: elf.SecondOpinion, binary: Binary, folder: Path) -> oci.Layout:
    """The layout of a binary's images, one for each target.

    Raises CheckError unless every blob is whole and each image holds the binary that the manifest
    lists, as the policy wants it, root's, to be run by the configured user, and nothing else.
    """
    images = ctx.config.images
    try:
        found = oci.read(folder)
    except ValueError as error:
        raise CheckError(f"{error}: run doit index") from None
    wanted = {target.platform: target for target in ctx.config.targets}
    platforms = [image.platform for image in found.images]
    if images is None or sorted(platforms) != sorted(wanted):
        raise CheckError(
            f"{folder} is for {', '.join(platforms)}, not {', '.join(wanted)}: run doit index"
        )
    faults = []
    for image in found.images:
        where = f"{folder}, {image.platform}"
        target = wanted[image.platform]
        faults += [f"{where}: {text}" for text in _faults(ctx, opinion, target, binary, image)]
    if faults:
        raise CheckError("\n".join([*faults, "run doit index"]))
    return found


def _faults(
    ctx: Context, opinion: elf.SecondOpinion, target: Target, binary: Binary, image: oci.Image
) -> Iterator[str]:
    images = ctx.config.images
    assert images  # noqa: S101 - the caller has looked
    try:
        found, program = contents.entries(image.layers)
        shipped.check(ctx, opinion, target, binary, path=Path(dockerfile.PROGRAM), data=program)
    except (ValueError, CheckError) as error:
        yield str(error)
        return
    yield from contents.faults(found, _expected(images, program))
    config = image.config.get("config", {})
    if config.get("User") != images.user:
        yield f"it runs as {config.get('User')!r}, not {images.user}"
    if config.get("Entrypoint") != [dockerfile.PROGRAM]:
        yield f"its entry point is {config.get('Entrypoint')!r}, not {dockerfile.PROGRAM}"


def _expected(images: Images, program: bytes) -> dict[str, str]:
    """Path in the image → SHA-256."""
    found = shipped.extra_files(images) | {dockerfile.PROGRAM: program}
    return {path: elf.sha256(data) for path, data in found.items()}
