"""One cargo process: starts it, reads both of its streams, and hands on what they say."""

from __future__ import annotations

import os
import re
import select
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from doit_cargo.core.cargo.command import BUILD_DIR
from doit_cargo.core.model import CrateGraph
from doit_cargo.tools import orphans, process
from doit_cargo.tools.cargo import messages, target_lock
from doit_cargo.tools.cargo.order import Delivery, Order
from doit_cargo.tools.cargo.progress import Progress, Step, parse
from doit_cargo.tools.cargo.stderr import plain_text
from doit_cargo.tools.cargo.units import Units
from doit_cargo.tools.cargo.verbose import Verbose, is_echo


class CargoBuild:
    """A running `cargo build`: `start` it, take the deliveries of crates that are ready, `stop` it.

    `ready` is called with each crate's name, once, in the thread that reads cargo or ends it.
    """

    def __init__(
        self,
        order: Order,
        graph: CrateGraph,
        *,
        ready: Callable[[str], None],
        progress: Progress | None = None,
    ) -> None:
        self.order = order
        self._progress = progress
        self._units = Units(order, graph, ready)
        self._verbose = Verbose() if order.verbose else None
        self._ended = threading.Event()
        self._started = 0.0
        self.compiled, self.seconds = 0, 0.0  # units, not counting fresh ones
        self._guard: process.Guard | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start cargo and the thread that reads it."""
        self._started = time.monotonic()
        orphans.adopt()
        child = process.spawn(
            (*self.order.argv, *["-vv"] * self.order.verbose),
            env=self.order.env,
            cwd=self.order.directory,
            stdout=process.PIPE,
            stderr=process.PIPE,
        )
        self._guard = process.Guard(child)
        reader = threading.Thread(target=self._read, args=(child,), daemon=True)
        reader.start()
        self._reader = reader

    def join(self) -> None:
        """Wait until cargo has ended and all it said is read: every crate is ready then."""
        if self._reader:
            self._reader.join()
        succeeded = self._guard is not None and self._guard.wait() == 0
        self._end_daemons()
        self._end(succeeded=succeeded)

    def _end_daemons(self) -> None:
        """What build scripts left running. A wrapper's server is there for other builds too."""
        folder = self.order.env.get(BUILD_DIR)
        if folder is not None and not self.order.wrapped:
            orphans.end(BUILD_DIR, folder, ours=process.running())

    def settle(self) -> None:
        """Wait for that, in another thread than the one that joins."""
        self._ended.wait()

    def stop(self) -> None:
        """Kill cargo and everything it started."""
        if self._guard:
            self._guard.kill()

    def fail_all(self, reason: str) -> None:
        """Cargo could not be started: everybody who waits is told why."""
        self._units.on_other(reason)
        self._end(succeeded=False)

    def delivery(self, name: str) -> Delivery:
        """What a crate that is ready has got. Raises BuildError with the compiler's own output."""
        return self._units.delivery(name)

    def cached(self) -> Mapping[str, frozenset[str]]:
        """What cargo keeps for later builds: package → files, and OUT_DIRs (with a slash)."""
        return self._units.cached()

    def _end(self, *, succeeded: bool) -> None:
        self.seconds = time.monotonic() - self._started
        self._tell(Step())
        self._units.end(succeeded=succeeded)
        self._ended.set()

    def _read(self, child: process.Process[bytes]) -> None:
        """Read both streams; what cargo said on stdout before an error line is taken before it.

        The command of a build script is known before what was made of its crate is taken.
        """
        pipes = [pipe for pipe in (child.stdout, child.stderr) if pipe]
        out, err = (pipe.fileno() for pipe in pipes)
        streams = {out: _Lines(rb"\n"), err: _Lines(rb"\n" if self._verbose else rb"[\r\n]+")}
        while streams:
            ready, _, _ = select.select(list(streams), [], [])
            errors = self._errors(err, streams) if err in ready else []
            while out in streams and _is_ready(out):
                lines = _available(out, streams)
                while self._verbose and err in streams and _is_ready(err):
                    errors += self._errors(err, streams)
                for line in lines:
                    self._on_stdout(line)
            for text in errors:
                self._on_stderr(text)
            if self._verbose and err in streams:
                self._peek(streams[err].rest.decode(errors="replace"))
        for pipe in pipes:
            pipe.close()

    def _errors(self, descriptor: int, streams: dict[int, _Lines]) -> list[str]:
        """What can be read now of standard error, without what a verbose build adds."""
        lines = [line.decode(errors="replace") for line in _available(descriptor, streams)]
        if self._verbose is None:
            return lines
        kept = [text for line in lines for text in self._verbose.feed(line)]
        self._units.on_commands(self._verbose.commands)
        return kept

    def _peek(self, rest: str) -> None:
        """Find the bar in what is no line yet: a verbose build's end at line feeds alone."""
        for part in reversed(rest.split("\r")):
            if step := parse(plain_text(part)):
                self._tell(step)
                return

    def _on_stdout(self, line: bytes) -> None:
        try:
            message = messages.decode(line)
        except ValueError:
            text = line.decode(errors="replace")
            if not (self._verbose and is_echo(text)):
                self._units.on_other(text)
            return
        if message:
            self.compiled += isinstance(message, messages.Artifact) and not message.fresh
            self._units.on_message(message)

    def _on_stderr(self, line: str) -> None:
        plain = plain_text(line)
        if not plain:
            return
        if step := parse(plain):
            self._tell(step)
        else:
            self._units.on_stderr(line.removeprefix("\x1b[K"))

    def _tell(self, step: Step) -> None:
        if not self._progress:
            return
        if step.blocked:
            found = target_lock.holder_of(self._locks())
            step = step._replace(note=f"{step.note} held by {found}")
        self._progress(step._replace(pace=self.order.pace))

    def _locks(self) -> Iterator[Path]:
        """The locks that cargo may wait for: of its home, and of the folders that it builds in."""
        if home := self.order.env.get("CARGO_HOME") or self.order.env.get("HOME"):
            yield from (Path(home) / at for at in (".package-cache", ".cargo/.package-cache"))
        for folder in (self.order.folder.parent, self.order.folder):
            yield from folder.glob(f"*/{target_lock.NAME}")


class _Lines:
    """Cuts a byte stream into lines."""

    def __init__(self, separator: bytes) -> None:
        self._separator = re.compile(separator)
        self.rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that the chunk completes; an empty chunk ends the stream."""
        *lines, self.rest = self._separator.split(self.rest + chunk)
        if not chunk and self.rest:
            lines, self.rest = [self.rest], b""
        return lines


def _is_ready(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 0)[0])


def _available(descriptor: int, streams: dict[int, _Lines]) -> list[bytes]:
    """What can be read now, in lines; a stream that has ended is dropped."""
    chunk = os.read(descriptor, 1 << 16)
    lines = streams[descriptor].feed(chunk)
    if not chunk:
        del streams[descriptor]
    return lines
