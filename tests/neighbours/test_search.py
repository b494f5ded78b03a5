"""A few random files of other people's tasks: what stock doit does with them, ours does.

The whole search is `python tests/neighbours/search.py --seed N --steps K`.
"""

from __future__ import annotations

import os
import subprocess  # noqa: TID251
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

SEARCH = Path(__file__).with_name("search.py")


def search(*args: str) -> str:
    """Search; what it says at last."""
    done = subprocess.run(
        [sys.executable, SEARCH, *args],
        capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "CI": "true"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize("seed", [1, 2])
def test_other_tasks_run_as_in_stock_doit(seed: int) -> None:
    assert search("--seed", str(seed), "--steps", "80") == f"seed {seed}: 80 steps, 0 differences"


def test_what_ships_is_made_of_what_generators_write() -> None:
    assert search("--shipping", "--seed", "3", "--steps", "8") == "seed 3: 8 steps, 0 wrong ships"
