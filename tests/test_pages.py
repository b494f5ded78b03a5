"""README.md and docs/: their commands are run, their links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess  # noqa: TID251 - runs what a reader would
from pathlib import Path
from urllib.parse import unquote

import pytest

from helpers.bundled import Bundled
from helpers.project import DOIT, REPOSITORY, Project
from helpers.workspaces import app, virtual, write

PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
BLOCK = re.compile(
    r"^(?:<!-- (?P<mark>[^\n]*) -->\n)?```(?:sh|console)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
MARK = re.compile(r"run|not run: .+|run by (?P<test>\S+)|fresh-machine|tests|your-own")
LINK = re.compile(r"\[[^\]]*\]\((?!https?:)([^)#\s]*)(?:#([\w-]+))?\)")
HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
LIMIT = 9_000  # bytes of a README that one reads


def name_of(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


def blocks(page: Path) -> list[tuple[str, str]]:
    """The commands of a page, each with the mark above it."""
    return [(found["mark"] or "", found["text"]) for found in BLOCK.finditer(page.read_text())]


def anchors(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = HEADING.findall(page.read_text())
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def test_the_readme_is_short() -> None:
    assert len(PAGES[0].read_bytes()) <= LIMIT


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_is_run_or_marked(page: Path) -> None:
    """docs/own-tasks.md has a test of its own, which runs all of it."""
    if page.name == "own-tasks.md":
        return
    for mark, text in blocks(page):
        found = MARK.fullmatch(mark)
        assert found, f"no mark above\n{text}"
        assert not found["test"] or (REPOSITORY / found["test"]).is_file()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for path, anchor in LINK.findall(page.read_text()):
        target = page.parent / unquote(path) if path else page
        assert target.exists(), path
        assert not anchor or anchor in anchors(target), f"{path}#{anchor}"


def test_every_page_is_named_by_the_readme() -> None:
    named = {path for path, _ in LINK.findall(PAGES[0].read_text())}

    assert {name_of(page) for page in PAGES[1:]} <= named


def run(root: Path, text: str) -> str:
    """Run commands as a reader would who has installed the package."""
    env = Project.environment({"PATH": f"{DOIT.parent}:{os.environ['PATH']}"})
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text], cwd=root, env=env, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.integration
def test_what_the_pages_have_one_run(tmp_path: Path) -> None:
    """All of it, in the order of the pages, in the bundled workspace."""
    root = Bundled(tmp_path / "clone").root
    for page in PAGES:
        for mark, text in blocks(page):
            if mark == "run":
                run(root, text)

    manifest = root / "docker/binaries/x86_64/MANIFEST.txt"
    assert "bot_server/indexer  " in manifest.read_text()


@pytest.mark.integration
def test_a_workspace_of_ones_own(tmp_path: Path) -> None:
    """The README's lines, in a workspace that nobody has prepared."""
    root = write(tmp_path / "shop", {"Cargo.toml": virtual('"web", "mail"'), **app("web"),
                                     **app("mail")})  # fmt: skip
    (text,) = [text for mark, text in blocks(PAGES[0]) if mark == "your-own"]

    said = run(root, text)

    assert re.search(r"^2 binaries, .* in docker/context/binaries: 2 built", said, re.MULTILINE)
    assert (root / "docker/context/binaries/web/web").is_file()
