"""Third-party sources that lie in a folder of their own (`cargo vendor`).

Cargo holds each package to the checksums beside it, but only when it compiles it, and takes what
it has compiled for good: so these lists are inputs, and stand for the files that they list.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from os.path import dirname, isfile, join, normpath
from pathlib import Path

from doit_cargo.core import toml_file
from doit_cargo.core.toml_file import TomlFile
from doit_cargo.core.workspace import cargo_config

LIST = ".cargo-checksum.json"


def checksums(configs: Iterable[TomlFile]) -> tuple[Path, ...]:
    """The checksum list of every package in the folders that cargo's configuration names."""
    folders = dict.fromkeys(folder for config in configs for folder in _folders(config))
    return tuple(Path(path) for folder in folders for path in _lists(folder))


def package_of(checksum_list: str) -> str:
    """The name of the package that the list belongs to, empty if its manifest can't be read."""
    file = toml_file.read(join(dirname(checksum_list), "Cargo.toml"), [])
    return (file.text(file.table(file.data, "package"), "name") or "") if file else ""


def _folders(config: TomlFile) -> Iterator[str]:
    sources = config.table(config.data, "source")
    for name in sources:
        source = config.table(sources, name, "source.")
        folder = config.text(source, "directory", f"source.{name}.")
        if folder is not None:
            yield normpath(join(cargo_config.base(config.path), folder))


def _lists(folder: str) -> Iterator[str]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return  # cargo says what is wrong with it
    yield from (path for name in names if isfile(path := join(folder, name, LIST)))
