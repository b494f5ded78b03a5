"""Cargo's lock: waited for, and kept from cargo."""

from __future__ import annotations

import fcntl
import os
import subprocess  # noqa: TID251
import sys
from pathlib import Path

import pytest

from doit_cargo.tools.cargo import target_lock

HOLD = """
import fcntl, sys, time
file = open(sys.argv[1], "w")
fcntl.flock(file, {})
print(flush=True)
{}
"""
MANIFEST = '[package]\nname = "a"\nversion = "0.1.0"\nedition = "2021"\n'


def is_free(folder: Path) -> bool:
    descriptor = os.open(folder / target_lock.NAME, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        return True
    finally:
        os.close(descriptor)


def holder(folder: Path, mode: str, then: str) -> subprocess.Popen[str]:
    """Another process that has the lock."""
    started = subprocess.Popen(
        [sys.executable, "-c", HOLD.format(f"fcntl.{mode}", then), folder / target_lock.NAME],
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert started.stdout
    started.stdout.readline()
    return started


def test_it_is_held_and_given_back(tmp_path: Path) -> None:
    with target_lock.held([tmp_path, tmp_path / "none", tmp_path / ".cargo-lock/x"]) as folders:
        assert folders == (tmp_path,)
        assert not is_free(tmp_path)
    assert is_free(tmp_path)


@pytest.mark.parametrize("mode", ["LOCK_EX", "LOCK_SH"])
def test_who_holds_it_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    with holder(tmp_path, mode, "time.sleep(2)") as other, target_lock.held([tmp_path]):
        said = capsys.readouterr().err

    assert said.startswith("waiting for cargo's lock held by ")
    assert f"pid {other.pid}" in said
    assert said.count("\n") == 1


def test_nothing_is_said_of_a_moment(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with holder(tmp_path, "LOCK_EX", "time.sleep(0.3)"), target_lock.held([tmp_path]):
        pass

    assert capsys.readouterr().err == ""


def test_a_folder_is_removed_when_it_is_free(tmp_path: Path) -> None:
    folder = tmp_path / "triple/release"
    folder.mkdir(parents=True)
    then = "time.sleep(0.3); open(sys.argv[1] + '.still-there', 'w')"
    with holder(folder, "LOCK_EX", then) as other:
        target_lock.remove(tmp_path, folder.parent)
    assert other.returncode == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.integration
def test_cargo_waits(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/lib.rs").write_text("")
    (tmp_path / "Cargo.toml").write_text(MANIFEST)
    cargo = ["cargo", "check", "--offline", "--target-dir", str(tmp_path / "t")]
    subprocess.run(cargo, cwd=tmp_path, check=True, capture_output=True)

    with target_lock.held([tmp_path / "t/debug"]):
        started = subprocess.Popen(cargo, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        assert started.stderr
        assert "waiting for file lock" in started.stderr.readline()
        assert started.poll() is None
    assert started.wait() == 0
    started.stderr.close()


def test_who_holds_any_of_some_locks_is_found(tmp_path: Path) -> None:
    (tmp_path / "free").touch()
    paths = [tmp_path / name for name in ("none", "free", target_lock.NAME)]
    with holder(tmp_path, "LOCK_EX", "time.sleep(1)") as other:
        said = target_lock.holder_of(paths)

    assert f"pid {other.pid}" in said
    assert target_lock.holder_of(paths[:2]) == "another cargo"
