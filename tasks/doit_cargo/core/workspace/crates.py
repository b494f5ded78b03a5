"""The crate graph of a Cargo workspace, from its manifests alone: no process, nothing written.

It says what `cargo metadata` says (a test compares the two) of what this project builds upon:
members, path packages outside, binaries, build scripts and who needs whom.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from os.path import isdir, isfile
from pathlib import Path

from doit_cargo.core import toml_file
from doit_cargo.core.errors import ConfigError, SetupError
from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.core.toml_file import TomlFile
from doit_cargo.core.workspace import cargo_config, lockfile, manifests, profiles, vendored
from doit_cargo.core.workspace.build_order import ordered
from doit_cargo.core.workspace.manifests import Manifest, Root
from doit_cargo.core.workspace.membership import Membership, own_root
from doit_cargo.core.workspace.path_dependencies import Patches, disable, everything, optional


def load_graph(workspace: Path, env: Mapping[str, str], *, made: Iterable[Path] = ()) -> CrateGraph:
    """The crates of the workspace in that folder, in dependency order, equals by name.

    Paths are real ones (symbolic links to the workspace resolved), as cargo reports them.
    `made` are the folders that a run will make: none may look like a member.
    Raises ConfigError with every fault of every manifest, SetupError if there is no workspace.
    """
    faults: list[str] = []
    root = _root(workspace, faults)
    configs = cargo_config.read(root.folder, env, faults)
    patches = _patches(root, configs)
    reader = _Reader(root, faults, map(str, made))
    packages = reader.members()
    members = frozenset(packages)
    edges = reader.edges(packages, patches)
    target = cargo_config.target_directory(root.folder, env, configs, faults)
    lists = vendored.checksums(configs)
    crates = _crates(packages, members, edges, faults)
    _refuse(faults)
    return CrateGraph(
        root=Path(root.folder),
        target_directory=Path(target),
        crates=ordered(crates, root.file.path),
        patched=frozenset(patches),
        vendored=lists,
        folders_elsewhere=_folders_elsewhere(root.folder, packages, lists),
        roots_elsewhere=reader.roots_elsewhere(),
        configs=tuple(configs),
        profiles=profiles.read(root.file, configs),
    )


def is_same(one: CrateGraph, other: CrateGraph) -> bool:
    """Whether two readings of a workspace found the same."""
    files = [[(file.path, file.data) for file in graph.configs] for graph in (one, other)]
    return files[0] == files[1] and one._replace(configs=()) == other._replace(configs=())


def _root(workspace: Path, faults: list[str]) -> Root:
    folder = os.path.realpath(workspace)
    if not isdir(folder):
        raise SetupError(f"{workspace}: no such folder; `workspace` names a Cargo workspace")
    if not isfile(f"{folder}/Cargo.toml"):
        raise SetupError(f"{workspace}: no Cargo.toml; `workspace` names a Cargo workspace")
    file = toml_file.read(f"{folder}/Cargo.toml", faults)
    if file is None:
        raise ConfigError(tuple(faults))
    return manifests.root_of(file, folder)


def _folders_elsewhere(
    root: str, packages: Mapping[str, Manifest], lists: Iterable[Path]
) -> tuple[tuple[str, str], ...]:
    """An inner folder comes after the one around it."""
    names = {str(path.parent.parent): "/vendored" for path in lists}
    names |= {folder: f"/outside/{package.name}" for folder, package in packages.items()}
    below = f"{root}/"
    return tuple((f, names[f]) for f in sorted(names) if not f"{f}/".startswith(below))


def _refuse(faults: list[str]) -> None:
    if faults:
        raise ConfigError(tuple(sorted(set(faults))))


def _patches(root: Root, configs: Iterable[TomlFile]) -> Patches:
    """The root manifest's path patches, and over them those of cargo's configuration.

    Cargo's two older ways to put a folder in a package's place are refused: what they replace
    would be missing among the inputs.
    """
    found = manifests.patches(root.file, root.folder)
    replaced = root.file.table(root.file.data, "replace").values()
    if any(isinstance(spec, dict) and "path" in spec for spec in replaced):
        root.file.fault("[replace] with a path is not followed: write it as [patch]")
    for config in reversed(tuple(configs)):
        found |= manifests.patches(config, cargo_config.base(config.path))
        if "paths" in config.data:
            config.fault("`paths` is not followed: write [patch] in the workspace's Cargo.toml")
    return found


class _Reader:
    """Reads each manifest once and follows the packages that it names."""

    def __init__(self, root: Root, faults: list[str], made: Iterable[str]) -> None:
        self._root = root
        self._faults = faults
        self._membership = Membership(root, made)
        self._packages: dict[str, Manifest | None] = {}
        self._roots: dict[str, str] = {}  # an outsider's folder → its own root

    def members(self) -> dict[str, Manifest]:
        """Folder → package of each member: listed ones, and path dependencies that join them.

        A path dependency for tests alone joins too, though nothing is built upon it.
        """
        found: dict[str, Manifest] = {}
        self._refuse_inner()
        queue = dict.fromkeys(self._membership.listed(), self._root.file.path)
        joined = set(queue)
        while queue:
            folder, named_in = queue.popitem()
            if (package := self._package(folder, named_in, self._root)) is None:
                continue
            found[folder] = package
            manifest = f"{folder}/Cargo.toml"
            for _, path, *_ in package.dependencies:
                if path is not None and path not in joined and self._joins(path, manifest):
                    joined.add(path)
                    queue[path] = manifest
        return found

    def _refuse_inner(self) -> None:
        """A package without [workspace] below a workspace is that one's, or cargo refuses it."""
        file, folder = self._root.file, self._root.folder
        outer = own_root(file, folder) if self._membership.alone else None
        if outer is not None:
            file.fault(f"belongs to the workspace in {outer.folder}: name that folder")

    def _joins(self, folder: str, named_in: str) -> bool:
        if self._membership.alone or self._membership.excludes(folder):
            return False
        if self._membership.below(folder):
            return True
        package = self._package(folder, named_in)
        return package is not None and self._roots.get(folder) == self._root.folder

    def roots_elsewhere(self) -> tuple[Path, ...]:
        """The manifests of other workspaces that packages outside of this one inherit from."""
        folders = sorted({*self._roots.values()} - {self._root.folder})
        return tuple(Path(f"{folder}/Cargo.toml") for folder in folders)

    def _package(self, folder: str, named_in: str, root: Root | None = None) -> Manifest | None:
        """The package in that folder; without `root` it is an outsider and has its own, or none."""
        if folder not in self._packages:
            self._packages[folder] = None
            file = self._file(folder, named_in)
            if file is not None:
                if root is None and (root := own_root(file, folder)):
                    self._roots[folder] = root.folder
                self._packages[folder] = manifests.package(file, folder, root)
        return self._packages[folder]

    def _file(self, folder: str, named_in: str) -> TomlFile | None:
        if folder == self._root.folder:
            return self._root.file
        return toml_file.read(f"{folder}/Cargo.toml", self._faults, named_in=named_in)

    def edges(self, packages: dict[str, Manifest], patches: Patches) -> dict[str, set[str]]:
        """Folder → the folders it builds upon; those outside are added to `packages`."""
        edges: dict[str, set[str]] = {}
        options: list[tuple[str, str]] = []
        members = frozenset(packages)
        lock = self._lock() if patches else None
        queue = list(packages)
        while queue:
            folder = queue.pop()
            edges[folder] = everything(packages[folder], patches, lock)
            for path in sorted(path for path in edges[folder] if path not in packages):
                if folder in members or isfile(f"{path}/Cargo.toml"):
                    package = self._package(path, f"{folder}/Cargo.toml")
                    if package is not None:
                        packages[path] = package
                        queue.append(path)
            if folder not in members:
                options += ((folder, path) for path in optional(packages[folder]))
        disable(options, edges)
        return edges

    def _lock(self) -> lockfile.Lock | None:
        """The lock file, where there is one: a run makes it and starts over."""
        path = f"{self._root.folder}/Cargo.lock"
        return lockfile.read(path, self._faults) if os.path.exists(path) else None


def _crates(
    packages: Mapping[str, Manifest],
    members: frozenset[str],
    edges: Mapping[str, set[str]],
    faults: list[str],
) -> dict[str, Crate]:
    """Name → crate, unordered. A folder that could not be read has had its fault noted."""
    crates: dict[str, Crate] = {}
    for folder in sorted(packages):
        below = sorted(packages[path].name for path in edges[folder] if path in packages)
        crate = _crate(packages[folder], below, folder in members)
        if crate.name in crates:
            first = crates[crate.name].manifest
            faults.append(
                f"{crate.manifest}: the name {crate.name} is taken by {first}: rename one of them"
            )
        crates[crate.name] = crate
    return crates


def _crate(package: Manifest, below: list[str], member: bool) -> Crate:
    return Crate(
        name=package.name,
        version=package.version,
        manifest=Path(f"{package.folder}/Cargo.toml"),
        dependencies=tuple(below),
        bins=package.bins,
        has_lib=package.has_lib,
        build_script=None if package.build_script is None else Path(package.build_script),
        member=member,
    )
