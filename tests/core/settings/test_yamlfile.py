"""Reading YAML: what a hostile, broken or surprising file does, and how fast it is refused."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import yaml

from doit_cargo.core.errors import ConfigError
from doit_cargo.core.settings import yamlfile
from doit_cargo.core.settings.faults import MAX_FAULTS, Faults
from doit_cargo.core.settings.node import Node
from doit_cargo.core.settings.settings_file import read_yaml


@pytest.fixture(params=["CSafeLoader", "SafeLoader"])
def loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both parsers: libyaml's, and PyYAML's own where there is no libyaml."""
    monkeypatch.setattr(yamlfile, "_LOADER", getattr(yaml, request.param))
    return str(request.param)


def read(path: Path, content: str | bytes) -> Node:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    faults = Faults("f.yaml")
    node = read_yaml(path, faults)
    faults.check()
    return node


def refusal(path: Path, content: str | bytes) -> str:
    started = time.process_time()
    with pytest.raises(ConfigError) as caught:
        read(path, content)
    assert time.process_time() - started < 1
    return str(caught.value)


def plain(node: Node) -> object:
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return f"{node.value}:{node.tag}"


@pytest.mark.usefixtures("loader")
def test_a_file_becomes_nodes_with_lines_and_key_paths(tmp_path: Path) -> None:
    node = read(tmp_path / "f", "a:\n  b-c: [x, 1]\n  'd e': yes\n")

    expected = {"a": {"b-c": ["x:str", "1:int"], "d e": "yes:bool"}}
    assert expected == plain(node)
    a = node.child("a")
    assert a
    inner = a.child("b-c")
    assert inner
    item = inner.child(1)
    quoted = a.child("d e")
    assert item
    assert quoted
    places = [(n.line, n.keys) for n in (node, a, inner, item, quoted)]
    assert places == [(1, ""), (1, "a"), (2, "a.b-c"), (2, "a.b-c[1]"), (3, "a.'d e'")]


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    "content", ["", "\n", "# only a comment\n", "---\n", "---\n...\n", "\ufeff", "\ufeff# x\r\n"]
)
def test_an_empty_file_is_an_empty_mapping(tmp_path: Path, content: str) -> None:
    assert plain(read(tmp_path / "f", content)) == {}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("content", ["\ufeffa: b\nc: d\n", "a: b\r\nc: d\r\n", "---\na: b\nc: d"])
def test_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path, content: str) -> None:
    node = read(tmp_path / "f", content)

    assert plain(node) == {"a": "b:str", "c": "d:str"}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a: 1\nb: \xff\n", "f.yaml:2: not UTF-8 text"),
        ("a: b\n".encode("utf-16"), "f.yaml:1: not UTF-8 text"),
        (b"a: b\n\nc: \0\n", "f.yaml:3: a control character (U+0000)"),
        ("a: b\x1b[2J\n", "f.yaml:1: a control character (U+001B)"),
        ("a: b\n" + "#" * 64 * 1024, "f.yaml:1: the file is over 64 KiB"),
        ('a: "\\0"\n', "f.yaml:1: a: a control character in '\\x00'"),
        ('a:\n  - "\\e[2J"\n', "f.yaml:2: a[0]: a control character in '\\x1b[2J'"),
        ('"\\x7f": 1\n', "f.yaml:1: '\\x7f': a control character in '\\x7f'"),
        ("a: 1\nb: 2\na: 3\n", "f.yaml:3: a: duplicate key, first on line 1"),
        ("a: {b: 1, c: 2,\n b: 3}\n", "f.yaml:2: a.b: duplicate key, first on line 1"),
        ("'a': 1\na: 2\n", "f.yaml:2: a: duplicate key, first on line 1"),
        ("NO: 1\n", "f.yaml:1: NO: NO is read as true or false, write it in quotes"),
        ("a: {on: 1}\n", "f.yaml:1: a.on: on is read as true or false, write it in quotes"),
        ("386: 1\n", "f.yaml:1: 386: 386 is read as a number, write it in quotes"),
        ("1.5: 1\n", "f.yaml:1: '1.5': 1.5 is read as a number, write it in quotes"),
        ("12:30: 1\n", "f.yaml:1: '12:30': 12:30 is read as a number, write it in quotes"),
        ("2025-06-11: 1\n",
         "f.yaml:1: 2025-06-11: 2025-06-11 is read as a date, write it in quotes"),
        ("~: 1\n", "f.yaml:1: '~': ~ is read as nothing, write it in quotes"),
        ("? \n: 1\n", "f.yaml:1: '': the value is missing"),
        ("<<: {a: 1}\n", "f.yaml:1: '<<': << is read as something special, write it in quotes"),
        ("? [a]\n: 1\n", "f.yaml:1: a mapping or a list as a key; keys must be text"),
        ("x:\n  {a: 1}: 1\n", "f.yaml:2: x: a mapping or a list as a key; keys must be text"),
        ("a: &x 1\n", "f.yaml:1: a: an anchor (&); leave it out"),
        ("&x a: 1\n", "f.yaml:1: an anchor (&); leave it out"),
        ("a: !!str 1\n", "f.yaml:1: a: a tag (!); leave it out"),
        ("a: !\n  x\n", "f.yaml:1: a: a tag (!); leave it out"),
        ("!!python/object/apply:os.system ['x']\n", "f.yaml:1: a tag (!); leave it out"),
        ("a: *x\n", "f.yaml:1: a: an alias (*); write the value out"),
        ("*x : 1\n", "f.yaml:1: an alias (*); write the value out"),
        ("a: 1\n---\nb: 2\n", "f.yaml:2: a second document; only one is allowed"),
    ],
)  # fmt: skip
def test_what_is_refused_names_its_place(
    tmp_path: Path, content: str | bytes, expected: str
) -> None:
    assert refusal(tmp_path / "f", content) == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("[1\n", "2: not YAML: did not find expected ',' or ']' (while parsing a flow sequence)"),
        ("a: b: c\n", "1: not YAML: mapping values are not allowed in this context"),
        ("a: 'b\n", "2: not YAML: found unexpected end of stream (while scanning a quoted scalar)"),
        ("%YAML 3.0\n---\na: b\n", "1: not YAML: found incompatible YAML document"),
    ],
)  # fmt: skip
def test_a_syntax_error_names_its_line(tmp_path: Path, content: str, expected: str) -> None:
    assert refusal(tmp_path / "f", content) == f"f.yaml:{expected}"


def bomb() -> str:
    """Nine lines that mean a billion values."""
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(lines)


DEEP = {
    "flow lists": "[" * 10_000 + "]" * 10_000,
    "flow mappings": "{a: " * 10_000 + "}" * 10_000,
    "unclosed": "[" * 60_000,
    "a bracket a line": "[\n" * 10_000,
    "block lists": "- " * 10_000 + "x",
    "block mappings": "\n".join(" " * n + "a:" for n in range(300)),
    "question marks": "? " * 10_000 + "x",
}


@pytest.mark.usefixtures("loader")
@pytest.mark.parametrize("content", DEEP.values(), ids=DEEP)
def test_deep_nesting_is_refused_at_once(tmp_path: Path, content: str) -> None:
    message = refusal(tmp_path / "f", content)

    place, _, text = message.partition(": ")
    assert place.startswith("f.yaml:")
    assert text.startswith(("nested deeper than 16 levels", "a mapping or a list", "not YAML"))


@pytest.mark.usefixtures("loader")
def test_sixteen_levels_are_allowed(tmp_path: Path) -> None:
    read(tmp_path / "f", "[" * 17 + "]" * 17)

    assert refusal(tmp_path / "f", "[" * 18 + "]" * 18) == "f.yaml:1: nested deeper than 16 levels"


@pytest.mark.usefixtures("loader")
def test_an_alias_bomb_is_refused_at_its_first_alias(tmp_path: Path) -> None:
    expected = (
        "f.yaml:1: a0: an anchor (&); leave it out\n"
        "f.yaml:2: a1: an anchor (&); leave it out\n"
        "f.yaml:2: a1[0]: an alias (*); write the value out"
    )
    assert refusal(tmp_path / "f", bomb()) == expected


BIG = {
    "one long key": "k" * 60_000 + ": &a 1",
    "one long number": "9" * 60_000 + ": 1",
    "many bad keys": "\n".join(f"{n}: 1" for n in range(6_000)),
    "one long quoted line": '"' + "\\0" * 30_000 + '": 1',
    "colons": "a: " + ": " * 30_000,
    "commas": "[" + "," * 60_000 + "]",
    "indicators": "? : - " * 10_000,
    "a block scalar's indent": "a: |\n" + " " * 60_000 + "\nb: &c 1",
}


@pytest.mark.parametrize("content", BIG.values(), ids=BIG)
def test_a_big_file_gets_a_prompt_and_short_answer(tmp_path: Path, content: str) -> None:
    message = refusal(tmp_path / "f", content)

    assert len(message.splitlines()) <= MAX_FAULTS + 1
    assert max(map(len, message.splitlines())) < 400


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    fifo, folder, loop = tmp_path / "fifo", tmp_path / "folder", tmp_path / "loop"
    os.mkfifo(fifo)
    folder.mkdir()
    loop.symlink_to(loop)
    paths = [fifo, folder, Path("/dev/zero"), tmp_path / "missing", loop, Path("/proc/self/mem")]
    found = []
    for path in paths:
        with pytest.raises(ConfigError) as caught:
            read_yaml(path, Faults("f.yaml"))
        found.append(str(caught.value))

    assert found == [
        "f.yaml: not a regular file",
        "f.yaml: not a regular file",
        "f.yaml: not a regular file",
        "f.yaml: cannot be read: No such file or directory",
        "f.yaml: cannot be read: Too many levels of symbolic links",
        "f.yaml: cannot be read: Input/output error",
    ]
