"""What cargo takes from a build script's output, rule by rule; a real cargo says the same."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from doit_cargo.core.workspace.script_output import Watched, parse
from doit_cargo.core.workspace.sources_elsewhere import Made, beyond, expand
from doit_cargo.tools import process
from helpers.workspaces import lib, virtual, write

PATHS = {
    "one colon": (b"cargo:rerun-if-changed=a", ["a"]),
    "two colons": (b"cargo::rerun-if-changed=a", ["a"]),
    "three colons": (b"cargo:::rerun-if-changed=a", []),
    "blanks around a line": (b" \t cargo:rerun-if-changed=a \t\r\n", ["a"]),
    "blanks of every script": ("\u3000cargo:rerun-if-changed=a\u00a0\u2003".encode(), ["a"]),
    "a blank before the path belongs to it": (b"cargo:rerun-if-changed= a", [" a"]),
    "a blank before the key makes another": (b"cargo: rerun-if-changed=a", []),
    "a blank after the key makes another": (b"cargo:rerun-if-changed =a", []),
    "a file separator is no blank": (b"cargo:rerun-if-changed=a\x1c", ["a\x1c"]),
    "more than one =": (b"cargo:rerun-if-changed=a=b", ["a=b"]),
    "nothing after =": (b"cargo:rerun-if-changed=", [""]),
    "no =": (b"cargo:rerun-if-changed", []),
    "behind other words": (b"note: cargo:rerun-if-changed=a", []),
    "capitals": (b"Cargo:rerun-if-changed=a\ncargo:Rerun-If-Changed=a", []),
    "a line that is not UTF-8 is skipped": (
        b"cargo:rerun-if-changed=\xff\ncargo:rerun-if-changed=a\n\xfe\n",
        ["a"],
    ),
    "other ends of lines are none": (
        "cargo:rerun-if-changed=a\rb\x0bc\x85d\u2028e".encode(),
        ["a\rb\x0bc\x85d\u2028e"],
    ),
    "a pattern is a name": (b"cargo:rerun-if-changed=src/*.rs", ["src/*.rs"]),
    "no end of line": (b"x\ncargo:rerun-if-changed=a", ["a"]),
    "twice": (b"cargo:rerun-if-changed=a\ncargo:rerun-if-changed=a", ["a", "a"]),
}


@pytest.mark.parametrize(("output", "paths"), PATHS.values(), ids=PATHS)
def test_paths(output: bytes, paths: list[str]) -> None:
    assert parse(output).paths == tuple(paths)


def test_variables_and_the_lines_that_are_cargos() -> None:
    found = parse(b"hello\n cargo:rustc-env=A=1 \ncargo::rerun-if-env-changed=B \n\xff\n")

    assert found == Watched((), ("B",), ("cargo:rustc-env=A=1", "cargo::rerun-if-env-changed=B"))
    assert parse(b"cargo:warning=x") == Watched((), (), ("cargo:warning=x",))


def test_places(tmp_path: Path) -> None:
    """Behind a link `..` leads somewhere else than it is written."""
    write(tmp_path, {"crate/src/x": "", "far/deep/y": "", "far/z": ""})
    (tmp_path / "crate/link").symlink_to("../far/deep")
    base = tmp_path / "crate"
    lines = ("src/../src/./x", "link/../z", "../far//z", "", "src/", "gone/../x", "a\0b", "/abs")
    output = "".join(f"cargo:rerun-if-changed={path}\n" for path in lines).encode()

    found = {os.path.relpath(path, tmp_path) for path in parse(output).places(base)}

    names = ("crate/src/x", "far/z", "crate", "crate/src", "crate/x", "crate/a\ufffdb")
    assert found == {*names, os.path.relpath("/abs", tmp_path)}
    assert parse(output).places(None) == {"/abs"}


def test_absent(tmp_path: Path) -> None:
    """What the kernel does not find; a slash after a file asks for a folder."""
    write(tmp_path, {"file": "", "folder/x": ""})
    (tmp_path / "dangling").symlink_to("nowhere")
    (tmp_path / "round").symlink_to("round")
    there = ("file", "folder", "folder/", "", "../", str(tmp_path / "file"))
    gone = ("gone", "file/", "file/.", "dangling", "round", "*", "gone/../file", "x\0y", "n" * 300)
    output = "".join(f"cargo:rerun-if-changed={path}\n" for path in (*there, *gone)).encode()

    found = parse(output).absent(tmp_path)

    expected = [path.replace("\0", "\ufffd") for path in gone]
    assert found == sorted(f"{tmp_path}/{path}" for path in expected)


def test_a_folder_is_all_below_it_through_links(tmp_path: Path) -> None:
    write(tmp_path, {"w/a": "", "w/.git/HEAD": "", "w/b~": "", "far/c": "", "far/deep/d": ""})
    (tmp_path / "w/empty/inner").mkdir(parents=True)
    (tmp_path / "w/link").symlink_to("../far")
    (tmp_path / "w/again").symlink_to("../far")
    (tmp_path / "w/up").symlink_to("..")
    (tmp_path / "w/file").symlink_to("../far/c")
    (tmp_path / "w/gone").symlink_to("nowhere")
    os.mkfifo(tmp_path / "w/pipe")

    found = expand([str(tmp_path / "w"), str(tmp_path / "absent"), str(tmp_path / "w/a")], Made([]))

    names = ["again/c", "again/deep/d", "a", "b~", ".git/HEAD", "empty/inner", "file"]
    assert sorted({*found}) == sorted(f"{tmp_path}/w/{name}" for name in names)


def test_what_runs_make_is_no_input(tmp_path: Path) -> None:
    """Watched as a folder, by name, from above, by a link, before and after it is there."""
    write(tmp_path, {"a": "", "out/x": "", "disk/y": "", "docker/Dockerfile": "", "later/.x": ""})
    (tmp_path / "later/.x").unlink()
    (tmp_path / "out2").symlink_to("disk")
    (tmp_path / "link").symlink_to("out")
    (tmp_path / "target/debug").mkdir(parents=True)
    made = Made(
        tmp_path / name for name in ("out", "out2", "docker/binaries", "target", "later/on")
    )
    named = [str(tmp_path / name) for name in ("out", "out/x", "link/x", "disk/y", "later")]

    assert [*expand(named, made)] == []
    found = sorted(expand([str(tmp_path)], made))
    assert found == [f"{tmp_path}/a", f"{tmp_path}/docker/Dockerfile"]
    (tmp_path / "later/on").mkdir()
    write(tmp_path, {"docker/binaries/alpha": "", "target/release/alpha": "", "later/on/x": ""})
    assert sorted(expand([str(tmp_path)], made)) == found
    outside = [str(tmp_path / "a"), str(tmp_path / "target/gone"), str(tmp_path / "gone")]
    assert beyond(outside, frozenset(), made) == [f"{tmp_path}/a", f"{tmp_path}/gone"]


SCRIPT = """\
use std::io::Write;
fn main() {{ std::io::stdout().write_all(&{output}).unwrap(); }}
"""
# What a script prints, and whether cargo comes to rest with it: it does unless a path is absent.
RESTING = {
    "nothing": (b"", True),
    "a file": (b"cargo:rerun-if-changed=build.rs", True),
    "blanks": (b"  cargo::rerun-if-changed=build.rs\t\r\n", True),
    "a blank that belongs to the path": (b"cargo:rerun-if-changed= build.rs", False),
    "a blank that makes another key": (b"cargo: rerun-if-changed=gone", True),
    "a line that is not UTF-8": (b"cargo:rerun-if-changed=gone\xff\ncargo:rustc-cfg=x", True),
    "and a path beside it": (b"\xff\ncargo:rerun-if-changed=gone\n", False),
    "a pattern": (b"cargo:rerun-if-changed=src/*.rs", False),
    "the package": (b"cargo:rerun-if-changed=", True),
    "a slash after a file": (b"cargo:rerun-if-changed=../far/z/", False),
    "a zero byte": (b"cargo:rerun-if-changed=a\0b", False),
    "a file separator": (b"cargo:rerun-if-changed=build.rs\x1c", False),
    "a link and ..": (b"cargo:rerun-if-changed=link/../z", True),
    "a dangling link": (b"cargo:rerun-if-changed=dangling", False),
    "a variable alone": (b"cargo:rerun-if-env-changed=X", True),
}


@pytest.mark.integration
@pytest.mark.parametrize(("output", "rests"), RESTING.values(), ids=RESTING)
def test_cargo_comes_to_rest_where_nothing_is_absent(
    tmp_path: Path, output: bytes, rests: bool
) -> None:
    script = SCRIPT.format(output=list(output))
    root = write(tmp_path, {"Cargo.toml": virtual('"a"'), **lib("a"), "a/build.rs": script})
    write(root, {"far/deep/y": "", "far/z": ""})
    (root / "a/link").symlink_to("../far/deep")
    (root / "a/dangling").symlink_to("nowhere")
    past = time.time() - 100
    for path in [root, *root.rglob("*")]:
        os.utime(path, (past, past), follow_symlinks=False)

    process.run(["cargo", "check", "--offline"], cwd=root)
    again = process.run_guarded(["cargo", "check", "--offline", "-v"], cwd=root, timeout=60)

    assert ("Fresh a" in again.err, "Dirty a" in again.err) == (rests, not rests)
    assert (parse(output).absent(root / "a") == []) == rests
