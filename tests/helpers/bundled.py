"""The bundled workspace in a folder of its own, and the container engines that are here."""

from __future__ import annotations

import os
import shutil
import subprocess  # noqa: TID251 - asks the real engines
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doit_cargo.core.context import read_context
from doit_cargo.core.model import Context
from helpers import engines
from helpers.project import REPOSITORY, Project

# A client of the daemon's own package comes first: one without its build plugin can't build.
PATH = f"/usr/bin:{os.environ['PATH']}"
ENV = {"PATH": PATH}


class Bundled(Project):
    """Its images have a tag of their own, so that nobody else's are touched."""

    limit = 900

    def __init__(self, root: Path) -> None:
        super().__init__(root, {})
        self.tag = f"test-{root.parent.name}-{os.getpid()}".lower()
        source = REPOSITORY / "examples"
        shutil.copytree(source, root / "examples", ignore=shutil.ignore_patterns("target"))
        (root / "docker").mkdir()
        for name in ("docker/Dockerfile", "docker/compose.yaml", "config/policy.yaml"):
            shutil.copy(REPOSITORY / name, root / name)
        text = (REPOSITORY / "config" / "pipeline.yaml").read_text()
        assert 'tags: ["{version}"]' in text
        self.config = text.replace('tags: ["{version}"]', f'tags: ["{self.tag}"]')
        (root / "config" / "pipeline.yaml").write_text(self.config)

    def context(self) -> Context:
        """What the steps know of it."""
        return read_context(self.root, {**os.environ, **ENV})

    def other_config(self, name: str, old: str, new: str) -> str:
        """A second configuration with one thing changed; the argument that chooses it."""
        assert self.config.count(old) == 1
        self.path(f"config/{name}").write_text(self.config.replace(old, new))
        return f"config=config/{name}"

    def remove_images(self) -> None:
        """Take them out of docker again."""
        wanted = [f"*:{self.tag}", f"*:{self.tag}-*", f"*/*:{self.tag}", f"*/*:{self.tag}-*"]
        found = [docker("image", "ls", "--quiet", "--filter", f"reference={w}") for w in wanted]
        if ids := set("\n".join(found).split()):
            docker("image", "rm", "--force", *ids)


def docker(*words: str) -> str:
    """What docker answers."""
    done = subprocess.run(
        ["docker", *words], env={**os.environ, **ENV}, capture_output=True, text=True, check=False,
        timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def daemon(folder: Path) -> Iterator[None]:
    """Docker's daemon: the machine's own, else one that is there only meanwhile."""
    if engines.answers():
        yield
        return
    own = engines.Daemon(folder, network=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", own.host)
        own.start()
        try:
            yield
        finally:
            own.stop()
