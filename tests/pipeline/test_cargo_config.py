"""Workspaces with a configuration of cargo's own, also one made on another machine: real builds."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 - drives the real cargo
from pathlib import Path

import pytest

from doit_cargo.core import hosts
from doit_cargo.core.cargo import user_flags
from doit_cargo.core.workspace import cargo_config
from helpers.machines import TRIPLE, program
from helpers.project import Project
from helpers.workspaces import app, lib, virtual, write

pytestmark = pytest.mark.integration

CONFIG = ".cargo/config.toml"
# What a flag switched on, and what a build script saw. Host units must have none of the flags.
MAIN = """\
fn main() {
    let found = [("build", cfg!(of_build)), ("unix", cfg!(of_unix)), ("env", cfg!(of_env))];
    let on: Vec<_> = found.iter().filter(|pair| pair.1).map(|pair| pair.0).collect();
    println!("{} {}", on.join(" "), env!("SEEN"));
}
"""
SCRIPT = """\
fn main() {
    assert!(!cfg!(any(of_build, of_unix, of_env)));
    let names = ["CC_x86_64_unknown_linux_musl", "FORCED", "WEAK"];
    let seen = names.map(|name| std::env::var(name).unwrap_or_default());
    let seen = seen.map(|value| value.rsplit('/').next().unwrap().to_string());
    println!("cargo:rustc-env=SEEN={}", seen.join(" "));
}
"""
MAC = f"""\
[build]
jobs = 400
incremental = true
rustc-wrapper = "sccache-that-is-not-here"
rustflags = [
    "--cfg", "of_build", "-C", "link-arg=-fuse-ld=mold", "-Clinker=rust-lld",
    "-Ctarget-feature=-crt-static",
]

[target.{hosts.this_host()}]
linker = "x86_64-linux-gnu-ld-that-is-not-here"

[target.{TRIPLE}]
linker = "x86_64-linux-musl-gcc-that-is-not-here"

[env]
WEAK = "weak"
FORCED = {{ value = "forced", force = true }}
CC_x86_64_unknown_linux_musl = {{ value = "x86_64-linux-musl-gcc", force = true }}
"""
FILES = {
    "Cargo.toml": virtual('"alpha"', "[profile.release]\nopt-level = 0\nstrip = true\n"),
    **app("alpha"), "alpha/src/main.rs": MAIN, "alpha/build.rs": SCRIPT, CONFIG: MAC,
}  # fmt: skip


def said(project: Project) -> str:
    """What the staged program prints."""
    argv = [project.staged("alpha")]
    return subprocess.run(argv, text=True, capture_output=True, check=True).stdout.strip()


def cargo(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Cargo by itself."""
    return subprocess.run(
        ["cargo", *args], cwd=folder, env=Project.environment(None), text=True,
        capture_output=True, check=False,
    )  # fmt: skip


def test_a_configuration_made_on_a_mac(shared: Project) -> None:
    """Cargo alone can't build with it; and nothing is to do afterwards."""
    assert said(shared) == f"build {TRIPLE}-cc forced weak"
    assert shared.build().startswith("up to date: 1 binary")
    assert cargo(shared.root, "build", "--target", TRIPLE).returncode == 101


def test_doctor_tells_each_override_with_its_line(shared: Project) -> None:
    lines = shared.build("doctor").splitlines()

    cores = os.cpu_count() or 1
    told = [line.split(": ")[0] for line in lines if line.startswith(("override", "warning"))]
    numbers = [2, 3, 4, 5, 5, 5, 11, 14, 19] if cores < 400 else [3, 4, 5, 5, 5, 11, 14, 19]
    assert told == [f"override  {CONFIG}:{number}" for number in numbers]


def test_the_command_for_a_shell_does_the_same(shared: Project) -> None:
    """Cargo finds all fresh: the command and its environment are those of the build."""
    text = shared.build("env").replace("--message-format=json", "-v")

    done = subprocess.run(
        ["sh", "-c", text], cwd=shared.root, text=True, capture_output=True, check=True
    )  # fmt: skip
    assert "Fresh alpha" in done.stderr


@pytest.mark.parametrize(
    ("config", "env", "on"),
    [
        ("[build]\nrustflags = '--cfg of_build'\n[target.'cfg(unix)']\nrustflags = '--cfg of_unix'",
         "{}", "unix"),
        ("build.rustflags = '--cfg of_build'", "{RUSTFLAGS: --cfg of_env}", "env"),
    ],
)  # fmt: skip
def test_flags_reach_the_binary(shared: Project, config: str, env: str, on: str) -> None:
    """From the source that cargo would choose, and beside ours: what comes out is static."""
    settings = f"workspace: .\ntargets: {{x86_64: {TRIPLE}}}\nenv: {env}\n"
    write(shared.root, {CONFIG: config, "config/pipeline.yaml": settings})

    assert "1 built" in shared.build()
    assert said(shared).startswith(f"{on} {TRIPLE}-cc")
    assert shared.build().startswith("up to date")


def test_an_installed_wrapper_is_called_and_its_bytes_count(shared: Project) -> None:
    wrapper, called = shared.path("wrap.sh"), shared.path("called")
    text = f'#!/bin/sh\necho "$0" >> {called}\nexec "$@"\n'
    program(wrapper, text)
    write(shared.root, {CONFIG: 'build.rustc-wrapper = "./wrap.sh"\n'})

    shared.build()
    assert {Path(path).resolve() for path in called.read_text().split()} == {wrapper}
    assert shared.build().startswith("up to date")

    called.unlink()
    program(wrapper, text + "# another wrapper\n")
    assert "1 built" in shared.build()
    assert called.exists()


def test_a_patch_below_a_third_party_crate(tmp_path: Path) -> None:
    """Nothing in the workspace names the patched crate, and yet its edit is no no-op."""
    config = (
        '[source.crates-io]\nreplace-with = "here"\n[source.here]\ndirectory = "third"\n'
        '[patch.crates-io]\nlow = { path = "low" }\n'
    )
    files = {
        "Cargo.toml": virtual('"alpha"', 'exclude = ["third", "low"]'),
        **app("alpha", '[dependencies]\nmiddle = "0.1"\n'),
        "alpha/src/main.rs": 'fn main() { println!("{}", middle::said()); }\n',
        **lib("third/middle", '[dependencies]\nlow = "0.1"\n'),
        "third/middle/src/lib.rs": "pub fn said() -> u32 { low::NUMBER }\n",
        "third/middle/.cargo-checksum.json": '{"files": {}}',
        **lib("low"),
        "low/src/lib.rs": "pub const NUMBER: u32 = 1;\n",
        CONFIG: config,
    }
    project = Project(tmp_path, files)
    project.build()
    assert said(project) == "1"

    write(tmp_path, {"low/src/lib.rs": "pub const NUMBER: u32 = 2;\n"})
    project.build()
    assert said(project) == "2"
    assert project.build().startswith("up to date")


SOURCES = {
    "build": ('build.rustflags = ["--cfg", "of_a", "--cfg", "of_b"]', {}),
    "cfg beats build": (
        "build.rustflags = ['--cfg', 'of_a']\ntarget.'cfg(all())'.rustflags = '--cfg of_b'", {},
    ),
    "a cfg that does not hold": (
        "build.rustflags = ['--cfg', 'of_a']\ntarget.'cfg(windows)'.rustflags = '--cfg of_b'", {},
    ),
    "a triple and its cfgs": (
        (f"target.{TRIPLE}.rustflags = '--cfg of_a'\ntarget.'cfg(unix)'.rustflags = '--cfg of_b'\n"
        'target.\'cfg(all(target_env = "musl", not(target_os = "macos")))\'.rustflags = '
        "'--cfg of_c'\ntarget.'cfg(target_arch = \"aarch64\")'.rustflags = '--cfg of_d'"), {},
    ),
    "an empty list": (
        f"build.rustflags = ['--cfg', 'of_a']\ntarget.{TRIPLE}.rustflags = []", {},
    ),
    "static by default": (
        "target.'cfg(target_feature = \"crt-static\")'.rustflags = '--cfg of_a'", {},
    ),
    "RUSTFLAGS": ("build.rustflags = ['--cfg', 'of_a']", {"RUSTFLAGS": " --cfg  of_b "}),
    "RUSTFLAGS, empty": ("build.rustflags = ['--cfg', 'of_a']", {"RUSTFLAGS": ""}),
    "encoded": ("", {"RUSTFLAGS": "--cfg of_a", "CARGO_ENCODED_RUSTFLAGS": "--cfg\x1fof_b"}),
    "build's variable": (
        "build.rustflags = ['--cfg', 'of_a']", {"CARGO_BUILD_RUSTFLAGS": "--cfg of_b"},
    ),
    "the triple's variable": (
        f"build.rustflags = ['--cfg', 'of_a']\ntarget.{TRIPLE}.rustflags = '--cfg of_b'",
        {"CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS": "--cfg of_c"},
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package, in a folder with another configuration above it."""
    above = tmp_path_factory.mktemp("above")
    write(above, {CONFIG: "build.rustflags = ['--cfg', 'of_above']\n"})
    return write(above / "ws", {"Cargo.toml": virtual('"alpha"'), **app("alpha")})


@pytest.mark.parametrize("name", SOURCES)
def test_the_source_of_flags_is_cargos(bare: Path, name: str) -> None:
    """Rustc, called by cargo, prints what the flags have set."""
    text, env = SOURCES[name]
    write(bare, {CONFIG: text})
    argv = ["cargo", "rustc", "-q", "-p", "alpha", "--target", TRIPLE, "--", "--print", "cfg"]
    done = subprocess.run(
        argv, cwd=bare, env=Project.environment(env), text=True, capture_output=True, check=True
    )

    configs = cargo_config.read(str(bare), os.environ, [])
    flags = user_flags.kept(user_flags.sources(configs, env, TRIPLE))
    found = {flag for flag in flags if flag.startswith("of_")}
    assert {line for line in done.stdout.split() if line.startswith("of_")} == found
