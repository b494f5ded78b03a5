"""The workspaces of tests/workspaces, built by `doit` for each architecture."""

from __future__ import annotations

import shutil
from pathlib import Path

from corpus.attempt import ARCHES, TIMEOUT, emulator, staged, targets
from helpers.project import REPOSITORY, Project


def adopted(name: str, folder: Path) -> Project:
    """A copy of the workspace in the folder, with nothing built; `doit` alone is for x86_64."""
    root = folder / name
    made = shutil.ignore_patterns("target")
    shutil.copytree(REPOSITORY / "tests/workspaces" / name, root, ignore=made)
    project = Project(root, {})
    project.limit = TIMEOUT
    project.path("config/pipeline.yaml").write_text("workspace: .\n" + targets(ARCHES))
    return project


def built(project: Project, arch: str) -> dict[str, list[str]]:
    """Build, and tell for each program the command that runs it."""
    assert project.build(f"stage:{arch}").startswith("compiled")
    return {path.name: [*emulator(arch), str(path)] for path in staged(project.root, arch)}
