"""strip: with `split_debug`, what ships is one file and what explains it another."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from doit_cargo.core import layout
from doit_cargo.core.errors import CheckError, MissingToolError
from doit_cargo.core.model import Context
from doit_cargo.core.record import encode
from doit_cargo.core.task import TaskSpec
from doit_cargo.steps import strip
from doit_cargo.tools.elf import objcopy
from helpers.contexts import context, session, shown
from helpers.elf_files import elf
from helpers.machines import program
from helpers.project import CONFIG

SPLIT = CONFIG + "split_debug: true\n"
# Takes what it is asked for off a text, as objcopy does off an executable.
OBJCOPY = """\
#!/bin/sh
case $1 in
    --only-keep-debug) echo "debug of $(wc -c < "$2")" > "$3" ;;
    --strip-all) echo "small, see $(basename "${2#*=}")" > "$4" ;;
esac
"""


def spec(ctx: Context, name: str = "alpha") -> TaskSpec:
    found = {spec.name: spec for spec in strip.specs(ctx, session())}
    return found[f"strip:x86_64:{name}"]


def with_objcopy(root: Path) -> Context:
    program(root / "usr/bin/objcopy", OBJCOPY)
    return context(root, config=SPLIT)


def test_without_the_setting_there_is_no_task(tmp_path: Path) -> None:
    assert list(strip.specs(context(tmp_path), session())) == []


def test_a_task_a_binary_whose_tool_counts_by_its_bytes(tmp_path: Path) -> None:
    ctx = with_objcopy(tmp_path)

    assert shown(spec(ctx), ctx.config.root) == {
        "name": "strip:x86_64:alpha",
        "doc": "strip alpha, keeping docker/debug/x86_64/alpha/alpha.debug",
        "inputs": [
            "target/x86_64-unknown-linux-musl/release/alpha", str(tmp_path / "usr/bin/objcopy"),
        ],
        "outputs": [
            ".doit-cargo/stripped/x86_64/alpha", "docker/debug/x86_64/alpha/alpha.debug",
        ],
        "group": "strip:x86_64", "owns": None, "always": False, "programs": (),
    }  # fmt: skip


def built(of: TaskSpec, data: bytes) -> None:
    path = Path(of.inputs[0])
    path.parent.mkdir(parents=True)
    path.write_bytes(data)


def test_what_another_cargo_has_written_since_is_not_split(tmp_path: Path) -> None:
    ctx = with_objcopy(tmp_path)
    task = spec(ctx)
    built(task, elf(sections={".symtab": 2}))
    known = layout.build_record(ctx.config, ctx.config.targets[0], "alpha")
    known.parent.mkdir(parents=True)
    known.write_bytes(encode({"executables": {"alpha": "0" * 64}}))
    assert task.action

    with pytest.raises(CheckError, match="another one has written it since; run doit again"):
        task.action()

    assert not any(path.exists() for path in (*task.outputs, known))


def test_what_ships_may_run_and_what_explains_it_may_not(tmp_path: Path) -> None:
    ctx = with_objcopy(tmp_path)
    task, data = spec(ctx), elf(sections={".symtab": 2})
    built(task, data)
    assert task.action
    task.action()

    found = {
        path.name: (path.read_text(), stat.S_IMODE(path.stat().st_mode)) for path in task.outputs
    }
    assert found == {
        "alpha": ("small, see alpha.debug\n", 0o755),
        "alpha.debug": (f"debug of {len(data)}\n", 0o644),
    }
    assert Path(task.inputs[0]).read_bytes() == data


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (elf(), "it has no symbols for split_debug to keep: set `strip = false`"),
        (b"#!/bin/sh\n", "it is not valid: 10 bytes are too few for an ELF file"),
    ],
    ids=["no symbols", "no executable"],
)
def test_what_cannot_be_split_is_named(tmp_path: Path, data: bytes, text: str) -> None:
    task = spec(with_objcopy(tmp_path))
    built(task, data)
    assert task.action
    with pytest.raises(CheckError) as caught:
        task.action()

    assert str(caught.value).startswith(f"{task.inputs[0]}: {text}")
    assert not any(path.exists() for path in task.outputs)


def test_a_tool_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    task = spec(with_objcopy(tmp_path))
    built(task, elf(sections={".symtab": 2}))

    def broken(tool: Path, data: bytes, *, debug_name: str) -> tuple[bytes, bytes]:
        raise CheckError(f"{tool.name} {len(data) > 0} {debug_name}")

    monkeypatch.setattr(objcopy, "split", broken)
    assert task.action
    with pytest.raises(CheckError, match=r"objcopy True alpha\.debug$"):
        task.action()
    assert not any(path.exists() for path in task.outputs)


def test_a_missing_tool_is_named_with_its_remedy(tmp_path: Path) -> None:
    task = spec(context(tmp_path, config=SPLIT))
    assert len(task.inputs) == 1
    assert task.action
    with pytest.raises(MissingToolError) as caught:
        task.action()

    assert str(caught.value) == (
        "no objcopy is installed, which split_debug needs: apt-get install llvm, or a toolchain of "
        "rustup that brings rust-objcopy"
    )
