"""Colours and moving lines, as the environment asks for them."""

from __future__ import annotations

import pytest

from doit_cargo.core.terminal import has_colours, has_status_line

ASKED = [
    ({}, True, True),
    ({}, False, False),
    ({"NO_COLOR": "1"}, True, False),
    ({"NO_COLOR": ""}, True, True),
    ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
    ({"FORCE_COLOR": "1"}, False, True),
    ({"FORCE_COLOR": "0"}, True, False),
    ({"CLICOLOR_FORCE": "1"}, False, True),
    ({"CLICOLOR_FORCE": "0"}, False, False),
    ({"CLICOLOR": "0"}, True, False),
    ({"CLICOLOR": "1"}, False, False),
    ({"CARGO_TERM_COLOR": "always"}, False, True),
    ({"CARGO_TERM_COLOR": "never"}, True, False),
    ({"CARGO_TERM_COLOR": "auto"}, True, True),
    ({"TERM": "dumb"}, True, False),
    ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
    ({"CI": "true"}, True, False),
    ({"CI": "true", "CARGO_TERM_COLOR": "always"}, False, True),
]


@pytest.mark.parametrize(("env", "terminal", "wanted"), ASKED)
def test_colours(env: dict[str, str], *, terminal: bool, wanted: bool) -> None:
    assert has_colours(env, terminal=terminal) is wanted


@pytest.mark.parametrize(
    ("env", "terminal", "wanted"),
    [
        ({}, True, True),
        ({"NO_COLOR": "1"}, True, True),
        ({}, False, False),
        ({"FORCE_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, True, False),
        ({"CI": "true"}, True, False),
    ],
)
def test_a_line_that_moves(env: dict[str, str], *, terminal: bool, wanted: bool) -> None:
    assert has_status_line(env, terminal=terminal) is wanted
