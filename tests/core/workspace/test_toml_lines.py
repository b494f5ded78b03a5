"""A key's line is found whatever the layout, or none is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from doit_cargo.core.workspace.toml_lines import line_of

FLAGS = ("build", "rustflags")
LAYOUTS = {
    "table": "# [build]\n\n[build]\nrustflags = []\n",
    "dotted": "a = 1\n\n\nbuild.rustflags = []\n",
    "spaced": "a = 1\nb = 2\nc = 3\n build . rustflags=[]\n",
    "quoted": "a = 1\n[build]\n# the flags\n'rustflags' = []\n",
    "inline": "a = 1\n\n# the flags\nbuild = { jobs = 2, rustflags = [] }\n",
    "long": "[build]\njobs = [\n]\nrustflags = [\n  '-C',\n  # more\n  'a=b',\n]\n",
    "in a string": 'a = """\n[build]\nrustflags = []"""\nbuild.rustflags = []\n',
    "in an array": "a = [\n'build.rustflags = []'\n]\nbuild.rustflags = []\n",
    "windows": "a = 1\r\n[build]\r\njobs = 1\r\nrustflags = []\r\n",
    "odd breaks": "a = '\u2028 \u0085'\n[build]\njobs = 1\nrustflags = []\n",
    "byte order mark": "\ufeffa = 1\n[build]\njobs = 1\nrustflags = []\n",
    "TOML 1.1": "[build]\na = 1\njobs = 2\nrustflags = [{\n a = 1,\n}]\n",
    "another table": "[target.build]\nrustflags = []\n[build]\nrustflags = []\n",
    "without an end": "[build]\n\njobs = 1\nrustflags = []",
}


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_fourth_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(LAYOUTS[name].encode())

    assert line_of(str(path), FLAGS) == 4


def test_quoted_tables(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[target.'cfg(unix)']\nlinker = 'a'\n[target.\"cfg(all())\"]\nlinker = 'b'\n")

    assert line_of(str(path), ("target", "cfg(all())", "linker")) == 4


@pytest.mark.parametrize("text", ["[build]\njobs = 1\n", "rustflags = []\n", "", "not [ toml"])
def test_no_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)

    assert line_of(str(path), FLAGS) is None


def test_no_file(tmp_path: Path) -> None:
    assert line_of(str(tmp_path / "config.toml"), FLAGS) is None


def test_a_file_too_long(tmp_path: Path) -> None:
    """A line costs a parse of all that stands before it."""
    path = tmp_path / "config.toml"
    path.write_text("# a comment\n" * 1000 + "build.rustflags = []\n")

    assert line_of(str(path), FLAGS) is None
