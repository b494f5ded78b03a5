"""The way from a first cause to a task, and the words for settings that changed."""

from __future__ import annotations

import pytest

from doit_cargo.core.why import Due, changes, settings, ways

DUES = {
    due.name: due
    for due in (
        Due("toolchain"),
        Due("core", ("core/src/lib.rs changed",)),
        Due("alpha", (), ("core",)),
        Due("beta", ("beta/src/main.rs changed",), ("core",)),
        Due("package alpha", (), ("alpha",), certain=False),
        Due("stage", (), ("package alpha", "beta"), certain=False),
    )
}


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["alpha"], {"core": ["core", "alpha"]}),
        (["beta"], {"core": ["core", "beta"], "beta": ["beta"]}),
        (["stage"], {"core": ["core", "beta", "stage"], "beta": ["beta", "stage"]}),
        (["package alpha", "core"], {"core": ["core"]}),
        (["not due"], {}),
        (["toolchain"], {}),
    ],
)
def test_each_first_cause_has_its_shortest_way(
    names: list[str], expected: dict[str, list[str]]
) -> None:
    found = ways(DUES, names)

    assert {name: [due.name for due in way] for name, way in found.items()} == expected
    assert [*found] == [*expected]  # in the order of the pipeline


def test_a_circle_ends() -> None:
    dues = {"a": Due("a", ("x",), ("b",)), "b": Due("b", (), ("a",))}

    assert [due.name for due in ways(dues, ["b"])["a"]] == ["a", "b"]


def test_settings_are_named_by_their_keys_and_no_secret_is_kept() -> None:
    found = dict(
        settings({"argv": ["cargo", "build"], "env": {"A": "1", "DB_PASSWORD": "hunter2"}, "n": 3})
    )

    assert found.pop("env.DB_PASSWORD").startswith("sha256:")
    assert found == {"argv": "cargo build", "env.A": "1", "n": "3"}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": "1"}, {"a": "1"}, []),
        ({"a": "1"}, {"a": "2"}, ["a changed: '1' → '2'"]),
        ({}, {"a": "\x1b[31m"}, ["a is set now: '\\x1b[31m'"]),
        ({"a": ""}, {}, ["a is not set any more, it was ''"]),
        (
            {"a": "x" * 100 + " --old"}, {"a": "x" * 100 + " --new"},
            [f"a changed: …'{'x' * 12} --old' → …'{'x' * 12} --new'"],
        ),
    ],
)  # fmt: skip
def test_old_and_new(before: dict[str, str], after: dict[str, str], expected: list[str]) -> None:
    """Of a long value from shortly before the difference."""
    assert [*changes(before, after)] == expected
