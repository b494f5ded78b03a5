"""verify: a verdict about the bytes at one place, a record of it, and a failure that says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Context
from doit_cargo.core.record import encode
from doit_cargo.core.task import Outcome, TaskSpec
from doit_cargo.steps import verify
from doit_cargo.tools.artifact import sha256
from helpers.contexts import BOTH, context, session, shown
from helpers.elf_files import elf
from helpers.project import CONFIG

GOOD = elf(payload=b"\xc3" * 70_000)
DEBUG = elf(payload=b"\xc3" * 70_000, sections={".debug_info": 1})


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return context(tmp_path)


def alpha(ctx: Context) -> TaskSpec:
    found = {spec.name: spec for spec in verify.specs(ctx, session())}
    return found["verify:x86_64:alpha"]


def run(spec: TaskSpec, data: bytes) -> Outcome:
    """Put the executable in its place and run the task."""
    place = Path(spec.inputs[0])
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    assert spec.action
    found = spec.action()
    assert found
    return found


def record(spec: TaskSpec) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(spec.outputs[0].read_bytes())
    return found


def test_a_task_a_target_and_binary(tmp_path: Path) -> None:
    ctx = context(tmp_path, config=BOTH)
    found = list(verify.specs(ctx, session()))

    assert [spec.name for spec in found] == [
        "verify:x86_64:alpha", "verify:x86_64:beta", "verify:aarch64:alpha", "verify:aarch64:beta",
    ]  # fmt: skip
    assert shown(found[0], ctx.config.root) == {
        "name": "verify:x86_64:alpha",
        "doc": "check that alpha is a static x86_64 executable as required",
        "inputs": ["target/x86_64-unknown-linux-musl/release/alpha"],
        "outputs": [".doit-cargo/records/x86_64/verify/alpha.json"],
        "group": "verify:x86_64", "owns": None, "always": False, "programs": (),
    }  # fmt: skip


def test_what_ships_is_verified(tmp_path: Path) -> None:
    """With `split_debug` that is not cargo's own file."""
    ctx = context(tmp_path, config=CONFIG + "split_debug: true\n")

    assert shown(alpha(ctx), ctx.config.root)["inputs"] == [".doit-cargo/stripped/x86_64/alpha"]


POLICIES: dict[str, tuple[dict[str, Any], bool]] = {
    "the same": ({}, True),
    "another binary's budget": ({"budgets": {"beta": 1 << 20}}, True),
    "its own budget": ({"budgets": {"alpha": 1 << 20}}, False),
    "a level": ({"levels": {"stripped": "deny"}}, False),
    "the largest size": ({"max_size": 10 << 20}, False),
    "the smallest size": ({"min_size": 1}, False),
}


@pytest.mark.parametrize(("change", "same"), POLICIES.values(), ids=POLICIES.keys())
def test_a_changed_policy_makes_it_stale_where_it_counts(
    ctx: Context, change: dict[str, Any], *, same: bool
) -> None:
    policy = ctx.policies["x86_64"]._replace(**change)
    changed = ctx._replace(policies={**ctx.policies, "x86_64": policy})

    assert (alpha(changed).fingerprint == alpha(ctx).fingerprint) is same


def test_a_good_binary_has_a_record_and_its_size(ctx: Context) -> None:
    spec = alpha(ctx)
    outcome = run(spec, GOOD)
    found = record(spec)
    facts = found.pop("facts")

    assert outcome == Outcome(size=len(GOOD), digest=sha256(GOOD))
    assert found == {
        "sha256": sha256(GOOD), "size": len(GOOD), "passed": True, "violations": [],
        "previous_size": None,
    }  # fmt: skip
    assert (facts["machine"], facts["pie"], facts["relro"]) == (62, True, "full")


def test_what_another_cargo_has_written_since_is_not_taken(ctx: Context) -> None:
    """The build's record goes with it, so that the next run makes the binary anew."""
    known = layout.build_record(ctx.config, ctx.config.targets[0], "alpha")
    known.parent.mkdir(parents=True)
    known.write_bytes(encode({"executables": {"alpha": sha256(GOOD), "more": "0"}}))
    run(alpha(ctx), GOOD)

    with pytest.raises(CheckError, match="alpha is not what this project's cargo built: another"):
        run(alpha(ctx), DEBUG)

    assert not known.exists()


def test_a_warning_is_told_and_passes(ctx: Context) -> None:
    outcome = run(alpha(ctx), DEBUG)

    (warning,) = outcome.warnings
    assert warning.startswith("  warn stripped: found a symbol table or debug sections, wanted ")
    assert record(alpha(ctx))["passed"] is True


def test_a_denied_binary_fails_with_every_broken_rule_and_a_record_of_it(ctx: Context) -> None:
    """`doit show` tells the verdict of what did not pass as well."""
    spec, bad = alpha(ctx), elf(payload=b"\xc3" * 70_000, stacks=(), relro=None)
    with pytest.raises(CheckError) as caught:
        run(spec, bad)

    lines = str(caught.value).splitlines()
    assert lines[0] == f"{spec.inputs[0]} does not pass:"
    assert [line.split(":")[0] for line in lines[1:]] == ["  deny nx", "  deny relro"]
    found = record(spec)
    assert (found["passed"], found["sha256"]) == (False, sha256(bad))


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "missing": (Path.unlink, "{} is missing: build it first"),
    "empty": (lambda p: p.write_bytes(b""), "{} is empty: remove it and build again"),
    "a script": (
        lambda p: p.write_bytes(b"#!/bin/sh\n"),
        ("{}: alpha (x86_64-unknown-linux-musl) is not valid: 10 bytes are too few for an ELF "
         "file. Remove it and build again"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("change", "text"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_no_executable_has_no_verdict(
    ctx: Context, change: Callable[[Path], object], text: str
) -> None:
    """And keeps no record that would speak of other bytes."""
    spec = alpha(ctx)
    run(spec, GOOD)
    change(Path(spec.inputs[0]))
    assert spec.action
    with pytest.raises(CheckError) as caught:
        spec.action()

    assert str(caught.value) == text.format(spec.inputs[0])


def test_the_size_of_the_build_before_is_remembered(ctx: Context) -> None:
    """Until the bytes change again; the same bytes verified again are no new build."""
    spec, sizes = alpha(ctx), []
    for data in (GOOD, GOOD, DEBUG, DEBUG, GOOD):
        run(spec, data)
        sizes.append(record(spec)["previous_size"])

    assert sizes == [None, None, len(GOOD), len(GOOD), len(DEBUG)]
