"""Puts `doit-cargo init`'s files into a workspace: all of them, or none."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core import bounded, layout, toml_file
from doit_cargo.core.errors import ConfigError, PipelineError, SetupError
from doit_cargo.core.init_files import (
    IGNORE_FILE,
    MADE,
    SCHEMAS,
    ignoring,
    own_files,
)
from doit_cargo.core.model import CrateGraph
from doit_cargo.core.plugin_lines import files as plugin_files
from doit_cargo.core.plugin_lines.review import home, review, updates
from doit_cargo.core.project import DODO
from doit_cargo.core.text import one_line
from doit_cargo.core.toolchain.locate import missing_rust, survey
from doit_cargo.core.workspace import crates, membership
from doit_cargo.core.workspace.cross_check import differences
from doit_cargo.tools import files
from doit_cargo.tools.cargo.metadata import metadata

_DEPTH = 3  # folders down to a workspace
_NOT_LOOKED = {"target", "node_modules", "vendor", "__pycache__", "docker"}
_WAYS_OUT = "--force overwrites what is there, --keep keeps it and writes the rest"


def find(folder: Path) -> tuple[Path, Path]:
    """The project's root and the folder of its workspace or package.

    That is the folder itself, the nearest above it, or the only one below it; then the folder is
    the root. Raises SetupError if there is none, or several.
    """
    for place in (folder, *folder.parents):
        if (place / "Cargo.toml").is_file():
            return place, place
    found = list(_below(folder, _DEPTH))
    if len(found) == 1:
        return folder, found[0]
    if found:
        names = ", ".join(layout.relative(found, folder))
        raise SetupError(f"{folder}: there are several workspaces, name one: {names}")
    raise SetupError(
        f"{folder}: no Cargo.toml; name the folder of a Cargo workspace or package: "
        "doit-cargo init PATH"
    )


def _below(folder: Path, depth: int) -> Iterator[Path]:
    """The outermost folders with a Cargo.toml, in none that is hidden or a build's."""
    for place in sorted(folder.iterdir()):
        if place.name.startswith(".") or place.name in _NOT_LOOKED or place.is_symlink():
            continue
        if (place / "Cargo.toml").is_file():
            yield place
        elif place.is_dir() and depth > 1:
            yield from _below(place, depth - 1)


def read(folder: Path, env: Mapping[str, str]) -> tuple[CrateGraph, tuple[str, ...]]:
    """The crates of the workspace that the folder's package belongs to, and what to say about it.

    Cargo is asked where it is there; what it says of a broken manifest is the error. Raises
    SetupError.
    """
    rust = survey(folder, env).rust
    if rust.cargo is None:
        graph = _graph(_root(folder), env)
        return graph, tuple(f"read without cargo: {line}" for line in missing_rust(rust))
    try:
        answer = metadata(rust.cargo, folder, env)
    except PipelineError as error:
        raise SetupError(f"cargo cannot read {folder}:\n{error}") from None
    graph = _graph(Path(answer["workspace_root"]), env)
    if found := differences(graph, answer):
        raise SetupError("cargo reads this workspace differently:\n" + "\n".join(found))
    return graph, ()


def _graph(root: Path, env: Mapping[str, str]) -> CrateGraph:
    """What will be made here must not look like a member, or cargo would fail."""
    return crates.load_graph(root, env, made=[root / name for name in MADE])


def _root(folder: Path) -> Path:
    faults: list[str] = []
    place = os.path.realpath(folder)
    file = toml_file.read(f"{place}/Cargo.toml", faults)
    root = membership.own_root(file, place) if file else None
    if faults:
        raise ConfigError(tuple(faults))
    return Path(root.folder if root else place)


class Plan(NamedTuple):
    """What is written, and what stays as it is because it is the same or to be kept.

    Of what is `updated` only our own lines change. `notes` are for the user to do. `has_doit`: a
    plain `doit` works there too.
    """

    written: Mapping[Path, bytes]
    kept: tuple[Path, ...]
    updated: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    has_doit: bool = True

    def lines(self, root: Path, *, dry: bool = False) -> Iterator[str]:
        """A line a file, as the user would name it."""
        wrote, changed = ("would write", "would update") if dry else ("wrote", "updated")
        whole = [path for path in self.written if path not in self.updated]
        yield from (f"{wrote} {name}" for name in layout.relative(whole, root))
        yield from (f"{changed} {name}" for name in layout.relative(self.updated, root))
        yield from (f"unchanged: {name}" for name in layout.relative(self.kept, root))
        yield from self.notes


def plan(root: Path, contents: Mapping[str, str], *, force: bool, keep: bool) -> Plan:
    """Compare with what is there. Raises PipelineError with everything that is in the way."""
    wanted = {root / name: text.encode() for name, text in contents.items()}
    there = {path: data for path in wanted if (data := _bytes(path)) is not None}
    own = {} if force else own_files({
        str(p.relative_to(root)): data for p, data in there.items() if data != wanted[p]
    })  # fmt: skip
    plugins = plugin_files.read(root) if keep and DODO not in own else {}
    left, schemas = _left(root, own, plugins, force=force), {root / name for name in SCHEMAS}
    wanted = {path: data for path, data in wanted.items() if path not in left}
    changes = review(plugins)
    updated = {root / name: data for name, data in updates(plugins, changes).items()}
    there = {path: data for path, data in there.items() if path in wanted}
    differ = [p for p, data in there.items() if data != wanted[p] and p not in schemas]
    _check(root, (*wanted, *updated), () if force or keep else differ)
    kept = [p for p, data in there.items() if data == wanted[p] or (keep and p not in schemas)]
    new = {path: data for path, data in wanted.items() if path not in kept}
    return Plan(
        written={**new, **updated, **_ignore_file(root)},
        kept=(*(path for path in kept if path not in updated), *(root / name for name in own)),
        updated=tuple(updated),
        notes=(
            *(change.message for change in changes if change.by_hand),
            *(f"{name} {remark}" for name, remark in own.items()),
        ),
        has_doit=DODO not in own,
    )


def _left(root: Path, own: Iterable[str], plugins: Mapping[str, str], *, force: bool) -> set[Path]:
    """What is not written: files of the user's own, and what these make needless."""
    names = set(own)
    if DODO in names or (plugin_files.INI_FILE not in plugins and home(plugins)):
        names.add(plugin_files.INI_FILE)  # in the second case pyproject.toml does its work
    if not force:  # of a file that was there without a schema, none is made
        names |= {
            schema
            for schema, file in SCHEMAS.items()
            if (root / file).is_file() and not (root / schema).is_file()
        }
    return {root / name for name in names}


def _check(root: Path, paths: Iterable[Path], in_the_way: Sequence[Path]) -> None:
    faults = [_fault(root, path) for path in (*paths, root / IGNORE_FILE)]
    faults += [f"{one_line(path)} already exists" for path in in_the_way]
    if in_the_way:
        faults.append(_WAYS_OUT)
    if lines := [line for line in dict.fromkeys(faults) if line]:
        raise PipelineError("\n".join(("nothing was written:", *lines)))


def _ignore_file(root: Path) -> dict[Path, bytes]:
    """The ignore file, if it lacks something."""
    path = root / IGNORE_FILE
    before = _bytes(path) or b""
    after = ignoring(before)
    return {path: after} if after != before else {}


def _fault(root: Path, path: Path) -> str:
    """Why a file cannot be put there; "" if it can, or replaces a plain file."""
    here = root
    for part in path.relative_to(root).parts[:-1]:
        if not os.path.lexists(here / part):
            break
        here /= part
        if here.is_symlink() or not here.is_dir():
            return f"{here} is a symbolic link or a file, not a folder"
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        return f"{one_line(path)} is not a regular file"
    return "" if os.access(here, os.W_OK | os.X_OK) else f"{here} is not writable"


def _bytes(path: Path) -> bytes | None:
    """What a plain file holds; None if there is no such file."""
    return bounded.read(path) if path.is_file() and not path.is_symlink() else None


def write(root: Path, wanted: Mapping[Path, bytes]) -> None:
    """Write the files; if one cannot be written, the others are put back as they were."""
    before = {path: _bytes(path) for path in wanted}
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in wanted if before[path] is not None}
    made = [folder for folder in {path.parent for path in wanted} if not folder.exists()]
    done: list[Path] = []
    try:
        for path, data in wanted.items():
            files.write(root, path, data, modes.get(path, 0o644))
            done.append(path)
    except BaseException:
        for path in done:
            _restore(root, path, before[path], modes.get(path, 0o644))
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        raise


def _restore(root: Path, path: Path, data: bytes | None, mode: int) -> None:
    if data is None:
        files.remove(root, path)
    else:
        files.write(root, path, data, mode)
