"""index:<bin>: the images of every platform under one index, in an OCI layout folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import engines, names
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import encode, read
from doit_cargo.core.task import Outcome, TaskSpec

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "index"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a binary with an image, over all targets; none without the section `images`."""
    images = ctx.config.images
    if images is None:
        return
    for binary in names.imaged(ctx):
        folder = layout.oci_layout(ctx.config, binary)
        record = layout.index_record(ctx.config, binary)
        yield TaskSpec(
            stage=NAME,
            subject=binary.name,
            doc=f"write {layout.relative([folder], ctx.config.root)[0]} of every platform",
            action=partial(_write, ctx, images, session, binary),
            inputs=tuple(layout.image_record(ctx.config, t, binary) for t in ctx.config.targets),
            outputs=(record,),
            group=NAME,
            owns=folder,
            made=partial(_files, folder, record),
            programs=(engines.BUILDAH.name,),
            ships=True,
        )


def _files(folder: Path, record: Path) -> list[str]:
    return [f"{folder}/{name}" for name in read(record).get("files", [])]


def _write(ctx: Context, images: Images, session: Session, binary: Binary) -> Outcome:
    """Write it beside its place, check what was written, and put it there."""
    from doit_cargo.tools import files
    from doit_cargo.tools.images import check

    root, place = ctx.config.root, layout.oci_layout(ctx.config, binary)
    fresh = layout.work_folder(ctx.config, f"{NAME}-{binary.name}") / binary.name
    with files.scratch_folder(root, fresh.parent):
        _make(ctx, binary, fresh)
        found = check.checked(ctx, images, session.opinion, binary, fresh)
        files.move_folder(root, fresh, place)
    platforms = {str(image.platform): digest for digest, image in found.images.items()}
    record = {
        "digest": found.digest,
        "platforms": platforms,
        "files": [str(path.relative_to(fresh)) for path in found.files],
    }
    files.save(root, layout.index_record(ctx.config, binary), encode(record))
    return Outcome(digest=found.digest, names=tuple(platforms))


def _make(ctx: Context, binary: Binary, fresh: Path) -> None:
    from doit_cargo.tools.images import engines as tools

    sources = [_source(ctx, target, binary, fresh.parent) for target in ctx.config.targets]
    tools.buildah(ctx).write_index(sources, f"doit-cargo-{binary.name}", fresh)


def _source(ctx: Context, target: Target, binary: Binary, folder: Path) -> str:
    from doit_cargo.tools.images import engines as tools

    record = read(layout.image_record(ctx.config, target, binary))
    image, kind = record.get("id"), engines.KINDS.get(str(record.get("engine")))
    if not isinstance(image, str) or kind is None:
        raise CheckError(
            f"the record of the {target.arch} image of {binary.name} is damaged: run doit again"
        )
    return tools.engine_of(ctx, kind).index_source(image, folder, target.arch)
