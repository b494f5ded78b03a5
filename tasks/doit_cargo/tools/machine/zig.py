"""Writes zig's wrappers into the cache, and what they link."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from doit_cargo.core import bounded
from doit_cargo.core.errors import PipelineError, SetupError
from doit_cargo.core.toolchain import relro
from doit_cargo.core.toolchain.zig_scripts import scripts
from doit_cargo.tools import process
from doit_cargo.tools.machine.cache import new_folder


def hold(folder: Path, texts: Mapping[str, str]) -> bool:
    """Tell whether a target's wrappers are as they must be."""
    return all(_holds(folder / name, text) for name, text in texts.items())


def write_wrappers(
    cache: Path, folder: Path, triple: str, zig: Path, texts: Mapping[str, str]
) -> None:
    """Put a target's wrappers in place, and what they link; all or none.

    Raises SetupError with zig's own words.
    """
    with new_folder(cache, folder) as work, TemporaryDirectory(dir=cache / "tmp") as empty:
        for name, text in texts.items():
            (work / name).write_text(text, encoding="utf-8")
            (work / name).chmod(_mode(name))
        try:
            compiler = fresh_compiler(Path(empty), triple, zig, Path(empty, "zig"))
            process.run([compiler, *relro.COMPILE], cwd=work)
        except PipelineError as error:
            raise SetupError(f"zig can't compile for {triple}:\n{error}") from error


def fresh_compiler(folder: Path, triple: str, zig: Path, cache: Path) -> Path:
    """A target's compiler with an empty cache for zig: what was in another may be anybody's."""
    name = f"{triple}-cc"
    (folder / name).write_text(scripts(triple, zig, cache)[name], encoding="utf-8")
    (folder / name).chmod(0o755)
    return folder / name


def _mode(name: str) -> int:
    return 0o644 if name == relro.SOURCE else 0o755


def _holds(path: Path, text: str) -> bool:
    try:
        mode = path.stat().st_mode & 0o777
        return bounded.read_text(path) == text and mode == _mode(path.name)
    except OSError:
        return False
