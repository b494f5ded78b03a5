"""verify-image:<arch>:<bin>: reads every layer of an image, and checks all of it against the rules.

Never up to date: the engine's store is no file of ours, and a record grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import names
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import encode, read
from doit_cargo.core.task import Outcome, TaskSpec, task_name

if TYPE_CHECKING:
    from doit_cargo.core.images.contents import Image
    from doit_cargo.tools.run.session import Session

NAME = "verify-image"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and binary with an image; none without the section `images`."""
    del session
    images = ctx.config.images
    if images is None:
        return
    for target in ctx.config.targets:
        for binary in names.imaged(ctx):
            yield TaskSpec(
                stage=NAME,
                arch=target.arch,
                subject=binary.name,
                doc=f"check that the {target.platform} image of {binary.name} holds it alone",
                action=partial(_verify, ctx, images, target, binary),
                inputs=(
                    layout.image_record(ctx.config, target, binary),
                    layout.manifest(ctx.config, target),
                ),
                outputs=(layout.verify_image_record(ctx.config, target, binary),),
                group=task_name(NAME, target.arch),
                always=True,
            )


def _verify(ctx: Context, images: Images, target: Target, binary: Binary) -> Outcome:
    from doit_cargo.core.images import rules
    from doit_cargo.tools import files
    from doit_cargo.tools.images import check

    known = read(layout.image_record(ctx.config, target, binary))
    name = str(known.get("id"))
    image = _image(ctx, images, target, binary, name)
    expected = check.expected(ctx, images, target, binary, name.removeprefix("sha256:"))
    if faults := rules.faults(image, expected):
        lines = "\n".join(f"  {fault}" for fault in faults)
        raise CheckError(f"the {target.platform} image of {binary.name} is not valid:\n{lines}")
    record = {"id": known["id"], "platform": target.platform, "sha256": expected.sha256}
    path = layout.verify_image_record(ctx.config, target, binary)
    files.save(ctx.config.root, path, encode(record))
    count = sum(entry.kind == "file" for layer in image.layers for entry in layer)
    return Outcome(files=count, digest=str(known["id"]))


def _image(ctx: Context, images: Images, target: Target, binary: Binary, image: str) -> Image:
    from doit_cargo.tools import files
    from doit_cargo.tools.images import check, engines

    limit = check.limit(ctx, images, binary, target)
    folder = layout.work_folder(ctx.config, f"{NAME}-{target.arch}-{binary.name}")
    with files.scratch_folder(ctx.config.root, folder):
        return engines.engine(ctx, images).read(image, target.platform, folder, limit)
