"""Compares our crate graph with `cargo metadata`. Where they differ, cargo is right."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from os.path import realpath
from typing import NamedTuple

from doit_cargo.core.model import Crate, CrateGraph

_NO_LIBRARY = frozenset({"bin", "example", "test", "bench", "custom-build"})


class _Package(NamedTuple):
    """A member as cargo sees it."""

    name: str
    version: str
    manifest: str
    bins: frozenset[str]
    has_lib: bool
    build_script: str | None
    dependencies: Mapping[str, str]


def differences(graph: CrateGraph, metadata: Mapping[str, object]) -> tuple[str, ...]:
    """One line for each thing that `cargo metadata --no-deps` sees otherwise than our reader.

    `metadata` is its parsed JSON (format version 1), which describes the members alone.
    """
    theirs = {package.name: package for package in map(_package, _items(metadata, "packages"))}
    ours = {name: crate for name, crate in graph.crates.items() if crate.member}
    both = (name for name in sorted(ours) if name in theirs)
    return (
        *_value("the workspace", "root", graph.root, _text(metadata, "workspace_root"), _real),
        *_value(
            "the workspace",
            "target directory",
            graph.target_directory,
            _text(metadata, "target_directory"),
            _real,
        ),
        *_sets("the workspace", "member", ours, theirs),
        *(line for name in both for line in _crate(ours[name], theirs[name], graph)),
    )


def _crate(ours: Crate, theirs: _Package, graph: CrateGraph) -> Iterator[str]:
    who = f"crate {ours.name}"
    yield from _value(who, "manifest", ours.manifest, theirs.manifest, _real)
    yield from _value(who, "version", ours.version, theirs.version)
    yield from _sets(who, "binary", ours.bins, theirs.bins)
    yield from _value(who, "library", _yes(ours.has_lib), _yes(theirs.has_lib))
    yield from _value(who, "build script", ours.build_script, theirs.build_script, _real)
    # We count a dependency that `[patch]` turns to a path; for cargo's manifest it is none.
    patched = graph.patched - theirs.dependencies.keys()
    below = [name for name in ours.dependencies if name not in patched]
    yield from _sets(who, "path dependency", below, theirs.dependencies)
    for name in sorted(theirs.dependencies.keys() & below):
        folder = graph.crates[name].directory
        yield from _value(who, f"path of {name}", folder, theirs.dependencies[name], _real)


def _sets(who: str, what: str, ours: Iterable[str], theirs: Iterable[str]) -> Iterator[str]:
    mine, others = set(ours), set(theirs)
    for name in sorted(others - mine):
        yield f"{who}: cargo sees {what} {name}, we don't"
    for name in sorted(mine - others):
        yield f"{who}: we see {what} {name}, cargo doesn't"


def _value(
    who: str,
    what: str,
    ours: object,
    theirs: object,
    same: Callable[[object], object] = str,
) -> Iterator[str]:
    if str(ours) != str(theirs) and same(ours) != same(theirs):
        yield f"{who}: cargo says {what} {_or_none(theirs)}, we say {_or_none(ours)}"


def _real(path: object) -> str:
    """The path itself, whatever links lead there; cargo and we may come by different ones."""
    return realpath(str(path)) if path else ""


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _or_none(value: object) -> object:
    return value or "none"


def _package(table: Mapping[str, object]) -> _Package:
    targets = [(_kinds(target), target) for target in _items(table, "targets")]
    scripts = (_text(target, "src_path") for kinds, target in targets if "custom-build" in kinds)
    built = [d for d in _items(table, "dependencies") if d.get("kind") in {None, "build"}]
    return _Package(
        name=_text(table, "name"),
        version=_text(table, "version"),
        manifest=_text(table, "manifest_path"),
        bins=frozenset(_text(target, "name") for kinds, target in targets if "bin" in kinds),
        has_lib=any(kinds - _NO_LIBRARY for kinds, _ in targets),
        build_script=next(scripts, None),
        dependencies={_text(d, "name"): _text(d, "path") for d in built if "path" in d},
    )


def _kinds(target: Mapping[str, object]) -> frozenset[str]:
    kinds = target.get("kind")
    return frozenset(map(str, kinds)) if isinstance(kinds, list) else frozenset()


def _items(table: Mapping[str, object], key: str) -> list[Mapping[str, object]]:
    values = table.get(key)
    return [v for v in values if isinstance(v, dict)] if isinstance(values, list) else []


def _text(table: Mapping[str, object], key: str) -> str:
    value = table.get(key)
    return value if isinstance(value, str) else ""
