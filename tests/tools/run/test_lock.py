"""One run at a time: who waits, who does not, and what is left when a holder dies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess  # noqa: TID251 - other holders are other processes
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools.run.lock import RunLock

Lock = Callable[[], RunLock]
HOLDER = """\
import sys
from pathlib import Path
from doit_cargo.tools.run.lock import RunLock
lock = RunLock(Path(sys.argv[1]), Path(sys.argv[1]) / ".doit-cargo")
lock.acquire(wait=False)
if "sign" in sys.argv:
    lock.sign()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[Lock]:
    """Makes locks of one workspace; in the end none is held."""
    made: list[RunLock] = []

    def make() -> RunLock:
        made.append(RunLock(tmp_path, tmp_path / ".doit-cargo"))
        return made[-1]

    yield make
    for each in made:
        each.release()


@contextmanager
def held(root: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its standard input ends."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", HOLDER, str(root), *words]
    with subprocess.Popen(
        argv, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        try:
            assert other.stdout
            assert other.stdout.readline() == "held\n"
            yield other
        finally:
            other.kill()


def test_the_first_need_not_wait(tmp_path: Path, lock: Lock) -> None:
    """And what it has read may be believed."""
    first = lock()

    assert first.acquire(wait=True) is False
    assert (tmp_path / ".doit-cargo/lock").read_bytes() == b""
    first.release()
    assert lock().acquire(wait=False) is False


def test_who_does_not_wait_is_told_who_holds_it(tmp_path: Path, lock: Lock) -> None:
    with held(tmp_path, "sign") as other, pytest.raises(PipelineError) as caught:
        lock().acquire(wait=False)

    assert re.fullmatch(
        rf"another doit runs in this workspace \(pid {other.pid}, since \d\d:\d\d:\d\d\)",
        str(caught.value),
    )


def test_a_holder_with_no_work_yet_has_no_name(tmp_path: Path, lock: Lock) -> None:
    """A run with nothing to do writes nothing."""
    with held(tmp_path), pytest.raises(PipelineError, match=r"\(just started\)$"):
        lock().acquire(wait=False)


def test_who_waits_says_for_whom_and_must_read_again(
    tmp_path: Path, lock: Lock, capsys: pytest.CaptureFixture[str]
) -> None:
    with held(tmp_path, "sign") as other:
        assert other.stdin
        threading.Timer(0.2, other.stdin.close).start()
        second = lock()

        assert second.acquire(wait=True) is True
    assert capsys.readouterr().err.startswith(
        f"waiting for another doit in this workspace (pid {other.pid}, since "
    )


def test_the_kernel_lets_go_of_what_a_killed_holder_had(tmp_path: Path, lock: Lock) -> None:
    """Its name stays in the file, and means nothing."""
    with held(tmp_path, "sign") as other:
        other.kill()
        other.wait()
        next_one = lock()

        assert next_one.acquire(wait=False) is False
    assert (tmp_path / ".doit-cargo/lock").read_text().startswith(f"pid {other.pid}, ")
    next_one.sign()
    text = (tmp_path / ".doit-cargo/lock").read_text()
    assert re.fullmatch(rf"pid {os.getpid()}, since \d\d:\d\d:\d\d", text)


INNER = """\
import sys
from pathlib import Path
from doit_cargo.core.errors import PipelineError
from doit_cargo.tools.run.lock import RunLock
roots = list(map(Path, sys.argv[1:]))
for root in roots[:-1]:
    RunLock(root, root / ".doit-cargo").acquire(wait=False)
try:
    RunLock(roots[-1], roots[-1] / ".doit-cargo").acquire(wait=False)
    print("taken")
except PipelineError as error:
    print(error)
"""


def inside(*roots: Path) -> str:
    """What a doit says that a task starts, when it takes these locks in turn."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", INNER, *map(str, roots)]
    return subprocess.run(argv, env=env, text=True, capture_output=True, check=True).stdout


def test_a_doit_inside_of_one_is_told_that_each_waits_for_the_other(
    tmp_path: Path, lock: Lock
) -> None:
    """By whatever way it got there: it would wait for ever."""
    lock().acquire(wait=False)
    said = (
        f"this doit was started by a task of another one (pid {os.getpid()}), which waits for it "
        "and holds the lock of this workspace: name the tasks in that task's task_dep\n"
    )
    link = tmp_path.with_name(f"{tmp_path.name}-link")
    link.symlink_to(tmp_path)
    other = tmp_path / "other"
    other.mkdir()

    assert [inside(tmp_path), inside(link), inside(other, tmp_path)] == [said] * 3


def test_a_doit_inside_of_one_may_work_elsewhere(tmp_path: Path, lock: Lock) -> None:
    """And waits there for others as anybody does."""
    other = tmp_path / "other"
    other.mkdir()
    lock().acquire(wait=False)
    free = inside(other)
    with held(other, "sign") as third:
        said = inside(other)

    assert free == "taken\n"
    assert said.startswith(f"another doit runs in this workspace (pid {third.pid}, since ")


def test_a_run_that_has_ended_is_nobodys_outer_one(
    tmp_path: Path, lock: Lock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon that it left has its environment for ever; our own goes with the lock."""
    monkeypatch.delenv("DOIT_CARGO_RUN", raising=False)
    first = lock()
    first.acquire(wait=False)
    variable = os.environ["DOIT_CARGO_RUN"]
    first.release()
    after = os.environ.get("DOIT_CARGO_RUN")
    dead = subprocess.Popen(["true"])
    dead.wait()
    monkeypatch.setenv("DOIT_CARGO_RUN", variable.replace(str(os.getpid()), str(dead.pid), 1))

    assert after is None
    with held(tmp_path), pytest.raises(PipelineError, match=r"\(just started\)$"):
        lock().acquire(wait=False)


def test_what_was_not_taken_is_not_held(tmp_path: Path, lock: Lock) -> None:
    refused = lock()
    with held(tmp_path), pytest.raises(PipelineError):
        refused.acquire(wait=False)

    assert not refused.held


def test_it_may_be_released_twice_and_never_taken(lock: Lock) -> None:
    never, once = lock(), lock()
    once.acquire(wait=False)
    for each in (never, once, once):
        each.release()

    assert never.acquire(wait=False) is False


def test_a_link_in_its_place_is_not_followed(tmp_path: Path, lock: Lock) -> None:
    """The file is written: whoever puts a link there gains nothing."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    (tmp_path / ".doit-cargo").mkdir()
    (tmp_path / ".doit-cargo/lock").symlink_to(elsewhere)

    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        lock().acquire(wait=False)
    assert elsewhere.read_text() == "precious"


def test_children_do_not_keep_it(lock: Lock) -> None:
    """A daemon that a run leaves behind would lock everybody out."""
    first = lock()
    first.acquire(wait=False)
    with subprocess.Popen(["sleep", "60"], close_fds=False) as child:
        first.release()
        try:
            assert lock().acquire(wait=False) is False
        finally:
            child.kill()


def test_other_users_cannot_open_it(tmp_path: Path, lock: Lock) -> None:
    """Whatever the umask; and the one that an earlier version made becomes so."""
    file = tmp_path / ".doit-cargo/lock"
    first, before = lock(), os.umask(0)
    try:
        first.acquire(wait=False)
    finally:
        os.umask(before)
    made = file.stat().st_mode & 0o777
    first.release()
    file.chmod(0o666)
    lock().acquire(wait=False)

    assert (made, file.stat().st_mode & 0o777) == (0o600, 0o600)


@pytest.mark.parametrize("gone", ["lock", ""])
def test_a_lock_that_is_removed_beneath_its_holder_still_holds(
    tmp_path: Path, lock: Lock, gone: str
) -> None:
    with held(tmp_path):
        place = tmp_path / ".doit-cargo" / gone
        shutil.rmtree(place) if place.is_dir() else place.unlink()

        with pytest.raises(PipelineError, match="another doit runs in this workspace"):
            lock().acquire(wait=False)


def test_a_lock_that_was_removed_while_somebody_waited_is_taken_anew(
    tmp_path: Path, lock: Lock
) -> None:
    """Else a third one, which made the file again, would run beside the second."""
    with held(tmp_path) as first:
        second = lock()
        waiting = threading.Thread(target=second.acquire, kwargs={"wait": True})
        waiting.start()
        while not blocked(tmp_path / ".doit-cargo/lock"):
            time.sleep(0.01)
        (tmp_path / ".doit-cargo/lock").unlink()
        assert first.stdin
        first.stdin.close()
        waiting.join()

    assert second.held
    with pytest.raises(PipelineError, match="holds the lock of this workspace"):
        lock().acquire(wait=False)


def blocked(path: Path) -> bool:
    """Whether somebody waits for the lock of that file."""
    lines = Path("/proc/locks").read_text().splitlines()
    return any("->" in line and f":{path.stat().st_ino} " in line for line in lines)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_another_user_who_holds_the_folder_stops_nobody(tmp_path: Path, lock: Lock) -> None:
    """The folder can be read by all, so all can lock it."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder not in {Path("/"), Path("/tmp")}:  # noqa: S108
            folder.chmod(0o755)
    program = f"import os, fcntl; os.setuid(65534); d = os.open({str(tmp_path)!r}, os.O_RDONLY)"
    program += "; fcntl.flock(d, fcntl.LOCK_EX); print('held', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", program], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdout.readline() == "held\n"
        assert lock().acquire(wait=False) is False
        other.kill()
