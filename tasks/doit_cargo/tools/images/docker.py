"""Builds and keeps images with Docker's daemon, through its client."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from doit_cargo.core.errors import CheckError, SetupError
from doit_cargo.core.images import engine_commands, engines
from doit_cargo.core.images.contents import Image
from doit_cargo.tools import process
from doit_cargo.tools.images import archive_reader
from doit_cargo.tools.images.buildah import TIMEOUT, end

_NO_BUILDX = (
    "the docker client that is first on PATH cannot build without buildx: install its plugin "
    "(docker-buildx-plugin), or put the client of the daemon's own package first on PATH, or set "
    "images.engine: buildah"
)
_NO_DAEMON = "the Docker daemon does not answer: systemctl start docker, or images.engine: buildah"
# What the client says, in the versions 20.10 and 28, when the daemon is not there or goes away.
_SIGNS: Mapping[str, str] = {
    "buildx component is missing": _NO_BUILDX,
    "Cannot connect to the Docker daemon": _NO_DAEMON,
    "error during connect": _NO_DAEMON,
    "permission denied while trying to connect": (
        "no permission to use Docker: usermod -aG docker $USER, or images.engine: buildah"
    ),
    "code = Unavailable": f"the Docker daemon stopped answering: {_NO_DAEMON}",
    "unexpected EOF": f"the Docker daemon stopped answering: {_NO_DAEMON}",
}


class Docker:
    """The engine behind the docker client's own settings."""

    kind = engines.DOCKER

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env

    def build(self, order: engine_commands.Order) -> str:
        """Build an image; its id. Raises CheckError with what docker said, SetupError."""
        env = engine_commands.docker_env(self._env, order.epoch)
        self._run(engine_commands.docker_build(order), f"build {order.references[0]}", env)
        return order.id_file.read_text().strip()

    def images(self) -> dict[str, str]:
        """Reference → id of every image that the daemon has. Raises CheckError, SetupError."""
        argv = [engines.DOCKER.name, "images", "--no-trunc", "--format", engine_commands.LISTING]
        rows = (line.split() for line in self._run(argv, "list its images", self._env).splitlines())
        return {row[1]: row[0] for row in rows if len(row) == 2}  # noqa: PLR2004 - id and name

    def drop(self, image: str) -> None:
        """What no name is left of is the daemon's own: `docker image prune`."""

    def read(self, image: str, platform: str, folder: Path, limit: int) -> Image:
        """What is inside an image; `folder` is for what the daemon writes. Raises CheckError."""
        del platform  # an id names the image of one platform, and its config says which
        path = folder / "image.tar"
        self.save(image, path)
        return archive_reader.docker(path, limit)

    def index_source(self, image: str, folder: Path, name: str) -> str:
        """Write an archive there, from which buildah takes the image.

        It would ask Docker's daemon itself, but at its usual place, whatever DOCKER_HOST says.
        """
        self.save(image, folder / f"{name}.tar")
        return f"docker-archive:{name}.tar"

    def load_into(
        self, docker: Callable[..., str], image: str, references: Sequence[str], folder: Path
    ) -> None:
        """Nothing to do: the daemon has it."""

    def save(self, image: str, path: Path) -> None:
        """Write an image as an archive. Raises CheckError, SetupError."""
        self._run([engines.DOCKER.name, "save", "--output", str(path), image], "save it", self._env)

    def _run(self, argv: list[str], what: str, env: Mapping[str, str]) -> str:
        done = process.run_guarded(argv, env=env, timeout=TIMEOUT)
        if done.code == 0:
            return done.out
        stderr = done.err.casefold()  # BuildKit's "cannot connect" is the client's "Cannot connect"
        for sign, remedy in _SIGNS.items():
            if sign.casefold() in stderr:
                raise SetupError(f"docker could not {what}: {remedy}\n{end(done.err, 3)}")
        raise CheckError(f"docker could not {what} (exit code {done.code}):\n{end(done.err)}")
