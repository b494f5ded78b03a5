"""Every block of docs/own-tasks.md: the dodo.py works, and the commands print what is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from helpers.project import REPOSITORY, Project
from helpers.workspaces import package

pytestmark = pytest.mark.integration

PAGE = REPOSITORY / "docs/own-tasks.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NUMBER = re.compile(r"\d+(\.\d+)? (KiB|s)\b")
FILES = {
    "Cargo.toml": package("hello", "[profile.release]\nopt-level = 0\nstrip = true\n"),
    "Cargo.lock": 'version = 4\n\n[[package]]\nname = "hello"\nversion = "0.1.0"\n',
    "src/main.rs": 'mod words;\nfn main() { println!("{}", words::WORDS); }\n',
    "src/words.rs": 'pub const WORDS: &str = "hello";\n',
    "words.txt": "good morning\n",
}


class Example(NamedTuple):
    """A dodo.py and what is typed with it."""

    heading: str
    dodo: str
    console: str


def examples() -> Iterator[Example]:
    for section in PAGE.read_text().split("\n## ")[1:]:
        blocks = BLOCK.findall(section)
        assert [kind for kind, _ in blocks] in (["python", "console"], [])
        if blocks:
            yield Example(section.splitlines()[0], *(text for _, text in blocks))


def commands(console: str) -> Iterator[tuple[str, list[str]]]:
    """Each command and the lines that are shown below it."""
    for part in console.split("$ ")[1:]:
        command, *shown = part.splitlines()
        yield command, shown


@pytest.mark.parametrize("example", [*examples()], ids=lambda example: example.heading)
def test_an_example_does_what_is_shown(tmp_path: Path, example: Example) -> None:
    project = Project(tmp_path, {**FILES, "dodo.py": example.dodo})

    for command, shown in commands(example.console):
        if edit := re.fullmatch(r"echo '(.*)' > (\S+)", command):
            project.path(edit[2]).write_text(f"{edit[1]}\n")
            continue
        program, *args = command.split()
        said = NUMBER.sub("#", project.build(*args)).splitlines()
        expected = [NUMBER.sub("#", line) for line in shown]
        assert program == "doit"
        assert (sorted if "-n" in args else list)(said) == expected


def test_the_page_has_examples() -> None:
    assert len([*examples()]) == 5
