"""What the searches have found, by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.project import DODO, SOURCES, Project, sha256

pytestmark = pytest.mark.integration

Dodo = Callable[[str], Project]

MAIN = 'mod gen;\nfn main() { println!("beta {} {}", gen::G, core_lib::greet()); }\n'
FILES = {
    **SOURCES,
    "beta/src/main.rs": MAIN,
    "beta/src/gen.rs": 'pub const G: &str = "";\n',
}


@pytest.fixture
def dodo(tmp_path: Path) -> Dodo:
    """A project with these tasks beside ours."""

    def made(tasks: str) -> Project:
        head = f"import sys\nfrom pathlib import Path\nfrom doit import create_after\n{DODO}"
        return Project(tmp_path, {**FILES, "dodo.py": f"{head}\n{tasks}"})

    return made


def ran(project: Project) -> list[str]:
    """The lines of the log that the tasks write."""
    log = project.path("log")
    return log.read_text().split() if log.exists() else []


BETWEEN = """
def write():
    import subprocess
    said = subprocess.run(['target/x86_64-unknown-linux-musl/release/alpha'],
                          capture_output=True, text=True, check=True).stdout.strip()
    Path('beta/src/gen.rs').write_text(f'pub const G: &str = "<{said}>";\\n')

def task_gen():
    return dict(actions=[write], targets=['beta/src/gen.rs'],
                file_dep=['target/x86_64-unknown-linux-musl/release/alpha'])
"""


def test_a_generator_may_use_another_crates_program(dodo: Dodo) -> None:
    project = dodo(BETWEEN)
    project.build()
    main = project.path("alpha/src/main.rs")
    main.write_text(main.read_text().replace('"alpha {}"', '"ALPHA {}"'))
    project.build("stage")

    assert b"<ALPHA hello>" in project.staged("beta").read_bytes()
    assert sha256(project.staged("beta")) == sha256(project.built("beta"))
    assert "up to date" in project.build()


LATE = """
@create_after()
def task_late():
    yield dict(name='x', actions=['echo x >> log'], task_dep=['stage'])
"""


def test_a_task_that_is_created_late_may_bring_in_ours(dodo: Dodo) -> None:
    project = dodo(LATE)
    said = project.build("late")

    assert ran(project) == ["x"]
    assert "2 binaries" in said
    assert project.staged("alpha").exists()


QUEUE = """
def task_all():
    for name in 'abcdef':
        yield dict(name=name, actions=['echo %s >> log' % name], getargs={'v': ('first', 'v')})

def task_first():
    return dict(actions=[lambda: {'v': 1}])
"""


@pytest.mark.parametrize("kind", [(), ("-P", "thread")])
def test_all_that_wait_for_a_worker_get_one(dodo: Dodo, kind: tuple[str, ...]) -> None:
    """Those whose setup task has to run first give their place in the queue away."""
    project = dodo(QUEUE)
    project.build("-n", "1", *kind, "all")

    assert sorted(ran(project)) == [*"abcdef"]


BOTH = """
def task_b():
    return dict(actions=['echo b >> log'], task_dep=['a', 'c'], calc_dep=['a'])

def task_a():
    return dict(actions=[(lambda: {'file_dep': ['Cargo.toml']})])

def task_c():
    return dict(actions=['echo c >> log'])
"""


def test_a_task_dep_that_is_a_calc_dep_too_is_no_deadlock(dodo: Dodo) -> None:
    project = dodo(BOTH)
    project.build("b")

    assert ran(project) == ["c", "b"]


ONCE = """
from doit.tools import run_once

def task_once():
    return dict(actions=['echo once >> log'], uptodate=[run_once])

def task_odd():
    return dict(actions=[lambda: {'path': Path('x')}])

def task_keys():
    return dict(actions=[lambda: {1: 2, None: 3, True: 4}])
"""


def test_clean_leaves_what_doit_knows_of_others(dodo: Dodo) -> None:
    project = dodo(ONCE)
    project.build("once", "stage")
    project.build("clean")
    said = project.build("once", "stage")

    assert ran(project) == ["once"]
    assert "2 built" in said


def test_clean_of_a_word_that_is_no_task_removes_nothing(dodo: Dodo) -> None:
    project = dodo(ONCE)
    project.build("once", "stage")
    done = project.doit("clean", "web")

    assert (done.returncode, done.stdout) == (3, "")
    assert "'web' is not a task" in done.stderr
    assert project.staged("alpha").exists()


def test_values_that_cannot_be_saved_are_the_tasks_error(dodo: Dodo) -> None:
    project = dodo(ONCE)
    done = project.doit("-c", "odd", "keys", "once")

    assert done.returncode == 2
    assert "ERROR: Task 'odd' saving success: Object of type PosixPath is not" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert ran(project) == ["once"]


def test_a_wrong_name_makes_no_output_file(dodo: Dodo) -> None:
    project = dodo(ONCE)

    assert project.doit("-o", "said", "nothing").returncode == 3
    assert not project.path("said").exists()


RESULT = """
from doit.task import result_dep

def task_after():
    return dict(actions=['echo after >> log'], uptodate=[result_dep('stage')])
"""


def test_reset_dep_knows_our_tasks(dodo: Dodo) -> None:
    project = dodo(RESULT)

    assert project.build("reset-dep") == "processed after\n"
    project.build("after")
    project.build("after")
    assert ran(project) == ["after"]


INNER = """
def task_outer():
    return dict(actions=[f'{sys.executable} -m doit inner'], task_dep=['stage'], verbosity=2)

def task_inner():
    return dict(actions=['echo inner >> log'])

def task_ours():
    return dict(actions=[f'{sys.executable} -m doit build'], task_dep=['stage'], verbosity=2)
"""


def test_an_action_may_call_doit_for_other_tasks_and_not_for_ours(dodo: Dodo) -> None:
    project = dodo(INNER)
    project.build("outer")
    done = project.doit("ours")

    assert ran(project) == ["inner"]
    assert done.returncode == 1
    assert "started by a task of another one" in done.stdout + done.stderr


GONE = """
from doit.tools import check_timestamp_unchanged

def task_stamped():
    return dict(actions=['echo stamped >> log'], uptodate=[check_timestamp_unchanged('stamp')])
"""


def test_what_anothers_code_raises_has_doits_traceback(dodo: Dodo) -> None:
    """A task's `uptodate` may fail: whoever wrote it needs to know where."""
    project = dodo(GONE)
    project.path("stamp").touch()
    project.build("stamped")
    project.path("stamp").unlink()
    done = project.doit("stamped")

    assert done.returncode == 3
    assert "in _get_time" in done.stderr
    assert "FileNotFoundError: [Errno 2] No such file or directory: 'stamp'" in done.stderr
