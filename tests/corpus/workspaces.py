"""The workspaces of tests/workspaces, built by `doit` for both architectures."""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251 - doit itself
from pathlib import Path

from corpus.attempt import emulator, staged
from helpers.project import DOIT, REPOSITORY, Project, adopt

CONFIG = """\
workspace: .
targets: {x86_64: x86_64-unknown-linux-musl, aarch64: aarch64-unknown-linux-musl}
"""


def adopted(name: str, folder: Path) -> Path:
    """A copy of the workspace in the folder, with nothing built."""
    root = folder / name
    made = shutil.ignore_patterns("target")
    shutil.copytree(REPOSITORY / "tests/workspaces" / name, root, ignore=made)
    adopt(root, CONFIG)
    return root


def doit(root: Path, *args: str) -> str:
    """Run doit, which must succeed; what it printed."""
    done = subprocess.run(
        [DOIT, *args], cwd=root, env=Project.environment(None), text=True, capture_output=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def built(root: Path, arch: str) -> dict[str, list[str]]:
    """Build, and tell for each program the command that runs it."""
    assert doit(root, f"stage:{arch}").startswith("compiled")
    return {path.name: [*emulator(arch), str(path)] for path in staged(root, arch)}
