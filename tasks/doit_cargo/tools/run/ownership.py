"""Which output folders are ours: in them, what belongs to no task is removed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from doit_cargo.core import layout
from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Config
from doit_cargo.core.record import digest
from doit_cargo.core.task import TaskSpec
from doit_cargo.core.text import one_line
from doit_cargo.tools import files

_SHOWN = 20


def claim(config: Config, specs: Iterable[TaskSpec], *, force: bool) -> None:
    """Mark the folders that these tasks own as ours; once is enough.

    Raises SetupError with a list if they hold files that we never wrote, unless `force`.
    """
    new = [s for s in specs if s.owns and not _mark(config, s.owns).exists()]
    found = [path for spec in new for path in sorted(foreign(spec))]
    if found and not force:
        raise SetupError(_refusal(layout.relative(found, config.root)))
    for spec in new:
        if spec.owns:
            files.create(config.root, _mark(config, spec.owns))


def foreign(spec: TaskSpec) -> frozenset[Path]:
    """The files in the folder that the task owns which belong to no task."""
    if not spec.owns:
        return frozenset()
    return files.listing(spec.owns) - {*spec.inputs, *spec.outputs, *map(Path, spec.made())}


def is_ours(config: Config, folder: Path) -> bool:
    """Whether a run has marked the folder."""
    return _mark(config, folder).exists()


def _mark(config: Config, folder: Path) -> Path:
    name = f"{folder.name}-{digest(str(folder.relative_to(config.root)))[:16]}"
    return layout.ownership_marks(config) / name


def _refusal(paths: Sequence[str]) -> str:
    listed = "\n".join(f"  {one_line(path)}" for path in paths[:_SHOWN])
    more = f"\n  … and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return (
        "output folders hold files that doit-cargo never wrote and would remove:\n"
        f"{listed}{more}\nMove them away, or let them go: doit --force"
    )
