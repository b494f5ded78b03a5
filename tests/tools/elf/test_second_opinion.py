"""The second opinion: answers, and what happens when the child gives none."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.elf.numbers import DF_1_PIE, DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH
from doit_cargo.core.elf.reader import ElfError, read
from doit_cargo.core.errors import CheckError, MissingToolError
from doit_cargo.tools.elf import lief_child
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from helpers import elf_files
from helpers.elf_files import asked, elf


@pytest.fixture(scope="module")
def opinion() -> Iterator[SecondOpinion]:
    with SecondOpinion() as asked:
        yield asked


def program(folder: Path, body: str) -> Path:
    """A stand-in for the child: it notes its process id in a line of `pids` and does `body`."""
    path = folder / "child.py"
    pids, real = str(folder / "pids"), lief_child.__file__
    path.write_text(
        "import os, signal, sys, time\n"
        f"with open({pids!r}, 'a') as file: file.write(f'{{os.getpid()}}\\n')\n"
        f"turn, real = len(open({pids!r}).readlines()), {real!r}\n"
        f"{body}\n"
    )
    return path


def pids(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "pids").read_text().splitlines()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


BECOME_REAL = "os.execv(sys.executable, [sys.executable, '-I', '-S', real, *sys.argv[1:]])"


@pytest.mark.parametrize("path", elf_files.system_files(50), ids=str)
def test_both_readers_see_the_same_facts_of_real_files(opinion: SecondOpinion, path: Path) -> None:
    data = path.read_bytes()

    assert opinion.ask(data) == asked(data)


@pytest.mark.parametrize(
    "data",
    [
        elf(bits=32, machine=3),
        elf(bits=32, order=">", machine=20),
        elf(order=">", machine=22, os_abi=3),
        elf(kind=2, dynamic=None),
        elf(dynamic=[(DT_FLAGS_1, DF_1_PIE)]),
        elf(relro=0),
        elf(stacks=(6, 7), load_flags=7),
        elf(interp=b"/lib/ld.so\0", dynamic=[(DT_NEEDED, 1)], strings=b"\0libc.so\0"),
        elf(dynamic=[(DT_RPATH, 1), (DT_RUNPATH, 3)], strings=b"\0a\0b\0"),
        elf(sections={".debug_info": 1, ".symtab": 2}),
        elf(sections={".debug_gdb_scripts": 1}, section_flags=2),
        elf(entry=1 << 40),
    ],
)
def test_both_readers_see_the_same_facts_of_made_files(opinion: SecondOpinion, data: bytes) -> None:
    assert opinion.ask(data) == asked(data)


def test_lief_alone_accepts_a_file_cut_short(opinion: SecondOpinion) -> None:
    """The reason for the strict reader: the first bytes are enough for LIEF."""
    whole = elf_files.system_files(1)[0].read_bytes()
    found = opinion.ask(whole[:2000])

    assert found["machine"] == read(whole).machine
    with pytest.raises(ElfError, match="cut short"):
        read(whole[:2000])


def test_garbage_is_refused_and_the_child_lives_on(opinion: SecondOpinion) -> None:
    with pytest.raises(CheckError, match="LIEF cannot read it: it finds no ELF file"):
        opinion.ask(b"garbage" * 1000)

    assert opinion.ask(elf())["machine"] == 62


def test_mutants_give_an_answer_or_a_refusal(opinion: SecondOpinion) -> None:
    answers = [_asked(opinion, bytes(mutant)) for mutant in elf_files.mutants(elf(), 300, 11)]

    assert any(answers)


def test_asking_starts_the_child_and_closing_ends_it(tmp_path: Path) -> None:
    asked = SecondOpinion(program=program(tmp_path, BECOME_REAL))
    asked.ask(elf())
    asked.ask(elf())
    asked.close()
    asked.close()
    (pid,) = pids(tmp_path)

    assert not is_alive(pid)


def test_it_may_be_used_again_after_it_was_closed() -> None:
    with SecondOpinion() as asked:
        asked.ask(elf())
    try:
        assert asked.ask(elf())["machine"] == 62
    finally:
        asked.close()


def test_a_child_that_was_killed_between_two_files_is_replaced(tmp_path: Path) -> None:
    with SecondOpinion(program=program(tmp_path, BECOME_REAL)) as asked:
        asked.ask(elf())
        os.kill(pids(tmp_path)[0], signal.SIGKILL)

        assert asked.ask(elf())["machine"] == 62


def test_a_child_that_dies_over_a_file_is_replaced_and_asked_again(tmp_path: Path) -> None:
    body = f"if turn == 1:\n sys.stdin.buffer.read(8)\n os.kill(os.getpid(), 9)\n{BECOME_REAL}"
    with SecondOpinion(program=program(tmp_path, body)) as asked:
        assert asked.ask(elf())["machine"] == 62
    assert len(pids(tmp_path)) == 2


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("sys.stdin.buffer.read(8); os.kill(os.getpid(), 11)", "it was ended by signal 11"),
        ("sys.stdin.buffer.read(8); sys.exit(3)", "it ended with 3"),
        ("sys.exit(4)", "it ended with 4"),
        ("time.sleep(600)", "it took more than 1 s"),
        ("os.write(1, b'\\0\\0'); time.sleep(600)", "it took more than 1 s"),
        ("os.write(1, b'\\xff' * 4); time.sleep(600)", "its answer cannot be read"),
        ("os.write(1, b'\\0\\0\\0\\2{]'); time.sleep(600)", "its answer cannot be read"),
        ("os.write(1, b'\\0\\0\\0\\2[]'); time.sleep(600)", "its answer cannot be read"),
    ],
)
def test_a_child_that_fails_twice_fails_the_file(tmp_path: Path, body: str, reason: str) -> None:
    """Fail closed; and nothing is left running, not even one that hangs."""
    with SecondOpinion(seconds=0.6, program=program(tmp_path, body)) as asked:
        with pytest.raises(CheckError, match=f"^LIEF gave no answer, twice: {reason}$"):
            asked.ask(elf())
        assert len(pids(tmp_path)) == 2
        assert not any(is_alive(pid) for pid in pids(tmp_path))


def test_an_interrupt_leaves_no_answer_for_the_next_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer to the interrupted question must not be taken for that to another."""
    with SecondOpinion(program=program(tmp_path, BECOME_REAL)) as asked:
        asked.ask(elf())
        with monkeypatch.context() as patch:
            patch.setattr(os, "read", _interrupt)
            with pytest.raises(KeyboardInterrupt):
                asked.ask(elf(machine=183))

        assert asked.ask(elf(machine=3, bits=32))["machine"] == 3


def test_several_threads_may_ask(opinion: SecondOpinion) -> None:
    files = [elf(machine=machine) for machine in (3, 8, 20, 21, 40, 62, 183, 243)]
    found: dict[int, Any] = {}

    def ask(index: int, data: bytes) -> None:
        found[index] = opinion.ask(data)["machine"]

    threads = [threading.Thread(target=ask, args=item) for item in enumerate(files)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [found[index] for index in range(8)] == [3, 8, 20, 21, 40, 62, 183, 243]


def test_a_missing_lief_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(
        MissingToolError,
        match=r"^LIEF is missing, no binary can be verified\. Install it: pip",
    ):
        SecondOpinion().start()


def test_a_lief_that_cannot_be_used_is_no_fault_of_the_file() -> None:
    with (
        SecondOpinion(memory=24 << 20) as asked,
        pytest.raises(MissingToolError, match=r"^LIEF does not work: .*Install it: pip install"),
    ):
        asked.ask(elf())


def _asked(opinion: SecondOpinion, data: bytes) -> bool:
    try:
        return bool(opinion.ask(data))
    except CheckError:
        return False


def _interrupt(*_: object) -> bytes:
    raise KeyboardInterrupt
