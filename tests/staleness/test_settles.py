"""It settles: whatever came before, the next run does nothing, and an edit costs what it must."""

from __future__ import annotations

import os
import shutil
import subprocess  # noqa: TID251
from collections.abc import Callable, Mapping
from itertools import starmap
from pathlib import Path

import pytest

from helpers.project import SOURCES, Project
from helpers.workspaces import package

pytestmark = pytest.mark.integration

CONFIG = """\
workspace: .
targets:
  x86_64: x86_64-unknown-linux-musl
  aarch64: {triple: aarch64-unknown-linux-musl, default: false}
"""
SCRIPT = """\
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rustc-env=MADE={}", std::env::var("WORD").unwrap_or_default());
    let out = std::env::var("OUT_DIR").unwrap() + "/made.rs";
    std::fs::write(out, "pub const X: u8 = 1;").unwrap();
}
"""
MACRO = """\
#[proc_macro]
pub fn word(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    format!("{:?}", std::env::var("WORD").unwrap_or_default()).parse().unwrap()
}
"""
MADE = """\
include!(concat!(env!("OUT_DIR"), "/made.rs"));
pub fn made() -> &'static str { env!("MADE") }
"""
VENDORED = (
    ("plain", "", "", "pub fn one() {}"),
    ("scripted",'[dependencies]\nplain = "0.1"', SCRIPT, MADE),
    ("spoken", "[lib]\nproc-macro = true", "", MACRO),
    (
        "upper", '[dependencies]\nscripted = "0.1"\nspoken = "0.1"', "",
        "pub fn two() -> [&'static str; 2] { [scripted::made(), spoken::word!()] }",
    ),
)  # fmt: skip


def vendored(name: str, more: str, script: str, text: str) -> Mapping[str, str]:
    folder = f"vendor/{name}"
    return {
        f"{folder}/Cargo.toml": package(name, more),
        f"{folder}/src/lib.rs": text,
        f"{folder}/.cargo-checksum.json": '{"files": {}}',
        **({f"{folder}/build.rs": script} if script else {}),
    }


FILES = {
    **{name: text for name, text in SOURCES.items() if name != "Cargo.lock"},
    ".cargo/config.toml": '[source.crates-io]\nreplace-with = "near"\n'
    '[source.near]\ndirectory = "vendor"\n',
    **{path: text for files in starmap(vendored, VENDORED) for path, text in files.items()},
    "core/Cargo.toml": package("core_lib", '[dependencies]\nupper = "0.1"'),
    "core/src/lib.rs": 'pub fn greet() -> String { upper::two().join(" ") }\n',
    "config/pipeline.yaml": CONFIG,
}  # fmt: skip


def made(project: Project, run: Callable[[], object]) -> list[str]:
    """The libraries and macros that are other files after that."""
    before = held(project)
    run()
    return sorted(path.name.rpartition("-")[0] for path, _ in held(project) - before)


def held(project: Project) -> set[tuple[Path, int]]:
    found = [p for kind in ("rlib", "so") for p in project.path("target").rglob(f"deps/*.{kind}")]
    return {(path, path.stat().st_mtime_ns) for path in found}


def cargo(project: Project) -> None:
    """Call cargo as doit does."""
    command = project.build("env")
    subprocess.run(["sh", "-c", command], cwd=project.root, capture_output=True, check=True,
                   env=project.environment(None))  # fmt: skip


def edit(project: Project, name: str = "core/src/lib.rs") -> None:
    path = project.path(name)
    path.write_text(f"// edited\n{path.read_text()}")


def assert_settled(project: Project) -> None:
    """Nothing to do; an edit makes what cargo alone makes of it; nothing to do again."""
    assert project.build().startswith("up to date")
    for name, libraries in {"core/src/lib.rs": ["libcore_lib"], "alpha/src/main.rs": []}.items():
        edit(project, name)
        assert made(project, project.build) == libraries
        assert project.build().startswith("up to date")


def env(project: Project, text: str) -> subprocess.CompletedProcess[str]:
    """Run with other variables."""
    path = project.path("config/pipeline.yaml")
    kept = [line for line in path.read_text().splitlines() if not line.startswith("env:")]
    path.write_text("\n".join([*kept, f"env: {text}"]) + "\n")
    return project.doit()


def staged(project: Project) -> str:
    return subprocess.run(
        [project.staged("alpha")], capture_output=True, text=True, check=True
    ).stdout.strip()


def other_variable(project: Project) -> None:
    env(project, "{WORD: new}")


def variable_and_back(project: Project) -> None:
    env(project, "{WORD: other}")
    env(project, "{}")


def other_architecture(project: Project) -> None:
    project.build("build:aarch64")
    env(project, "{WORD: there}")
    project.build("build:aarch64")


def no_library(project: Project) -> None:
    next(project.path("target/x86_64-unknown-linux-musl").rglob("libplain-*.rlib")).unlink()
    edit(project)
    project.build()


def altered_library(project: Project) -> None:
    path = next(project.path("target/x86_64-unknown-linux-musl").rglob("libscripted-*.rlib"))
    path.write_bytes(path.read_bytes()[:-1])
    edit(project)
    project.build()


def altered_out_dir(project: Project) -> None:
    path = next(project.path("target/x86_64-unknown-linux-musl").rglob("scripted-*/out/made.rs"))
    path.write_text(path.read_text() + "// altered")
    edit(project)
    project.build()


def altered_macro(project: Project) -> None:
    path = next(project.path("target/release").rglob("libspoken-*.so"))
    path.write_bytes(path.read_bytes() + b"x")
    edit(project)
    project.build()


def failed(project: Project) -> None:
    """A run with other variables fails, and the next one does not."""
    path = project.path("core/src/lib.rs")
    text = path.read_text()
    path.write_text("compile_error!();" + text)
    assert env(project, "{WORD: failed}").returncode == 1
    path.write_text(text)
    project.build()


def no_state(project: Project) -> None:
    shutil.rmtree(project.path(".doit-cargo"))
    project.build()


def no_record(project: Project) -> None:
    project.path(".doit-cargo/records/cargo-cache.json").unlink()
    edit(project)
    project.build()


def by_hand(project: Project) -> None:
    """The user calls cargo."""
    edit(project)
    cargo(project)
    project.build()


def flags(project: Project) -> None:
    """Units of the same packages under other hashes, and back."""
    env(project, '{RUSTFLAGS: "-Cdebug-assertions=on"}')
    env(project, "{}")


def touched(project: Project) -> None:
    """Cargo's build of a script of a third-party crate again, by its time."""
    os.utime(project.path("vendor/scripted/build.rs"))
    edit(project)
    project.build()


@pytest.mark.parametrize(
    "before",
    [
        other_variable, variable_and_back, other_architecture, no_library, altered_library,
        altered_out_dir, altered_macro, failed, no_state, no_record, by_hand, flags, touched,
    ],
    ids=lambda before: before.__name__,
)  # fmt: skip
def test_it_settles(shared: Project, before: Callable[[Project], object]) -> None:
    before(shared)

    assert_settled(shared)


def test_a_variable_reaches_third_party_scripts_and_macros(shared: Project) -> None:
    """Which told cargo of nothing."""
    for word in ("one", "two"):
        env(shared, f"{{WORD: {word}}}")
        assert staged(shared) == f"alpha {word} {word}"


def test_a_first_run_that_fails(project: Project) -> None:
    """A build script misses a program, which is there later."""
    script = 'fn main() { std::fs::read("../tool").expect("the tool is missing"); }\n'
    project.path("core/build.rs").write_text(script)
    assert project.doit().returncode == 1
    project.path("tool").write_text("")
    project.build()

    assert_settled(project)


@pytest.mark.corpus
def test_it_settles_with_crates_of_the_registry(tmp_path: Path) -> None:
    """Of which serde, anyhow and ring have build scripts, and ring compiles C."""
    wanted = 'serde = { version = "1", features = ["derive"] }\nanyhow = "1"\nring = "0.17"\n'
    project = Project(tmp_path, {
        **{name: text for name, text in SOURCES.items() if name != "Cargo.lock"},
        "core/Cargo.toml": package("core_lib", f"[dependencies]\n{wanted}"),
        "config/pipeline.yaml": CONFIG,
    })  # fmt: skip
    assert project.doit().returncode == 0
    assert_settled(project)
    for before in (other_variable, variable_and_back, no_record, no_state):
        before(project)
        assert_settled(project)
