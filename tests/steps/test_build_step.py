"""build: what a crate is made of, and what is noted when cargo has delivered it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Context
from doit_cargo.core.record import encode
from doit_cargo.core.task import Outcome, TaskSpec
from doit_cargo.steps import build
from doit_cargo.tools.artifact import sha256
from doit_cargo.tools.cargo.order import Delivery, Script
from doit_cargo.tools.run.session import Session
from helpers.contexts import BOTH, context, shown
from helpers.project import SOURCES
from helpers.workspaces import app, virtual, write

TARGET = "target/x86_64-unknown-linux-musl/release"
NOTHING = Delivery({}, (), (), (), (), ())


class Delivers(Session):
    """A run whose cargo has delivered this of every crate."""

    def __init__(self, delivery: Delivery | Exception = NOTHING) -> None:
        super().__init__()
        self.note({f"build:x86_64:{name}": f"digest of {name}" for name in ("alpha", "core_lib")})
        self.answer = delivery

    def delivery(self, arch: str, crate: str) -> Delivery:
        del arch, crate
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return context(tmp_path)


def spec(ctx: Context, name: str = "alpha", session: Session | None = None) -> TaskSpec:
    found = {spec.name: spec for spec in build.specs(ctx, session or Delivers())}
    return found[f"build:x86_64:{name}"]


def delivery(ctx: Context, **changes: Any) -> Delivery:  # noqa: ANN401 - any of its fields
    """Alpha's executable in its place, and what else cargo told."""
    path = ctx.config.root / TARGET / "alpha"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"made")
    made = NOTHING._replace(executables={"alpha": path})
    return made._replace(**changes)


def run(ctx: Context, name: str = "alpha", **changes: Any) -> Outcome:  # noqa: ANN401
    action = spec(ctx, name, Delivers(delivery(ctx, **changes))).action
    assert action
    found = action()
    assert found
    return found


def record(ctx: Context, name: str = "alpha") -> dict[str, Any]:
    path = layout.build_record(ctx.config, ctx.config.targets[0], name)
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def short(ctx: Context, paths: tuple[str, ...]) -> list[str]:
    return [path.removeprefix(f"{ctx.config.root}/") for path in paths]


# specs --------------------------------------------------------------------------------------


def test_a_task_a_target_and_crate_in_dependency_order(tmp_path: Path) -> None:
    ctx = context(tmp_path, config=BOTH)
    found = list(build.specs(ctx, Delivers()))

    assert [spec.name for spec in found] == [
        f"build:{arch}:{name}" for arch in ("x86_64", "aarch64")
        for name in ("core_lib", "alpha", "beta")
    ]  # fmt: skip
    assert shown(found[0], ctx.config.root) == {
        "name": "build:x86_64:core_lib",
        "doc": "compile core_lib for x86_64-unknown-linux-musl",
        "inputs": [
            "core/Cargo.toml", "core/src/lib.rs",
            ".doit-cargo/records/x86_64/toolchain/toolchain.json",
        ],
        "outputs": [".doit-cargo/records/x86_64/build/core_lib.json"],
        "group": "build:x86_64", "owns": None, "always": False, "programs": (),
    }  # fmt: skip
    alpha = shown(found[1], ctx.config.root)
    assert alpha["inputs"] == [
        "alpha/Cargo.toml", "alpha/src/main.rs", ".doit-cargo/records/x86_64/build/core_lib.json",
        ".doit-cargo/records/x86_64/toolchain/toolchain.json",
    ]  # fmt: skip
    assert alpha["outputs"] == [
        ".doit-cargo/records/x86_64/build/alpha.json", f"{TARGET}/alpha",
    ]  # fmt: skip


def test_what_nothing_shipped_is_made_of_has_no_task(tmp_path: Path) -> None:
    files = {"Cargo.toml": virtual('"alpha", "spare"'), **app("alpha"), **app("spare")}
    ctx = context(tmp_path, files)
    alone = ctx._replace(ship=ctx.ship[:1])

    assert [spec.subject for spec in build.specs(alone, Delivers())] == ["alpha"]


# delivery -----------------------------------------------------------------------------------


def test_a_record_has_the_digest_that_was_planned_and_what_others_link(ctx: Context) -> None:
    libraries = (Path("/t/deps/libb.rlib"), Path("/t/deps/liba.rmeta"), Path("/t/deps/libb.rlib"))
    outcome = run(ctx, libraries=libraries, warnings=("warning: unused\n",))

    assert outcome == Outcome(warnings=("warning: unused\n",))
    assert record(ctx) == {
        "digest": "digest of alpha", "elsewhere": [],
        "executables": {"alpha": sha256(b"made")},
        "libraries": ["/t/deps/liba.rmeta", "/t/deps/libb.rlib"],
    }  # fmt: skip


def test_what_others_link_is_the_tasks_own_from_then_on(ctx: Context) -> None:
    """Also in this run: the state that is saved is of what this build made."""
    before = spec(ctx, session=Delivers(delivery(ctx, libraries=(Path("/t/deps/libx.rlib"),))))
    known = list(before.made())
    assert before.action
    before.action()

    assert (known, list(before.made())) == ([], ["/t/deps/libx.rlib"])
    assert list(spec(ctx).made()) == ["/t/deps/libx.rlib"]


def dep_info(ctx: Context, *paths: str) -> Path:
    path = ctx.config.root / "target/alpha.d"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"out: {' '.join(paths)}\n")
    return path


def test_files_that_the_compiler_read_elsewhere_are_inputs(ctx: Context) -> None:
    """Not the crate's own, and none that is made; a relative path counts from the workspace."""
    root = ctx.config.root
    write(root, {"shared.txt": "x", "target/made.rs": "", "docker/context/x": ""})
    info = dep_info(
        ctx, "alpha/src/main.rs", "shared.txt", "target/made.rs", f"{root}/docker/context/x"
    )
    outcome = run(ctx, dep_infos=(info,))

    assert short(ctx, outcome.discovered) == ["shared.txt"]
    assert record(ctx)["elsewhere"] == [f"{root}/shared.txt"]
    assert short(ctx, tuple(map(str, spec(ctx).inputs)))[2] == "shared.txt"


def test_what_is_no_longer_read_is_no_input_any_more(ctx: Context) -> None:
    write(ctx.config.root, {"one.txt": "1", "two.txt": "2"})
    run(ctx, dep_infos=(dep_info(ctx, "one.txt", "two.txt"),))
    outcome = run(ctx, dep_infos=(dep_info(ctx, "two.txt"),))

    assert short(ctx, outcome.no_longer) == ["one.txt"]
    assert short(ctx, outcome.discovered) == ["two.txt"]


def script(ctx: Context, *lines: str, name: str = "alpha-1") -> Script:
    """A run of a build script that printed this."""
    made = Script(ctx.config.root / "target/x/build" / name / "out")
    made.out_dir.mkdir(parents=True)
    made.output.write_text("".join(f"{line}\n" for line in lines))
    return made


def test_what_a_build_script_watches_is_an_input_and_all_below_it(ctx: Context) -> None:
    """Relative paths count from the crate's folder, and a folder is all that lies in it."""
    write(ctx.config.root, {"words/one": "1", "words/more/two": "2"})
    outcome = run(ctx, scripts=(script(ctx, "cargo:rerun-if-changed=../words"),))

    assert sorted(short(ctx, outcome.discovered)) == ["words/more/two", "words/one"]
    assert [Path(path).name for path in record(ctx)["elsewhere"]] == ["words"]


def test_a_third_party_script_watches_absolute_paths_alone(ctx: Context) -> None:
    """A relative one is in its own folder, which never changes."""
    write(ctx.config.root, {"system.h": "", "alpha/vendored.h": ""})
    lines = (f"cargo:rerun-if-changed={ctx.config.root}/system.h", "cargo:rerun-if-changed=src/a.c")
    outcome = run(ctx, foreign=(script(ctx, *lines).output,))

    assert short(ctx, outcome.discovered) == ["system.h"]


def test_a_script_that_watches_what_is_not_there_wants_to_be_asked(ctx: Context) -> None:
    """Until it is there; or never, if the configuration says so."""
    run(ctx, scripts=(script(ctx, "cargo:rerun-if-changed=never.txt"),))
    never = ctx._replace(config=ctx.config._replace(rerun={"alpha": "never"}))
    asked, left = spec(ctx).asks, spec(never).asks
    write(ctx.config.root, {"alpha/never.txt": ""})

    assert (asked, left, spec(ctx).asks) == (True, False, False)
    assert [Path(path).name for path in record(ctx)["absent"]] == ["never.txt"]
    assert len(record(ctx)["answer"]) == 64


def test_a_script_without_such_a_path_is_not_asked(ctx: Context) -> None:
    run(ctx, scripts=(script(ctx, "cargo:rerun-if-changed=build.rs"),))
    write(ctx.config.root, {"alpha/build.rs": "fn main() {}\n"})
    run(ctx, scripts=(script(ctx, "cargo:rerun-if-changed=build.rs", name="alpha-2"),))

    assert "answer" not in record(ctx)
    assert spec(ctx).asks is False


@pytest.mark.parametrize(
    "damage",
    [b"", b"[]", b"\xff", b'{"elsewhere": 7}', b'{"elsewhere": ["a\\u0000b"], "libraries": [1]}'],
)
def test_a_damaged_record_adds_nothing(ctx: Context, damage: bytes) -> None:
    path = layout.build_record(ctx.config, ctx.config.targets[0], "alpha")
    path.parent.mkdir(parents=True)
    path.write_bytes(damage)
    found = spec(ctx)

    assert len(found.inputs) == 4
    assert (list(found.made()), found.asks) == ([], False)


def test_a_record_that_names_what_is_gone_adds_nothing(ctx: Context) -> None:
    path = layout.build_record(ctx.config, ctx.config.targets[0], "alpha")
    path.parent.mkdir(parents=True)
    path.write_bytes(encode({"elsewhere": [str(ctx.config.root / "gone.txt")]}))

    assert len(spec(ctx).inputs) == 4


# failures -----------------------------------------------------------------------------------


def test_an_executable_in_another_place_is_refused(ctx: Context) -> None:
    """Cargo's own configuration may say where it goes: what we would verify is another file."""
    elsewhere = Path("/elsewhere/alpha")
    with pytest.raises(CheckError) as caught:
        run(ctx, executables={"alpha": elsewhere})

    place = ctx.config.root / TARGET / "alpha"
    assert str(caught.value) == f"cargo put alpha at {elsewhere}, not {place}"
    assert not layout.build_record(ctx.config, ctx.config.targets[0], "alpha").exists()


def test_what_cargo_did_not_deliver_leaves_the_record_of_before(ctx: Context) -> None:
    run(ctx)
    before = record(ctx)
    action = spec(ctx, session=Delivers(CheckError("error: mismatched types"))).action
    assert action
    with pytest.raises(CheckError, match="mismatched types"):
        action()

    assert record(ctx) == before


def test_a_library_has_no_executable(tmp_path: Path) -> None:
    ctx = context(tmp_path, SOURCES)
    run(ctx, "core_lib", executables={})

    assert record(ctx, "core_lib")["digest"] == "digest of core_lib"
