"""A row is all that an architecture needs: configuration, schema, policy, cfg() and doctor agree.

And what a row says is what rustc says of its target, and what zig compiles C for.
"""

from __future__ import annotations

import json
import os
import re
import subprocess  # noqa: TID251 - asks the real rustc and zig
from pathlib import Path
from typing import Any, NamedTuple

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from doit_cargo.core import architectures
from doit_cargo.core.cargo import cfg
from doit_cargo.core.settings.config import load_config
from doit_cargo.core.settings.policy_file import load_policies
from doit_cargo.core.toolchain import wheels
from doit_cargo.core.toolchain.zig_scripts import scripts, zig_target
from doit_cargo.tools.machine import doctor
from helpers.machines import usual
from helpers.project import REPOSITORY


class Case(NamedTuple):
    """What is to come out for a triple."""

    triple: str
    platform: str
    emulator: str
    arch: str
    bits: int
    endian: str = "little"
    hardening: str = "off"


CASES = (
    Case("x86_64-unknown-linux-musl", "linux/amd64", "", "x86_64", 64, hardening="deny"),
    Case("aarch64-unknown-linux-musl", "linux/arm64", "qemu-aarch64-static", "aarch64", 64),
    Case("i586-unknown-linux-musl", "linux/386", "", "x86", 32),
    Case("i686-unknown-linux-musl", "linux/386", "", "x86", 32),
    Case("armv7-unknown-linux-musleabihf", "linux/arm/v7", "qemu-arm-static", "arm", 32),
    Case("armv7-unknown-linux-musleabi", "linux/arm/v7", "qemu-arm-static", "arm", 32),
    Case("arm-unknown-linux-musleabihf", "linux/arm/v6", "qemu-arm-static", "arm", 32),
    Case("arm-unknown-linux-musleabi", "linux/arm/v6", "qemu-arm-static", "arm", 32),
    Case("riscv64gc-unknown-linux-musl", "linux/riscv64", "qemu-riscv64-static", "riscv64", 64),
    Case("powerpc64le-unknown-linux-musl", "linux/ppc64le", "qemu-ppc64le-static", "powerpc64", 64),
    Case(
        "s390x-unknown-linux-musl", "linux/s390x", "qemu-s390x-static", "s390x", 64,
        endian="big", hardening="deny",
    ),
)  # fmt: skip
CONFIG = """\
workspace: .
targets: {{one: {triple}}}
"""
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.triple)


def test_every_row_has_a_case() -> None:
    assert {case.triple.partition("-")[0] for case in CASES} == set(architectures.ARCHITECTURES)


@each
def test_two_lines_of_configuration_are_enough(tmp_path: Path, case: Case) -> None:
    """The platform and the policy come of the triple; the editor's schema takes it too."""
    text = CONFIG.format(triple=case.triple)
    (tmp_path / "pipeline.yaml").write_text(text)
    schema = json.loads(
        (REPOSITORY / "tasks/doit_cargo/templates/pipeline.schema.json").read_text()
    )

    config = load_config(tmp_path / "pipeline.yaml", tmp_path)
    policies = load_policies(tmp_path / "policy.yaml", tmp_path, config)
    levels = policies["one"].levels

    jsonschema.Draft7Validator(schema).validate(yaml.safe_load(text))
    assert config.targets[0].platform == case.platform
    assert {levels[rule] for rule in ("pie", "relro")} == {case.hardening}
    identity = ("machine", "class", "endianness", "static", "nx", "wx")
    assert {levels[rule] for rule in identity} == {"deny"}


@each
def test_what_cargos_configuration_says_of_it(case: Case) -> None:
    facts = cfg.facts(case.triple)

    assert f'target_arch="{case.arch}"' in facts
    assert f'target_pointer_width="{case.bits}"' in facts
    assert f'target_endian="{case.endian}"' in facts


@each
def test_doctor_names_what_runs_it(tmp_path: Path, case: Case) -> None:
    machine = usual(tmp_path)
    (machine.workspace / "pipeline.yaml").write_text(CONFIG.format(triple=case.triple))
    config = load_config(machine.workspace / "pipeline.yaml", machine.workspace)

    found = doctor.examine(
        config.targets,
        workspace=machine.workspace,
        env=machine.env,
        stripped=True,
        host=machine.host,
    )

    assert [f.name for f in found if f.name.startswith("qemu")] == [case.emulator] * bool(
        case.emulator
    )


# What rustc and zig say, who are the source of the rows.

# Of rustc's names for features, those that LLVM has under two: the architecture and its opcodes.
_OPCODES = {"v6": "has_v6", "v7": "has_v7"}
# Zig's `generic` is ARMv8-A. How floats are passed is said by the target's name, and atomics
# are called or written out: neither is a feature of the processor.
_NOT_OF_THE_PROCESSOR = {"v8a", "outline-atomics", "soft-float"}
_CPUS = {
    "generic": {"generic", "baseline"}, "generic-rv64": {"baseline_rv64"}, "z10": {"arch8"},
    "x86-64": {"x86_64"},
}  # fmt: skip


def spec(triple: str) -> dict[str, Any]:
    """The target as rustc knows it."""
    done = subprocess.run(
        ["rustc", "-Zunstable-options", "--print", "target-spec-json", "--target", triple],
        env={**os.environ, "RUSTC_BOOTSTRAP": "1"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"rustc does not say: {done.stderr.splitlines()[0]}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def processor(triple: str) -> tuple[str, set[str]]:
    """The model and the features that zig compiles C for, given what the wrapper gives it."""
    wheel = wheels.zig()
    assert wheel
    text = scripts(triple, wheel.program, Path("cache"))[f"{triple}-cc"]
    mcpu = re.findall(r"-mcpu=\S+(?= \"\$@\"$)", text, re.MULTILINE)
    argv = [wheel.program, "build-obj", "--show-builtin", "-target", zig_target(triple), *mcpu]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    said = done.stdout.partition("pub const cpu")[2].partition("};")[0]
    (model,) = re.findall(r"cpu\.(\w+),", said)
    return model, set(re.findall(r"^\s+\.(\w+),$", said, re.MULTILINE))


@pytest.mark.integration
@each
def test_a_row_says_what_rustc_says(case: Case) -> None:
    row, said = architectures.of(case.triple), spec(case.triple)

    assert row.cfg == said["arch"]
    assert row.bits == int(said["target-pointer-width"])
    assert row.little_endian == (said.get("target-endian", "little") == "little")
    assert row.static_pie == said.get("static-position-independent-executables", False)


@pytest.mark.integration
@each
def test_c_is_compiled_for_the_processor_of_rustcs_target(case: Case) -> None:
    said = spec(case.triple)
    model, features = processor(case.triple)

    words = [word for word in said.get("features", "").split(",") if word]
    for word in words:
        name = word[1:]
        if name not in _NOT_OF_THE_PROCESSOR:
            known = _OPCODES.get(name, name).replace("-", "_")
            assert (known in features) == (word[0] == "+"), word
    cpu = said.get("cpu", "generic")
    assert model in _CPUS.get(cpu, {cpu})


@pytest.mark.integration
def test_armv7_code_needs_no_more_registers_than_every_armv7_has() -> None:
    """Debian's and rustc's baseline is VFPv3-D16: https://wiki.debian.org/ArmHardFloatPort."""
    _, features = processor("armv7-unknown-linux-musleabihf")

    assert {"vfp3d16", "thumb2"} <= features
    assert not {"d32", "neon"} & features
