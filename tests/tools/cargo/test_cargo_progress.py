"""What cargo says of how far it is, in its own words."""

from __future__ import annotations

import pytest

from doit_cargo.tools.cargo.progress import Step, parse

SAID = {
    "    Building [=====>      ] 4/16: memchr, serde_json(build.rs)": Step(
        4, 16, ("memchr", "serde_json(build.rs)")
    ),
    "    Building [            ] 0/16": Step(0, 16),
    "    Building [============] 15/16: regex-automata, tokio...": Step(
        15, 16, ("regex-automata", "tokio")
    ),
    "       Fetch [====>       ] 12 complete; 3 pending": Step(
        note="fetching the index: 12 complete; 3 pending"
    ),
    " Downloading 3 crates, remaining bytes: 12.3 MB": Step(
        note="downloading 3 crates, remaining bytes: 12.3 MB"
    ),
    "    Updating crates.io index": Step(note="updating crates.io index"),
    "    Updating git repository `https://example.org/x`": Step(
        note="updating git repository `https://example.org/x`"
    ),
    "    Blocking waiting for file lock on build directory": Step(
        note="waiting for cargo's lock on build directory", blocked="build directory"
    ),
}


@pytest.mark.parametrize("line", SAID)
def test_what_cargo_says_is_a_step(line: str) -> None:
    assert parse(line) == SAID[line]


@pytest.mark.parametrize(
    "line", ["   Compiling memchr v2.8.3", "error: no such crate", "Building a house", ""]
)
def test_anything_else_is_none(line: str) -> None:
    assert parse(line) is None
