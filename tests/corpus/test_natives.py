"""Libraries of C, C++ and assembly, compiled from source: a program each, which calls them.

Many minutes of compiling, so only `pytest -m corpus` runs it. Needs cmake, make and perl.
"""

from __future__ import annotations

import hashlib
import subprocess  # noqa: TID251
from collections.abc import Callable
from pathlib import Path

import pytest

from corpus.attempt import ARCHES
from corpus.workspaces import adopted, built
from helpers.project import Project

pytestmark = [pytest.mark.integration, pytest.mark.corpus]

SHA256 = hashlib.sha256(b"text").hexdigest()
DIGITS = str(sum(len(str(number)) for number in range(100_000)))
SAYS = {
    "aws_lc": SHA256,
    "git2": hashlib.sha1(b"blob 4\0text", usedforsecurity=False).hexdigest(),
    "jemalloc": DIGITS,
    "mimalloc": DIGITS,
    "onig": "(7, 11)",
    "openssl": SHA256,
    "ring": SHA256,
    "sqlite": "42",
    "zlib_ng": "4000 true",
    "zstd": "4000 true",
}

Run = Callable[..., str]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return adopted("natives", tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module", params=ARCHES)
def run(request: pytest.FixtureRequest, project: Project) -> Run:
    """Runs a built program; one for another processor under qemu."""
    programs = built(project, request.param)
    assert sorted(programs) == sorted([*SAYS, "curl"])

    def run(name: str, *args: str) -> str:
        argv = [*programs[name], *args]
        return subprocess.run(argv, text=True, capture_output=True, check=True).stdout.strip()

    return run


@pytest.mark.parametrize("name", SAYS)
def test_the_library_works(run: Run, name: str) -> None:
    assert run(name) == SAYS[name]


def test_curl_fetches(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("from a file")

    assert run("curl", f"file://{tmp_path}/text") == "from a file"
