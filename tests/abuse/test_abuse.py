"""A few rounds of each search; the programs beside this file do as many as they are told."""

from __future__ import annotations

from pathlib import Path

import abuse_cargo
import abuse_errors
import abuse_forge
import abuse_kill
import abuse_names
import abuse_pairs
import abuse_places
import abuse_undone
import pytest
from abuse_arena import Search, faults_of

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    ("search", "count"),
    [
        (abuse_kill.search, 3),
        (abuse_errors.search, 4),
        (abuse_pairs.search, 3),
        (abuse_forge.search, 5),
        (abuse_places.search, 4),
        (abuse_undone.search, 2),
        (abuse_names.search, 1),
        (abuse_cargo.search, 2),
    ],
    ids=["kill", "errors", "pairs", "forge", "places", "undone", "names", "cargo"],
)
def test_nothing_is_found(tmp_path: Path, search: Search, count: int) -> None:
    assert faults_of(search, tmp_path, seed=3, count=count) == []
