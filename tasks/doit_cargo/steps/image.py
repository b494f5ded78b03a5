"""image:<arch>:<bin>: an image of one staged binary, and nothing else, for one platform.

The binary is verified and hashed again, against the manifest, as it is copied into a build context
of its own: no state or record can bring other bytes into an image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from doit_cargo.core import layout
from doit_cargo.core.errors import SetupError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images import dockerfile, engine_commands, names
from doit_cargo.core.images.engines import EngineKind, choose
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.record import digest, encode, previous_size, read
from doit_cargo.core.task import Outcome, TaskSpec, task_name

if TYPE_CHECKING:
    from doit_cargo.tools.run.session import Session

NAME = "image"


def specs(ctx: Context, session: Session) -> Iterator[TaskSpec]:
    """A task a target and binary with an image; none without the section `images`."""
    images = ctx.config.images
    if images is None:
        return
    existing = cache(partial(_existing, ctx, images))
    for target in ctx.config.targets:
        for binary in names.imaged(ctx):
            yield _spec(_Image(ctx, images, target, binary), session, existing)


class _Image(NamedTuple):
    """A binary's image for one target."""

    ctx: Context
    images: Images
    target: Target
    binary: Binary

    @property
    def record(self) -> Path:
        return layout.image_record(self.ctx.config, self.target, self.binary)

    @property
    def references(self) -> tuple[str, ...]:
        return names.references(self.ctx, self.target, self.binary)

    @property
    def engine(self) -> EngineKind:
        return choose(self.images, self.ctx.env)

    @property
    def arguments(self) -> dict[str, str]:
        crate = self.ctx.graph.crates[self.binary.crate]
        return dockerfile.arguments(self.images, crate, self.binary)

    @property
    def tail(self) -> str:
        health = self.engine.health_checks
        return dockerfile.tail(self.images, self.binary, health=health)


def _spec(image: _Image, session: Session, existing: Callable[[], Mapping[str, str]]) -> TaskSpec:
    ctx, target, binary = image.ctx, image.target, image.binary
    read_too = (image.images.dockerfile, *dockerfile.extra_files(image.images).values())
    return TaskSpec(
        stage=NAME,
        arch=target.arch,
        subject=binary.name,
        doc=f"make the {target.platform} image of {binary.name}",
        action=partial(_make, image, session),
        inputs=(
            layout.staged(ctx.config, target, binary),
            *(path for path in read_too if path.is_file()),
        ),
        outputs=(image.record,),
        fingerprint=digest(
            [image.engine.name, image.references, target.platform, image.arguments, image.tail,
             ctx.env.get("SOURCE_DATE_EPOCH")]
        ),
        group=task_name(NAME, target.arch),
        present=partial(_present, image, existing),
        programs=(image.engine.name,),
    )  # fmt: skip


def _existing(ctx: Context, images: Images) -> Mapping[str, str]:
    """What the engine keeps: it is asked once, for all images, when nothing else has changed."""
    from doit_cargo.tools.images import engines

    return engines.existing_images(ctx, images)


def _present(image: _Image, existing: Callable[[], Mapping[str, str]]) -> bool:
    """Whether every name still stands for the image that was made."""
    known = read(image.record).get("id")
    return known is not None and all(existing().get(name) == known for name in image.references)


def _make(image: _Image, session: Session) -> Outcome:
    from doit_cargo.tools import files
    from doit_cargo.tools.images import engines

    ctx, target, binary = image.ctx, image.target, image.binary
    if faults := names.tag_faults(names.tags(ctx, binary)):
        raise SetupError("\n".join(faults))
    engine, known = engines.engine(ctx, image.images), read(image.record)
    before = known.get("id")
    folder = layout.work_folder(ctx.config, f"{NAME}-{target.arch}-{binary.name}")
    with files.scratch_folder(ctx.config.root, folder):
        sha = _fill(image, session, folder)
        size = sum(path.stat().st_size for path in files.listing(folder / "context"))
        built = engine.build(_order(image, folder))
    if before not in {None, built}:
        engine.drop(str(before))
    record = {
        "engine": engine.kind.name,
        "references": list(image.references),
        "id": built,
        "sha256": sha,
        "size": size,
        "previous_size": previous_size(known, "id", built),
        "platform": target.platform,
    }
    files.save(ctx.config.root, image.record, encode(record))
    return Outcome(size=size, digest=built, names=image.references)


def _order(image: _Image, folder: Path) -> engine_commands.Order:
    try:
        epoch = engine_commands.epoch(image.ctx.env)
    except ValueError as error:
        raise SetupError(str(error)) from None
    return engine_commands.Order(
        folder=folder,
        references=image.references,
        platform=image.target.platform,
        arguments=image.arguments,
        epoch=epoch,
    )


def _fill(image: _Image, session: Session, folder: Path) -> str:
    """Write the Dockerfile and the context from bytes that were checked; the binary's SHA-256."""
    from doit_cargo.tools import artifact, files
    from doit_cargo.tools.images import inputs

    ctx, binary = image.ctx, image.binary
    root, context = ctx.config.root, folder / "context"
    data = inputs.staged(ctx, session.opinion, image.target, binary)
    place = context / "binaries" / binary.crate / binary.name
    files.write(root, place, data, layout.BINARY_MODE)
    for path, extra in inputs.extra_files(image.images).items():
        files.write(root, context / dockerfile.in_context(path), extra, layout.FILE_MODE)
    text = inputs.read(image.images.dockerfile).rstrip(b"\n") + b"\n" + image.tail.encode()
    files.write(root, folder / "Dockerfile", text, layout.FILE_MODE)
    return artifact.sha256(data)
