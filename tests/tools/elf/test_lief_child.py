"""The child that runs LIEF: its protocol, its limits, its end."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import pytest

from doit_cargo.tools.elf import lief_child
from doit_cargo.tools.elf.second_opinion import SecondOpinion, lief_folder
from doit_cargo.tools.process import DEVNULL, PIPE, Process, run, spawn
from helpers.elf_files import asked, elf


class Child:
    """A running child and the memory it reads from."""

    def __init__(self, *, memory: int = 2 << 30, folder: str | None = None) -> None:
        self.shared = os.memfd_create("elf")
        program = Path(lief_child.__file__)
        where = lief_folder() if folder is None else folder
        self.process: Process[bytes] = spawn(
            [sys.executable, "-I", "-S", program, str(self.shared), str(memory), where],
            stdin=PIPE, stdout=PIPE, stderr=DEVNULL, pass_fds=[self.shared],
        )  # fmt: skip
        self.requests = cast("IO[bytes]", self.process.stdin)
        self.answers = cast("IO[bytes]", self.process.stdout)

    def ask(self, data: bytes) -> dict[str, Any]:
        os.pwrite(self.shared, data, 0)
        self.requests.write(len(data).to_bytes(8))
        self.requests.flush()
        answer = self.answers.read(int.from_bytes(self.answers.read(4)))
        return cast("dict[str, Any]", json.loads(answer))

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self.requests.close()
        self.answers.close()
        os.close(self.shared)


@pytest.fixture
def child() -> Iterator[Child]:
    running = Child()
    yield running
    running.end()


def test_it_answers_with_the_names_of_the_facts(child: Child) -> None:
    data = elf()

    assert child.ask(data) == asked(data)


def test_one_child_answers_many_files(child: Child) -> None:
    """A shorter file after a longer one is read alone, without the other's rest."""
    files = [elf(payload=b"\xc3" * size) for size in (5000, 64, 9000)]

    assert [child.ask(data)["size"] for data in files] == [len(data) for data in files]


@pytest.mark.parametrize("data", [b"", b"#!/bin/sh\n", bytes(5000)])
def test_what_is_no_elf_file_is_an_error(child: Child, data: bytes) -> None:
    assert child.ask(data) == {"error": "it finds no ELF file"}


def test_it_ends_with_its_standard_input(child: Child) -> None:
    child.requests.close()

    assert child.process.wait(timeout=60) == 0


def test_it_ends_when_a_request_is_cut_short(child: Child) -> None:
    child.requests.write(b"\0\0")
    child.requests.close()

    assert child.process.wait(timeout=60) == 0


def test_it_has_no_more_memory_than_it_is_given() -> None:
    """Python and LIEF fit, a large file does not: an answer, not a crash of the machine."""
    child = Child(memory=160 << 20)
    try:
        small, large = child.ask(elf()), child.ask(elf(payload=bytes(64 << 20)))
        again = child.ask(elf())
    finally:
        child.end()

    assert small == again == asked(elf())
    assert large["error"].startswith("MemoryError")


def test_too_little_memory_for_lief_is_told() -> None:
    child = Child(memory=24 << 20)
    try:
        answer = child.ask(elf())
    finally:
        child.end()

    assert list(answer) == ["unavailable"]


def test_a_folder_without_lief_is_told(tmp_path: Path) -> None:
    child = Child(folder=str(tmp_path))
    try:
        answer = child.ask(elf())
    finally:
        child.end()

    assert answer == {"unavailable": "ModuleNotFoundError: No module named 'lief'"}


def test_a_core_file_is_never_written(child: Child) -> None:
    child.ask(elf())
    limits = Path(f"/proc/{child.process.pid}/limits").read_text().splitlines()

    assert [line.split()[4] for line in limits if line.startswith("Max core")] == ["0"]


def test_it_has_no_environment_and_can_gain_nothing(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    child.ask(elf())
    status = Path(f"/proc/{child.process.pid}/status").read_text().splitlines()
    found = dict(line.split(":", 1) for line in status)

    assert (found["NoNewPrivs"].strip(), found["Seccomp"].strip()) == ("1", "2")
    monkeypatch.setenv("CARGO_REGISTRY_TOKEN", "secret")
    with SecondOpinion() as opinion:
        opinion.ask(elf())
        (pid,) = (
            pid
            for pid in Path(f"/proc/self/task/{threading.get_native_id()}/children")
            .read_text()
            .split()
            if b"lief_child" in Path(f"/proc/{pid}/cmdline").read_bytes()
            and pid != str(child.process.pid)
        )
        assert b"secret" not in Path(f"/proc/{pid}/environ").read_bytes()


ATTEMPTS = {
    "open": "open('/etc/hostname')",
    "write": "open('/tmp/written', 'w')",
    "connect": "__import__('socket').socket()",
    "fork": "os.fork() or os._exit(0)",
    "exec": "os.execv('/nowhere', ['nowhere'])",
    "kill": "os.kill(os.getppid(), 0)",
    "unlink": "os.unlink('/nowhere')",
    "link": "os.symlink('/etc', '/tmp/linked')",
}


def confined(*lines: str) -> dict[str, str]:
    """What comes of each attempt, an errno or `done`, by code of ours in the place of LIEF's."""
    program = Path(lief_child.__file__).read_text().partition('if __name__ == "__main__"')[0]
    program += "\n".join(("import socket", *lines, "_confine()", ""))
    program += f"for name, code in {ATTEMPTS!r}.items():\n"
    program += "    try:\n        eval(code)\n        print(name, 'done')\n"
    program += "    except OSError as error:\n        print(name, error.errno)\n"
    done = run([sys.executable, "-I", "-S", "-c", program])
    return dict(line.split() for line in done.splitlines())


@pytest.mark.parametrize("without", ["", "_lower = lambda *_: None"])
def test_what_it_may_not_do_fails(without: str) -> None:
    """By the filter, and not by the limits alone."""
    assert confined(without) == dict.fromkeys(ATTEMPTS, str(errno.EPERM))


def test_where_there_is_no_filter_it_still_opens_nothing() -> None:
    found = confined("_libc = lambda: None")

    assert {name: found[name] for name in ("open", "write", "connect")} == dict.fromkeys(
        ("open", "write", "connect"), str(errno.EMFILE)
    )


@pytest.mark.parametrize("odd", [b"\xff\xfe", {1, 2}, float("nan"), 1 << 5000])
def test_what_no_json_has_is_an_error_and_not_the_childs_end(odd: object) -> None:
    """LIEF gives bytes where a name is not text."""
    descriptor = os.memfd_create("elf")
    try:
        answer = json.loads(lief_child._guarded(lambda _: {"interp": odd}, descriptor, 0))  # noqa: SLF001
    finally:
        os.close(descriptor)

    assert list(answer) in (["error"], ["interp"])
