"""The engine that the configuration asks for."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from doit_cargo.core import layout
from doit_cargo.core.errors import PipelineError
from doit_cargo.core.images import engine_commands
from doit_cargo.core.images.contents import Image
from doit_cargo.core.model import Context, Images
from doit_cargo.tools.images.buildah import Buildah
from doit_cargo.tools.images.docker import Docker


class Engine(Protocol):
    """What builds images and keeps them."""

    name: str

    def build(self, order: engine_commands.Order) -> str:
        """Build an image; its id."""

    def images(self) -> dict[str, str]:
        """Reference → id of every image that it keeps."""

    def read(self, image: str, platform: str, folder: Path) -> Image:
        """What is inside an image that it keeps, read by way of an empty folder."""

    def drop(self, image: str) -> None:
        """Remove an image that nothing names any more."""


def engine(ctx: Context, images: Images) -> Engine:
    """The configured engine, or the one that is there."""
    if engine_commands.choose(images, ctx.env) == engine_commands.DOCKER:
        return Docker(ctx.env)
    return buildah(ctx)


def buildah(ctx: Context) -> Buildah:
    """Buildah on the workspace's store."""
    return Buildah(layout.engine_storage(ctx.config), ctx.env)


def kept(ctx: Context, images: Images) -> Mapping[str, str]:
    """Reference → id of what the engine keeps; nothing if it can't be asked: then all is built."""
    try:
        return engine(ctx, images).images()
    except (PipelineError, OSError, ValueError):
        return {}
