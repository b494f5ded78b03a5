"""The surroundings of a failure: the lock file, cargo's configuration, the programs on PATH."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path

from doit_cargo.core import bounded
from doit_cargo.core.workspace import cargo_config, lockfile


class Surroundings:
    """A workspace (None: it could not even be read) and the environment that cargo gets.

    Each file is read when a row of the table first asks for it.
    """

    def __init__(self, root: Path | None, env: Mapping[str, str]) -> None:
        self._root = root
        self._env = env

    def locks(self, crate: str) -> bool:
        """Whether Cargo.lock has a crate of that name."""
        return crate in self._locked

    def first_file(self, names: Iterable[str]) -> str:
        """The first of these files that the workspace's root holds, or ""."""
        root = self._root
        return next((name for name in names if root and (root / name).is_file()), "")

    def lacking(self, programs: Iterable[str]) -> tuple[str, ...]:
        """Those of these programs that are not on cargo's PATH."""
        path = self._env.get("PATH", os.defpath)
        return tuple(name for name in programs if shutil.which(name, path=path) is None)

    def configured(self, expression: str) -> str:
        """File and line where cargo's configuration matches, the strongest first, or ""."""
        wanted = re.compile(expression)
        for path, lines in self._configuration:
            for number, line in enumerate(lines, 1):
                if wanted.search(line):
                    return f"{path}:{number}"
        return ""

    @cached_property
    def _locked(self) -> frozenset[str]:
        return frozenset(lockfile.dependencies(self._root / "Cargo.lock") if self._root else ())

    @cached_property
    def _configuration(self) -> tuple[tuple[Path, list[str]], ...]:
        files = cargo_config.config_files(self._root, self._env) if self._root else ()
        return tuple((path, _text(path).splitlines()) for path in files)


def _text(path: Path) -> str:
    try:
        return bounded.read(path).decode(errors="replace")
    except OSError:
        return ""
