"""What one reads of a run with many services: a failure once, and never a long silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from helpers.project import Project
from helpers.workspaces import app, package, virtual

pytestmark = pytest.mark.integration

SERVICES = [f"svc-{number:02}" for number in range(30)]
SHARED = '[dependencies]\nshared = { path = "../shared" }\n'
RING = '[dependencies]\nring = "0.17"\n'
MANIFEST = virtual('"crates/*"', "[profile.release]\nopt-level = 0\nstrip = true\n")


def services(root: Path, shared: str, main: str = "fn main() {}\n") -> Project:
    """Thirty services upon one crate."""
    files = {
        "Cargo.toml": MANIFEST,
        "crates/shared/Cargo.toml": package("shared", shared),
        "crates/shared/src/lib.rs": "pub fn f() -> u8 { 3 }\n",
    }
    for name in SERVICES:
        files[f"crates/{name}/Cargo.toml"] = package(name, SHARED)
        files[f"crates/{name}/src/main.rs"] = main
    return Project(root, files)


def web(root: Path, files: dict[str, str]) -> Project:
    """One service."""
    return Project(root, {"Cargo.toml": virtual('"web"'), **app("web"), **files})


@pytest.mark.parametrize("option", ["--verbosity=1", "--continue"])
def test_an_error_that_thirty_services_share_is_told_once(tmp_path: Path, option: str) -> None:
    project = services(tmp_path, "")
    project.path("crates/shared/src/lib.rs").write_text("pub fn f() -> u8 { 300 }\n")

    done = project.doit(option)

    lines = done.stdout.splitlines() + done.stderr.splitlines()
    assert done.returncode == 1
    assert len(lines) <= 40
    assert done.stderr.count("literal out of range for `u8`") == 1
    assert " --> crates/shared/src/lib.rs:1:20" in lines
    assert re.fullmatch(
        r"failed: build:x86_64:shared; 30 crates and 30 binaries wait for it, .*", lines[-2]
    )
    assert lines[-1] == "again: doit build:x86_64:shared"
    assert "skipped" not in done.stdout + done.stderr


def test_a_script_of_others_that_fails_is_told_once_and_as_itself(tmp_path: Path) -> None:
    project = services(tmp_path, RING)
    config = project.path("config/pipeline.yaml")
    config.write_text(f"{config.read_text()}\nenv: {{CC_x86_64_unknown_linux_musl: /no/cc}}\n")

    done = project.doit("--continue")

    assert done.returncode == 1
    assert re.findall(r"^FAILED +(.*)", done.stderr, re.MULTILINE) == ["ring for x86_64"]
    assert done.stderr.count("failed to run custom build command for `ring") == 1
    assert "rerun-if-env-changed" not in done.stderr
    hint, _, _, failed, again = done.stderr.splitlines()[-5:]
    assert hint == "hint: ring compiles C with /no/cc, which is not there."
    assert failed.startswith("failed: ring for x86_64; 31 crates and 30 binaries wait for it, ")
    assert again == "again: doit build:x86_64:shared"


def test_warnings_come_back_in_one_line(tmp_path: Path) -> None:
    project = web(tmp_path, {"web/src/main.rs": "fn main() { let unused = 3; }\n"})
    first = project.build()
    again, whole = project.doit(), project.doit("-v", "1")

    assert first.count("unused variable") == 1
    assert again.stderr == "warnings: 1 of web (-v 1 shows them)\n"
    assert again.stdout.startswith("up to date: ")
    assert whole.stderr.count("unused variable") == 1


SLEEPS = "fn main() { std::thread::sleep(std::time::Duration::from_secs(25)); }\n"


def test_a_log_is_never_silent_for_long(tmp_path: Path) -> None:
    project = web(tmp_path, {"web/build.rs": SLEEPS})

    done = project.doit()

    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^compiling: \d of \d units  2\d\.\d s  web\(build", done.stderr, re.MULTILINE
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1251", "utf-8"])
def test_any_encoding_will_do(tmp_path: Path, encoding: str) -> None:
    """What a stream has no letters for is written as an escape."""
    project = web(
        tmp_path, {"web/src/main.rs": 'fn main() { let _ = ("é →", ); let unused = 3; }\n'}
    )
    done = project.doit(env={"PYTHONIOENCODING": f"{encoding}:strict"})
    text = "é →" if encoding == "utf-8" else r"\xe9 \u2192"

    assert done.returncode == 0, done.stderr
    assert f'let _ = ("{text}", );' in done.stdout
