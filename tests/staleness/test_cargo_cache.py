"""What cargo keeps of third-party crates, macros and build scripts is not linked if altered."""

from __future__ import annotations

import json
import os
import shutil
import subprocess  # noqa: TID251
from collections.abc import Callable
from pathlib import Path

import pytest

from doit_cargo.core.record import encode
from doit_cargo.tools.key import seal
from helpers.project import SOURCES, Project
from helpers.workspaces import package

pytestmark = pytest.mark.integration

OTHER = 'pub fn word() -> &\'static str { "first" }\n'
SCRIPT = """\
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let out = std::env::var("OUT_DIR").unwrap() + "/made.rs";
    std::fs::write(out, "pub const MADE: &str = \\"made1\\";").unwrap();
}
"""
PROGRAM = """\
include!(concat!(env!("OUT_DIR"), "/made.rs"));
fn main() { println!("{} {MADE}", third::word()); }
"""
# Alpha uses a crate from a vendored registry, and what its own build script makes.
FILES = {
    **{name: text for name, text in SOURCES.items() if name != "Cargo.lock"},
    ".cargo/config.toml": '[source.crates-io]\nreplace-with = "near"\n'
    '[source.near]\ndirectory = "vendor"\n',
    "vendor/third/Cargo.toml": package("third"),
    "vendor/third/src/lib.rs": OTHER,
    "vendor/third/.cargo-checksum.json": '{"files": {}}',
    "alpha/Cargo.toml": package("alpha", '[dependencies]\nthird = "0.1.0"'),
    "alpha/build.rs": SCRIPT,
    "alpha/src/main.rs": PROGRAM,
}


def says(project: Project) -> str:
    done = subprocess.run([project.staged("alpha")], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def the(project: Project, pattern: str) -> Path:
    (found,) = project.path("target/x86_64-unknown-linux-musl/release").glob(pattern)
    return found


def edit(project: Project) -> None:
    path = project.path("alpha/src/main.rs")
    path.write_text("// edited\n" + path.read_text())


def keeping_time(path: Path, change: Callable[[bytes], bytes]) -> None:
    status = path.stat()
    path.write_bytes(change(path.read_bytes()))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_an_altered_third_party_library(finished: Project) -> None:
    assert says(finished) == "first made1"
    library = the(finished, "deps/libthird-*.rlib")
    keeping_time(library, lambda data: data.replace(b"first", b"wrong"))

    edit(finished)
    said = finished.build()

    assert says(finished) == "first made1", said
    assert b"first" in library.read_bytes()


@pytest.mark.parametrize("forget", ["cargo-cache.json", "."])
def test_an_altered_library_and_no_memory_of_it(finished: Project, forget: str) -> None:
    library = the(finished, "deps/libthird-*.rlib")
    keeping_time(library, lambda data: data.replace(b"first", b"wrong"))
    record = finished.path(".doit-cargo/records/cargo-cache.json")
    record.unlink() if forget == "cargo-cache.json" else record.write_text('{"packages": {}}')

    edit(finished)
    finished.build()

    assert says(finished) == "first made1"


def test_an_altered_file_in_out_dir(finished: Project) -> None:
    keeping_time(
        the(finished, "build/alpha-*/out/made.rs"), lambda data: data.replace(b"made1", b"made2")
    )

    edit(finished)
    finished.build()

    assert says(finished) == "first made1"


def test_a_foreign_file_in_out_dir_goes(finished: Project) -> None:
    foreign = the(finished, "build/alpha-*/out") / "foreign.rs"
    foreign.write_text("x")

    edit(finished)
    finished.build()

    assert not foreign.exists()


def test_a_forged_record_removes_nothing_elsewhere(finished: Project, tmp_path: Path) -> None:
    precious = tmp_path / "precious/out"
    precious.mkdir(parents=True)
    record = finished.path(".doit-cargo/records/cargo-cache.json")
    packages = json.loads(record.read_text())["packages"]
    packages["alpha"][f"{precious}/"] = "no such sum"
    mac = seal(finished.path(".doit-cargo")).mac_of("cargo-cache", packages)
    record.write_bytes(encode({"packages": packages, "seal": mac}))

    edit(finished)
    finished.build()

    assert precious.is_dir()


def elsewhere(project: Project, folder: str) -> None:
    """Have cargo build in another target directory."""
    config = project.path(".cargo/config.toml")
    config.write_text(FILES[".cargo/config.toml"] + f"[build]\ntarget-dir = '{folder}'\n")


def test_another_target_directory_that_goes_costs_nothing_here(finished: Project) -> None:
    """Nor is what it held believed, should it come back."""
    library = the(finished, "deps/libthird-*.rlib")
    kept = library.stat()
    elsewhere(finished, "other")
    finished.build()
    shutil.rmtree(finished.path("other"))
    elsewhere(finished, "target")

    edit(finished)
    finished.build()

    assert library.stat() == kept


def test_a_library_that_was_altered_while_cargo_built_elsewhere(finished: Project) -> None:
    library = the(finished, "deps/libthird-*.rlib")
    elsewhere(finished, "other")
    finished.build()
    keeping_time(library, lambda data: data.replace(b"first", b"wrong"))
    edit(finished)
    finished.build()
    elsewhere(finished, "target")

    edit(finished)
    said = finished.build()

    assert says(finished) == "first made1", said
    assert b"first" in library.read_bytes()


def test_the_other_crates_stay(finished: Project) -> None:
    """An edit of one's own crate costs no third-party crate."""
    before = the(finished, "deps/libthird-*.rlib").stat().st_mtime_ns

    edit(finished)
    finished.build()

    assert the(finished, "deps/libthird-*.rlib").stat().st_mtime_ns == before
