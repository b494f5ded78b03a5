"""The crate graph of a Cargo workspace, from its manifests alone: no process, nothing written.

It says what `cargo metadata` says (a test compares the two) of what this project builds upon:
members, path packages outside, binaries, build scripts and who needs whom.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Mapping
from os.path import isdir, isfile
from pathlib import Path

from doit_cargo.core.cargo import cargo_config, manifests, toml_file
from doit_cargo.core.cargo.manifests import Manifest, Root
from doit_cargo.core.cargo.membership import Membership, own_root
from doit_cargo.core.cargo.toml_file import TomlFile
from doit_cargo.core.errors import ConfigError, SetupError
from doit_cargo.core.model import Crate, CrateGraph


def load_graph(workspace: Path, env: Mapping[str, str]) -> CrateGraph:
    """The crates of the workspace in that folder, in dependency order, equals by name.

    Paths are real ones (symbolic links to the workspace resolved), as cargo reports them.
    Raises ConfigError with every fault of every manifest, SetupError if there is no workspace.
    """
    faults: list[str] = []
    root = _root(workspace, faults)
    configs = cargo_config.read(root.folder, env, faults)
    reader = _Reader(root, faults)
    packages = reader.members()
    members = frozenset(packages)
    patches = _patches(root, configs)
    edges = reader.edges(packages, patches)
    target = cargo_config.target_directory(root.folder, env, configs, faults)
    crates = _crates(packages, members, edges, faults)
    _refuse(faults)
    return CrateGraph(
        root=Path(root.folder),
        target_directory=Path(target),
        crates=_ordered(crates, root.file.path),
        patched=frozenset(packages[p].name for p in patches.values() if p in packages),
        configs=tuple(configs),
    )


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


def _refuse(faults: list[str]) -> None:
    if faults:
        raise ConfigError(tuple(sorted(set(faults))))


def _patches(root: Root, configs: Iterable[TomlFile]) -> dict[str, str]:
    """The root manifest's path patches, and over them those of cargo's configuration."""
    found = manifests.patches(root.file, root.folder)
    for config in reversed(tuple(configs)):
        if "paths" in config.data:
            config.fault("paths: edits of packages there go unseen; name them in [patch] instead")
        found |= manifests.patches(config, cargo_config.base(config.path))
    return found


class _Reader:
    """Reads each manifest once and follows the packages that it names."""

    def __init__(self, root: Root, faults: list[str]) -> None:
        self._root = root
        self._faults = faults
        self._membership = Membership(root)
        self._packages: dict[str, Manifest | None] = {}

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
            for _, path, _ in package.dependencies:
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
        return package is not None and package.root == self._root.folder

    def _package(self, folder: str, named_in: str, root: Root | None = None) -> Manifest | None:
        """The package in that folder; without `root` it is an outsider and has its own, or none."""
        if folder not in self._packages:
            self._packages[folder] = None
            file = self._file(folder, named_in)
            if file is not None:
                root = root or own_root(file, folder)
                self._packages[folder] = manifests.package(file, folder, root)
        return self._packages[folder]

    def _file(self, folder: str, named_in: str) -> TomlFile | None:
        if folder == self._root.folder:
            return self._root.file
        return toml_file.read(f"{folder}/Cargo.toml", self._faults, named_in=named_in)

    def edges(
        self, packages: dict[str, Manifest], patches: Mapping[str, str]
    ) -> dict[str, set[str]]:
        """Folder → the folders it builds upon; those outside are added to `packages`."""
        edges: dict[str, set[str]] = {}
        members = frozenset(packages)
        packages |= self._patched(patches)
        queue = list(packages)
        while queue:
            folder = queue.pop()
            edges[folder] = _below(packages[folder], patches)
            for path in sorted(edges[folder] - packages.keys()):
                # Cargo reads an outsider's optional dependency only if it is enabled.
                if folder in members or isfile(f"{path}/Cargo.toml"):
                    package = self._package(path, f"{folder}/Cargo.toml")
                    if package is not None:
                        packages[path] = package
                        queue.append(path)
        _hide_behind_others(edges, packages, patches)
        return edges

    def _patched(self, patches: Mapping[str, str]) -> dict[str, Manifest]:
        """The packages that stand for others, whoever needs them; cargo tells an absent one."""
        folders = {path for path in patches.values() if isfile(f"{path}/Cargo.toml")}
        found = {path: self._package(path, self._root.file.path) for path in sorted(folders)}
        return {path: package for path, package in found.items() if package is not None}


def _hide_behind_others(
    edges: dict[str, set[str]], packages: Mapping[str, Manifest], patches: Mapping[str, str]
) -> None:
    """A third-party crate may need a patched one: what uses any such crate may be built upon it."""
    for patched in sorted(set(patches.values()) & edges.keys()):
        below = _closure(edges, patched)
        for folder in edges.keys() - below:
            if any(dep.path is None and not dep.dev for dep in packages[folder].dependencies):
                edges[folder].add(patched)


def _closure(edges: Mapping[str, set[str]], folder: str) -> set[str]:
    """The folder and all that it is built upon."""
    found, queue = {folder}, [folder]
    while queue:
        new = edges.get(queue.pop(), set()) - found
        found |= new
        queue += new
    return found


def _below(package: Manifest, patches: Mapping[str, str]) -> set[str]:
    """The folders of what the package links or runs; a name that is patched counts as patched."""
    built = (dep for dep in package.dependencies if not dep.dev)
    paths = (patches.get(dep.name) if dep.path is None else dep.path for dep in built)
    return {path for path in paths if path is not None}


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
            faults.append(f"{crate.manifest}: the name {crate.name} is taken by {first}")
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


def _ordered(crates: Mapping[str, Crate], manifest: str) -> dict[str, Crate]:
    """Dependencies first, and by name where that leaves a choice."""
    waiting = {name: len(crate.dependencies) for name, crate in crates.items()}
    above: dict[str, list[str]] = {name: [] for name in crates}
    for name, crate in crates.items():
        for below in crate.dependencies:
            above[below].append(name)
    ready = sorted(name for name, count in waiting.items() if count == 0)
    ordered: dict[str, Crate] = {}
    while ready:
        name = heapq.heappop(ready)
        ordered[name] = crates[name]
        for user in above[name]:
            waiting[user] -= 1
            if waiting[user] == 0:
                heapq.heappush(ready, user)
    if len(ordered) < len(crates):
        raise ConfigError((f"{manifest}: dependency cycle: {_cycle(crates, ordered)}",))
    return ordered


def _cycle(crates: Mapping[str, Crate], ordered: Mapping[str, Crate]) -> str:
    """One of the cycles among the crates that could not be ordered: a → b → a."""
    name = min(name for name in crates if name not in ordered)
    trail: list[str] = []
    while name not in trail:
        trail.append(name)
        name = next(below for below in crates[name].dependencies if below not in ordered)
    return " → ".join([*trail[trail.index(name) :], name])
