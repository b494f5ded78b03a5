"""The folders of the local packages that a package depends on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from doit_cargo.core.reach import reachable
from doit_cargo.core.workspace.lockfile import Lock
from doit_cargo.core.workspace.manifests import Manifest

Patches = Mapping[str, frozenset[str]]


def everything(package: Manifest, patches: Patches, lock: Lock | None) -> set[str]:
    """The folders of what the package links or runs, with all its features on.

    A name that is patched counts as patched.
    """
    built = [dep for dep in package.dependencies if not dep.dev]
    below = {dep.path for dep in built if dep.path is not None}
    if patches:
        foreign = {dep.name for dep in built if dep.path is None}
        beyond = lock.beyond(package.name, foreign) if lock else set()
        below.update(*(patches.get(name, ()) for name in foreign | beyond))
    return below


def optional(package: Manifest) -> Iterator[str]:
    """The folders that it builds upon if a feature asks for it."""
    built = [dep for dep in package.dependencies if not dep.dev]
    other = {dep.path for dep in built if not dep.optional}
    yield from (dep.path for dep in built if dep.path is not None and dep.path not in other)


def disable(options: Iterable[tuple[str, str]], edges: Mapping[str, set[str]]) -> None:
    """Take out what cargo can't have enabled: a cycle. For members, it enables everything."""
    for folder, path in options:
        if folder in reachable([path], lambda below: edges.get(below, ())):
            edges[folder].discard(path)
