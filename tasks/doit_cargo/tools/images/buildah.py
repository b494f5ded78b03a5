"""Builds and keeps images with buildah, and writes the index of several: no daemon."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from doit_cargo.core.errors import CheckError
from doit_cargo.core.images import engine_commands, engines
from doit_cargo.core.images.contents import Image
from doit_cargo.tools import process
from doit_cargo.tools.images import archive_reader

TIMEOUT = 600.0  # seconds
_LOCAL = "localhost/"  # what buildah puts before a name without a registry


class Buildah:
    """The engine on the workspace's own store."""

    kind = engines.BUILDAH

    def __init__(self, storage: Path, env: Mapping[str, str]) -> None:
        self._storage = storage
        self._env = env

    def build(self, order: engine_commands.Order) -> str:
        """Build an image; its id. Raises CheckError with what buildah said."""
        self._run(
            engine_commands.buildah_build(self._storage, order), f"build {order.references[0]}"
        )
        return order.id_file.read_text().strip()

    def images(self) -> dict[str, str]:
        """Reference → id of every image in the store. Raises CheckError if there is no asking."""
        if not (self._storage / "root").is_dir():
            return {}
        argv = engine_commands.buildah(self._storage, "images", "--json", "--no-trunc")
        rows = json.loads(self._run(argv, "list its images") or "[]") or []
        return {
            name.removeprefix(_LOCAL): row["id"] for row in rows for name in row.get("names") or ()
        }

    def drop(self, image: str) -> None:
        """Remove an image that no name is left of; what is still named or used stays."""
        self._try("rmi", image.removeprefix("sha256:"))

    def write_index(self, images: Iterable[str], name: str, folder: Path) -> None:
        """Write an OCI layout with an index of these images. Raises CheckError.

        An image is an id in the store, or `docker-archive:NAME`, a file beside the folder.
        """
        self._try("manifest", "rm", name)  # a run that was killed may have left it
        self._do("manifest", "create", name)
        try:
            for image in images:
                self._do("manifest", "add", name, image, cwd=folder.parent)
            self._do("manifest", "push", "--all", name, f"oci:{folder.name}", cwd=folder.parent)
        finally:
            self._try("manifest", "rm", name)

    def read(self, image: str, platform: str, folder: Path, limit: int) -> Image:
        """What is inside an image; `folder` is for what buildah writes. Raises CheckError."""
        self._do("push", image.removeprefix("sha256:"), "oci:image", cwd=folder)
        return archive_reader.oci(folder / "image", platform, limit)

    def index_source(self, image: str, folder: Path, name: str) -> str:
        """The id: it is in this store."""
        del folder, name
        return image

    def load_into(
        self, docker: Callable[..., str], image: str, references: Sequence[str], folder: Path
    ) -> None:
        """Copy an image to Docker's daemon under these names. Raises CheckError.

        By way of the client: it alone knows which daemon is meant (DOCKER_HOST, contexts).
        """
        first, *others = references
        destination = f"docker-archive:image.tar:{first}"
        self._do("push", image.removeprefix("sha256:"), destination, cwd=folder)
        docker("image", "load", "--input", str(folder / "image.tar"))
        for reference in others:
            docker("image", "tag", image, reference)

    def _do(self, *words: str, cwd: Path | None = None) -> str:
        argv = engine_commands.buildah(self._storage, *words)
        return self._run(argv, f"do {' '.join(words[:2])}", cwd=cwd)

    def _try(self, *words: str) -> None:
        argv = engine_commands.buildah(self._storage, *words)
        process.run_guarded(argv, env=self._env, timeout=TIMEOUT)

    def _run(self, argv: list[str], what: str, cwd: Path | None = None) -> str:
        done = process.run_guarded(argv, env=self._env, cwd=cwd, timeout=TIMEOUT)
        if done.code != 0:
            raise CheckError(f"buildah could not {what} (exit code {done.code}):\n{end(done.err)}")
        return done.out


def end(text: str, lines: int = 12) -> str:
    """The last lines of what a program said."""
    return "\n".join(text.strip().splitlines()[-lines:])
