"""Which files a crate is built from: all below its folder, and those that dep-info names.

Too many on purpose: a file too many costs a cargo run that finds nothing to do, a file too few
ships a stale binary.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from os.path import dirname, isdir, isfile, realpath
from pathlib import Path
from typing import NamedTuple

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.core.text import one_line

_REPOSITORIES = frozenset({".git", ".hg", ".svn", ".jj"})
# https://bford.info/cachedir/ - cargo marks every target directory with it, an editor's own too.
_TAG = "CACHEDIR.TAG"
_SIGNATURE = b"Signature: 8a477f597d28d172789f06886806bc55"


class _Borders(NamedTuple):
    """Where a walk stops: at what we and cargo write, and at other crates' folders."""

    outputs: frozenset[str]
    crates: frozenset[str]


class Listing(NamedTuple):
    """What a folder holds, by what it is."""

    files: list[str]
    folders: list[str]
    links: list[str]


def not_sources(filled: Iterable[Path], graph: CrateGraph) -> frozenset[str]:
    """The folders in which no crate's sources are looked for: output folders, vendored crates."""
    return frozenset(map(str, (*filled, *(path.parent.parent for path in graph.vendored))))


def source_files(crate: Crate, graph: CrateGraph, *, skip: frozenset[str]) -> tuple[str, ...]:
    """Every file below the crate's folder, sorted; `skip` names the folders that we write.

    Left out: other crates' folders, the target directory and whatever else is tagged as a cache,
    version control, editors' leavings. Links are followed, each folder once.
    """
    return _files(dirname(crate.manifest), _borders(graph, skip))


def all_sources(
    graph: CrateGraph, skip: frozenset[str], names: Iterable[str] | None = None
) -> dict[str, tuple[str, ...]]:
    """The source files of every crate, or of those that are named, by its name."""
    borders = _borders(graph, skip)
    wanted = graph.crates if names is None else names
    return {name: _files(dirname(graph.crates[name].manifest), borders) for name in wanted}


def _borders(graph: CrateGraph, skip: Iterable[str]) -> _Borders:
    outputs = {str(graph.target_directory), *skip}
    outputs |= {realpath(folder) for folder in outputs}
    crates = frozenset(dirname(crate.manifest) for crate in graph.crates.values())
    return _Borders(frozenset(outputs), crates)


def _files(folder: str, borders: _Borders) -> tuple[str, ...]:
    files: list[str] = []
    links: list[str] = []
    walked = [folder]
    for below in walked:  # grows as it is walked
        listing = _list(below)
        files += listing.files
        links += listing.links
        walked += (path for path in listing.folders if not _beyond(path, borders))
    if links:
        files += _linked(sorted(links), {realpath(path) for path in walked}, borders)
    return tuple(sorted(files))


def _beyond(path: str, borders: _Borders) -> bool:
    return path in borders.crates or path in borders.outputs


def _linked(links: list[str], seen: set[str], borders: _Borders) -> list[str]:
    """The files of linked folders. Each folder counts once, and none that holds the crate."""
    outputs = tuple(f"{folder}/" for folder in borders.outputs)
    files: list[str] = []
    for path in links:  # grows as it is walked
        real = realpath(path)
        if real in seen or f"{real}/".startswith(outputs) or _holds(real, seen):
            continue
        seen.add(real)
        listing = _list(path)
        files += listing.files
        links += sorted(listing.folders + listing.links)
    return files


def _holds(folder: str, seen: Iterable[str]) -> bool:
    prefix = folder.rstrip("/") + "/"
    return any(path.startswith(prefix) for path in seen)


def _list(folder: str) -> Listing:
    listing = Listing([], [], [])
    tag = f"{folder}/{_TAG}"
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                _sort_in(entry, listing)
        return Listing([], [], []) if tag in listing.files and _is_cache(tag) else listing
    except OSError as error:
        raise SetupError(f"{one_line(error.filename or folder)}: {error.strerror}") from error


def _sort_in(entry: os.DirEntry[str], listing: Listing) -> None:
    name = entry.name
    if name in _REPOSITORIES:
        return
    if entry.is_dir(follow_symlinks=False):
        listing.folders.append(entry.path)
    elif entry.is_file(follow_symlinks=False):
        if not _is_leaving(name):
            listing.files.append(entry.path)
    elif entry.is_symlink():  # a pipe or a dangling link is no input
        if isdir(entry.path):
            listing.links.append(entry.path)
        elif isfile(entry.path) and not _is_leaving(name):
            listing.files.append(entry.path)


def _is_leaving(name: str) -> bool:
    """Whether an editor or a file manager left it: `x~`, `.x.swp`, `.#x`, vim's `4913`."""
    if name[0] == ".":
        return name == ".DS_Store" or name.startswith(".#") or name.endswith((".swp", "~"))
    return name[-1] == "~" or name == "4913"


def _is_cache(tag: str) -> bool:
    with open(tag, "rb") as file:
        return file.read(len(_SIGNATURE)) == _SIGNATURE


def dep_info_paths(text: str) -> tuple[str, ...]:
    r"""The files that a `.d` file of cargo or rustc names, each once, in its order, as written.

    Its lines are make rules with `\ ` for a space in a path; comments (`# env-dep:`) are no files.
    """
    paths: dict[str, None] = {}
    for line in text.split("\n"):
        if not line.startswith("#"):
            _, _, words = line.partition(": ")
            paths |= dict.fromkeys(_words(words))
    return tuple(paths)


def _words(text: str) -> Iterable[str]:
    """Split at spaces that have no backslash before them."""
    marked = text.replace("\\ ", "\0")
    return (word.replace("\0", " ") for word in marked.split(" ") if word)
