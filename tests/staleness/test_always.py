"""Build scripts that want to run in every build are asked alone: nothing is stale, nothing paid."""

from __future__ import annotations

import os
import signal
import subprocess  # noqa: TID251
import time
from pathlib import Path

import pytest

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools.cargo.scripts import Scripts
from doit_cargo.tools.run import rerun
from helpers.project import CONFIG, SOURCES, Project
from helpers.workspaces import write

pytestmark = pytest.mark.integration

# It says what a file outside every crate holds, watches what is never there, and keeps a log.
SCRIPT = """\
use std::io::Write;
fn main() {
    println!("cargo:rerun-if-changed=never");
    let said = std::fs::read_to_string("../said.txt").unwrap();
    let out = std::env::var("OUT_DIR").unwrap();
    let mut log = std::fs::OpenOptions::new().append(true).create(true).open("../log").unwrap();
    writeln!(log, "{}", out.ends_with("/ask")).unwrap();
    MORE
    std::fs::write(format!("{out}/{}.rs", said.trim()), &out).unwrap();
    let names = std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name());
    let names: Vec<_> = names.map(|n| n.into_string().unwrap()).collect();
    println!("cargo::rustc-env=SAID={} {}", said.trim(), names.join(" "));
}
"""
LIBRARY = 'pub fn greet() -> &\'static str { env!("SAID") }\n'


def files(more: str = "") -> dict[str, str]:
    script = SCRIPT.replace("MORE", more)
    return {**SOURCES, "core/build.rs": script, "core/src/lib.rs": LIBRARY, "said.txt": "one"}


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """A workspace of its own: two programs on a library whose script wants to run always."""
    return Project(tmp_path / "project", getattr(request, "param", files()))


def says(project: Project, binary: str = "beta") -> str:
    """What the staged program prints."""
    done = subprocess.run([project.staged(binary)], capture_output=True, text=True, check=True)
    return done.stdout.strip().removeprefix(f"{binary} ")


def log(project: Project) -> list[bool]:
    """The script's runs since the last look: whether each was asked alone."""
    path = project.path("log")
    found = [line == "true" for line in path.read_text().splitlines()] if path.exists() else []
    path.unlink(missing_ok=True)
    return found


def edit(project: Project, name: str) -> None:
    path = project.path(name)
    path.write_text(path.read_text() + "// edited\n")


def test_an_answer_that_is_the_last_one_costs_a_run_of_the_script(project: Project) -> None:
    project.build()
    assert log(project) == [False]
    before = project.stamps("target"), project.stamps(".doit-cargo")

    assert project.build().startswith("up to date")
    assert log(project) == [True]
    assert (project.stamps("target"), project.stamps(".doit-cargo")) == before


def test_another_answer_compiles_the_crate_and_what_is_above(project: Project) -> None:
    """With an empty OUT_DIR: what another answer left there would be found by a script."""
    project.build()
    for said in ("two", "one"):
        project.path("said.txt").write_text(said)
        log(project)
        assert "2 built" in project.build()
        assert (says(project, "alpha"), says(project)) == (f"{said} {said}.rs",) * 2
        assert log(project) == [True, False]
        assert project.build().startswith("up to date")


def test_another_crate_is_edited_with_and_without_another_answer(project: Project) -> None:
    project.build()
    edit(project, "alpha/src/main.rs")
    assert "1 built, 1 reused" in project.build()
    project.path("said.txt").write_text("two")
    edit(project, "alpha/src/main.rs")

    assert "2 built" in project.build()
    assert says(project) == "two two.rs"
    assert project.build().startswith("up to date")


def test_what_has_said_the_same_is_not_compiled_again(project: Project) -> None:
    """Nor what lies between it and the crate that was edited; the path is absent all the same."""
    between = SOURCES["alpha/Cargo.toml"].replace("alpha", "mid")
    mid = "pub fn greet() -> &'static str { core_lib::greet() }\n"
    write(project.root, {"mid/Cargo.toml": between, "mid/src/lib.rs": mid})
    for name, old, new in (
        ("Cargo.toml", '"core"', '"core", "mid"'),
        ("alpha/Cargo.toml", 'core_lib = { path = "../core" }', 'mid = { path = "../mid" }'),
        ("alpha/src/main.rs", "core_lib", "mid"),
    ):
        path = project.path(name)
        path.write_text(path.read_text().replace(old, new))
    project.path("Cargo.lock").unlink()
    project.build()
    libraries = {path: path.stat() for path in project.root.glob("target/*/release/deps/*.rlib")}
    log(project)
    edit(project, "alpha/src/main.rs")

    assert "1 built, 1 reused" in project.build()

    assert len(libraries) == 2
    assert libraries == {path: path.stat() for path in libraries}
    assert log(project) == [True]
    assert not project.path("core/never").exists()
    project.path("core/never").touch()
    assert "2 built" in project.build()


def test_the_crate_itself_is_edited_and_has_another_answer(project: Project) -> None:
    project.build()
    project.path("said.txt").write_text("two")
    edit(project, "core/src/lib.rs")

    assert "2 built" in project.build()
    assert says(project) == "two two.rs"
    assert project.build().startswith("up to date")


def test_a_run_that_ends_before_all_that_is_stale_was_built(project: Project) -> None:
    """The library has its new answer, and beta is stale all the same."""
    project.build()
    project.path("said.txt").write_text("two")
    project.build("build:x86_64:alpha")

    assert "1 built, 1 reused" in project.build()
    assert says(project) == "two two.rs"


def test_only_what_is_selected_is_asked(project: Project) -> None:
    script = project.path("core/build.rs").read_text().replace("../log", "../own")
    write(project.root, {"beta/build.rs": script})
    project.build()
    project.path("own").unlink()

    project.build("build:x86_64:alpha")
    assert not project.path("own").exists()
    project.build("build:x86_64:beta")
    assert project.path("own").read_text() == "true\n"


def test_the_environment_is_kept_for_no_other_eyes(project: Project) -> None:
    project.build()

    path = project.path(".doit-cargo/scripts/x86_64/core_lib.json")
    assert path.stat().st_mode & 0o777 == 0o600
    project.path("core/build.rs").write_text("fn main() {}\n")
    project.path("core/src/lib.rs").write_text(SOURCES["core/src/lib.rs"])
    project.build()
    assert not path.exists()


def test_what_was_forgotten_or_altered_is_stale(project: Project) -> None:
    """Never a false pass: without a known command, with another program, cargo runs it."""
    project.build()
    path = project.path(".doit-cargo/scripts/x86_64/core_lib.json")
    for damage in ("", "{}", path.read_text().replace("OPT_LEVEL", "OPT_OTHER")):
        path.write_text(damage)
        assert "2 built" in project.build() or "0 built" not in project.build()
        assert project.build().startswith("up to date")
    (script,) = project.root.glob("target/release/build/core_lib-*/build-script-build")
    script.unlink()
    log(project)

    project.build()
    assert log(project) == [False]
    assert project.build().startswith("up to date")


def test_audit_runs_nothing_and_says_so(project: Project) -> None:
    project.build()
    log(project)

    said = project.build("audit").splitlines()

    assert said == [
        (
            "note: build:x86_64:core_lib is not checked: its build script reruns in every "
            "build, and audit runs nothing"
        ),
        "2 binaries and all copies are valid",
    ]
    assert log(project) == []


NEVER = {**files(), "config/pipeline.yaml": CONFIG + "rerun: {core_lib: never}\n"}


@pytest.mark.parametrize("project", [NEVER], indirect=True)
def test_a_script_that_is_not_to_be_asked(project: Project) -> None:
    project.build()
    log(project)
    project.path("said.txt").write_text("two")

    assert project.build().startswith("up to date")
    assert log(project) == []
    project.path("config/pipeline.yaml").write_text(CONFIG)
    assert project.build("audit").splitlines() == ["2 binaries and all copies are valid"]
    project.path("config/pipeline.yaml").write_text(CONFIG + "rerun: {core: never}\n")
    assert "did you mean 'core_lib'?" in project.doit().stderr


WRITES = files('std::fs::write("src/made.rs", "// made\\n").unwrap();')


@pytest.mark.parametrize("project", [WRITES], indirect=True)
def test_a_script_that_writes_elsewhere_is_cargos_to_run(project: Project) -> None:
    project.build()
    for _ in range(3):
        assert not project.build().startswith("up to date")
    log(project)
    assert not project.build().startswith("up to date")
    assert log(project) == [False]

    notes = [line for line in project.build("doctor").splitlines() if line.startswith("note")]
    assert notes[1] == (
        "note      core_lib's build script is not asked alone, it writes core/src/made.rs: "
        "each run compiles the crate and what is above it"
    )
    project.path("core/build.rs").write_text(SCRIPT.replace("MORE", ""))
    project.build()
    assert project.build().startswith("up to date")


# Alone it says what it said, and when cargo runs it something else.
TWOFACED = files('let said = if out.ends_with("/ask") { said } else { OTHER };').copy()
TWOFACED["core/build.rs"] = TWOFACED["core/build.rs"].replace(
    "OTHER", 'std::fs::read_to_string("../other.txt").unwrap_or(said)'
)


@pytest.mark.parametrize("project", [TWOFACED], indirect=True)
def test_an_answer_that_changes_under_way_fails_the_run(project: Project) -> None:
    """A touched script is run by cargo when alpha is edited: beta would keep the answer before."""
    project.build()
    project.path("other.txt").write_text("two")
    edit(project, "alpha/src/main.rs")
    project.path("core/build.rs").touch()

    done = project.doit()

    assert done.returncode == 1
    assert "the build script of core_lib said something else" in done.stdout + done.stderr
    project.build()
    assert says(project) == says(project, "alpha") == "two two.rs"


SLOW = files('if std::path::Path::new("../slow").exists() { std::thread::sleep(S); }')
SLOW["core/build.rs"] = SLOW["core/build.rs"].replace("S)", "std::time::Duration::from_secs(99))")


@pytest.mark.parametrize("project", [SLOW], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_script_ends_with_the_run_that_asks_it(project: Project, number: int) -> None:
    project.build()
    project.path("slow").touch()
    project.path("log").unlink()
    running = project.start()
    while not project.path("log").exists():
        time.sleep(0.02)
    assert _scripts(project)

    os.kill(running.pid, number)
    running.communicate(timeout=10)

    limit = time.monotonic() + 5
    while _scripts(project) and time.monotonic() < limit:
        time.sleep(0.02)
    assert _scripts(project) == []
    project.path("slow").unlink()
    assert project.build().startswith("up to date")
    assert [*project.root.glob("target/**/ask")] == []


def _scripts(project: Project) -> list[str]:
    """The processes that are build scripts of this project."""
    found = []
    for path in Path("/proc").glob("[0-9]*/exe"):
        try:
            program = os.readlink(path)
        except OSError:
            continue
        if program.startswith(f"{project.root}/target/"):
            found.append(program)
    return found


def test_a_script_that_takes_too_long_or_fails(tmp_path: Path) -> None:
    scripts = Scripts(0.2)

    assert scripts.output("/bin/echo", {}, tmp_path) == b"\n"
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nsleep 60\n")
    slow.chmod(0o755)
    began = time.monotonic()
    assert scripts.output(str(slow), {}, tmp_path) is None
    assert time.monotonic() - began < 5
    with pytest.raises(PipelineError, match="ended with 1"):
        scripts.output("/bin/false", {}, tmp_path)
    scripts.stop()
    with pytest.raises(PipelineError, match="stopped"):
        scripts.output("/bin/echo", {}, tmp_path)


def test_the_time_limit_is_what_readme_says() -> None:
    assert rerun.SECONDS == 60
