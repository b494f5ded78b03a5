"""Reads one Cargo.toml: the package's name, binaries, library, build script, path packages."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from os.path import isfile, join, normpath
from pathlib import PurePosixPath
from typing import NamedTuple

from doit_cargo.core.toml_file import Table, TomlFile

# Names become task names, file names and cargo arguments: nothing in them may need quoting.
# Letters of every script, as in cargo. What is shipped must have a plainer name still.
_NAME = re.compile(r"\w[\w-]{0,63}")
_RULE = "letters, digits, - and _ (64 at most, not starting with -)"
# Every spelling cargo takes, and whether the table is for tests, examples and benchmarks alone.
_KINDS = {
    "dependencies": False,
    "build-dependencies": False,
    "build_dependencies": False,
    "dev-dependencies": True,
    "dev_dependencies": True,
}


class Dependency(NamedTuple):
    """A dependency: the package's own name (also if renamed), and its folder if it is a path."""

    name: str
    path: str | None
    dev: bool
    optional: bool = False


class Root(NamedTuple):
    """The workspace root that a manifest inherits from (`foo.workspace = true`)."""

    folder: str
    file: TomlFile
    package: Table
    dependencies: Table


class Manifest(NamedTuple):
    """A package, as its Cargo.toml and the files next to it say."""

    folder: str
    name: str
    version: str
    dependencies: tuple[Dependency, ...]
    bins: tuple[str, ...]
    has_lib: bool
    build_script: str | None


def root_of(file: TomlFile, folder: str) -> Root:
    """What a workspace's root offers to its members."""
    workspace = file.table(file.data, "workspace")
    package = file.table(workspace, "package", "workspace.")
    return Root(folder, file, package, file.table(workspace, "dependencies", "workspace."))


def package(file: TomlFile, folder: str, root: Root | None) -> Manifest | None:
    """The package of that manifest; None, and a fault, if it has no usable name."""
    table = file.table(file.data, "package" if "package" in file.data else "project")
    name = _name(file, table)
    if name is None:
        return None
    file.text(table, "workspace", "package.")
    return Manifest(
        folder=folder,
        name=name,
        version=_inherited(file, table, "version", root) or "0.0.0",
        dependencies=tuple(_dependencies(file, folder, root)),
        bins=_bins(file, table, folder, name, _inherited(file, table, "edition", root)),
        has_lib=_has_lib(file, table, folder),
        build_script=_build_script(file, table, folder),
    )


def _name(file: TomlFile, table: Table) -> str | None:
    name = file.text(table, "name", "package.")
    if name is not None:
        if _NAME.fullmatch(name):
            return name
        file.fault(f"package.name {name!r} must be {_RULE}")
    if not {"package", "project"} & file.data.keys():
        file.fault("no [package] with a name")
    elif table and "name" not in table:
        file.fault("package.name is missing")
    return None


def patches(file: TomlFile, folder: str) -> dict[str, frozenset[str]]:
    """Package name → folders of every `[patch]` with a path, whatever source it patches."""
    sources = file.table(file.data, "patch")
    found = (
        _dependency(file, folder, f"patch.{source}.{key}", key, spec, None, dev=False)
        for source in sources
        for key, spec in file.table(sources, source, "patch.").items()
    )
    folders: dict[str, set[str]] = {}
    for patch in found:
        if patch.path is not None:
            folders.setdefault(patch.name, set()).add(patch.path)
    return {name: frozenset(paths) for name, paths in folders.items()}


def _inherited(file: TomlFile, table: Table, key: str, root: Root | None) -> str | None:
    value = table.get(key)
    if not (isinstance(value, dict) and value.get("workspace") is True):
        return file.text(table, key, "package.")
    if root is None or key not in root.package:
        file.fault(f"package.{key} is inherited, but no workspace.package.{key} is there")
        return None
    return root.file.text(root.package, key, "workspace.package.")


def _dependencies(file: TomlFile, folder: str, root: Root | None) -> Iterator[Dependency]:
    for prefix, holder in _holders(file):
        for kind, dev in _KINDS.items():
            if kind in holder:
                for key, spec in file.table(holder, kind, prefix).items():
                    where = f"{prefix}{kind}.{key}"
                    yield _dependency(file, folder, where, key, spec, root, dev=dev)


def _holders(file: TomlFile) -> Iterator[tuple[str, Table]]:
    yield "", file.data
    targets = file.table(file.data, "target")
    for cfg in targets:
        yield f"target.{cfg}.", file.table(targets, cfg, "target.")


def _dependency(  # noqa: PLR0917 - for thousands of dependencies, one more value each is dear
    file: TomlFile,
    folder: str,
    where: str,
    key: str,
    spec: object,
    root: Root | None,
    *,
    dev: bool,
) -> Dependency:
    optional = isinstance(spec, dict) and spec.get("optional") is True
    if isinstance(spec, dict) and spec.get("workspace") is True:
        if root is not None and key in root.dependencies:
            where, spec = f"workspace.dependencies.{key}", root.dependencies[key]
            file, folder = root.file, root.folder
        else:
            file.fault(f"{where} is inherited, but no workspace.dependencies.{key} is there")
            spec = ""
    if isinstance(spec, dict):
        path = file.text(spec, "path", f"{where}.")
        name = file.text(spec, "package", f"{where}.") or key
        folder = "" if path is None else normpath(join(folder, path))
        return Dependency(name, folder or None, dev, optional)
    if not isinstance(spec, str):
        file.fault(f"{where} must be a version or a table")
    return Dependency(key, None, dev)


def _bins(
    file: TomlFile, table: Table, folder: str, name: str, edition: str | None
) -> tuple[str, ...]:
    explicit = file.tables(file.data, "bin")
    auto = file.flag(table, "autobins", "package.")
    if auto is None:  # in edition 2015, the default, one [[bin]] ends the search for others
        auto = not explicit or edition not in {None, "2015"}
    names = {file.text(bin_, "name", "bin."): file.text(bin_, "path", "bin.") for bin_ in explicit}
    if None in names:
        del names[None]
        file.fault("every [[bin]] needs a name")
    # as cargo compares paths: without `.` and double slashes, and `..` is a name like others
    taken = {str(PurePosixPath(folder, path)) for path in names.values() if path is not None}
    found = [bin_ for bin_, path in _inferred(folder, name) if path not in taken] if auto else []
    every = {*(bin_ for bin_ in names if bin_ is not None), *found}
    return tuple(sorted(every))


def _inferred(folder: str, name: str) -> Iterator[tuple[str, str]]:
    """The binaries that cargo finds by itself: their names and main files."""
    main = f"{folder}/src/main.rs"
    if isfile(main):
        yield name, main
    try:
        entries = list(os.scandir(f"{folder}/src/bin"))
    except OSError:
        return  # most crates have no such folder
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            main = f"{entry.path}/main.rs"
            if isfile(main):
                yield entry.name, main
        elif entry.name.endswith(".rs"):
            yield entry.name[:-3], entry.path


def _has_lib(file: TomlFile, table: Table, folder: str) -> bool:
    if "lib" in file.data:
        return True
    auto = file.flag(table, "autolib", "package.")
    return auto is not False and isfile(f"{folder}/src/lib.rs")


def _build_script(file: TomlFile, table: Table, folder: str) -> str | None:
    value = table.get("build")
    usual = f"{folder}/build.rs"
    if value is None:
        return usual if isfile(usual) else None
    if isinstance(value, bool):
        return usual if value else None
    path = file.text(table, "build", "package.")
    return None if path is None else normpath(join(folder, path))
