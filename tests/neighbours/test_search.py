"""A few random files of other people's tasks: what stock doit does with them, ours does.

The whole search is `python tests/neighbours/search.py --seed N --steps K`.
"""

from __future__ import annotations

import os
import re
import subprocess  # noqa: TID251
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

SEARCH = Path(__file__).with_name("search.py")


@pytest.mark.parametrize("seed", [1, 2])
def test_other_tasks_run_as_in_stock_doit(seed: int) -> None:
    done = subprocess.run(
        [sys.executable, SEARCH, "--seed", str(seed), "--steps", "60"],
        capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "CI": "true"},
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^seed \d: 60 steps, 0 differences", done.stdout)
