"""toolchain: what every build depends on, and the record that each of them depends on instead."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Context, Features
from doit_cargo.core.record import digest
from doit_cargo.core.task import TaskSpec
from doit_cargo.steps import toolchain
from doit_cargo.tools.machine import runtime
from helpers.contexts import BOTH, context, session, shown
from helpers.machines import program
from helpers.project import SOURCES
from helpers.workspaces import app, lib, package, write


def specs(ctx: Context) -> list[TaskSpec]:
    return list(toolchain.specs(ctx, session()))


def test_a_task_a_target(tmp_path: Path) -> None:
    ctx = context(tmp_path, config=BOTH)
    one, other = (shown(spec, ctx.config.root) for spec in specs(ctx))
    inputs = one.pop("inputs")

    assert one == {
        "name": "toolchain:x86_64",
        "doc": "what every x86_64 build depends on: compiler, std, linker, settings",
        "outputs": [".doit-cargo/records/x86_64/toolchain/toolchain.json"],
        "group": "toolchain", "owns": None, "always": False, "programs": (),
    }  # fmt: skip
    assert (other["name"], other["group"]) == ("toolchain:aarch64", "toolchain")
    identity = [str(path) for path in ctx.toolchains["x86_64"].identity]
    assert inputs[: len(identity)] == identity
    assert sorted(inputs[len(identity) :]) == [
        "Cargo.lock", "Cargo.toml", "alpha/Cargo.toml", "beta/Cargo.toml", "core/Cargo.toml",
    ]  # fmt: skip


def test_the_other_targets_std_is_no_input(tmp_path: Path) -> None:
    """What differs between two targets must not make the other's builds stale."""
    ctx = context(tmp_path, config=BOTH)
    one, other = ({*map(str, spec.inputs)} for spec in specs(ctx))

    assert {path.split("rustlib/")[1].split("/")[0] for path in one - other} == {
        "x86_64-unknown-linux-musl"
    }


def files_of(ctx: Context) -> set[str]:
    """What is no single crate's, as it lies below the folder of the home."""
    top = ctx.config.root.parents[1]
    return {str(Path(path).relative_to(top)) for path in toolchain.workspace_files(ctx)}


def test_files_above_the_workspace_count(tmp_path: Path) -> None:
    """As rustup and cargo look for theirs; none that is not there."""
    write(tmp_path, {
        "code/rust-toolchain": "stable\n",
        "code/.cargo/config.toml": "[build]\njobs = 1\n",
    })  # fmt: skip
    ctx = context(tmp_path, {**SOURCES, "rust-toolchain.toml": '[toolchain]\nchannel = "stable"\n'})

    assert files_of(ctx) == {
        "code/shop/Cargo.toml", "code/shop/Cargo.lock", "code/shop/rust-toolchain.toml",
        "code/rust-toolchain", "code/shop/core/Cargo.toml", "code/shop/alpha/Cargo.toml",
        "code/shop/beta/Cargo.toml", "code/.cargo/config.toml",
    }  # fmt: skip


def test_a_path_dependency_outside_may_inherit_from_its_own_workspace(tmp_path: Path) -> None:
    write(tmp_path / "code/far", {"Cargo.toml": '[workspace]\nmembers = ["near"]\n', **lib("near")})
    ctx = context(tmp_path, {
        "Cargo.toml": package("app", '[dependencies]\nnear = { path = "../far/near" }'),
        "src/main.rs": "fn main() {}\n",
    })  # fmt: skip

    assert files_of(ctx) == {
        "code/shop/Cargo.toml", "code/far/near/Cargo.toml", "code/far/Cargo.toml",
    }  # fmt: skip


def test_a_rustc_wrapper_counts_by_its_bytes(tmp_path: Path) -> None:
    wrapper = program(tmp_path / "code/wrap.sh")
    config = 'build.rustc-wrapper = "../wrap.sh"\n'
    ctx = context(tmp_path, {**SOURCES, ".cargo/config.toml": config})
    (spec,) = specs(ctx)

    assert [path for path in map(str, spec.inputs) if path.endswith(".sh")] == [str(wrapper)]


SETTINGS: dict[str, Callable[[Context], Context]] = {
    "another profile": lambda c: c._replace(config=c.config._replace(profile="dev")),
    "features": lambda c: c._replace(config=c.config._replace(features=Features(all=True))),
    "a variable": lambda c: c._replace(config=c.config._replace(env={"APP": "1"})),
    "another target folder": lambda c: c._replace(
        graph=c.graph._replace(target_directory=c.config.root / "build")
    ),
    "another PATH": lambda c: c._replace(env={**c.env, "PATH": "/bin"}),
}


@pytest.mark.parametrize("change", SETTINGS.values(), ids=SETTINGS.keys())
def test_what_is_no_file_makes_it_stale_too(
    tmp_path: Path, change: Callable[[Context], Context]
) -> None:
    """Argv and environment; a secret of the user's is none of cargo's."""
    ctx = context(tmp_path)
    secret = ctx._replace(env={**ctx.env, "MY_TOKEN": "canary"})
    (before,), (same,), (after,) = specs(ctx), specs(secret), specs(change(ctx))

    assert same.fingerprint == before.fingerprint
    assert after.fingerprint != before.fingerprint


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> None:
    """What setup compiled is there, and as it was."""
    monkeypatch.setattr(runtime, "fault", lambda _: "")


def test_what_setup_did_not_compile_is_not_linked(tmp_path: Path) -> None:
    (spec,) = toolchain.specs(context(tmp_path), session(toolchain__x86_64="12ab"))
    assert spec.action

    with pytest.raises(SetupError, match=r"^musl for stripped .* is not compiled yet: doit setup$"):
        spec.action()

    assert not spec.outputs[0].exists()


@pytest.mark.usefixtures("made")
def test_the_record_is_what_was_planned(tmp_path: Path) -> None:
    """Not what lies there when the task runs: that is for the next run to see."""
    ctx = context(tmp_path)
    planned = session(toolchain__x86_64="12ab")
    (spec,) = toolchain.specs(ctx, planned)
    assert spec.action
    spec.action()
    record = json.loads(spec.outputs[0].read_bytes())

    assert {**record, "env": len(record["env"])} == {
        "digest": "12ab", "env": 64, "target": str(ctx.graph.target_directory),
    }  # fmt: skip


@pytest.mark.usefixtures("made")
def test_the_records_environment_is_without_path(tmp_path: Path) -> None:
    """It differs from shell to shell: build scripts are not run again for that."""
    ctx = context(tmp_path, {"Cargo.toml": '[workspace]\nmembers = ["alpha"]\n', **app("alpha")})
    found = []
    for changed in (ctx.env, {**ctx.env, "PATH": "/bin"}):
        (spec,) = toolchain.specs(ctx._replace(env=changed), session(toolchain__x86_64="1"))
        assert spec.action
        spec.action()
        found.append(json.loads(spec.outputs[0].read_bytes())["env"])

    assert found[0] == found[1] != digest({})
