"""`split_debug`: what ships is stripped and verified, what was stripped explains a crash."""

from __future__ import annotations

import re
import shutil
import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from helpers.project import CONFIG, SOURCES, Project, sha256

pytestmark = pytest.mark.integration

PROFILE = "[profile.release]\nopt-level = 0\ndebug = 1\nstrip = false\n"
FILES = {
    **SOURCES,
    "Cargo.toml": SOURCES["Cargo.toml"].partition("[profile")[0] + PROFILE,
    "config/pipeline.yaml": CONFIG + "split_debug: true\n",
    "config/policy.yaml": "rules: {stripped: deny, build_path: deny}\n",
}


def say(*argv: str | Path) -> str:
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def kept(project: Project) -> Path:
    return project.root / "docker/debug/x86_64/alpha/alpha.debug"


def test_what_ships_is_stripped_and_what_is_kept_is_outside_of_the_context(
    shared: Project,
) -> None:
    sections = say("readelf", "-SW", shared.staged("alpha"))

    assert not re.search(r"\.(symtab|debug_(?!gdb_scripts)\w+)\b", sections)
    assert ".debug_line" in say("readelf", "-SW", kept(shared))
    assert say(shared.staged("alpha")) == "alpha hello\n"
    assert sorted(shared.tree("docker/context")) == ["binaries/alpha/alpha", "binaries/beta/beta"]
    assert sha256(shared.staged("alpha")) != sha256(shared.built("alpha"))
    assert (
        sha256(shared.staged("alpha"))
        in shared.path("docker/binaries/x86_64/MANIFEST.txt").read_text()
    )
    assert re.search(r"^ok +objcopy \(split_debug\) +/", shared.build("doctor"), re.MULTILINE)
    assert shared.build("audit").endswith("are valid\n")
    assert shared.build().startswith("up to date: 2 binaries")


def test_what_was_kept_gives_an_address_its_line(shared: Project, tmp_path: Path) -> None:
    """Found by the link that the shipped binary holds: file name and CRC must be right."""
    symbols = say("nm", shared.built("alpha"))
    (address,) = re.findall(r"^(\w+) [tT] \S*alpha\S*main\S*$", symbols, re.MULTILINE)
    shutil.copy(shared.staged("alpha"), tmp_path)
    alone = say("addr2line", "-e", tmp_path / "alpha", address)
    shutil.copy(kept(shared), tmp_path)
    together = say("addr2line", "-e", tmp_path / "alpha", address)

    assert alone.startswith("??")
    assert together.strip().endswith("alpha/src/main.rs:1")


@pytest.mark.parametrize("place", ["stripped", "kept"])
def test_what_was_altered_or_lost_is_made_again(shared: Project, place: str) -> None:
    stripped = shared.path(".doit-cargo/stripped/x86_64/alpha")
    before = {path: sha256(path) for path in (stripped, kept(shared), shared.staged("alpha"))}
    if place == "kept":
        kept(shared).unlink()
    else:
        shutil.copy(shared.built("alpha"), stripped)
    found = shared.doit("audit")
    shared.build()

    assert found.returncode == 1
    assert "strip:x86_64:alpha is stale" in found.stdout
    assert {path: sha256(path) for path in before} == before


def test_without_symbols_there_is_nothing_to_keep(shared: Project) -> None:
    manifest = shared.path("Cargo.toml")
    text = manifest.read_text()
    manifest.write_text(text.replace("strip = false", "strip = true"))
    failed = shared.doit()
    manifest.write_text(text)
    shared.build()

    assert failed.returncode == 1
    assert "it has no symbols for split_debug to keep: set `strip = false`" in failed.stderr
    shared.build("clean")
    assert not kept(shared).exists()
    assert not shared.path(".doit-cargo/stripped").exists()
