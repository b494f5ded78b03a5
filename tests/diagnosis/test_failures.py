"""Real workspaces fail for real: the compiler's own words stand first, what is known under them."""

from __future__ import annotations

import re
import shutil
import subprocess  # noqa: TID251 - one test needs a mount of its own
from pathlib import Path

import pytest

from doit_cargo.core.diagnosis import table
from helpers.failures import ALONE, APP, HUNGRY, TOGETHER, Alone, member
from helpers.project import DOIT, Project
from helpers.workspaces import virtual

pytestmark = pytest.mark.integration

ROWS = {row.name: row for row in table.load()}
HINT = re.compile(
    r"^hint(?: for .*?)?: (.*)\n      (.*)\n      see doit-cargo help (.*)$", re.MULTILINE
)
MANIFEST = virtual('"crates/*"', "[profile.release]\nopt-level = 0\nstrip = true\n")


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One target folder for all: third-party crates are compiled once."""
    return tmp_path_factory.mktemp("target")


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory, target: Path) -> dict[str, str]:
    """What one run says of each task or third-party crate that failed, by its name."""
    files = HUNGRY | {
        path: text for name, failing in TOGETHER.items()
        for path, text in member(name, failing).items()
    }  # fmt: skip
    root = tmp_path_factory.mktemp("together")
    crates = {f"crates/{path}": text for path, text in files.items()}
    project = Project(root, {"Cargo.toml": MANIFEST, **crates})
    configure(project, 'env: {SWAGGER_UI_DOWNLOAD_URL: "http://127.0.0.1:1/ui.zip"}\n')

    run = project.start("--continue", env={"CARGO_TARGET_DIR": str(target)})
    said, complaint = run.communicate(timeout=1200)  # some eighty crates of others

    assert run.returncode == 1, said + complaint
    told, _, rest = complaint.partition("\nhint for ")
    causes = dict(part.partition("\n")[::2] for part in told.split("FAILED   ")[1:])
    for part in rest.partition("\nfailed: ")[0].split("\nhint for "):
        name = next(name for name in causes if part.startswith(f"{name}: "))
        causes[name] += f"\nhint for {part}"
    return causes


def configure(project: Project, settings: str, targets: str = "") -> None:
    config = project.path("config/pipeline.yaml")
    targets = targets or "{x86_64: x86_64-unknown-linux-musl}"
    config.write_text(f"workspace: .\ntargets: {targets}\n{settings}")


def expected(row: str) -> str:
    """The cause as the table has it, with any word for the names in it."""
    names = re.sub(r"(?<!\{)\{\w+\}(?!\})", "\0", ROWS[row].cause)
    return re.escape(names.format()).replace(re.escape("\0"), ".+")


@pytest.mark.parametrize("name", TOGETHER)
def test_a_crate_that_fails_is_explained(together: dict[str, str], name: str) -> None:
    failing = TOGETHER[name]
    of_others = (text for text in together.values() if failing.said in text)
    message = together.get(f"build:x86_64:{name}") or next(of_others)
    found = HINT.findall(message)

    assert failing.said in message.partition("hint: ")[0]
    assert [see for _, _, see in found] == [ROWS[failing.row].see], message
    assert re.fullmatch(expected(failing.row), found[0][0])


@pytest.mark.parametrize("name", ALONE)
def test_a_workspace_that_fails_is_explained(name: str, tmp_path: Path, target: Path) -> None:
    case = ALONE[name]
    if case.rustup and not shutil.which("rustup"):
        pytest.skip("toolchain files are rustup's: there is none here")
    done = run(case, tmp_path, target)
    message = done.stdout + done.stderr
    found = HINT.findall(message)

    assert done.returncode in (1, 3)
    assert case.said in message.partition("hint: ")[0]
    assert [see for _, _, see in found] == [ROWS[case.row].see], message
    assert re.fullmatch(expected(case.row), found[0][0])


def run(case: Alone, root: Path, target: Path) -> subprocess.CompletedProcess[str]:
    project = Project(root, {**APP, **case.files})
    configure(project, case.settings, case.targets)
    env = {"CARGO_TARGET_DIR": str(target), **case.env}
    if "CARGO_HOME" in env:
        env["CARGO_HOME"] = str(root / env["CARGO_HOME"])
    return project.doit(*case.command, env=env)


@pytest.mark.parametrize(
    ("size", "row", "said"),
    [("8k", "disk-full", "No space left on device"), ("256k", "linker-died", "failed: signal: ")],
)
def test_a_full_disk_is_explained(tmp_path: Path, size: str, row: str, said: str) -> None:
    """The target folder is that small: nothing fits, or the executable does not."""
    if subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True).returncode:
        pytest.skip("only root may mount")
    mount = f"mkdir target && mount -t tmpfs -o size={size} tmpfs target"
    Project(tmp_path, APP)

    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"{mount} && exec {DOIT}"],
        cwd=tmp_path, env=Project.environment(None), text=True, capture_output=True, check=False,
    )  # fmt: skip
    message = done.stdout + done.stderr
    found = HINT.findall(message)

    assert done.returncode == 1
    assert said in message.partition("hint: ")[0]
    assert [see for _, _, see in found] == [ROWS[row].see], message
    assert re.fullmatch(expected(row), found[0][0])


def test_every_row_has_a_workspace_that_fails_so() -> None:
    """`a-file` is `a-program` on a machine with all the usual programs."""
    shown = {failing.row for failing in TOGETHER.values()} | {case.row for case in ALONE.values()}

    assert shown | {"a-file", "linker-died"} == ROWS.keys()
