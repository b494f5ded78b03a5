"""`doit doctor` names each thing, what was found and the command that fixes it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from doit_cargo.core.model import Target
from doit_cargo.tools.machine import doctor
from doit_cargo.tools.machine.finding import Finding, healthy, render
from helpers.machines import LINUX, TARGET, TRIPLE, Machine, add_std, program, usual

ARM = Target(
    arch="aarch64", triple="aarch64-unknown-linux-musl", platform="linux/arm64", default=False
)
SAYS = '#!/bin/sh\necho "tool 1.2"\n'


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = usual(tmp_path)
    for path in (made.site / "ziglang" / "zig", made.root / "venv" / "bin" / "protoc"):
        path.write_text(SAYS)
    folder = made.home / ".rustup" / "toolchains" / f"stable-{LINUX}"
    for path in (folder / "bin" / "cargo", folder / "bin" / "rustc", made.usr / "bin" / "cc"):
        path.write_text(SAYS)
    monkeypatch.syspath_prepend(made.site)
    return made


def examine(machine: Machine, *targets: Target) -> dict[str, Finding]:
    found = doctor.examine(
        targets or (TARGET,), workspace=machine.workspace, env=machine.env, stripped=True
    )
    return {finding.name: finding for finding in found}


def test_what_is_there(machine: Machine) -> None:
    lib = add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)

    found = examine(machine)

    rustc = machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}" / "bin" / "rustc"
    assert found["rustc"] == Finding(name="rustc", found=True, detail=f"tool 1.2  {rustc}")
    assert found["std x86_64"].detail == str(lib)
    assert found["zig"].detail == f"tool 1.2  {machine.site}/ziglang/zig"
    assert found["cache folder"].found


def test_what_is_missing(machine: Machine) -> None:
    (machine.usr / "bin" / "cc").unlink()

    found = examine(machine, TARGET, ARM)

    assert found["std aarch64"] == Finding(
        name="std aarch64",
        found=False,
        detail="none for aarch64-unknown-linux-musl",
        remedy="doit setup aarch64",
    )
    assert found["cc (links build scripts)"].remedy == "doit setup"
    assert not healthy(tuple(found.values()))


def test_a_program_that_does_not_run(machine: Machine) -> None:
    zig = machine.site / "ziglang" / "zig"
    program(zig, "#!/bin/sh\nexit 1\n")

    assert examine(machine)["zig"].detail == f"{zig} does not run"


def test_it_changes_nothing(machine: Machine) -> None:
    before = sorted(machine.root.rglob("*"))

    examine(machine, TARGET, ARM)

    assert sorted(machine.root.rglob("*")) == before


def test_nothing_at_all(tmp_path: Path) -> None:
    """No HOME and no PATH: everything is missing, nothing is raised."""
    found = doctor.examine((TARGET,), workspace=tmp_path, env={"PATH": ""}, stripped=True)

    missing = {finding.name for finding in found if not finding.found}
    assert {"rustc", "cargo", "std x86_64", "cache folder", "git"} <= missing
    assert not healthy(found)


def test_the_table() -> None:
    rustc = Finding(name="rustc", found=True, detail="1.96  /usr/bin/rustc")
    std = Finding(name="std x86_64", found=False, detail="none", remedy="doit setup")
    git = replace(std, name="git", optional=True, remedy="")

    assert render((rustc, std, git)) == (
        "ok        rustc       1.96  /usr/bin/rustc\n"
        "MISSING   std x86_64  none: doit setup\n"
        "optional  git         none"
    )
    assert healthy((rustc, git))
    assert not healthy((rustc, std))
