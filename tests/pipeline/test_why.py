"""`why` and `plan` name what a run then does, and the first cause of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from helpers.project import CONFIG, Project

pytestmark = pytest.mark.integration

Change = Callable[[Project], object]


def edit(name: str, text: str = "// edited\n") -> Change:
    def change(project: Project) -> None:
        path = project.path(name)
        path.write_text(path.read_text() + text)

    return change


def replace(name: str, old: str, new: str) -> Change:
    def change(project: Project) -> None:
        path = project.path(name)
        assert old in path.read_text()
        path.write_text(path.read_text().replace(old, new))

    return change


def remove(name: str) -> Change:
    return lambda project: project.path(name).unlink()


def create(name: str, text: str = "") -> Change:
    def change(project: Project) -> None:
        project.path(name).parent.mkdir(parents=True, exist_ok=True)
        project.path(name).write_text(text)

    return change


def alter_libraries(project: Project) -> None:
    for path in project.path(f"{RELEASE}/deps").glob("libcore_lib-*.rlib"):
        path.write_bytes(b"x")


RELEASE = "target/x86_64-unknown-linux-musl/release"
# In this order, in one project: what is done, the task with the first cause, and the cause.
CHANGES: dict[str, tuple[Change, str, str]] = {
    "a source": (
        edit("core/src/lib.rs", "pub fn one() {}\n"),
        "build:x86_64:core_lib", "core/src/lib.rs changed",
    ),
    "a source without effect": (
        edit("alpha/src/main.rs"), "build:x86_64:alpha", "alpha/src/main.rs changed",
    ),
    "a new source": (
        create("core/src/more.rs"), "build:x86_64:core_lib", "core/src/more.rs is new",
    ),
    "a source that is gone": (
        remove("core/src/more.rs"), "build:x86_64:core_lib", "core/src/more.rs is gone",
    ),
    "a manifest": (
        edit("alpha/Cargo.toml", "# edited\n"), "toolchain:x86_64", "alpha/Cargo.toml changed",
    ),
    "a profile": (
        replace("Cargo.toml", "opt-level = 0", "opt-level = 1"),
        "toolchain:x86_64", "Cargo.toml changed",
    ),
    "the lock file": (
        edit("Cargo.lock", "\n"), "toolchain:x86_64", "Cargo.lock changed",
    ),
    "cargo's configuration": (
        create(".cargo/config.toml", "[env]\nMINE = '1'\n"),
        "toolchain:x86_64", ".cargo/config.toml is new",
    ),
    "a new variable": (
        create("config/pipeline.yaml", CONFIG + "env: {GREETING: hello}\n"),
        "toolchain:x86_64", "env.GREETING is set now: 'hello'",
    ),
    "a variable's value": (
        create("config/pipeline.yaml", CONFIG + "env: {GREETING: welcome}\n"),
        "toolchain:x86_64", "env.GREETING changed: 'hello' → 'welcome'",
    ),
    "a secret's value": (
        create("config/pipeline.yaml", CONFIG + "env: {GREETING: welcome, API_KEY: abcdef}\n"),
        "toolchain:x86_64", "env.API_KEY is set now: 'sha256:",
    ),
    "a variable that is not set any more": (
        create("config/pipeline.yaml", CONFIG + "env: {API_KEY: abcdef}\n"),
        "toolchain:x86_64", "env.GREETING is not set any more, it was 'welcome'",
    ),
    "the policy": (
        create("config/policy.yaml", "size: {min: 1 KiB}\n"),
        "verify:x86_64:alpha", "size changed: ",
    ),
    "a budget": (
        create("config/policy.yaml", "size: {min: 1 KiB}\nbudgets: {beta: 60 MiB}\n"),
        "verify:x86_64:beta", "size changed: ",
    ),
    "an executable that is gone": (
        remove(f"{RELEASE}/alpha"), "build:x86_64:alpha", f"{RELEASE}/alpha is gone",
    ),
    "an executable that was altered": (
        lambda project: project.built("beta").write_bytes(b"x"),
        "build:x86_64:beta", f"{RELEASE}/beta was altered",
    ),
    "a held library that was altered": (
        alter_libraries,
        "build:x86_64:core_lib", f"{RELEASE}/deps/libcore_lib-",
    ),
    "a package that is gone": (
        lambda project: project.packaged("alpha").unlink(),
        "package:x86_64:alpha", "docker/binaries/x86_64/alpha/alpha is gone",
    ),
    "a manifest of packages that was altered": (
        lambda project: project.path("docker/binaries/x86_64/MANIFEST.txt").write_text("x"),
        "manifest:x86_64", "docker/binaries/x86_64/MANIFEST.txt was altered",
    ),
    "a staged copy with another mode": (
        lambda project: project.staged("beta").chmod(0o600),
        "stage:x86_64", "docker/context/binaries/beta/beta was altered",
    ),
    "a file that belongs to nobody": (
        create("docker/context/binaries/stray", "x"),
        "stage:x86_64", "docker/context/binaries/stray does not belong there",
    ),
    "state that is lost": (
        lambda project: project.path(".doit-cargo/state.sqlite3").unlink(),
        "toolchain:x86_64", "no successful run is on record",
    ),
}  # fmt: skip


def said(project: Project, command: str, *names: str) -> dict[str, Any]:
    done = project.doit(command, *names, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_named_is_what_is_done(shared: Project, name: str) -> None:
    """The first cause is named; what is certain runs, and nothing runs that is not named."""
    change, first, cause = CHANGES[name]
    shared.build()
    change(shared)
    before = shared.stamps(".")

    plan = said(shared, "plan")
    text = shared.doit("why").stdout
    assert shared.stamps(".") == before  # it writes nothing
    shared.build("--json", "run.json")

    report = json.loads(shared.path("run.json").read_text())
    shared.path("run.json").unlink()
    ran = {task["name"] for task in report["tasks"] if task["state"] == "ran"}
    due = {task["name"]: task for task in plan["tasks"]}
    assert next(iter(due)) == first
    assert any(line.startswith(cause) for line in due[first]["causes"]), due[first]
    assert cause in text
    assert f"→ {first}" in text
    certain = {task for task in due if due[task]["certain"]}
    assert certain <= ran <= due.keys(), plan


def test_the_way_from_the_cause_to_what_is_asked(finished: Project) -> None:
    edit("core/src/lib.rs", "pub fn one() {}\n")(finished)

    assert finished.doit("why", "beta").stdout == (
        "core/src/lib.rs changed\n"
        "  → build:x86_64:core_lib\n"
        "  → build:x86_64:beta\n"
        "  → package:x86_64:beta, if what it takes differs then\n"
        "4 tasks would run: see doit plan\n"
    )


def test_what_was_made_for_itself_since(finished: Project) -> None:
    """As after a run that was killed between two crates."""
    edit("core/src/lib.rs", "pub fn one() {}\n")(finished)
    finished.build("-s", "build:x86_64:core_lib")

    assert finished.doit("why", "build:x86_64:alpha").stdout == (
        "build:x86_64:core_lib has run since\n"
        "  → build:x86_64:alpha\n"
        "1 task would run: see doit plan\n"
    )


def test_a_crate_that_failed(finished: Project) -> None:
    edit("alpha/src/main.rs", "fn f() -> u8 { 300 }\n")(finished)
    assert finished.doit().returncode == 1

    assert finished.doit("why", "alpha").stdout.startswith("no successful run is on record\n")


def test_nothing_to_do(finished: Project) -> None:
    assert finished.doit("why").stdout.startswith("up to date since 20")
    assert finished.doit("why", "alpha", "build:x86_64").stdout.startswith("up to date since 20")
    assert finished.doit("plan").stdout == "nothing to do\n"
    assert said(finished, "plan")["tasks"] == []


def test_before_the_first_run(project: Project) -> None:
    project.doit("list")  # Python keeps what it has compiled of dodo.py
    before = project.stamps(".")

    done = project.doit("plan")

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("runs\n  toolchain:x86_64 ")
    assert done.stdout.count("no successful run is on record") == len(done.stdout.splitlines()) - 1
    assert project.stamps(".") == before


def test_a_name_that_nobody_knows(finished: Project) -> None:
    done = finished.doit("why", "alpah")

    assert (done.returncode, done.stdout) == (3, "")
    assert "there is no task or command 'alpah', did you mean 'alpha'?" in done.stderr


def test_a_task_of_the_users_own(finished: Project) -> None:
    """It is not asked: an `uptodate` of its own may be any program."""
    finished.path("dodo.py").write_text(
        finished.path("dodo.py").read_text()
        + 'def task_gen():\n    return {"actions": ["true"], "uptodate": ["touch asked"],'
        f' "targets": ["{finished.path("core/src/gen.rs")}"]}}\n'
    )

    done = finished.doit("why")

    assert "note: gen is a task of your own: what it changes is not known\n" in done.stdout
    assert not os.path.exists(finished.path("asked"))
