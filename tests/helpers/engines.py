"""Real engines for the tests: a PATH that counts their calls, registries, a daemon of one's own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess  # noqa: TID251 - the tests drive real processes
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

PROGRAMS = ("buildah", "skopeo", "docker", "dockerd", "docker-registry")
ME, PASSWORD = "me", "hush-hush-42"
_HASH = "$2y$05$abcdefghijklmnopqrstuuHkPleiHEvnYlDUz.G9IJ/sWjTjJJlcG"  # bcrypt of PASSWORD
_FOLDERS = "/usr/bin:/usr/sbin:/bin:/sbin"  # where the engines' own packages put them


def need(*names: str) -> None:
    """Skip the test without these programs; where CI is set they must be there."""
    if missing := [name for name in names if real(name) is None]:
        text = f"not installed: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)


def real(name: str) -> str | None:
    """The program of the distribution's package, else any."""
    return shutil.which(name, path=_FOLDERS) or shutil.which(name)


class Shims:
    """A folder for PATH in which each engine is a script that notes its call and runs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "shims"
        self._log = folder / "calls"
        self.folder.mkdir()
        for name in PROGRAMS[:3]:
            script = self.folder / name
            script.write_text(
                f'#!/bin/sh\necho "{name} $*" >> {self._log}\nexec {real(name)} "$@"\n'
            )
            script.chmod(0o755)

    @property
    def path(self) -> str:
        """PATH with the scripts first."""
        return f"{self.folder}{os.pathsep}{os.environ['PATH']}"

    def calls(self) -> list[str]:
        """What was called since the last time: the program and its command."""
        return [_command(line.split()) for line in self.lines()]

    def lines(self) -> list[str]:
        """The same, with every argument."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        self._log.unlink(missing_ok=True)
        return lines


def _command(words: list[str]) -> str:
    known = ("bud", "images", "manifest", "rmi", "copy", "inspect", "build", "push")
    found = [word for word in words[1:] if word in known]
    return f"{words[0]} {found[0]}" if found else " ".join(words)


def free_port() -> int:
    """A TCP port of this machine that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until it is so."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not come in time"
        time.sleep(0.05)


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def registry(folder: Path, port: int, *, secret: bool = False) -> Iterator[str]:
    """A registry in a folder, which it keeps when it is stopped; its address.

    With `secret` it lets only the user ME in, with PASSWORD.
    """
    folder.mkdir(exist_ok=True)
    file, users = folder / "registry.yml", folder / "users"
    settings: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(folder / "registry")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    if secret:
        users.write_text(f"{ME}:{_HASH}\n")
        settings["auth"] = {"htpasswd": {"realm": "test", "path": str(users)}}
    file.write_text(json.dumps(settings))
    program = real("docker-registry")
    assert program
    process = subprocess.Popen([program, "serve", file], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: listens(port))
        yield f"localhost:{port}"
    finally:
        process.kill()
        process.wait()


@contextmanager
def breaking(port: int, target: int, after: int) -> Iterator[None]:
    """Pass connections from one port on to another, and cut all off after that many bytes."""
    listener = socket.create_server(("127.0.0.1", port))
    sent = [0]

    def pump(source: socket.socket, sink: socket.socket, *, counted: bool) -> None:
        with suppress(OSError):
            while (data := source.recv(4096)) and sent[0] <= after:
                sent[0] += len(data) * counted
                sink.sendall(data)
        for end in (source, sink):  # closing alone does not wake who waits on it
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def serve() -> None:
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                if sent[0] > after:
                    near.close()
                    continue
                far = socket.create_connection(("127.0.0.1", target))
                for one, other, counted in ((near, far, True), (far, near, False)):
                    threading.Thread(
                        target=pump, args=(one, other), kwargs={"counted": counted}, daemon=True
                    ).start()

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        assert sent[0] > after, "nothing was broken off"


_NO_NETWORK = ("--bridge=none", "--iptables=false", "--ip-masq=false")


def answers(host: str = "") -> bool:
    """Whether a Docker daemon answers there (default: where the environment says)."""
    program = real("docker")
    assert program
    asked = [program, *(["--host", host] if host else []), "version", "--format", "{{.Server.Os}}"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


class Daemon:
    """A Docker daemon with a socket and folders of its own.

    One with a `network` writes the machine's packet filter: then there may be no other.
    """

    def __init__(self, folder: Path, *, network: bool = False) -> None:
        self._folder = folder
        self._options = () if network else _NO_NETWORK
        self.host = f"unix://{folder}/docker.sock"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = real("dockerd")
        assert program
        folder = self._folder
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "--storage-driver=vfs", "--data-root", folder / "data", "--exec-root",
                 folder / "exec", "--pidfile", folder / "pid", "--host", self.host,
                 *self._options],
                stdout=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip
        wait_for(lambda: answers(self.host))

    def pause(self) -> None:
        """Stop answering, as a daemon does that hangs."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def kill(self) -> None:
        """End it as if the machine had lost it, containerd too."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
        file = self._folder / "exec" / "containerd" / "containerd.pid"
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            os.kill(int(file.read_text()), signal.SIGKILL)
        # where nobody reaps orphans, or its number was given anew, it would count as running
        file.unlink(missing_ok=True)
        (self._folder / "pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """End it in good order; one that was killed has left its folder mounted on itself."""
        if self._process:
            self._process.terminate()
            self._process.wait(timeout=60)
            self._process = None
        unmount = ["umount", f"{self._folder}/data"]
        while subprocess.run(unmount, capture_output=True, check=False).returncode == 0:
            pass


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """A JSON file."""
    return json.loads(path.read_text())
