"""One cargo process: starts it, reads its messages, tells who waits for which crate."""

from __future__ import annotations

import json
import os
import re
import select
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from doit_cargo.core.errors import CheckError, SetupError
from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.core.workspace import lockfile
from doit_cargo.tools import process
from doit_cargo.tools.cargo.stderr import Words, plain_text

_PROGRESS = re.compile(r"\s(\d+)/(\d+)(?:: (.*))?$")
# Source: The Cargo Book, "Package ID Specifications": `url#name@version`, or `url/name#version`.
_PACKAGE = re.compile(r"[^#]*?(?P<folder>[^/#?]*)(\?[^#]*)?#(?P<name>[^@]*(?=@))?")
_LOCAL_PACKAGE = re.compile(r"path\+file://([^#?]+)")
_LIBRARY = ""  # stands for a crate's library among the names of its binaries
_NO_LIBRARY = frozenset({"bin", "custom-build", "test", "bench", "example"})

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Order:
    """What one cargo process is to do: its command, and the crates somebody waits for.

    `wanted` maps each crate to the binaries asked of it (none: its library). `dropped` are the
    packages whose build cargo was made to forget: taking one for fresh is an error, at least in
    `folder`, the target's own part of the target directory; the host's part is shared with other
    targets, whose cargo may just have built it.
    """

    arch: str
    folder: Path
    argv: tuple[str, ...]
    env: Mapping[str, str]
    directory: Path
    wanted: Mapping[str, frozenset[str]]
    dropped: frozenset[str] = frozenset()


class Delivery(NamedTuple):
    """What cargo made of a crate: its executables, and where it is told what they were made of.

    `libraries` are what other crates link: one that somebody put in their place would be shipped.
    `dep_infos` are rustc's lists of the files it read (for the build script too), `scripts` what
    the crate's build script printed, `foreign` what those of third-party crates did. `warnings`
    are the compiler's, rendered.
    """

    executables: dict[str, Path]
    libraries: tuple[Path, ...]
    dep_infos: tuple[Path, ...]
    scripts: tuple[Path, ...]
    foreign: tuple[Path, ...]
    warnings: tuple[str, ...] = ()


class _Unit:
    """A crate while cargo runs: what is still to come, and what the compiler said."""

    def __init__(self, crate: Crate, binaries: frozenset[str]) -> None:
        self.crate = crate
        self.awaited = set(binaries) or {_LIBRARY}
        self.done = threading.Event()
        self.executables: dict[str, Path] = {}
        self.files: list[Path] = []
        self.scripts: list[Path] = []
        self.script_infos: list[Path] = []
        self.log: list[str] = []
        self.failed = False
        self.complaint = ""


class CargoBuild:
    """A running `cargo build`. `start` it, `wait` for crates from any thread, `stop` it."""

    def __init__(self, order: Order, graph: CrateGraph, progress: Progress | None = None) -> None:
        self.order = order
        self._graph = graph
        self._progress = progress
        self._units = {name: _Unit(graph.crates[name], bins) for name, bins in order.wanted.items()}
        self._by_manifest = {str(crate.manifest): name for name, crate in graph.crates.items()}
        self._foreign_scripts: list[Path] = []
        self._cached: dict[str, set[str]] = {}
        self._words = Words()
        self._succeeded = False
        self._guard: process.Guard | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Start cargo and the thread that reads it."""
        child = process.spawn(
            self.order.argv,
            env=self.order.env,
            cwd=self.order.directory,
            stdout=process.PIPE,
            stderr=process.PIPE,
        )
        self._guard = process.Guard(child)
        self._reader = threading.Thread(target=self._read, args=(child,), daemon=True)
        self._reader.start()

    def join(self) -> None:
        """Wait until cargo has ended and all it said is read; then nobody waits any more."""
        if self._reader:
            self._reader.join()
        if self._guard:
            self._succeeded = self._guard.wait() == 0
        self.release()

    def stop(self) -> None:
        """Kill cargo and everything it started."""
        if self._guard:
            self._guard.kill()

    def refuse(self, reason: str) -> None:
        """Cargo could not be started: everybody who waits is told why."""
        self._words.loose(reason)
        self.release()

    def release(self) -> None:
        """Let everybody who waits go on: no more artifacts will come."""
        for unit in self._units.values():
            unit.done.set()

    def wait(self, name: str) -> Delivery:
        """Wait for a crate.

        Raises CheckError with the compiler's own output when it was not built. A library that
        cargo had no use for (an optional dependency, one of another platform) is no failure.
        """
        unit = self._units[name]
        unit.done.wait()
        if unit.complaint:
            raise CheckError(unit.complaint)
        if unit.awaited and not (self._succeeded and unit.awaited == {_LIBRARY}):
            raise CheckError(self._failure(name))
        libraries = tuple(path for path in unit.files if path.parent.name == "deps")
        infos, scripts = (*_dep_infos(unit), *unit.script_infos), tuple(unit.scripts)
        foreign, warnings = tuple(self._foreign_scripts), tuple(unit.log)
        return Delivery(unit.executables, libraries, infos, scripts, foreign, warnings)

    def cached(self) -> Mapping[str, frozenset[str]]:
        """What cargo keeps for later builds: package → files, and OUT_DIRs (with a slash)."""
        return {name: frozenset(paths) for name, paths in self._cached.items()}

    def _failure(self, name: str) -> str:
        """The crate's own failure, else those of crates below it, else all that cargo said.

        Of third-party crates those count that the lock file puts below it.
        """
        if told := self._told(name):
            return told.rstrip()
        local = "".join(self._told(crate) for crate in self._graph.closure(name))
        below = lockfile.closure(lockfile.dependencies(self._graph.root / "Cargo.lock"), name)
        told = local or self._words.of(below) or self._words.every()
        return told.rstrip() or f"cargo did not build {name}"

    def _told(self, name: str) -> str:
        """What the compiler and cargo said of a crate, if one of them says that it failed."""
        unit = self._units.get(name)
        words = self._words.of((name,))
        diagnostics = "".join(unit.log) if unit else ""
        return diagnostics + words if words or (unit and unit.failed) else ""

    def _read(self, child: process.Process[bytes]) -> None:
        """Read both streams; what cargo said on stdout before an error line is taken before it."""
        pipes = [pipe for pipe in (child.stdout, child.stderr) if pipe]
        out, err = (pipe.fileno() for pipe in pipes)
        streams = {out: _Lines(rb"\n"), err: _Lines(rb"[\r\n]+")}
        while streams:
            ready, _, _ = select.select(list(streams), [], [])
            heard = _available(err, streams) if err in ready else []
            while out in streams and select.select([out], [], [], 0)[0]:
                for line in _available(out, streams):
                    self._read_message(line)
            for line in heard:
                self._hear(line.decode(errors="replace"))
        for pipe in pipes:
            pipe.close()

    def _read_message(self, line: bytes) -> None:
        """A line that is no message of cargo's is what a macro printed while it ran."""
        try:
            message = json.loads(line)
            self._take(message)
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, RecursionError):
            self._words.loose(line.decode(errors="replace"))

    def _take(self, message: Mapping[str, Any]) -> None:
        self._note_cached(message)
        if message.get("reason") == "build-script-executed":
            self._note_script(message)
            return
        unit = self._units.get(self._by_manifest.get(message.get("manifest_path", ""), ""))
        if unit is None:
            # A third-party crate: its diagnostics are cargo's words to whoever failed by it.
            if message.get("reason") == "compiler-artifact":
                self._distrust(message, self._units.values())
            elif message.get("reason") == "compiler-message" and _is_error(message["message"]):
                package = _package(message.get("package_id", ""))
                self._words.diagnostic(package, message["message"]["rendered"])
        elif message["reason"] == "compiler-message":
            unit.log.append(message["message"]["rendered"])
            unit.failed |= _is_error(message["message"])
        elif message["reason"] == "compiler-artifact":
            self._deliver(unit, message)

    def _note_cached(self, message: Mapping[str, Any]) -> None:
        """Note what cargo keeps of a package."""
        if message.get("reason") not in ("compiler-artifact", "build-script-executed"):
            return
        name = _package(message.get("package_id", ""))
        made = [path for path in message.get("filenames", ()) if not message.get("executable")]
        folder = [message["out_dir"] + "/"] if "out_dir" in message else []
        self._cached.setdefault(name, set()).update(made, folder)

    def _note_script(self, message: Mapping[str, Any]) -> None:
        """Cargo keeps what a build script printed beside its OUT_DIR, in a file named output.

        What a third-party crate's script watches (a system library) counts for every crate.
        """
        output = Path(message["out_dir"]).with_name("output")
        found = _LOCAL_PACKAGE.match(message["package_id"])
        manifest = f"{unquote(found[1])}/Cargo.toml" if found else ""
        crate = self._by_manifest.get(manifest)
        if crate is None:
            self._foreign_scripts.append(output)
        elif crate in self._units:  # else nobody waits for it: its record stands
            self._units[crate].scripts.append(output)

    def _deliver(self, unit: _Unit, message: Mapping[str, Any]) -> None:
        kinds = set(message["target"]["kind"])
        files = [Path(name) for name in message["filenames"]]
        if "custom-build" in kinds:  # its folder has its dep-info and no other's
            unit.script_infos += [info for path in files for info in path.parent.glob("*.d")]
            return
        unit.files += files
        self._distrust(message, [unit])
        name = message["target"]["name"] if kinds == {"bin"} else _LIBRARY
        if name and message.get("executable"):
            unit.executables[name] = Path(message["executable"])
        if name or not kinds & _NO_LIBRARY:
            unit.awaited.discard(name)
        if not unit.awaited:
            unit.done.set()

    def _distrust(self, message: Mapping[str, Any], units: Iterable[_Unit]) -> None:
        """Who gets what cargo was made to forget, and took for fresh all the same, fails."""
        name = _package(message.get("package_id", ""))
        ours = all(Path(file).is_relative_to(self.order.folder) for file in message["filenames"])
        if message["fresh"] and ours and name in self.order.dropped:
            for unit in units:
                unit.complaint = (
                    f"cargo took {name} for fresh although its inputs or outputs changed; "
                    f"run: cargo clean -p {name}"
                )

    def _hear(self, line: str) -> None:
        plain = plain_text(line)
        if not plain:
            return
        if plain.lstrip().startswith("Building ["):
            if self._progress and (found := _PROGRESS.search(plain)):
                self._progress(int(found[1]), int(found[2]), found[3] or "")
            return
        for failed in self._words.add(line.removeprefix("\x1b[K")):
            if failed in self._units:
                self._units[failed].done.set()


def _is_error(diagnostic: Mapping[str, Any]) -> bool:
    return str(diagnostic.get("level", "")).startswith("error")


def _package(package_id: str) -> str:
    """A package's name from its id."""
    found = _PACKAGE.match(package_id)
    if not found:  # before Cargo 1.77: `name version (url)`
        return package_id.partition(" ")[0]
    return found["name"] or found["folder"]


def _dep_infos(unit: _Unit) -> Iterator[Path]:
    """Rustc's own dep-infos: cargo's, beside the executable, is written when all has ended.

    A library's lies beside it. An executable is a hard link to the one that has it.
    """
    for path in unit.files:
        if path.parent.name == "deps":
            yield path.with_name(path.stem.removeprefix("lib") + ".d")
            continue
        linked = sorted((path.parent / "deps").glob(f"{path.name.replace('-', '_')}-*.d"))
        same = [info for info in linked if _is_twin(info.with_suffix(""), path)]
        yield from same or linked


def _is_twin(twin: Path, path: Path) -> bool:
    return twin.exists() and twin.samefile(path)


class _Lines:
    """Cuts a byte stream into lines."""

    def __init__(self, separator: bytes) -> None:
        self._separator = re.compile(separator)
        self._rest = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines that the chunk completes; an empty chunk ends the stream."""
        *lines, self._rest = self._separator.split(self._rest + chunk)
        if not chunk and self._rest:
            lines, self._rest = [self._rest], b""
        return lines


def _available(descriptor: int, streams: dict[int, _Lines]) -> list[bytes]:
    """What can be read now, in lines; a stream that has ended is dropped."""
    chunk = os.read(descriptor, 1 << 16)
    lines = streams[descriptor].feed(chunk)
    if not chunk:
        del streams[descriptor]
    return lines


def metadata(cargo: Path, workspace: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """What `cargo metadata --no-deps` says of the workspace.

    Raises SetupError with cargo's words when it can't read the workspace.
    """
    argv = [str(cargo), "metadata", "--no-deps", "--format-version", "1", "--offline"]
    try:
        loaded: dict[str, Any] = json.loads(process.run(argv, env=env, cwd=workspace))
    except ValueError as error:
        raise SetupError(f"cargo metadata gave no JSON: {error}") from error
    return loaded


def resolve(cargo: Path, workspace: Path, env: Mapping[str, str], *, offline: bool) -> None:
    """Let cargo make the lock file, or bring it up to date, as a build would.

    Raises PipelineError with its words.
    """
    argv = [str(cargo), "metadata", "--format-version", "1", *["--offline"] * offline]
    process.run(argv, env=env, cwd=workspace)
