"""Cargo's own configuration: which files it reads, and the target directory they name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from os.path import dirname, isfile, join, normpath
from pathlib import Path

from doit_cargo.core import toml_file
from doit_cargo.core.toml_file import TomlFile

# With both there, cargo reads the one without a suffix (and warns).
_NAMES = ("config", "config.toml")


def config_files(workspace: Path, env: Mapping[str, str]) -> tuple[Path, ...]:
    """The configuration files that cargo reads when it runs in the workspace, strongest first."""
    return tuple(Path(path) for path in paths(os.path.realpath(workspace), env))


def paths(workspace: str, env: Mapping[str, str]) -> tuple[str, ...]:
    """The same as strings, for a workspace given without symbolic links."""
    folders = [join(folder, ".cargo") for folder in upwards(workspace)]
    found = (_existing(folder) for folder in [*folders, cargo_home(workspace, env)])
    every = (path for first in found if first is not None for path in _with_included(first))
    return tuple(dict.fromkeys(every))


def _with_included(path: str) -> Iterator[str]:
    """A configuration file and, weaker than it, those it includes, the last one first."""
    waiting, seen = [path], set()
    while waiting:
        path = waiting.pop()
        if path in seen or not isfile(path):
            continue
        seen.add(path)
        yield path
        waiting += [normpath(join(dirname(path), name)) for name in _included(path)]


def _included(path: str) -> Iterator[str]:
    """What `include` names: a path, or a list of paths and of tables with one."""
    file = toml_file.read(path, [])
    named = file.data.get("include", ()) if file else ()
    for item in named if isinstance(named, list) else [named]:
        name = item.get("path") if isinstance(item, dict) else item
        if isinstance(name, str):
            yield name


def upwards(folder: str) -> Iterator[str]:
    """The folder and each one above it."""
    yield folder
    while (parent := dirname(folder)) != folder:
        yield (folder := parent)


def cargo_home(workspace: str, env: Mapping[str, str]) -> str:
    """CARGO_HOME, which cargo takes relative to the folder it runs in."""
    home = env.get("CARGO_HOME") or join(env.get("HOME") or os.path.expanduser("~"), ".cargo")
    return normpath(join(workspace, home))


def _existing(folder: str) -> str | None:
    return next((path for name in _NAMES if isfile(path := join(folder, name))), None)


def read(workspace: str, env: Mapping[str, str], faults: list[str]) -> list[TomlFile]:
    """The configuration files, parsed, strongest first."""
    read_all = (toml_file.read(path, faults) for path in paths(workspace, env))
    return [file for file in read_all if file is not None]


def target_variable(triple: str, key: str) -> str:
    """The environment variable that stands for `target.<triple>.<key>`, over every file."""
    return f"CARGO_TARGET_{triple}_{key}".upper().replace("-", "_")


def base(path: str) -> str:
    """The folder that relative paths in that configuration file count from: `.cargo`'s own."""
    return dirname(dirname(path))


def target_directory(
    workspace: str, env: Mapping[str, str], configs: Iterable[TomlFile], faults: list[str]
) -> str:
    """Where cargo builds: from the environment, else from the strongest file that says so.

    A relative path counts from the workspace, where cargo runs, if it is in the environment, and
    from the folder that holds `.cargo` if it is in a file.
    """
    for what, folder, path in _choices(workspace, env, configs):
        if path and "\0" not in path:
            return normpath(join(folder, path))
        faults.append(f"{what} must name a folder")
    return join(workspace, "target")


def _choices(
    workspace: str, env: Mapping[str, str], configs: Iterable[TomlFile]
) -> Iterator[tuple[str, str, str]]:
    """Who says it, the folder that a relative path counts from, and the path: strongest first."""
    for name in ("CARGO_TARGET_DIR", "CARGO_BUILD_TARGET_DIR"):
        if name in env:
            yield f"the environment variable {name}", workspace, env[name]
    for file in configs:
        path = file.text(file.table(file.data, "build"), "target-dir", "build.")
        if path is not None:
            yield f"{file.path}: build.target-dir", base(file.path), path
