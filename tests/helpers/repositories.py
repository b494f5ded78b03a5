"""git, for tests that need a repository: as somebody, and without this machine's signing."""

from __future__ import annotations

import subprocess  # noqa: TID251 - the tests drive real processes
from pathlib import Path

_WHO = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")


def git(root: Path, *words: str) -> str:
    """Run git in the folder; what it printed."""
    done = subprocess.run(
        ["git", *_WHO, *words], cwd=root, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()
