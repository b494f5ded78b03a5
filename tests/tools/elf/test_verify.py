"""Checking a binary: reading it from disk, two readers, the verdict."""

from __future__ import annotations

import hashlib
import json
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.elf.policy import default_levels
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Policy, Target
from doit_cargo.tools import artifact
from doit_cargo.tools.artifact import sha256
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from doit_cargo.tools.elf.verify import Verdict, as_record, check, explain
from helpers import elf_files
from helpers.elf_files import elf, poke_header

CHAT = Binary(crate="chat", name="chat")
X86 = Target(arch="x86_64", triple="x86_64-unknown-linux-musl", platform="linux/amd64")
POLICY = Policy(levels=default_levels(X86.triple), min_size=1, max_size=1 << 20)


class Counted(SecondOpinion):
    """Counts the questions, and may answer with something else."""

    def __init__(self, **false: object) -> None:
        super().__init__()
        self.questions = 0
        self._false = false

    def ask(self, data: bytes) -> dict[str, Any]:
        self.questions += 1
        return super().ask(data) | self._false


@pytest.fixture(scope="module")
def opinion() -> Iterator[SecondOpinion]:
    with SecondOpinion() as asked:
        yield asked


def checked(
    data: bytes, opinion: SecondOpinion, *, by: Policy = POLICY, needles: tuple[bytes, ...] = ()
) -> Verdict:
    return check(data, binary=CHAT, target=X86, policy=by, needles=needles, opinion=opinion)


def test_a_good_binary_passes(opinion: SecondOpinion) -> None:
    data = elf()
    verdict = checked(data, opinion)

    assert verdict.passed
    assert verdict.sha256 == sha256(data) == hashlib.sha256(data).hexdigest()
    assert (verdict.size, verdict.violations, explain(verdict)) == (len(data), (), "")


def test_a_denied_rule_fails_and_a_warning_does_not(opinion: SecondOpinion) -> None:
    warned = checked(elf(sections={".debug_info": 1}), opinion)
    denied = checked(elf(sections={".debug_info": 1}, stacks=()), opinion)

    assert (warned.passed, denied.passed) == (True, False)
    assert [line.split(":")[0] for line in explain(denied).splitlines()] == [
        "  deny nx",
        "  warn stripped",
    ]


def test_build_paths_are_looked_for_in_the_same_bytes(opinion: SecondOpinion) -> None:
    verdict = checked(elf(payload=b"\0/home/me/ws/a.rs\0"), opinion, needles=(b"/home/me/ws",))

    assert [(v.rule, v.found) for v in verdict.violations] == [("build_path", "`/home/me/ws/a.rs`")]


def test_the_record_is_json_and_names_the_verdict(opinion: SecondOpinion) -> None:
    record = as_record(checked(elf(stacks=()), opinion))

    assert json.loads(json.dumps(record)) == record
    assert (record["passed"], record["facts"]["pie"]) == (False, True)
    assert [v["rule"] for v in record["violations"]] == ["nx"]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"#!/bin/sh\nexec chat\n", "it does not begin with the ELF magic number"),
        (elf()[:-1], "the section header table ends at byte 556, but the file at 555: cut"),
        (
            poke_header(elf(), "EI_CLASS", 1),
            "e_ehsize is 428, not 52: EI_CLASS",
        ),
    ],
)
def test_what_is_no_sound_elf_file_is_refused(
    opinion: SecondOpinion, data: bytes, reason: str
) -> None:
    with pytest.raises(CheckError) as refused:
        checked(data, opinion)
    refused.match(rf"^chat \(x86_64-unknown-linux-musl\) is not valid: {reason}.*build again$")


@pytest.mark.parametrize(
    ("false", "text"),
    [
        ({"machine": 183}, "machine: 62 by its headers, 183 by LIEF"),
        ({"gnu_stack": [6, 7]}, r"gnu_stack: \[6\] by its headers, \[6, 7\] by LIEF"),
        ({"needed": ["a.so"]}, r"needed: \[\] by its headers, \['a.so'\] by LIEF"),
        ({"interp": ""}, "interp: None by its headers, '' by LIEF"),
        ({"size": 1}, "size: "),
    ],
)
def test_readers_that_disagree_are_both_named(false: dict[str, object], text: str) -> None:
    with (
        Counted(**false) as liar,
        pytest.raises(CheckError, match=f"two readers disagree on {text}"),
    ):
        checked(elf(payload=b"disagree" * 9), liar)


def test_a_fact_that_lief_does_not_give_is_no_agreement(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = SecondOpinion()
    monkeypatch.setattr(silent, "ask", lambda _: {})

    with pytest.raises(CheckError, match="disagree on machine: 62 by its headers, None by LIEF"):
        checked(elf(payload=b"silent" * 9), silent)


def test_the_same_question_is_asked_once() -> None:
    data = elf(payload=b"once" * 9)
    with Counted() as counted:
        first, again = checked(data, counted), checked(bytes(bytearray(data)), counted)
        checked(data, counted, by=POLICY._replace(max_size=10))
        checked(data, counted, needles=(b"/home",))

    assert first is again
    assert counted.questions == 3


def test_a_refusal_is_asked_again() -> None:
    data = elf(payload=b"again" * 9)
    with Counted(machine=3) as liar, pytest.raises(CheckError):
        checked(data, liar)
    with SecondOpinion() as honest:
        assert checked(data, honest).passed


def test_mutants_give_a_verdict_or_a_refusal(opinion: SecondOpinion) -> None:
    passed = []
    base = elf()
    for mutant in elf_files.mutants(base, 400, 23):
        try:
            passed.append(checked(bytes(mutant), opinion).passed)
        except CheckError:
            continue

    assert {True, False} == set(passed)


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "chat"
    path.write_bytes(b"x" * 100_000)

    assert artifact.read(path, max_size=100_000) == b"x" * 100_000


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda _: None, "{} is missing: build it first"),
        (lambda p: p.mkdir(), "{} is a directory, no regular file: remove it and build again"),
        (lambda p: p.symlink_to("/bin/sh"), "{} is a symbolic link, which is never followed: rem"),
        (lambda p: p.symlink_to("nowhere"), "{} is a symbolic link, which is never followed: rem"),
        (os.mkfifo, "{} is a FIFO, no regular file: remove it and build again"),
        (_socket, "{} is a socket or a device, no file: remove it and build again"),
        (lambda p: p.touch(), "{} is empty: remove it and build again"),
        (lambda p: p.write_bytes(b"x" * 1001), "{} has 1,001 bytes, more than 1,000: remove it"),
    ],
)
def test_anything_but_a_regular_file_is_refused(
    tmp_path: Path, make: Callable[[Path], object], text: str
) -> None:
    path = tmp_path / "chat"
    make(path)

    with pytest.raises(CheckError) as refused:
        artifact.read(path, max_size=1000)
    assert str(refused.value).startswith(text.format(path))


def test_a_device_is_refused() -> None:
    with pytest.raises(CheckError, match=r"^/dev/null is a device, no regular file"):
        artifact.read(Path("/dev/null"), max_size=1000)


def test_a_file_that_may_not_be_read_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CheckError, match=r"/chat is not readable: chmod u\+r "):
        artifact.read(tmp_path / "chat", max_size=1000)


def test_a_file_below_a_file_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(CheckError, match="/file/chat cannot be opened: Not a directory"):
        artifact.read(tmp_path / "file" / "chat", max_size=1000)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_file_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: int
) -> None:
    path = tmp_path / "chat"
    path.write_bytes(b"x" * 100)
    real = os.fstat

    def late(descriptor: int) -> os.stat_result:
        found = real(descriptor)
        monkeypatch.undo()
        os.truncate(path, 100 + change)
        return found

    monkeypatch.setattr(os, "fstat", late)
    with pytest.raises(CheckError, match="changed while it was read"):
        artifact.read(path, max_size=1000)
