"""What a person calls things, and the tasks that are meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.short_names import known, tasks_of
from helpers.contexts import ARM, context
from helpers.machines import TRIPLE

CONFIG = f"""\
workspace: .
targets:
  x86_64: {TRIPLE}
  aarch64: {{triple: {ARM}, default: false}}
"""


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("alpha", ("package:x86_64:alpha",)),
        ("core_lib", ("build:x86_64:core_lib",)),
        ("aarch64", ("stage:aarch64",)),
        ("build:aarch64:beta", ("build:aarch64:beta",)),
        ("stage:x86_64:beta", ("stage:x86_64",)),
        ("stage:x86_64:core_lib", ()),
        ("stage:riscv64:beta", ()),
        ("push:x86_64:beta", ()),
        ("gamma", ()),
        ("", ()),
        (":", ()),
    ],
)
def test_a_short_name(tmp_path: Path, name: str, tasks: tuple[str, ...]) -> None:
    ctx = context(tmp_path, config=CONFIG)

    assert tasks_of(ctx, name) == tasks
    if tasks and ":" not in name:
        assert name in known(ctx)
