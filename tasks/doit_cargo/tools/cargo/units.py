"""Assembles each awaited crate's delivery from cargo's messages; starts no process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from doit_cargo.core.errors import BuildError, Cause, CheckError
from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.core.workspace import lockfile
from doit_cargo.tools.cargo.messages import Artifact, Diagnostic, Message, ScriptRun
from doit_cargo.tools.cargo.order import Delivery, Order, Script
from doit_cargo.tools.cargo.stderr import Stderr
from doit_cargo.tools.cargo.verbose import Command

_LIBRARY = ""  # stands for a crate's library among the names of its binaries
_NO_LIBRARY = frozenset({"bin", "custom-build", "test", "bench", "example"})


class _Unit:
    """A crate while cargo runs: what is still to come, and what the compiler said."""

    def __init__(self, crate: Crate, binaries: frozenset[str]) -> None:
        self.crate = crate
        self.awaited = set(binaries) or {_LIBRARY}
        self.done = False
        self.executables: dict[str, Path] = {}
        self.files: list[Path] = []
        self.scripts: list[Path] = []
        self.script_infos: list[Path] = []
        self.diagnostics: list[str] = []
        self.failed = False
        self.complaint = ""


class Units:
    """The crates of an order. Each is `ready` once: it has all, has failed, or cargo has ended."""

    def __init__(self, order: Order, graph: CrateGraph, ready: Callable[[str], None]) -> None:
        self._order = order
        self._graph = graph
        self._ready = ready
        self._units = {name: _Unit(graph.crates[name], bins) for name, bins in order.wanted.items()}
        self._by_manifest = {str(crate.manifest): name for name, crate in graph.crates.items()}
        self._foreign_scripts: list[Path] = []
        self._cached: dict[str, set[str]] = {}
        self._commands: Mapping[str, Command] = {}
        self._stderr = Stderr()
        self._succeeded = False

    def on_message(self, message: Message) -> None:
        """Take what cargo reported."""
        if isinstance(message, ScriptRun):
            self._on_script(message)
        elif isinstance(message, Diagnostic):
            self._on_diagnostic(message)
        else:
            self._on_artifact(message)

    def on_commands(self, commands: Mapping[str, Command]) -> None:
        """Take the commands of build scripts, by OUT_DIR: those that are known so far."""
        self._commands = commands

    def on_stderr(self, line: str) -> None:
        """Take a line of standard error; a crate that it says has failed is waited for no more."""
        for failed in self._stderr.add(line):
            self._finish(failed)

    def on_other(self, line: str) -> None:
        """Take a line that names no crate: a macro printed it, or cargo could not be started."""
        self._stderr.add_unattributed(line)

    def end(self, *, succeeded: bool) -> None:
        """Cargo has ended: no more artifacts will come, and nobody waits any more."""
        self._succeeded = succeeded
        for name in self._units:
            self._finish(name)

    def delivery(self, name: str) -> Delivery:
        """What a crate that is ready has got.

        Raises BuildError with the compiler's own output when it was not built. A library that
        cargo had no use for (an optional dependency, one of another platform) is no failure.
        """
        unit = self._units[name]
        if unit.complaint:
            raise CheckError(unit.complaint)
        if unit.awaited and not (self._succeeded and unit.awaited == {_LIBRARY}):
            raise self._failure(name)
        return Delivery(
            executables=unit.executables,
            libraries=tuple(path for path in unit.files if path.parent.name == "deps"),
            dep_infos=(*_dep_infos(unit.files), *unit.script_infos),
            scripts=tuple(Script(out, self._commands.get(str(out))) for out in unit.scripts),
            foreign=tuple(self._foreign_scripts),
            warnings=tuple(unit.diagnostics),
        )

    def cached(self) -> Mapping[str, frozenset[str]]:
        """What cargo keeps for later builds: package → files, and OUT_DIRs (with a slash)."""
        return {name: frozenset(paths) for name, paths in self._cached.items()}

    def _finish(self, name: str) -> None:
        unit = self._units.get(name)
        if unit and not unit.done:
            unit.done = True
            self._ready(name)

    def _unit_of(self, manifest: str) -> _Unit | None:
        """None for a third-party crate, or one that nobody waits for."""
        return self._units.get(self._by_manifest.get(manifest, ""))

    def _on_script(self, run: ScriptRun) -> None:
        """What a third-party crate's script watches (a system library) counts for every crate."""
        self._cached.setdefault(run.package, set()).add(f"{run.out_dir}/")
        if run.manifest not in self._by_manifest:
            self._foreign_scripts.append(run.output)
        elif unit := self._unit_of(run.manifest):  # else nobody waits for it: its record stands
            unit.scripts.append(run.out_dir)

    def _on_diagnostic(self, diagnostic: Diagnostic) -> None:
        """A third-party crate's error belongs to the crate that failed by it."""
        if unit := self._unit_of(diagnostic.manifest):
            unit.diagnostics.append(diagnostic.rendered)
            unit.failed |= diagnostic.is_error
        elif diagnostic.is_error:
            self._stderr.add_diagnostic(diagnostic.package, diagnostic.rendered)

    def _on_artifact(self, made: Artifact) -> None:
        if made.executable is None:
            self._cached.setdefault(made.package, set()).update(map(str, made.files))
        unit = self._unit_of(made.manifest)
        if unit is None:
            self._reject_if_fresh(made, self._units.values())
        elif "custom-build" in made.kinds:  # its folder has its dep-info and no other's
            unit.script_infos += [info for path in made.files for info in path.parent.glob("*.d")]
        else:
            self._reject_if_fresh(made, [unit])
            _deliver(unit, made)
            if not unit.awaited:
                self._finish(unit.crate.name)

    def _reject_if_fresh(self, made: Artifact, units: Iterable[_Unit]) -> None:
        """Who gets what cargo was made to forget, and took for fresh all the same, fails."""
        ours = all(path.is_relative_to(self._order.folder) for path in made.files)
        if made.fresh and ours and made.package in self._order.dropped:
            for unit in units:
                unit.complaint = (
                    f"cargo took {made.package} as fresh although its inputs or outputs changed; "
                    f"run: cargo clean -p {made.package}"
                )

    def _failure(self, name: str) -> BuildError:
        """By the crate's own fault, else by those of crates below it, else by all there are.

        Of third-party crates those count that the lock file puts below it.
        """
        if text := self._diagnostics_of(name):
            return BuildError((Cause(name, text.rstrip()),))
        failed = dict.fromkeys((*self._units, *self._stderr.crates()))
        causes = [Cause(n, text.rstrip()) for n in failed if (text := self._diagnostics_of(n))]
        below = lockfile.closure(self._locked, name).union(self._graph.closure(name))
        if needed := tuple(cause for cause in causes if cause.crate in below):
            return BuildError(needed, needs=True)
        if rest := self._stderr.rest().rstrip():
            causes.append(Cause("", rest))
        return BuildError((*causes,) or (Cause("", f"cargo did not build {name}"),))

    @cached_property
    def _locked(self) -> Mapping[str, frozenset[str]]:
        return lockfile.dependencies(self._graph.root / "Cargo.lock")

    def _diagnostics_of(self, name: str) -> str:
        """What the compiler and cargo said of a crate, if one of them says that it failed."""
        unit, stderr = self._units.get(name), self._stderr.of(name)
        diagnostics = "".join(unit.diagnostics) if unit else ""
        return diagnostics + stderr if stderr or (unit and unit.failed) else ""


def _deliver(unit: _Unit, made: Artifact) -> None:
    unit.files += made.files
    name = made.target if made.kinds == {"bin"} else _LIBRARY
    if name and made.executable:
        unit.executables[name] = made.executable
    if name or not made.kinds & _NO_LIBRARY:
        unit.awaited.discard(name)


def _dep_infos(files: Iterable[Path]) -> Iterator[Path]:
    """Rustc's own dep-infos: cargo's, beside the executable, is written when all has ended.

    A library's lies beside it. An executable is a hard link to the one that has it.
    """
    for path in files:
        if path.parent.name == "deps":
            yield path.with_name(path.stem.removeprefix("lib") + ".d")
            continue
        linked = sorted((path.parent / "deps").glob(f"{path.name.replace('-', '_')}-*.d"))
        same = [info for info in linked if _is_twin(info.with_suffix(""), path)]
        yield from same or linked


def _is_twin(twin: Path, path: Path) -> bool:
    return twin.exists() and twin.samefile(path)
