"""A project as it lies on disk: where its root is, and whether its dodo.py loads us."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from doit_cargo.core import bounded

CONFIG_FILE: Final = "config/pipeline.yaml"
DODO: Final = "dodo.py"


def root_above(folder: Path) -> Path | None:
    """The nearest folder, upwards, with a configuration."""
    places = (folder, *folder.parents)
    return next((place for place in places if (place / CONFIG_FILE).is_file()), None)


def loads_us(dodo: bytes) -> bool:
    """Whether a dodo.py names this package. It is not run to find out."""
    return b"doit_cargo" in dodo


def has_our_dodo(root: Path) -> bool:
    """Whether there is one that does."""
    try:
        return loads_us(bounded.read(root / DODO))
    except OSError:
        return False
