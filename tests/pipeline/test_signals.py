"""A run that is stopped leaves no process behind and forgets nothing that was finished."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from helpers.project import Project

pytestmark = pytest.mark.integration

SLOW = "fn main() { std::thread::sleep(std::time::Duration::from_secs(60)); }\n"


def descendants_of(project: Project) -> list[str]:
    """Command lines of processes that run in or on the project's folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                inside = str((entry / "cwd").readlink()).startswith(str(project.root))
            except OSError:
                continue
            if inside:
                found.append((entry / "cmdline").read_text().replace("\0", " "))
    return found


@pytest.mark.parametrize("group", [False, True], ids=["alone", "group"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_no_process_survives_and_no_result_is_lost(
    project: Project, number: signal.Signals, *, group: bool
) -> None:
    project.path("beta/build.rs").write_text(SLOW)
    running = project.start()
    record = project.path(".doit-cargo/records/x86_64/verify/alpha.json")
    deadline = time.monotonic() + 60
    while not record.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)

    (os.killpg if group else os.kill)(running.pid, number)
    said, errors = running.communicate(timeout=10)
    deadline = time.monotonic() + 2
    while descendants_of(project) and time.monotonic() < deadline:
        time.sleep(0.05)

    assert descendants_of(project) == []
    expected = -number if number == signal.SIGKILL else 128 + number
    assert running.returncode == expected, said + errors
    assert "Traceback" not in errors
    project.path("beta/build.rs").unlink()
    assert "1 built, 1 reused" in project.build()


def test_the_second_run_waits_and_says_for_whom(project: Project) -> None:
    project.path("beta/build.rs").write_text(SLOW.replace("60", "4"))
    first = project.start()
    while not project.path(".doit-cargo/records/x86_64/verify/alpha.json").exists():
        time.sleep(0.05)

    refused = project.doit("--no-wait")
    second = project.start()
    said, errors = second.communicate(timeout=120)
    first_said, _ = first.communicate(timeout=10)

    assert refused.returncode == 1
    assert f"pid {first.pid}" in refused.stderr
    assert f"waiting for another doit in this workspace (pid {first.pid}" in errors
    assert "2 built" in first_said
    assert said.startswith("up to date: 2 binaries")
