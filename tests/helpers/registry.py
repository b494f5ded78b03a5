"""Programs of other people, as their packages come from the crate registry."""

from __future__ import annotations

import os
import shutil
import subprocess  # noqa: TID251
import tempfile
from pathlib import Path


def unpack(name: str, version: str, root: Path) -> Path:
    """Put a crate package at `root`, which must not exist; cargo fetches it.

    `cargo info` downloads and unpacks that one package, none of its dependencies.
    """
    with tempfile.TemporaryDirectory() as outside:
        subprocess.run(
            ["cargo", "info", "--quiet", "--registry", "crates-io", f"{name}@{version}"],
            cwd=outside, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    home = Path(os.environ.get("CARGO_HOME", Path.home() / ".cargo"))
    found = sorted((home / "registry/src").glob(f"*/{name}-{version}"))
    shutil.copytree(found[0], root)
    return root
