"""What real crates need is said before the first one compiles, by doctor and by the first run."""

from __future__ import annotations

import shutil
import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from helpers.programs import link_all
from helpers.project import Project
from helpers.workspaces import app, package, virtual

pytestmark = pytest.mark.integration

QUICK = (  # to fail: no compiler is started before a program is missed
    '[dependencies]\nlibz-ng-sys = "1"\n'
    'openssl-sys = { version = "0.9", features = ["vendored"] }\n'
)
NEEDY = f'{QUICK}tikv-jemalloc-sys = "0.6"\n'
TOOLS = {"cmake": "libz-ng-sys", "make": "tikv-jemalloc-sys", "perl": "openssl-src"}


def needy(root: Path, dependencies: str) -> Project:
    """A service with C libraries, fetched, and a tool with others, which is not shipped."""
    found = Project(
        root,
        {
            "Cargo.toml": virtual('"web", "tool"', "[profile.release]\nstrip = true\n"),
            "web/Cargo.toml": package("web", dependencies),
            "web/src/main.rs": "fn main() {}\n",
            **app("tool", '[dependencies]\nrdkafka-sys = "4"\n'),
        },
    )
    config = found.path("config/pipeline.yaml")
    config.write_text(f"{config.read_text()}ship: {{web: [web]}}\n")
    subprocess.run(["cargo", "fetch"], cwd=root, env=Project.environment(None), check=True)
    return found


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return needy(tmp_path_factory.mktemp("needy"), NEEDY)


def without(folder: Path, *programs: str) -> dict[str, str]:
    """A PATH with all there is but these programs, and with those of TOOLS that are not there."""
    if not shutil.which("rustup") and any(Path("/usr/bin", name).exists() for name in programs):
        pytest.skip("cargo has the folder of a distribution's rustc on its PATH in any case")
    link_all(folder)
    for name in TOOLS:
        if not (folder / name).exists():
            (folder / name).symlink_to("/bin/true")
    for name in programs:
        (folder / name).unlink()
    return {"PATH": str(folder)}


@pytest.mark.parametrize("tool", TOOLS)
def test_doctor_foretells_a_tool_that_is_not_there(
    project: Project, tmp_path: Path, tool: str
) -> None:
    done = project.doit("doctor", env=without(tmp_path / "bin", tool))
    notes = [line for line in done.stdout.splitlines() if line.startswith("note")]

    (line,) = notes
    assert TOOLS[tool] in line
    assert f" {tool}, which is not installed: apt-get install {tool} " in line


def test_where_all_is_there_doctor_foretells_nothing(project: Project, tmp_path: Path) -> None:
    """Nor for a crate that nobody ships: rdkafka-sys is the tool's."""
    done = project.doit("doctor", env=without(tmp_path / "bin"))

    assert "note" not in done.stdout


def test_the_first_run_says_all_of_it_before_anything_compiles(tmp_path: Path) -> None:
    project = needy(tmp_path / "ws", QUICK)
    done = project.doit(env=without(tmp_path / "bin", "cmake", "perl"))
    lines = done.stderr.splitlines()

    assert done.returncode == 1
    foretold = [number for number, line in enumerate(lines) if line.startswith("warning: ")][:2]
    failed = next(number for number, line in enumerate(lines) if line.startswith("FAILED"))
    assert {lines[number].split(" which")[0] for number in foretold} == {
        "warning: libz-ng-sys needs cmake,",
        "warning: openssl-src needs perl,",
    }
    assert max(foretold) < failed
