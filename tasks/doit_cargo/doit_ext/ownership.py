"""Which output folders are ours: in them, what belongs to no task is removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from doit_cargo.core import layout
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Config, TaskSpec
from doit_cargo.core.record import digest
from doit_cargo.doit_ext.checker import belonging
from doit_cargo.tools import files

_SHOWN = 20


def claim(config: Config, specs: Iterable[TaskSpec], *, force: bool) -> None:
    """Mark the folders that these tasks own as ours; once is enough.

    Raises SetupError with a list if one holds files that we never wrote, unless `force`.
    """
    for spec in specs:
        if spec.owns and not (mark := _mark(config, spec.owns)).exists():
            foreign = files.listing(spec.owns) - belonging(spec)
            if foreign and not force:
                raise SetupError(_refusal(layout.relative(sorted(foreign), config.root)))
            files.create(config.root, mark)


def is_ours(config: Config, folder: Path) -> bool:
    """Whether a run has marked the folder."""
    return _mark(config, folder).exists()


def _mark(config: Config, folder: Path) -> Path:
    name = f"{folder.name}-{digest(str(folder.relative_to(config.root)))[:16]}"
    return config.state / "owned" / name


def _refusal(paths: Sequence[str]) -> str:
    listed = "\n".join(f"  {path}" for path in paths[:_SHOWN])
    more = f"\n  … and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return (
        "an output folder holds files that doit-cargo never wrote and would remove:\n"
        f"{listed}{more}\nMove them away, or let them go: doit --force"
    )
