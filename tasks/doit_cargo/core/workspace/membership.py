"""Which folders are a workspace's members: listed, matched by a pattern, or joined by a path."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from os.path import dirname, isdir, isfile, join, normpath, relpath
from pathlib import PurePosixPath

from doit_cargo.core import toml_file
from doit_cargo.core.toml_file import TomlFile
from doit_cargo.core.workspace.cargo_config import upwards
from doit_cargo.core.workspace.manifests import Root, root_of


class Membership:
    """The rules of one workspace root: `members`, `exclude`, and what lies below it.

    `made` are folders that will be there when cargo looks, if they are not there yet.
    """

    def __init__(self, root: Root, made: Iterable[str] = ()) -> None:
        self.root = root
        data = root.file.data
        workspace = root.file.table(data, "workspace")
        self.alone = "workspace" not in data
        self._patterns = root.file.texts(workspace, "members", "workspace.")
        exclude = root.file.texts(workspace, "exclude", "workspace.")
        self._explicit = tuple(self._within(folder) for folder in self._patterns)
        self._excluded = tuple(self._within(folder) for folder in exclude)
        self._below = join(root.folder, "")
        self._made = tuple(_folders_to(root.folder, made))

    def _within(self, folder: str) -> str:
        """What the paths in that folder begin with; like cargo, we leave a `..` as it is."""
        return join(str(PurePosixPath(self.root.folder, folder)), "")

    def listed(self) -> list[str]:
        """The root if it is a package, and the folders that `members` names, less `exclude`."""
        data = self.root.file.data
        start = [self.root.folder] if self.alone or "package" in data or "project" in data else []
        named = (folder for pattern in self._patterns for folder in self._matching(pattern))
        return [*start, *(folder for folder in named if not self.excludes(folder))]

    def _matching(self, pattern: str) -> Iterator[str]:
        root = self.root.folder
        if not glob.has_magic(pattern):
            yield normpath(join(root, pattern))
            return
        matches = glob.glob(pattern, root_dir=root, recursive=True, include_hidden=True)
        if not matches:
            self.root.file.fault(f"workspace.members {pattern!r} matches no crate")
        paths = [match for match in matches if isdir(join(root, match))]
        paths += [path for path in self._made if path not in paths and _fits(path, pattern)]
        folders = [normpath(join(root, path)) for path in paths]
        crates = [folder for folder in folders if isfile(f"{folder}/Cargo.toml")]
        self._refuse_others(pattern, set(folders).difference(crates))
        yield from crates

    def _refuse_others(self, pattern: str, folders: Iterable[str]) -> None:
        """Cargo takes every matching folder for a crate, hidden ones too."""
        others = sorted(folder for folder in folders if not self.excludes(folder))
        if others:
            names = ", ".join(relpath(folder, self.root.folder) for folder in others)
            self.root.file.fault(
                f"workspace.members {pattern!r} matches {names}, where no Cargo.toml is or will "
                "be: add that to workspace.exclude, or name the members"
            )

    def excludes(self, folder: str) -> bool:
        """Whether `exclude` keeps the folder out; a member named without a pattern stays in."""
        path = join(folder, "")
        return path.startswith(self._excluded) and not path.startswith(self._explicit)

    def below(self, folder: str) -> bool:
        """Whether the folder lies below the root, where path dependencies become members."""
        return join(folder, "").startswith(self._below)


def _folders_to(root: str, folders: Iterable[str]) -> Iterator[str]:
    """The folders below the root that lead to these, and these themselves, relative to it."""
    for folder in folders:
        path = relpath(folder, root)
        while path and not path.startswith(os.pardir):
            yield path
            path = dirname(path)


def _fits(path: str, pattern: str) -> bool:
    """Whether a pattern matches; one with `**` is left to what already exists."""
    names, parts = path.split("/"), normpath(pattern).split("/")
    return len(names) == len(parts) and all(map(fnmatchcase, names, parts))


def own_root(file: TomlFile, folder: str) -> Root | None:
    """The workspace root that a package outside the workspace inherits from, if there is one."""
    if (pointer := _pointer(file)) is not None:
        return _pointed(file, folder, pointer, file.faults)
    return root_of(file, folder) if "workspace" in file.data else _enclosing(folder)


def _pointer(file: TomlFile) -> str | None:
    """Where a manifest's package says that its workspace's root is."""
    package = file.data.get("package", file.data.get("project"))
    pointer = package.get("workspace") if isinstance(package, dict) else None
    return pointer if isinstance(pointer, str) and "\0" not in pointer else None


def _pointed(file: TomlFile, folder: str, pointer: str, faults: list[str]) -> Root | None:
    folder = normpath(join(folder, pointer))
    other = toml_file.read(join(folder, "Cargo.toml"), faults, named_in=file.path)
    return None if other is None else root_of(other, folder)


def _enclosing(folder: str) -> Root | None:
    """The workspace that a folder's package belongs to by its place, as far as it can be read.

    A package around it leads to its own workspace, wherever that is.
    """
    for parent in upwards(dirname(folder)):
        path = join(parent, "Cargo.toml")
        file = toml_file.read(path, []) if isfile(path) else None
        if file is None:
            continue
        if "workspace" in file.data:
            root = root_of(file, parent)
            if not Membership(root).excludes(folder):
                return root
        elif (pointer := _pointer(file)) is not None:
            return _pointed(file, parent, pointer, [])
    return None
