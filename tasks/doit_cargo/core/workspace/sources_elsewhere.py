"""Finds what a build reads beside the crate's own files, as rustc and build scripts tell.

`include_str!` of elsewhere, `.git/HEAD` for a version string, a folder of templates: known after
the first build, an input of every later one. What we and cargo write never is.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from os.path import dirname, join, normpath, realpath
from pathlib import Path

from doit_cargo.core.workspace.sources import Listing, dep_info_paths


class Made:
    """The folders that runs and cargo write: nothing in them is an input."""

    def __init__(self, folders: Iterable[Path | str]) -> None:
        paths = {str(folder) for folder in folders}
        self._folders = frozenset(paths | {realpath(path) for path in paths})
        self._prefixes = tuple(f"{path}/" for path in self._folders)
        self._above = frozenset(map(str, (p for f in self._folders for p in Path(f).parents)))
        self._real: dict[str, str] = {}

    def holds(self, path: str) -> bool:
        """Whether the path lies in one of them, or is one, also by way of links."""
        return self._names(path) or self._names(self._resolved(path))

    def is_above(self, folder: str) -> bool:
        """Whether one of them is, or will be, below that folder."""
        return folder in self._above or realpath(folder) in self._above

    def _names(self, path: str) -> bool:
        return path in self._folders or path.startswith(self._prefixes)

    def _resolved(self, path: str) -> str:
        """The path with the links to its folder resolved: many files lie in few folders."""
        folder = dirname(path)
        if folder not in self._real:
            self._real[folder] = realpath(folder)
        return join(self._real[folder], path[len(folder) :].lstrip("/"))


def compiled(dep_info: bytes, base: Path) -> set[str]:
    """The paths in a compiler's dep-info; relative ones count from `base`."""
    return {normpath(join(base, path)) for path in dep_info_paths(os.fsdecode(dep_info))}


def beyond(named: Iterable[str], sources: frozenset[str], made: Made) -> list[str]:
    """Those that are neither the crate's own sources nor made by a run; absent ones stay."""
    return sorted(path for path in named if path not in sources and not made.holds(path))


def expand(named: Iterable[str], made: Made) -> Iterator[str]:
    """The files that are there now; nothing for an absent path.

    Of a folder it is all that it holds, and each folder in it that holds nothing: a script may
    list them.
    """
    seen: set[str] = set()
    for path in named:
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError):
            continue
        if made.holds(path):
            continue
        if stat.S_ISDIR(mode):
            yield from _below(path, made, seen)
        elif stat.S_ISREG(mode):
            yield path


def _below(folder: str, made: Made, seen: set[str]) -> Iterator[str]:
    """Through links, as cargo does. Each folder counts once, by its own name if it has one."""
    plain, links = [folder], list[str]()
    while plain or links:
        path = plain.pop() if plain else links.pop()
        real = realpath(path)
        if real in seen or made.holds(real):
            continue
        seen.add(real)
        listing = _list(path)
        if not any(listing) and not made.is_above(path):
            yield path
        yield from (file for file in listing.files if not made.holds(file))
        plain += listing.folders
        links = sorted({*links, *listing.links}, reverse=True)


def _list(folder: str) -> Listing:
    """What cannot be looked at is not there, to cargo too."""
    listing = Listing([], [], [])
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                _sort_in(entry, listing)
    except OSError:
        pass
    return listing


def _sort_in(entry: os.DirEntry[str], listing: Listing) -> None:
    try:
        if entry.is_dir(follow_symlinks=False):
            listing.folders.append(entry.path)
        elif entry.is_dir():
            listing.links.append(entry.path)
        elif entry.is_file():
            listing.files.append(entry.path)
    except OSError:
        return
