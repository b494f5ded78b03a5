"""The child of namespaces.py: a trial.Place of folders, run in namespaces of its own.

Its argument is the order as JSON, its output the answer.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from doit_cargo.core.errors import CheckError, PipelineError
from doit_cargo.core.images import trial as trials
from doit_cargo.core.images.dockerfile import PROGRAM
from doit_cargo.core.images.trial import Program
from doit_cargo.tools import process
from doit_cargo.tools.smoke import trial

EMULATOR = "/qemu"
_HERE = "127.0.0.1"
_LOG_BYTES = 4096
# <linux/sockios.h>, <linux/if.h>: get and set the flags of an interface; it is up.
_GET, _SET, _UP = 0x8913, 0x8914, 0x1


class Process:
    """A trial.Running in a folder."""

    def __init__(self, child: process.Process[bytes], log: IO[bytes]) -> None:
        self._process = child
        self._log = log

    def address(self) -> str:
        """The namespace's own loopback."""
        return _HERE

    def ended(self) -> int | None:
        """Its exit code, 128 + n after signal n; None while it runs."""
        code = self._process.poll()
        return code if code is None or code >= 0 else 128 - code

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; None if that does not come."""
        return self.ended() if process.ends(self._process, seconds) else None

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.send_signal(signal.SIGTERM)

    def log(self) -> str:
        """The end of what it has written."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - _LOG_BYTES))
        return self._log.read().decode(errors="replace")

    def maps(self) -> str:
        """Read it by the name that the process has in this `/proc`, which may be the host's."""
        for children in Path("/proc/self/task").glob("*/children"):
            for pid in children.read_text().split():
                with suppress(OSError):
                    status = Path(f"/proc/{pid}/status").read_text()
                    if f"\t{self._process.pid}\n" in status.partition("\nNSpid:")[2][:200]:
                        return Path(f"/proc/{pid}/maps").read_text()
        return ""

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.wait()


class Folders:
    """A trial.Place."""

    def __init__(self, order: Mapping[str, Any]) -> None:
        self._order = order
        self._started: list[Process] = []

    def start(self, program: Program, argv: Sequence[str]) -> Process:
        """Start it in its folder. Raises CheckError if somebody else answers on its port."""
        root = Path(self._order["roots"][program.name])
        if not self._order["private"] and program.port and _taken(program.port):
            raise CheckError(f"port {program.port} is in use on this machine: {program.name}")
        log = open(root.with_name(f"{root.name}.log"), "w+b")  # noqa: SIM115 - as long as it runs
        started = process.spawn(
            [*self._words(root), *argv],
            env={**program.env, **program.extra}, cwd=root, stdout=log, stderr=log,
        )  # fmt: skip
        self._started.append(Process(started, log))
        return self._started[-1]

    def close(self) -> None:
        """End all of them."""
        for child in self._started:
            child.kill()

    def _words(self, root: Path) -> list[str]:
        words = [EMULATOR, PROGRAM] if self._order["emulated"] else [PROGRAM]
        if not self._order["rooted"]:
            return [f"{root}{word}" for word in words]
        chroot = process.find("chroot", f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
        user = self._order["user"]
        return [str(chroot), *([f"--userspec={user}"] if user else []), str(root), *words]


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((_HERE, port)) == 0


def _loopback_up() -> None:
    """A new network namespace has its loopback interface down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        name = struct.pack("16sh22x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, _GET, name), 16)
        fcntl.ioctl(any_socket, _SET, struct.pack("16sh22x", b"lo", flags | _UP))


def main(text: str) -> dict[str, str | None]:
    """Carry the order out; the answer."""
    order = json.loads(text)
    place = Folders(order)
    try:
        if order["private"]:
            _loopback_up()
        return trial.run(place, trials.decode(order["trial"]))._asdict()
    except (PipelineError, OSError) as error:
        return {"fault": str(error)}
    finally:
        place.close()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1])))
