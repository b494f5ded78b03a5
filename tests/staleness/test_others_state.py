"""What another user or machine remembered is work, never a pass; and what was wrong heals."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from doit_cargo.core import user_state
from doit_cargo.tools.key import seal
from doit_cargo.tools.run.content_index import signature
from helpers.project import Project
from helpers.seals import seal_toolchain

pytestmark = pytest.mark.integration
UP_TO_DATE = "up to date: "


def elsewhere(tmp_path: Path, **more: str) -> dict[str, str]:
    """The variables of another user, whose own files are elsewhere."""
    return {"XDG_STATE_HOME": str(tmp_path / "another"), **more}


def set_up(env: Mapping[str, str]) -> Mapping[str, str]:
    """The same variables, with which the toolchain has been made."""
    seal_toolchain(user_state.folder(os.environ) / "toolchain", Project.environment(env))
    return env


def test_another_users_state_is_unknown(finished: Project, tmp_path: Path) -> None:
    before = finished.tree("docker")
    first = finished.build(env=set_up(elsewhere(tmp_path)))

    assert UP_TO_DATE not in first
    assert finished.tree("docker") == before
    assert finished.build(env=elsewhere(tmp_path)).startswith(UP_TO_DATE)


def test_who_has_the_key_shares_the_state(finished: Project, tmp_path: Path) -> None:
    given = {"DOIT_CARGO_KEY": "a secret of trusted jobs"}
    other = set_up(elsewhere(tmp_path, **given))
    finished.build(env=set_up({"XDG_STATE_HOME": str(tmp_path / "one"), **given}))

    assert finished.build(env=other).startswith(UP_TO_DATE)


def test_a_run_may_take_it_as_it_is_and_no_other_run_takes_that(
    finished: Project, tmp_path: Path
) -> None:
    other = set_up(elsewhere(tmp_path))
    trusted = finished.build("--trust-state", env=other)
    finished.path("core/src/lib.rs").write_text('pub fn greet() -> &\'static str { "new" }\n')
    again = finished.build("--trust-state", env=other)

    assert trusted.startswith(UP_TO_DATE)
    assert UP_TO_DATE not in again
    assert finished.build("--trust-state", env=other).startswith(UP_TO_DATE)
    assert UP_TO_DATE not in finished.build(env=other)


def test_a_short_key_is_one_message(finished: Project) -> None:
    done = finished.doit(env={"DOIT_CARGO_KEY": "word"})

    assert (done.returncode, done.stderr.count("\n")) == (3, 1)
    assert "DOIT_CARGO_KEY is too short" in done.stderr


def test_audit_tells_what_the_index_hides_and_the_next_run_heals_it(finished: Project) -> None:
    """As a store through a mapping would: other bytes, and the file's times tell nothing."""
    source, place = finished.path("core/src/lib.rs"), finished.path(".doit-cargo/index.json")
    mine = seal(finished.path(".doit-cargo"))
    entries = json.loads(mine.opened("index", place.read_bytes()) or b"")
    known = entries[str(source)][1]
    source.write_text('pub fn greet() -> &\'static str { "new" }\n')
    entries[str(source)] = [signature(os.stat(source)), known]
    place.write_bytes(mine.sealed("index", json.dumps(entries).encode()))

    assert finished.build().startswith(UP_TO_DATE)  # nothing tells it
    audit = finished.doit("audit")
    assert audit.returncode == 1
    assert "core/src/lib.rs was changed without a change of its times or size" in audit.stdout
    assert UP_TO_DATE not in finished.build()
    assert finished.doit("audit").returncode == 0
