"""The programs of this machine, in a folder from which a test can take some away."""

from __future__ import annotations

import os
from pathlib import Path

from helpers.project import DOIT


def link_all(folder: Path) -> None:
    """Make the folder, with a link to doit and each program on PATH: the first of a name counts."""
    folder.mkdir()
    for place in (DOIT.parent, *map(Path, os.environ["PATH"].split(":"))):
        for path in place.iterdir() if place.is_dir() else ():
            link = folder / path.name
            if not link.is_symlink():
                link.symlink_to(path)
