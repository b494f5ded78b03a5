"""`doit-cargo COMMAND`: the pipeline by its own door, with and without a dodo.py."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 - the tests drive real processes
from collections.abc import Mapping
from pathlib import Path

import pytest

from doit_cargo.core.purposes import COMMANDS, STAGES
from helpers.project import CONFIG, DODO, DOIT, SOURCES, Project, adopt
from helpers.workspaces import write

pytestmark = pytest.mark.integration

DOOR = DOIT.with_name("doit-cargo")
FOREIGN = """
def task_web():
    return {"actions": ["echo web"], "verbosity": 2}
"""


def door(
    folder: Path, *words: str, program: Path | str = DOOR, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run it in a folder, without doit on PATH."""
    path = {"PATH": os.environ["PATH"].replace(f"{DOIT.parent}:", "")}
    return subprocess.run(
        [program, *words], cwd=folder, env=Project.environment({**path, **(env or {})}), text=True,
        capture_output=True, check=False, timeout=300,
    )  # fmt: skip


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with a configuration, and nothing else of ours."""
    return write(tmp_path / "project", {**SOURCES, "config/pipeline.yaml": CONFIG})


def test_it_needs_no_file_but_the_configuration_and_works_in_every_folder(root: Path) -> None:
    before = {path.name for path in root.iterdir()}

    one = door(root / "core/src", "alpha")
    all_of_it = door(root / "alpha", "run")
    again = door(root, "x86_64")
    shown = door(root / "core", "show", "--json")

    assert one.stdout.splitlines()[-1].startswith("1 binary, "), one.stdout + one.stderr
    assert "compiled x86_64 core_lib\ncompiled x86_64 alpha\n" in one.stdout
    assert "2 binaries, " in all_of_it.stdout
    assert again.stdout.startswith("up to date: 2 binaries, ")
    assert '"alpha"' in shown.stdout
    assert {path.name for path in root.iterdir()} == before | {
        ".doit-cargo", ".gitignore", "docker", "target",
    } - ({".gitignore"} - before)  # fmt: skip


def test_options_stand_anywhere_and_a_wrong_one_is_a_line(root: Path) -> None:
    wrong = door(root, "list", "--al")
    unlike = door(root, "run", "-q")
    lacking = door(root, "run", "--process")
    after = door(root, "list", "build:x86_64", "--all")

    assert wrong.returncode == 0, "the beginning of a long name"
    assert (unlike.returncode, lacking.returncode) == (2, 2)
    assert unlike.stderr.startswith("ERROR: there is no option -q, known: --always-execute, ")
    assert lacking.stderr == "ERROR: --process needs a value\n"
    assert "build:x86_64:alpha" in after.stdout
    behind = door(root, "build", "--nosuch")
    assert behind.returncode == 2
    assert behind.stderr.startswith("ERROR: there is no option --nosuch")
    assert behind.stderr.count("\n") == 1
    misspelt = door(root, "list", "--staus")
    assert misspelt.stderr == "ERROR: there is no option --staus, did you mean '--status'?\n"
    assert misspelt.returncode == 2


@pytest.mark.parametrize(
    ("name", "meant"),
    [("stagee", "stage"), ("docto", "doctor"), ("alpa", "alpha"), ("x86_46", "x86_64")],
)
def test_a_misspelt_name_is_told_with_the_one_that_was_meant(
    root: Path, name: str, meant: str
) -> None:
    done = door(root, name)

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"ERROR: there is no task or command '{name}', did you mean '{meant}'?\n"
    )


def test_help_is_a_page_for_all_and_one_for_each(root: Path) -> None:
    page = door(root, "--help")

    assert page.stdout == door(root).stdout == door(root, "-h").stdout == door(root, "help").stdout
    assert all(len(line) <= 100 for line in page.stdout.splitlines())
    for name in ("list", "info", "show", "size", "audit", "env", "setup", "doctor", "hooks", "run",
                 "clean", "forget"):  # fmt: skip
        assert f"  {name} " in page.stdout
        one = door(root, name, "--help")
        assert one.stdout == door(root, "help", name).stdout
        assert f"doit-cargo {name}" in one.stdout
    assert door(root, "stage", "-h").stdout.startswith("stage  copy the packages into")
    assert door(root, "--version").stdout.startswith("doit-cargo 0.")


def test_outside_of_every_project_it_says_how_to_make_one(tmp_path: Path) -> None:
    done = door(tmp_path, "run")

    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"ERROR: there is no config/pipeline.yaml in {tmp_path} or above it: `doit-cargo init` "
        "makes one in a Cargo workspace\n"
    )


def test_a_dodo_file_of_the_users_own_is_left_alone(root: Path) -> None:
    write(root, {"dodo.py": "raise SystemExit('mine')\n", "doit.cfg": "[GLOBAL]\nverbosity = 9\n"})

    done = door(root, "build:x86_64:core_lib")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "compiled x86_64 core_lib" in done.stdout


@pytest.mark.parametrize("prefix", ["", "rust"])
def test_one_that_loads_ours_has_its_tasks_here_too(root: Path, prefix: str) -> None:
    dodo = DODO.replace("load(__file__)", f"load(__file__, prefix={prefix!r})")
    adopt(root)
    write(root, {"dodo.py": dodo + FOREIGN})

    assert door(root / "core", "web").stdout == ".  web\nweb\n"
    done = door(root / "core", "build:x86_64:core_lib")
    assert "compiled x86_64 core_lib" in done.stdout, done.stderr


def test_messages_name_the_command_that_the_user_has(root: Path, tmp_path: Path) -> None:
    done = door(root, "run", env={"DOIT_CARGO_CACHE": str(tmp_path / "none")})

    assert done.returncode == 3
    assert "are not made yet: doit-cargo setup\n" in done.stderr


def test_a_run_that_starts_anew_does_so_from_any_folder(root: Path) -> None:
    """It was called by a path that is relative to where the user stood."""
    (root / "Cargo.lock").unlink()
    relative = os.path.relpath(DOOR, root / "core")

    done = door(root / "core", "build:x86_64:core_lib", program=relative)

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"made {root}/Cargo.lock" in done.stderr


def test_both_doors_lead_to_the_same_state(root: Path) -> None:
    adopt(root)
    write(root, {"dodo.py": DODO})
    project = Project(root)
    door(root, "run", env={"PATH": os.environ["PATH"]})  # builds see it

    assert project.build().startswith("up to date: 2 binaries")
    assert project.build("alpha").startswith("up to date: 1 binary")
    assert project.build("stage:x86_64:beta").startswith("up to date: 2 binaries")
    assert project.build("build:x86_64:beta", "core_lib").startswith("up to date")


def test_help_of_a_hints_section_prints_it(tmp_path: Path) -> None:
    """Outside of projects too: a hint may speak of one that cannot be read."""
    said = door(tmp_path, "help", "memory-or-disk-run-out")

    assert said.returncode == 0
    assert said.stdout.startswith("## Memory or disk run out\n\n*signal: 9* means the system ")
    assert "## " not in said.stdout[3:]


def test_its_hook_needs_no_dodo(root: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    elsewhere = door(root.parent, "hooks", "install")
    said = door(root / "core", "hooks", "install")
    hook = (root / ".git/hooks/pre-push").read_text()

    assert elsewhere.returncode != 0
    assert said.returncode == 0, said.stderr
    assert f"doit={DOOR}\n" in hook
    assert '"$doit" audit' in hook


def test_list_is_a_table_of_contents(root: Path) -> None:
    (root / "dodo.py").write_text(DODO + FOREIGN)
    page = door(root, "list").stdout

    assert page.startswith("ships, for x86_64\n  BINARY  CRATE\n  alpha   alpha\n  beta    beta\n")
    assert f"\n\nstages, in order\n  build    {STAGES['build']}\n  verify   compile, and" in page
    assert page.endswith("\n\ntasks of dodo.py\n  web\n")
    assert max(map(len, page.splitlines())) <= 80
    whole = door(root, "list", "--all").stdout
    assert "build:x86_64:core_lib" in whole


@pytest.mark.parametrize(
    "words", ["list --all", "list --json", "help", "help run", "run -h", "plan", "env", "history"]
)
def test_a_reader_that_does_not_read_on_is_no_error(tmp_path: Path, words: str) -> None:
    """As in `doit-cargo list --all | head -1`: ended as by SIGPIPE, without a word."""
    project = Project(tmp_path)
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb") as pipe:
        done = subprocess.run(
            [DOOR, *words.split()], cwd=project.root, env=Project.environment(None), stdout=pipe,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip

    assert (done.returncode, done.stderr) == (141, "")


def test_the_page_of_all_commands_has_all(tmp_path: Path) -> None:
    said = subprocess.run(
        [DOOR, "help"], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout

    named = {line.split()[0] for line in said.splitlines() if line.startswith("  ")}
    assert {*COMMANDS} - {"help", "reset-dep"} <= named
    assert max(map(len, said.splitlines())) <= 80
