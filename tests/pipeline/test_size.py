"""`doit size` on a real workspace: sizes, what changed, what fills them, and the budgets."""

from __future__ import annotations

import json
import re
import subprocess  # noqa: TID251
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.elf import contents
from doit_cargo.core.elf.header import ElfError
from doit_cargo.core.elf.layout import parse
from helpers import engines
from helpers.elf_files import mutants
from helpers.project import REPOSITORY, SOURCES, Project

pytestmark = pytest.mark.integration

SYMBOLS = '[profile.symbols]\ninherits = "release"\nstrip = false\n'
FILES = {**SOURCES, "Cargo.toml": SOURCES["Cargo.toml"] + SYMBOLS}


@pytest.fixture(scope="module")
def unstripped(shared: Project) -> Path:
    """The binary of another profile, made as `doit size` says."""
    command = shared.build("env", "profile=symbols")
    subprocess.run(["sh", "-c", command], cwd=shared.root, check=True, capture_output=True)
    return shared.root / "target/x86_64-unknown-linux-musl/symbols/beta"


def told(project: Project) -> dict[str, dict[str, Any]]:
    rows = json.loads(project.build("size", "--json"))["binaries"]
    return {row["binary"]: row for row in rows}


def test_sizes_and_sections_are_those_of_the_files(shared: Project) -> None:
    rows = told(shared)

    for name, row in rows.items():
        listed = subprocess.run(
            ["readelf", "-SW", shared.built(name)], capture_output=True, text=True, check=True
        )
        (text,) = re.findall(r"\.text +PROGBITS +\w+ \w+ (\w+)", listed.stdout)
        assert row["size"] == shared.staged(name).stat().st_size
        assert row["sections"][".text"] == int(text, 16)
        assert sum(row["sections"].values()) == row["size"]
        assert ".bss" not in row["sections"]
    assert set(rows) == {"alpha", "beta"}


def test_a_change_is_since_the_last_build_and_a_reader_writes_nothing(shared: Project) -> None:
    assert told(shared)["beta"]["previous_size"] is None
    old = told(shared)["beta"]["size"]
    shared.path("beta/src/main.rs").write_text(
        'fn main() { println!("beta {:?}", std::env::args().collect::<std::collections::BTreeSet<_>'
        ">()); }\n"
    )
    shared.build()
    before = shared.stamps(".")
    row = told(shared)["beta"]

    assert row["previous_size"] == old
    assert row["size"] > old
    table = shared.build("size")
    assert re.search(r"^beta +x86_64 +[\d.]+ KiB +\+[\d.]+ (Ki)?B ", table, re.MULTILINE)
    assert shared.stamps(".") == before
    shared.build("run", "-a", "verify")  # the same bytes verified again
    assert told(shared)["beta"] == row


def test_the_crates_are_those_of_an_unstripped_build(shared: Project, unstripped: Path) -> None:
    row = told(shared)["beta"]

    assert row["crates_from"] == "target/x86_64-unknown-linux-musl/symbols/beta"
    assert {"std", "core", "alloc", "beta", "other"} <= row["crates"].keys()
    table = shared.build("size")
    assert re.search(r"^beta +x86_64 +\w+ +[\d.]+ KiB$", table, re.MULTILINE)
    assert re.search(r" std +[\d.]+ KiB$", table, re.MULTILINE)
    assert f"from {row['crates_from']}\n" in table
    found = subprocess.run(["nm", "-S", unstripped], capture_output=True, text=True, check=True)
    sized = {
        (line.split()[0], line.split()[1])
        for line in found.stdout.splitlines()
        if re.match(r"\w{16} \w{16} [tTrRdDwW] ", line)
    }
    assert sum(row["crates"].values()) == sum(int(size, 16) for _, size in sized)


def test_a_forged_symbol_table_is_refused_not_followed(unstripped: Path) -> None:
    data = unstripped.read_bytes()
    refused = 0
    for forged in mutants(data, 60, seed=5):
        try:
            contents.crates(parse(forged))
        except ElfError:
            refused += 1

    assert refused > 0
    with suppress(ElfError):
        contents.sections(parse(data[: len(data) // 2]))


def test_a_binary_above_its_budget_is_one_clear_message(shared: Project) -> None:
    policy = shared.path("config/policy.yaml")
    policy.write_text("budgets: {alpha: 100 KiB}\n")
    failed = shared.doit()
    size = shared.built("alpha").stat().st_size

    assert failed.returncode == 1
    assert (
        f"deny size: found {size:,} bytes, wanted at most 102,400 bytes, its budget: `doit size` "
        "shows what fills it; the budget is `budgets: alpha` in config/policy.yaml\n"
    ) in failed.stderr
    assert failed.stderr.count("its budget") == 1
    row = told(shared)["alpha"]
    assert (row["budget"], row["share"]) == (102_400, round(size / 102_400, 4))
    policy.unlink()
    shared.build()


@pytest.mark.engine
def test_the_size_of_an_image_is_that_of_what_is_in_it(shared: Project) -> None:
    engines.need("buildah")
    config = shared.path("config/pipeline.yaml")
    text = config.read_text()
    shared.path("docker/Dockerfile").write_text((REPOSITORY / "docker/Dockerfile").read_text())
    images = "images: {engine: buildah, timezones: [], services: {beta: {}}}\n"
    config.write_text(text + images)
    shared.build("image")
    rows = told(shared)
    config.write_text(text)

    assert rows["beta"]["image_size"] == rows["beta"]["size"]
    assert rows["alpha"]["image_size"] is None
    assert "IMAGE" in shared.build("size").splitlines()[0]
