"""The bundled workspace, the second architecture, the log, and what `doit clean` takes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from helpers.project import DOIT, REPOSITORY, Project, sha256

pytestmark = pytest.mark.integration

BINARIES = (
    "fechatter_server/fechatter_server", "analytics_server/analytics_server",
    "notify_server/notify_server", "fechatter_gateway/fechatter_gateway", "bot_server/bot",
    "bot_server/indexer",
)  # fmt: skip


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository as it is, built for both architectures."""
    root = tmp_path_factory.mktemp("bundled") / "project"
    made = ("target", ".doit-cargo", ".git", ".venv", "binaries", "context")
    shutil.copytree(REPOSITORY, root, ignore=shutil.ignore_patterns(*made))
    doit(root, "stage:x86_64", "stage:aarch64")
    return root


def doit(root: Path, *args: str) -> str:
    done = subprocess.run(
        [DOIT, *args], cwd=root, env=Project.environment(None), text=True, capture_output=True,
        check=False, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
@pytest.mark.parametrize("name", BINARIES)
def test_every_binary_of_both_architectures_runs(bundled: Path, arch: str, name: str) -> None:
    context = bundled / "docker/context" / ("" if arch == "x86_64" else arch)
    path = context / "binaries" / name
    emulator = [] if arch == "x86_64" else ["qemu-aarch64-static"]

    said = subprocess.run(
        [*emulator, path, "--version"], text=True, capture_output=True, check=True
    )
    kind = subprocess.run(["file", path], text=True, capture_output=True, check=True).stdout

    assert said.stdout == f"{path.name} 0.1.0\n"
    assert {"x86_64": "x86-64", "aarch64": "ARM aarch64"}[arch] in kind
    assert "static" in kind
    assert ", stripped" in kind


@pytest.mark.parametrize("arch", ["x86_64", "aarch64"])
def test_the_manifest_has_the_order_of_the_ship_list(bundled: Path, arch: str) -> None:
    folder = bundled / "docker/binaries" / arch
    lines = (folder / "MANIFEST.txt").read_text().splitlines()

    assert lines[:3] == [
        f"# Fechatter {arch} Binary Manifest", f"# Target: {arch}-unknown-linux-musl", "",
    ]  # fmt: skip
    assert lines[3:] == [f"{name}  {sha256(folder / name)}" for name in BINARIES]


def test_a_bare_doit_covers_the_default_target(bundled: Path) -> None:
    assert doit(bundled).startswith("up to date: 6 binaries")
    assert "aarch64" not in doit(bundled, "show")
    assert doit(bundled, "audit", "x86_64", "aarch64") == "12 binaries and all copies are valid\n"


def test_the_log_has_a_line_for_each_thing_done(bundled: Path) -> None:
    text = (bundled / ".doit-cargo/log.jsonl").read_text()
    events = [json.loads(line) for line in text.splitlines()]
    (event,) = [e for e in events if e["task"] == "verify:aarch64:bot"]

    assert event["event"] == "done"
    assert (event["stage"], event["arch"], event["binary"]) == ("verify", "aarch64", "bot")
    assert event["size"] > 0
    assert {"timestamp", "duration", "digest"} <= event.keys()
    assert "crate" not in event


def test_precompiled_protos_do_without_protoc(bundled: Path, tmp_path: Path) -> None:
    """The guide's way around "protoc failed": code that was generated before."""
    root = tmp_path / "project"
    shutil.copytree(bundled, root, ignore=shutil.ignore_patterns("target", ".doit-cargo", "docker"))
    config = root / "config/pipeline.yaml"
    settings = '\nenv: {CROSS_COMPILATION: "1", PROTOC: /nonexistent}\n'
    config.write_text(config.read_text() + settings)

    doit(root, "build:x86_64:fechatter_protos")


def test_clean_leaves_cargos_cache_unless_asked(project: Project) -> None:
    project.build()

    would = project.build("clean", "-n")
    assert "would remove docker/binaries/x86_64" in would
    assert project.packaged("alpha").exists()

    project.build("clean")
    assert not project.path("docker/binaries/x86_64").exists()
    assert not project.path("docker/context/binaries").exists()
    assert not project.path(".doit-cargo/state.sqlite3").exists()
    assert project.built("alpha").exists()

    project.build("clean", "--cargo")
    assert not project.path("target/x86_64-unknown-linux-musl").exists()
    assert "2 built" in project.build()


def test_verbose_shows_events_on_standard_error(project: Project) -> None:
    done = project.doit("-v", "2")

    assert done.returncode == 0
    assert "verify:x86_64:alpha" in done.stderr


def test_jobs_are_cargos_jobs(project: Project) -> None:
    project.path("beta/build.rs").write_text(
        'fn main() { println!("cargo:warning=jobs={}", std::env::var("NUM_JOBS").unwrap()); }\n'
    )
    done = project.doit("-n", "1", "--continue", "build")

    assert done.returncode == 0, done.stdout
    output = next(project.root.glob("target/**/build/beta-*/output"))
    assert "jobs=1" in output.read_text()


def test_a_crate_that_cargo_has_no_use_for_is_no_failure(project: Project) -> None:
    """Dependencies of another platform, and optional ones: in the graph, but not compiled."""
    manifest = project.path("beta/Cargo.toml")
    manifest.write_text(
        manifest.read_text().replace(
            "[dependencies]", '[dependencies]\nspare = { path = "../spare", optional = true }'
        )
        + '[target."cfg(windows)".dependencies]\nother = { path = "../other" }\n'
    )
    for name in ("spare", "other"):
        folder = project.path(name)
        (folder / "src").mkdir(parents=True)
        (folder / "src/lib.rs").write_text("compile_error!();\n")
        (folder / "Cargo.toml").write_text(f'[package]\nname = "{name}"\nversion = "0.1.0"\n')
    project.path("Cargo.lock").unlink()

    assert "2 built" in project.build()
    assert project.build().startswith("up to date")


@pytest.mark.parametrize("name", ["{x} [y]*", "'a\"b\\", "$HOME;\n#ü", "-{"])
def test_any_folder_will_do(tmp_path: Path, name: str) -> None:
    """What cargo, doit, a shell or a Makefile would read as something else."""
    project = Project(tmp_path / name)

    assert "2 built" in project.build()
    assert project.build().startswith("up to date")
    assert "2 binaries" in project.build("audit")


def test_a_workspace_without_a_lock_file_gets_one(project: Project) -> None:
    """And is told so, once."""
    lock = project.path("Cargo.lock")
    lock.unlink()

    done = project.doit()

    assert done.returncode == 0, done.stdout
    assert done.stderr == (f"made {lock}: commit it, so that every build takes the same versions\n")
    assert lock.exists()
    again = project.doit()
    assert again.stdout.startswith("up to date")
    assert again.stderr == ""


def test_an_old_lock_file_is_brought_up_to_date_where_that_is_wanted(project: Project) -> None:
    lock, config = project.path("Cargo.lock"), project.path("config/pipeline.yaml")
    config.write_text(config.read_text() + "cargo: {locked: false}\n")
    lock.write_text(lock.read_text().replace('dependencies = ["core_lib"]\n', "", 1))

    done = project.doit()

    assert done.returncode == 0, done.stdout
    assert done.stderr == f"cargo brought {lock} up to date\n"
    assert project.build().startswith("up to date")


def test_an_old_lock_file_is_cargos_to_complain_about(project: Project) -> None:
    lock = project.path("Cargo.lock")
    lock.write_text(lock.read_text().replace('dependencies = ["core_lib"]\n', "", 1))

    done = project.doit()

    assert done.returncode == 1
    words = f"error: cannot update the lock file {lock} because --locked was passed"
    assert words in done.stdout
    assert "Cargo.lock" not in done.stderr


def test_a_macro_crate_serves_both_architectures(project: Project) -> None:
    """It is compiled for the host, once, by the first of two cargos."""
    config = project.path("config/pipeline.yaml")
    config.write_text(
        "workspace: .\ntargets:\n  x86_64: x86_64-unknown-linux-musl\n"
        "  aarch64: aarch64-unknown-linux-musl\n"
    )
    folder = project.path("macros")
    (folder / "src").mkdir(parents=True)
    (folder / "Cargo.toml").write_text(
        '[package]\nname = "macros"\nversion = "0.1.0"\nedition = "2021"\n'
        "[lib]\nproc-macro = true\n"
    )
    (folder / "src/lib.rs").write_text(MACRO)
    manifest = project.path("alpha/Cargo.toml")
    manifest.write_text(manifest.read_text() + 'macros = { path = "../macros" }\n')
    project.path("alpha/src/main.rs").write_text('fn main() { println!("{}", macros::word!()); }\n')
    project.path("Cargo.lock").unlink()
    project.build()

    (folder / "src/lib.rs").write_text(MACRO.replace("first", "second"))
    project.build()

    said = subprocess.run([project.staged("alpha")], capture_output=True, text=True, check=True)
    assert said.stdout == "second\n"
    arm = project.path("docker/context/aarch64/binaries/alpha/alpha")
    said = subprocess.run(["qemu-aarch64-static", arm], capture_output=True, text=True, check=True)
    assert said.stdout == "second\n"


MACRO = """\
use proc_macro::TokenStream;
#[proc_macro]
pub fn word(_: TokenStream) -> TokenStream { "\\"first\\"".parse().unwrap() }
"""


def test_what_a_build_reads_elsewhere_is_an_input(project: Project) -> None:
    """Files outside every crate: of the compiler, and of a build script; then one that appears."""
    project.path("words").mkdir()
    project.path("words/one").write_text("one")
    project.path("shared.txt").write_text("shared")
    project.path("alpha/build.rs").write_text(
        'fn main() { println!("cargo:rerun-if-changed=../words");\n'
        ' let n = std::fs::read_dir("../words").unwrap().count();\n'
        ' println!("cargo:rustc-env=WORDS={n}"); }\n'
    )
    project.path("alpha/src/main.rs").write_text(
        'fn main() { println!("{} {}", include_str!("../../shared.txt"), env!("WORDS")); }\n'
    )

    def says() -> str:
        staged = project.staged("alpha")
        return subprocess.run([staged], capture_output=True, text=True, check=True).stdout

    project.build()
    assert project.build().startswith("up to date")
    assert says() == "shared 1\n"
    project.path("shared.txt").write_text("SHARED")
    assert "1 built, 1 reused" in project.build()
    assert says() == "SHARED 1\n"
    project.path("words/two").write_text("two")
    assert "1 built, 1 reused" in project.build()
    assert says() == "SHARED 2\n"
    assert project.build().startswith("up to date")


def test_an_edit_that_keeps_size_and_time_is_seen(project: Project) -> None:
    """Cargo would call it fresh."""
    project.build()
    source = project.path("core/src/lib.rs")
    before = source.stat()
    source.write_text(source.read_text().replace("hello", "HELLO"))
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert "2 built" in project.build()
    said = subprocess.run([project.staged("beta")], capture_output=True, text=True, check=True)
    assert said.stdout == "beta HELLO\n"


def test_a_library_alone(project: Project) -> None:
    assert "compiled x86_64 core_lib" in project.build("build:x86_64:core_lib")
    assert not project.built("alpha").exists()
