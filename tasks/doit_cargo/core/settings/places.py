"""Where things may lie: every path below the root, and no output over what is not ours."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from doit_cargo.core.settings.faults import quote
from doit_cargo.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# an output is emptied by `clean` and refilled by the pipeline
_KEPT: Final = (".git", ".cargo", "src")


def below(root: Path, text: str) -> Path:
    """Return the path that `text` means below the root, symbolic links resolved.

    Raises ValueError if it lies elsewhere, or is there and no folder.
    """
    path = Path(os.path.normpath(root / text))
    found = real(path)
    if not inside(path, root):
        raise ValueError(f"{quote(text)} is outside the root folder {root}")
    if not inside(found, root):
        raise ValueError(f"{quote(text)} leads out of the root folder, to {found}")
    try:
        mode = found.stat().st_mode
    except FileNotFoundError:
        return found
    except OSError as error:
        raise ValueError(f"{quote(text)} cannot be used: {error.strerror}") from None
    if not stat.S_ISDIR(mode):
        raise ValueError(f"{quote(text)} is not a folder")
    return found


def file_below(root: Path, text: str) -> Path | None:
    """Return the path of a file below the root, links in its folder resolved; None: elsewhere."""
    path = Path(os.path.normpath(root / text))
    path = real(path.parent) / path.name
    return path if inside(path, root) else None


def input_fault(folder: Path, text: str, root: Path, made: Iterable[Path]) -> str:
    """Say why what `text` means, seen from a crate's folder, cannot be its input; "" if it can."""
    path = Path(os.path.normpath(folder / text))
    if not inside(path, root):
        return f"{quote(text)} is outside the root folder {root}"
    if not path.exists():
        return f"there is no file or folder {quote(str(path.relative_to(root)))}"
    if any(inside(real(path), output) for output in made):
        return f"{quote(text)} is made by a run"
    return ""


def output_fault(
    path: Path, root: Path, kept: Mapping[str, Path], others: Mapping[str, Path]
) -> str:
    """Say why a folder cannot be an output; "" if it can.

    It must not be or hold what is `kept`, and must have nothing in common with the `others`.
    """
    for what, place in kept.items():
        if inside(place, path):
            return f"is or contains {what}"
    for what, place in others.items():
        if overlap(path, place):
            return f"and the folder of '{what}' overlap"
    taken = [part for part in str(path)[len(str(root)) :].split("/") if part in _KEPT]
    return f"lies in a folder named '{taken[0]}'" if taken else ""


def inside(path: Path, folder: Path) -> bool:
    """Tell whether a path is a folder or lies in it; ten times as fast as `is_relative_to`."""
    return f"{path}/".startswith(str(folder).rstrip("/") + "/")


def overlap(one: Path, other: Path) -> bool:
    """Tell whether two folders are the same, or one contains the other."""
    return inside(one, other) or inside(other, one)


def real(path: Path) -> Path:
    """Return the absolute path with every symbolic link resolved; it need not be there."""
    return Path(os.path.realpath(path))


def shown(path: Path, root: Path) -> str:
    """Return the path of a file as messages show it: relative to the root where it lies below."""
    path, root = real(path.parent) / path.name, real(root)
    return one_line(path.relative_to(root) if inside(path, root) else path)


def title(folder: Path) -> str:
    """Make a title of a folder's name: `my-shop` gives `My Shop`."""
    name = "".join(letter if letter.isalnum() else " " for letter in folder.name)
    return " ".join(word[0].upper() + word[1:] for word in name.split()) or "Workspace"
