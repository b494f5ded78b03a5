"""Four architectures by their rows alone: sources to OCI indexes, and programs of other people.

For riscv64 and armv7, std is built from source where rustup can't fetch it: then minutes more.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess  # noqa: TID251 - readelf, and the programs themselves
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from corpus.attempt import ARCHES, attempt, emulator, prepare, staged, with_targets
from corpus.run import HERE, programs
from helpers.bundled import ENV, Bundled
from helpers.engines import need

pytestmark = [pytest.mark.engine, pytest.mark.integration, pytest.mark.corpus]

BINARIES = (
    "analytics_server", "bot", "fechatter_gateway", "fechatter_server", "indexer", "notify_server",
)  # fmt: skip
PLATFORMS = ["linux/amd64", "linux/arm/v7", "linux/arm64", "linux/riscv64"]


class Header(NamedTuple):
    """What readelf says of an executable."""

    bits: str
    type: str
    machine: str
    flags: str


HEADERS = {
    "x86_64": Header("ELF64", "DYN", "Advanced Micro Devices X86-64", "0x0"),
    "aarch64": Header("ELF64", "EXEC", "AArch64", "0x0"),
    "riscv64": Header("ELF64", "EXEC", "RISC-V", "0x5, RVC, double-float ABI"),
    "armv7": Header("ELF32", "EXEC", "ARM", "0x5000400, Version5 EABI, hard-float ABI"),
}
each = pytest.mark.parametrize("arch", ARCHES)


def needed() -> None:
    need("buildah", *(word for arch in ARCHES for word in emulator(arch)))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundled]:
    needed()
    made = Bundled(tmp_path_factory.mktemp("four") / "project")
    text = with_targets(made.config, ARCHES).replace("prefix:", "engine: buildah\n  prefix:")
    made.path("config/pipeline.yaml").write_text(text)
    made.build("setup", *ARCHES, env=ENV)
    yield made
    shutil.rmtree(made.root)


@pytest.fixture(scope="module")
def printed(project: Bundled) -> str:
    """What the first run printed: it builds, verifies, packs and smoke-tests everything."""
    return project.build("index", *(f"smoke:{arch}" for arch in ARCHES), env=ENV)


def counted(printed: str, word: str) -> Mapping[str, int]:
    """How many binaries of each architecture a stage names."""
    found = re.findall(rf"^{word} +(\w+) ", printed, re.MULTILINE)
    return {arch: found.count(arch) for arch in ARCHES}


@pytest.mark.parametrize("word", ["verified", "imaged", "checked", "smoked"])
def test_every_stage_covers_every_architecture(printed: str, word: str) -> None:
    assert counted(printed, word) == dict.fromkeys(ARCHES, len(BINARIES))


@each
def test_readelf_sees_static_executables_of_the_architecture(
    project: Bundled, printed: str, arch: str
) -> None:
    del printed
    binaries = staged(project.root, arch)

    assert sorted(path.name for path in binaries) == sorted(BINARIES)
    for path in binaries:
        said = readelf("-hldW", path)
        assert header(said) == HEADERS[arch]
        assert " INTERP " not in said
        assert "(NEEDED)" not in said
    if arch == "armv7":
        assert "Tag_ABI_VFP_args: VFP registers" in readelf("-A", binaries[0])


def readelf(*words: str | Path) -> str:
    argv = ["readelf", *words]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def header(said: str) -> Header:
    found = dict(re.findall(r"^  (\w+): +(.*)$", said, re.MULTILINE))
    return Header(found["Class"], found["Type"].split()[0], found["Machine"], found["Flags"])


@each
def test_every_binary_runs(project: Bundled, printed: str, arch: str) -> None:
    del printed
    for path in staged(project.root, arch):
        argv: list[str | Path] = [*emulator(arch), path, "--version"]
        said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        assert said == f"{path.name} 0.1.0\n"


@pytest.mark.parametrize("name", BINARIES)
def test_one_index_has_the_four_platforms(project: Bundled, printed: str, name: str) -> None:
    """Of its four images, each config says the platform too."""
    del printed
    layout = project.path(f"docker/images/{name}")
    (index,) = json.loads((layout / "index.json").read_text())["manifests"]
    images = blob(layout, index)["manifests"]

    assert sorted(platform(image["platform"]) for image in images) == PLATFORMS
    configs = [blob(layout, blob(layout, image)["config"]) for image in images]
    assert sorted(platform(config) for config in configs) == PLATFORMS


def blob(layout: Path, descriptor: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    return json.loads((layout / "blobs" / descriptor["digest"].replace(":", "/")).read_text())


def platform(said: Mapping[str, Any]) -> str:
    names = (said["os"], said["architecture"], said.get("variant"))
    return "/".join(name for name in names if name)


def test_nothing_is_left_to_do(project: Bundled, printed: str) -> None:
    del printed
    count = len(BINARIES) * len(ARCHES)

    assert project.build("index", env=ENV).startswith(f"up to date: {count} binaries")
    said = project.build("audit", *ARCHES, env=ENV)
    assert said == f"{count} binaries and all copies are valid\n"


@pytest.fixture(scope="module", params=["sd", "mcfly"])
def stranger(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Path]]:
    """A program of Rust alone, and one with SQLite in it, as `init` sets them up."""
    needed()
    name = str(request.param)
    root = tmp_path_factory.mktemp("stranger") / name
    prepare(programs(HERE / "programs.yaml")[name], root, ("riscv64", "armv7"))
    yield name, root
    shutil.rmtree(root)


@pytest.mark.parametrize("arch", ["riscv64", "armv7"])
def test_a_program_that_no_one_here_wrote(stranger: tuple[str, Path], arch: str) -> None:
    """Built, verified, audited; readelf agrees, and under qemu it tells its version."""
    name, root = stranger

    result = attempt(programs(HERE / "programs.yaml")[name], root, arch)

    assert result["reason"] == ""
    assert result["readelf"] == "EXEC"
    assert result["c"] == {"sd": [], "mcfly": ["libsqlite3-sys"]}[name]
