"""Runs containers for smoke tests with docker, and removes all of them and their networks.

All carry the label of the workspace. Only one run at a time is in a workspace, so whatever has the
label when a run starts its first container was left by one that was killed.
"""

from __future__ import annotations

import ipaddress
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core.errors import CheckError, PipelineError
from doit_cargo.core.images.dockerfile import PROGRAM
from doit_cargo.core.images.engines import DOCKER
from doit_cargo.core.images.trial import Program
from doit_cargo.tools import process

LABEL = "doit-cargo.smoke"
_LIMIT = 120.0  # seconds that a command of the client may take
_QEMU = "/qemu"
_ISOLATION = (
    "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
    "--memory", "256m", "--pids-limit", "256", "--no-healthcheck", "--pull", "never",
)  # fmt: skip
_LOG_LINES = "40"


class Part(NamedTuple):
    """What a container is made of: an image's id, its platform, and what emulates that here."""

    image: str
    platform: str
    emulator: Path | None


class Containers:
    """The containers of one run. `mark` tells this workspace's from those of others."""

    def __init__(self, env: Mapping[str, str], mark: str) -> None:
        self._env = env
        self._label = f"{LABEL}={mark}"
        self._gate = threading.Lock()
        self._used = self._closed = False
        self._known: set[str] = set()

    def available(self) -> bool:
        """Whether there is a client and a daemon that answers it."""
        with suppress(PipelineError):
            self.docker("version", "--format", "{{.Server.Version}}")
            return True
        return False

    def ensure(self, image: str, references: Sequence[str], load: Callable[[], None]) -> None:
        """Have the daemon know this very image (id) by these names. Raises CheckError if not."""
        with self._gate:
            if image in self._known:
                return
            names = (image, *references)
            if not all(self._id(name) == image for name in names):
                load()
            if missing := [name for name in names if self._id(name) != image]:
                raise CheckError(f"docker has another image than {image} as {', '.join(missing)}")
            self._known.add(image)

    def make(self, *words: str) -> str:
        """Create a container or a network, labelled; its id. Raises CheckError."""
        with self._gate:
            if self._closed:
                raise CheckError("the run is ending")
            if not self._used:
                self._used = True
                self._sweep()
            kind, *rest = words
            noun = [kind, "create"]
            return self.docker(*noun, "--label", self._label, *rest).strip()

    def docker(self, *words: str, seconds: float = _LIMIT) -> str:
        """What the client answers. Raises CheckError with its last lines when it fails."""
        done = self.ask(*words, seconds=seconds)
        if done.code != 0:
            lines = "\n".join(done.err.strip().splitlines()[-5:])
            raise CheckError(f"docker {' '.join(words[:2])} ended with {done.code}:\n{lines}")
        return done.out

    def ask(self, *words: str, seconds: float = _LIMIT) -> process.Result:
        """Run the client to its end."""
        return process.run_guarded([DOCKER.name, *words], env=self._env, timeout=seconds)

    def close(self) -> None:
        """Remove all of it; from now on nothing can be made."""
        with self._gate:
            self._closed = True
            if self._used:
                with suppress(PipelineError):
                    self._sweep()

    def _id(self, name: str) -> str:
        return self.ask("image", "inspect", "--format", "{{.Id}}", name).out.strip()

    def _sweep(self) -> None:
        """Containers first: a network in use can't be removed. What fails the next run does."""
        ours = ("--quiet", "--filter", f"label={self._label}")
        if found := self.ask("container", "ls", "--all", *ours).out.split():
            self.ask("container", "rm", "--force", "--volumes", *found)
        if found := self.ask("network", "ls", *ours).out.split():
            self.ask("network", "rm", *found)


class Cell:
    """A trial.Place of containers: on a network of their own, or alone without any.

    The network is internal: from it nothing but its own containers can be reached.
    """

    def __init__(self, owner: Containers, parts: Mapping[str, Part], *, connected: bool) -> None:
        self._owner = owner
        self._parts = parts
        self._made: list[str] = []
        self._network = ""
        if connected:
            name = f"doit-cargo-{secrets.token_hex(6)}"
            self._network = owner.make("network", "--internal", name)

    def start(self, program: Program, argv: Sequence[str]) -> Container:
        """Start it as the user that its image names. Raises CheckError with what docker says."""
        made = self._owner.make("container", *self._words(program, argv))
        self._made.append(made)
        self._owner.docker("container", "start", made)
        return Container(self._owner, made)

    def close(self) -> None:
        """Remove the containers and the network."""
        if self._made:
            self._owner.ask("container", "rm", "--force", "--volumes", *self._made)
        if self._network:
            self._owner.ask("network", "rm", self._network)

    def _words(self, program: Program, argv: Sequence[str]) -> list[str]:
        part = self._parts[program.name]
        words = [*_ISOLATION, "--platform", part.platform]
        for name, value in program.extra.items():
            words += ["--env", f"{name}={value}"]
        if self._network:
            words += ["--network", self._network, "--network-alias", program.name]
        else:
            words += ["--network", "none"]
        if part.emulator is None:
            return [*words, part.image, *argv]
        mount = f"type=bind,source={part.emulator},target={_QEMU},readonly"
        return [*words, "--mount", mount, "--entrypoint", _QEMU, part.image, PROGRAM, *argv]


class Container:
    """A trial.Running in a container."""

    def __init__(self, owner: Containers, made: str) -> None:
        self._owner = owner
        self._id = made

    def address(self) -> str:
        """Its address on its network. Raises CheckError if it has none."""
        form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
        found = self._inspect(form)
        try:
            return str(ipaddress.ip_address(found))
        except ValueError:
            raise CheckError(f"the container has no address: {found!r}") from None

    def ended(self) -> int | None:
        """Its exit code; None while it runs."""
        status, _, code = self._inspect("{{.State.Status}} {{.State.ExitCode}}").partition(" ")
        return int(code) if status in ("exited", "dead") else None

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; None if that does not come."""
        try:
            return int(self._owner.docker("container", "wait", self._id, seconds=seconds))
        except CheckError:
            raise
        except PipelineError:  # the time is over
            return None

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._owner.docker("container", "kill", "--signal", "TERM", self._id)

    def log(self) -> str:
        """The end of what it has written."""
        done = self._owner.ask("container", "logs", "--tail", _LOG_LINES, self._id)
        return done.out + done.err

    def maps(self) -> str:
        """Read it, where the daemon runs on this machine and lets us."""
        with suppress(CheckError, OSError):
            return Path(f"/proc/{self._inspect('{{.State.Pid}}')}/maps").read_text()
        return ""

    def _inspect(self, form: str) -> str:
        return self._owner.docker("container", "inspect", "--format", form, self._id).strip()
