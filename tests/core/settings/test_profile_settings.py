"""Which profiles make what is to be shipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.elf.policy import for_development
from doit_cargo.core.model import PROFILES, Config, CrateGraph, Outputs, Policy
from doit_cargo.core.settings.profiles import is_for_development, profile_fault
from doit_cargo.core.toml_file import Table

HERE = Path("/ws")
TABLES: dict[str, Table] = {
    **PROFILES,
    "release": {"debug": 1},
    "quick": {"inherits": "dev", "debug": 0},
    "small": {"inherits": "dev", "strip": True},
    "traced": {"inherits": "release", "strip": "none"},
    "round": {"inherits": "about"},
    "about": {"inherits": "round"},
}


def config(profile: str, **more: Any) -> Config:  # noqa: ANN401
    outputs = Outputs(*[HERE] * len(Outputs._fields))
    return Config(
        path=HERE, root=HERE, title="", workspace=HERE, outputs=outputs, targets=(), ship=None,
        profile=profile, **more,
    )  # fmt: skip


GRAPH = CrateGraph(root=HERE, target_directory=HERE, crates={}, profiles=TABLES)


@pytest.mark.parametrize(
    ("profile", "more", "wanted"),
    [
        ("dev", {}, True),
        ("test", {}, True),
        ("bench", {}, True),  # as `release` says here
        ("release", {}, False),
        ("quick", {}, False),
        ("small", {}, False),
        ("traced", {}, True),
        ("round", {}, False),
        ("dev", {"split_debug": True}, False),
        ("dev", {"env": {"CARGO_PROFILE_DEV_STRIP": "symbols"}}, False),
        ("quick", {"env": {"CARGO_PROFILE_QUICK_DEBUG": "2"}}, True),
    ],
)
def test_for_development(profile: str, more: dict[str, Any], *, wanted: bool) -> None:
    assert is_for_development(config(profile, **more), GRAPH) == wanted
    assert profile_fault(config(profile, **more), GRAPH) == ""


def test_what_only_a_release_has_is_no_more_than_a_warning() -> None:
    levels = {"stripped": "deny", "size": "off", "build_path": "warn", "static": "deny"}
    policy = Policy(levels=levels, min_size=0, max_size=1)  # type: ignore[arg-type]

    found = for_development(policy)

    assert found.levels == {**levels, "stripped": "warn"}
    assert found._replace(levels=levels) == policy  # type: ignore[arg-type]
