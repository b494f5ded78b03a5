"""Predicts what crates need to compile, from the table `needs.toml` and the crates themselves.

A guess: a wrong one is a warning, and never a refusal.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from doit_cargo.core import toml_file
from doit_cargo.core.reach import reachable

FILE = Path(__file__).with_name("needs.toml")
FORMAT = "|{p}|{f}"
"""The format of `cargo tree --prefix depth` that `parse` takes."""

_LINE = re.compile(r"(\d+)\|([\w-]+) v([^ |]+)[^|]*\|([^ ]*)")
_LIBCLANG = ("/usr/lib/llvm*/lib", "/usr/lib64", "/usr/lib/*-linux-gnu", "/usr/local/lib")
_PACKAGES = {"libclang": "libclang-dev", "go": "golang-go"}  # Debian's, where the name differs


class Need(NamedTuple):
    """A row: what the compilation of `crate` needs, or with `above` of the crates that use it.

    It holds where one of `features` is on (if there are any) and none of `unless_features`, where
    none of `unless_crates` is compiled too and none of `unless_env` set, for `only_arches` (if
    there are any) and not for `not_arches`; both are the first word of a triple. `programs` must
    be on PATH, `libclang` be there; `lacks` says in words what nobody can look for. `see` is an
    anchor of docs/troubleshooting.md.
    """

    crate: str
    see: str
    above: bool = False
    features: tuple[str, ...] = ()
    unless_features: tuple[str, ...] = ()
    unless_crates: tuple[str, ...] = ()
    unless_env: tuple[str, ...] = ()
    only_arches: tuple[str, ...] = ()
    not_arches: tuple[str, ...] = ()
    except_: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    libclang: bool = False
    lacks: str = ""


class Packages(NamedTuple):
    """What is compiled: the features of each package and the packages that use it, by name."""

    features: Mapping[str, frozenset[str]]
    users: Mapping[str, frozenset[str]]


def load() -> tuple[Need, ...]:
    """The rows of the table."""
    rows = toml_file.parse(FILE.read_text(encoding="utf-8"))["need"]
    return tuple(_need(row) for row in rows)


def _need(row: Mapping[str, Any]) -> Need:
    """A row's keys are these and no others: a slip of the pen in the table is a TypeError."""
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    return Need(except_=values.pop("except", ()), **values)


def parse(text: str, shipped: Iterable[str]) -> Packages:
    """Of what `cargo tree` prints, the packages that the shipped crates are made of."""
    features: dict[str, set[str]] = {}
    below: dict[str, set[str]] = {}
    path: list[str] = []
    for line in text.splitlines():
        if found := _LINE.match(line):
            depth, name = int(found[1]), found[2]
            path[depth:] = [name]
            features.setdefault(name, set()).update(filter(None, found[4].split(",")))
            below.setdefault(path[depth - 1] if depth else "", set()).add(name)
    wanted = reachable(shipped, lambda name: below.get(name, ()))
    users = {
        name: frozenset(user for user in wanted if name in below.get(user, ())) for name in wanted
    }
    return Packages({n: frozenset(features.get(n, ())) for n in wanted}, users)


def unmet(
    packages: Packages, triple: str, env: Mapping[str, str], needs: Iterable[Need]
) -> Iterator[str]:
    """A line for each thing that is not there, with the crates that need it and what to do.

    `env` is what build scripts get.
    """
    missing: dict[str, set[str]] = {}
    see: dict[str, str] = {}
    for need in needs:
        crates = _crates(need, packages)
        if not crates or not _holds(need, packages, triple, env):
            continue
        for name in _absent(need, env):
            missing.setdefault(name, set()).update(crates)
            see.setdefault(name, need.see)
        if need.lacks:
            lacks = need.lacks.format(triple=triple)
            yield f"{', '.join(crates)} needs {lacks} (see doit-cargo help {need.see})"
    for name, found in missing.items():
        verb = "needs" if len(found) == 1 else "need"
        yield (
            f"{', '.join(sorted(found))} {verb} {name}, which is not installed: "
            f"apt-get install {_PACKAGES.get(name, name)} (see doit-cargo help {see[name]})"
        )


def _crates(need: Need, packages: Packages) -> list[str]:
    if need.crate not in packages.features:
        return []
    if not need.above:
        return [need.crate]
    return sorted(packages.users[need.crate].difference(need.except_))


def _holds(need: Need, packages: Packages, triple: str, env: Mapping[str, str]) -> bool:
    on, arch = packages.features[need.crate], triple.partition("-")[0]
    names = {name for plain in need.unless_env for name in _spellings(plain, triple)}
    return (
        (not need.features or bool(on.intersection(need.features)))
        and on.isdisjoint(need.unless_features)
        and packages.features.keys().isdisjoint(need.unless_crates)
        and names.isdisjoint(env)
        and (not need.only_arches or arch in need.only_arches)
        and arch not in need.not_arches
    )


def _spellings(name: str, triple: str) -> tuple[str, str]:
    """A variable, and the one for a target alone."""
    return name, f"{triple.replace('-', '_').upper()}_{name}"


def _absent(need: Need, env: Mapping[str, str]) -> Iterator[str]:
    path = env.get("PATH", os.defpath)
    yield from (name for name in need.programs if shutil.which(name, path=path) is None)
    if need.libclang and not _has_libclang(env):
        yield "libclang"


def _has_libclang(env: Mapping[str, str]) -> bool:
    """As clang-sys looks for it, but for asking `llvm-config`."""
    given = env.get("LIBCLANG_PATH")
    folders = [given] if given else [path for at in _LIBCLANG for path in glob.glob(at)]
    return any(glob.glob(f"{glob.escape(folder)}/libclang[.-]*so*") for folder in folders)
