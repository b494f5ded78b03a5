"""Words of the command line, completed by the real shells."""

from __future__ import annotations

import os
import pty
import re
import select
import shutil
import subprocess  # noqa: TID251 - the shells
import time
from pathlib import Path

import pytest

from doit_cargo.core import completion, purposes
from doit_cargo.core.completion import Known, Word
from doit_cargo.core.context import read_context
from helpers.project import DOIT, Project

pytestmark = pytest.mark.integration

DOOR = DOIT.with_name("doit-cargo")
CONFIG = """\
workspace: .
targets:
  x86_64: x86_64-unknown-linux-musl
  aarch64: {triple: aarch64-unknown-linux-musl, default: false}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    found = Project(tmp_path_factory.mktemp("project"))
    found.path("config/pipeline.yaml").write_text(CONFIG)
    return found


@pytest.fixture(scope="module")
def known(project: Project) -> Known:
    ctx = read_context(project.root, os.environ)
    return Known(
        purposes.COMMANDS, purposes.STAGES, ctx, lambda name: [Word("--all"), Word(f"--{name}")]
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("al", ["alpha"]),
        ("s", ["show", "size", "setup", "stage", "smoke"]),
        ("run b", ["build", "beta"]),
        ("cor", ["core_lib"]),
        ("verify:a", ["verify:aarch64", "verify:aarch64:alpha", "verify:aarch64:beta"]),
        ("build:x86_64:c", ["build:x86_64:core_lib"]),
        ("run prof", ["profile="]),
        ("profile=de", ["profile=dev"]),
        ("run profile=b", ["profile=bench"]),
        ("setup a", ["aarch64"]),
        ("profile=dev show x", ["x86_64"]),
        ("list --a", ["--all"]),
        ("--r", ["--run"]),
        ("completions ", ["bash", "fish", "zsh"]),
        ("help aud", ["audit"]),
        ("hooks i", ["install"]),
        ("zzz", []),
    ],
)
def test_what_a_word_can_become(known: Known, line: str, words: list[str]) -> None:
    assert [word.text for word in completion.fitting(line.split(" "), known)] == words


def test_outside_of_a_project_there_are_commands_and_stages(tmp_path: Path) -> None:
    done = subprocess.run(
        [DOOR, "completions", "--words", "--", "b"], cwd=tmp_path, capture_output=True, text=True,
        check=True, env=Project.environment(None),
    )  # fmt: skip

    assert done.stdout == f"build\t{purposes.STAGES['build']}\n"


def test_the_options_are_the_commands_own(project: Project) -> None:
    done = subprocess.run(
        [DOOR, "completions", "--words", "--", "run", "--j"], cwd=project.root,
        capture_output=True, text=True, check=True, env=Project.environment(None),
    )  # fmt: skip

    assert done.stdout.startswith("--json=\twrite what was made")


def test_an_unknown_shell_is_told(tmp_path: Path) -> None:
    done = subprocess.run(
        [DOOR, "completions", "zhs"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert done.returncode == 2
    assert done.stderr == (
        "ERROR: completions takes a shell, bash, fish, zsh: did you mean 'zsh'?\n"
    )


def typed(project: Project, argv: list[str], setup: str, keys: str, wanted: str) -> str:
    """What an interactive shell has shown when that text has appeared, after these keys."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(project.root)
        path = f"{DOOR.parent}:{os.environ['PATH']}"
        env = {**project.environment(None), "PATH": path, "TERM": "xterm"}
        os.execvpe(argv[0], argv, env)  # noqa: S606
    try:
        os.write(terminal, f"{setup}; echo re''ady\n".encode())
        _until(terminal, "ready")
        os.write(terminal, keys.encode())
        return _until(terminal, wanted)
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(terminal)


def _until(terminal: int, wanted: str) -> str:
    shown, end = "", time.monotonic() + 20
    while wanted not in shown:
        ready, _, _ = select.select([terminal], [], [], max(0, end - time.monotonic()))
        if not ready:
            pytest.fail(f"no {wanted!r} in {shown!r}")
        shown += re.sub(r"\x1b\[[\d;?]*[A-Za-z]|\a", "", os.read(terminal, 4096).decode())
    return shown


SHELLS = {
    "bash": (["bash", "--norc", "-i"], 'PS1="> "; eval "$(doit-cargo completions bash)"'),
    "zsh": (
        ["zsh", "-f", "-i"],
        'PS1="> "; autoload -U compinit; compinit -D -u; eval "$(doit-cargo completions zsh)"',
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        ("doit-cargo alp\t", "doit-cargo alpha "),
        ("doit-cargo build:x86_64:co\t", "build:x86_64:core_lib"),
        ("doit-cargo run profile=rel\t", "profile=release"),
        ("doit-cargo verify:aarch64:\t\t", "beta"),
    ],
)
def test_a_shell_completes(project: Project, shell: str, keys: str, wanted: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    argv, setup = SHELLS[shell]

    assert "error" not in typed(project, argv, setup, keys, wanted)


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("doit-cargo alp", "alpha\tof alpha\n"),
        ("doit-cargo build:x86_64:co", "build:x86_64:core_lib\n"),
        ("doit-cargo run profile=rel", "profile=release\tprofile of cargo\n"),
    ],
)
def test_fish_completes(project: Project, line: str, wanted: str) -> None:
    if not shutil.which("fish"):
        pytest.skip("no fish")
    path = {"PATH": f"{DOOR.parent}:{os.environ['PATH']}"}
    source = "doit-cargo completions fish | source"
    done = subprocess.run(
        ["fish", "--no-config", "-c", f"{source}; complete -C '{line}'"],
        cwd=project.root, env=project.environment(path), capture_output=True, text=True, check=True,
    )  # fmt: skip

    assert done.stdout == wanted
