"""Calls the configured engine: what differs between engines is in their own modules."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from doit_cargo.core import layout
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.image_settings import Images
from doit_cargo.core.images.contents import Image
from doit_cargo.core.images.engine_commands import Order
from doit_cargo.core.images.engines import DOCKER, EngineKind, choose
from doit_cargo.core.model import Context
from doit_cargo.tools.images.buildah import Buildah
from doit_cargo.tools.images.docker import Docker


class Engine(Protocol):
    """What builds images and keeps them."""

    kind: EngineKind

    def build(self, order: Order) -> str:
        """Build an image; its id."""

    def images(self) -> dict[str, str]:
        """Reference → id of every image that it keeps."""

    def read(self, image: str, platform: str, folder: Path, limit: int) -> Image:
        """What is inside an image that it keeps, read by way of an empty folder."""

    def drop(self, image: str) -> None:
        """Remove an image that nothing names any more."""

    def index_source(self, image: str, folder: Path, name: str) -> str:
        """Where buildah finds the image for an index; it may write `name.tar` into the folder."""

    def load_into(
        self, docker: Callable[..., str], image: str, references: Sequence[str], folder: Path
    ) -> None:
        """Have Docker's daemon know the image by these names.

        `docker` runs the client with the words given; `folder` is empty and ours.
        """


def engine_of(ctx: Context, kind: EngineKind) -> Engine:
    """The engine of that kind, for this workspace."""
    return Docker(ctx.env) if kind == DOCKER else buildah(ctx)


def engine(ctx: Context, images: Images) -> Engine:
    """The configured engine, or the one that is there."""
    return engine_of(ctx, choose(images, ctx.env))


def buildah(ctx: Context) -> Buildah:
    """Buildah on the workspace's store."""
    return Buildah(layout.engine_storage(ctx.config), ctx.env)


def existing_images(ctx: Context, images: Images) -> Mapping[str, str]:
    """Reference → id of what the engine keeps; nothing if it can't be asked: then all is built."""
    try:
        return engine(ctx, images).images()
    except (PipelineError, OSError, ValueError):
        return {}
