"""Every setting of a Cargo profile: std and the linker serve it, and the program obeys it."""

from __future__ import annotations

import signal
import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from helpers.project import Project
from helpers.workspaces import package, virtual

pytestmark = pytest.mark.integration

# Each value of a setting in one profile at least; optimised no more than it must be.
PROFILES: dict[str, dict[str, object]] = {
    "plain": {"lto": "off", "codegen-units": 16, "incremental": True, "strip": True},
    "thin": {"panic": "abort", "lto": "thin", "codegen-units": 1, "strip": "symbols"},
    "tiny": {"panic": "abort", "lto": "fat", "opt-level": "z", "strip": True, "debug": 2},
    "fat": {"panic": "unwind", "lto": "fat", "strip": "debuginfo", "debug": "line-tables-only"},
    "checked": {"lto": "thin", "overflow-checks": True, "debug-assertions": True, "strip": True},
    "packed": {"debug": 2, "split-debuginfo": "packed", "strip": "none"},
    "unpacked": {"debug": 2, "split-debuginfo": "unpacked", "panic": "abort", "strip": True},
    "whole": {"debug": 1, "split-debuginfo": "off", "strip": "none"},
}

MAIN = """\
fn main() {
    let many = std::env::args().count();
    let caught = std::panic::catch_unwind(move || core_lib::third(many));
    println!("caught {}", caught.is_err());
}
"""


def _toml(name: str) -> str:
    settings: dict[str, object] = {"opt-level": 0, **PROFILES[name]}
    lines = (f"{key} = {str(v).lower() if v is True else repr(v)}" for key, v in settings.items())
    return f"[profile.{name}]\ninherits = 'release'\n" + "\n".join(lines) + "\n"


# One program on one library, and the profiles.
FILES = {
    "Cargo.toml": virtual('"app", "core_lib"', "".join(map(_toml, PROFILES))),
    "app/Cargo.toml": package("app", "[dependencies]\ncore_lib = { path = '../core_lib' }"),
    "app/src/main.rs": MAIN,
    "core_lib/Cargo.toml": package("core_lib"),
    "core_lib/src/lib.rs": "pub fn third(i: usize) -> u8 { [1u8, 2].repeat(i)[i + 1] }\n",
    "config/pipeline.yaml": "workspace: .\ntargets:\n  x86_64: x86_64-unknown-linux-musl\n"
    "  aarch64: {triple: aarch64-unknown-linux-musl, default: false}\n",
}


@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_builds_and_runs(name: str, shared: Project) -> None:
    said = shared.build("verify", f"profile={name}")
    program = shared.path(f"target/x86_64-unknown-linux-musl/{name}/app")

    assert behaviour([program]) == expected(name)
    assert ("warn stripped" in said) == symbols(program) == (PROFILES[name]["strip"] == "none")


def test_split_debug_information_lies_beside_the_program(shared: Project) -> None:
    """And is not shipped: where it is wanted, cargo's folder has it."""
    shared.build("stage", "profile=packed")
    folder = shared.path("target/x86_64-unknown-linux-musl/packed")
    argv: list[str | Path] = ["readelf", "--wide", "--sections", folder / "app.dwp"]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)

    assert ".debug_info.dwo" in done.stdout
    assert list(shared.tree("docker/context")) == ["binaries/app/app"]


def test_a_profile_builds_and_runs_for_another_architecture(shared: Project) -> None:
    said = shared.build("verify:aarch64", "profile=thin")
    program = shared.path("target/aarch64-unknown-linux-musl/thin/app")

    assert behaviour(["qemu-aarch64-static", program]) == expected("thin")
    assert "warn stripped" not in said
    assert not symbols(program)


def behaviour(argv: list[str | Path]) -> tuple[int, str]:
    """Exit code (or minus the signal) and output; it panics, and says where."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert "panicked at core_lib/src/lib.rs:1:" in done.stderr
    return done.returncode, done.stdout


def expected(name: str) -> tuple[int, str]:
    """A panic ends the program, or is caught."""
    aborts = PROFILES[name].get("panic") == "abort"
    return (-signal.SIGABRT, "") if aborts else (0, "caught true\n")


def symbols(program: Path) -> bool:
    argv: list[str | Path] = ["readelf", "--wide", "--sections", program]
    sections = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    return ".symtab" in sections or ".debug_info" in sections
