"""doit's state: committed as each task ends, suspicious of damage, silent when only read."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess  # noqa: TID251 - a process to be killed
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from doit.dependency import JSONCodec
from doit.exceptions import InvalidCommand

from doit_cargo.core.errors import PipelineError
from doit_cargo.core.seal import Seal
from doit_cargo.core.task import OwnName
from doit_cargo.doit_ext.database import Database
from doit_cargo.doit_ext.state import TaskStore


@pytest.fixture(autouse=True)
def _databases_are_closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A run closes its own; Python 3.13 complains of one that is left to the garbage collector."""
    made: list[Database] = []
    begin = Database.__init__

    def begun(self: Database, name: str) -> None:
        begin(self, name)
        made.append(self)

    monkeypatch.setattr(Database, "__init__", begun)
    yield
    for database in made:
        database.close()


def store(path: Path) -> TaskStore:
    state = TaskStore(str(path), JSONCodec())
    state.open_for_results()
    return state


def finish(state: TaskStore, task: str, **values: object) -> None:
    for name, value in values.items():
        state.set(task, name, value)
    state.set(task, "deps:", [])


def test_reading_writes_nothing(tmp_path: Path) -> None:
    state = store(tmp_path / "state")
    assert state.get("build", "x") is None
    assert not state.in_("build")
    state.dump()

    assert list(tmp_path.iterdir()) == []


def test_a_finished_task_survives_a_kill(tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        "from doit.dependency import JSONCodec\n"
        "from doit_cargo.doit_ext.state import TaskStore\n"
        "s = TaskStore(sys.argv[1], JSONCodec())\n"
        "s.open_for_results()\n"
        "s.set('done', 'x', 1); s.set('done', 'deps:', [])\n"
        "s.set('half', 'x', 1)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    path = os.pathsep.join(sys.path)
    done = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "state"],
        env={**os.environ, "PYTHONPATH": path}, check=False,
    )  # fmt: skip

    assert done.returncode == -9
    assert store(tmp_path / "state").get("done", "x") == 1
    assert store(tmp_path / "state").get("half", "x") is None


def test_a_forgotten_task_is_forgotten_on_disk(tmp_path: Path) -> None:
    state = store(tmp_path / "state")
    finish(state, "build", x=1)
    state.remove("build")
    state.dump()

    assert store(tmp_path / "state").get("build", "x") is None


def test_an_altered_row_counts_as_never_run(tmp_path: Path) -> None:
    state = store(tmp_path / "state")
    finish(state, "build", x="aaaa")
    finish(state, "other", x="aaaa")
    state.dump()
    with sqlite3.connect(tmp_path / "state") as connection:
        connection.execute(
            "update tasks set data = replace(data, 'aaaa', 'bbbb') where name = 'build'"
        )
    connection.close()

    again = store(tmp_path / "state")
    assert again.get("build", "x") is None
    assert again.get("other", "x") == "aaaa"


@pytest.mark.parametrize("damage", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_damaged_file_is_set_aside(tmp_path: Path, damage: bytes) -> None:
    place = tmp_path / "state"
    place.write_bytes(damage)

    state = store(place)
    assert state.get("build", "x") is None
    finish(state, "build", x=1)
    state.dump()

    assert store(place).get("build", "x") == 1


def test_a_foreign_version_is_set_aside(tmp_path: Path) -> None:
    place = tmp_path / "state"
    with sqlite3.connect(place) as connection:
        connection.execute("create table tasks (name, data, digest)")
        connection.execute("insert into tasks values ('build', '{\"x\": 1}', '')")
        connection.execute("pragma user_version = 99")
    connection.close()

    state = store(place)
    assert state.get("build", "x") is None
    finish(state, "build", x=2)
    state.dump()

    assert store(place).get("build", "x") == 2
    assert (tmp_path / "state.damaged").exists()


ENDLESS = """
create view tasks as with recursive more(n) as (select 1 union all select n + 1 from more)
select n as name, n as data, n as digest from more;
"""
TRIGGER = """
create table tasks (name text primary key, data text, digest text);
create trigger more after insert on tasks begin delete from tasks; end;
"""


@pytest.mark.parametrize("script", [ENDLESS, TRIGGER, "create table tasks (name)", ""])
def test_a_database_with_anything_but_our_table_is_set_aside(tmp_path: Path, script: str) -> None:
    """A view of the table's name could go on for ever."""
    path = tmp_path / "state"
    with sqlite3.connect(path) as connection:
        connection.executescript(f"{script}; pragma user_version = 2;")
    connection.close()

    state = store(path)
    assert state.get("build", "x") is None
    finish(state, "build", x=1)
    assert store(path).get("build", "x") == 1
    assert (tmp_path / "state.damaged").is_file()


def test_another_run_is_noticed(tmp_path: Path) -> None:
    first, second = store(tmp_path / "state"), store(tmp_path / "state")
    assert not first.outdated()
    finish(second, "build", x=1)

    assert first.outdated()


def test_only_a_run_may_save_results(tmp_path: Path) -> None:
    state = TaskStore(str(tmp_path / "state"), JSONCodec())

    for key in ("ignore:", "_values_:"):
        with pytest.raises(InvalidCommand, match="verify is doit-cargo's: only a run may say"):
            state.set(OwnName("verify"), key, "1")

    assert list(tmp_path.iterdir()) == []


def test_the_tasks_of_others_may_be_ignored(tmp_path: Path) -> None:
    """Doit saves nothing else then, and no last key."""
    TaskStore(str(tmp_path / "state"), JSONCodec()).set("web", "ignore:", "1")

    assert TaskStore(str(tmp_path / "state"), JSONCodec()).get("web", "ignore:") == "1"


def test_a_state_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state"
    finish(store(path), "build", x=1)
    state = store(path)
    path.with_name("state-wal").unlink(missing_ok=True)
    path.with_name("state-wal").mkdir()

    with pytest.raises(PipelineError, match=re.escape(f"{path}: ")):
        finish(state, "build", x=2)


def test_each_profile_has_a_row_of_its_own(tmp_path: Path) -> None:
    """A task of somebody else has one for all, and may ask for ours by its plain name."""
    dev, release = OwnName("verify", "dev"), OwnName("verify")
    state = store(tmp_path / "state")
    state.open_for_results()
    for name, value in ((dev, "1"), (release, "2"), ("theirs", "3")):
        state.set(name, "_values_:", value)
        state.set(name, "deps:", "x")
    state.dump()

    assert store(tmp_path / "state").get(dev, "_values_:") == "1"
    assert store(tmp_path / "state").get("verify", "_values_:") == "2"
    again = store(tmp_path / "state")
    assert (again.in_(dev), again.get("verify", "_values_:")) == (True, "1")
    assert again.knows_others(["verify"])
    assert not again.knows_others(["verify", "theirs"])
    again.remove(dev)
    assert not store(tmp_path / "state").in_(dev)
    assert store(tmp_path / "state").in_(release)
    assert store(tmp_path / "state").in_("theirs")
    again.remove_all()
    assert not store(tmp_path / "state").in_(release)


def moved(rows: sqlite3.Connection) -> None:
    rows.execute("update tasks set name = 'other'")


def altered(rows: sqlite3.Connection) -> None:
    rows.execute("update tasks set data = replace(data, '1', '2')")


def unsealed(rows: sqlite3.Connection) -> None:
    rows.execute("update tasks set digest = ''")


def sealed_by_another(rows: sqlite3.Connection) -> None:
    ((data,),) = rows.execute("select data from tasks")
    mac = Seal(b"another key", str(Path("/elsewhere"))).mac("row", f"build\0{data}".encode())
    rows.execute("update tasks set digest = ?", (mac,))


@pytest.mark.parametrize("forge", [moved, altered, unsealed, sealed_by_another])
def test_a_forged_row_says_nothing(
    tmp_path: Path, forge: Callable[[sqlite3.Connection], None]
) -> None:
    state = store(tmp_path / "state")
    finish(state, "build", x=1)
    state.dump()
    assert store(tmp_path / "state").get("build", "x") == 1
    with sqlite3.connect(tmp_path / "state") as rows:
        forge(rows)
    rows.close()

    again = store(tmp_path / "state")
    assert [again.get(name, "x") for name in ("build", "other")] == [None, None]
