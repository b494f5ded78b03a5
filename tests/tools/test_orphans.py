"""Who is ended with a command, and who is left alone."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251 - processes of others
import sys

import pytest

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone"),
]

# Each process is told from the others by what it is called, and says nothing.
PROGRAM = """
import os, subprocess, sys, time
from doit_cargo.tools import orphans, process
orphans.adopt()
marked = {**os.environ, "MARK": "ours"}
quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
wait = "sleep 60"
direct = subprocess.Popen(["sh", "-c", wait], env=marked, **quiet)
spawned = process.spawn(["sh", "-c", wait], env=marked, stdout=process.DEVNULL)
for name, env in (("daemon", marked), ("other", dict(os.environ))):
    subprocess.run(
        ["sh", "-c", f"setsid sh -c '{wait}; : {name}' & echo $! > {name}"], env=env, **quiet
    )
pids = {name: int(open(name).read()) for name in ("daemon", "other")}
pids |= {"direct": direct.pid, "spawned": spawned.pid}
time.sleep(0.3)
if "all" in sys.argv:
    os.environ["MARK"] = "ours"
orphans.end("MARK", "ours", ours=process.running())
for name, pid in pids.items():
    try:
        os.kill(pid, 0)
        print(name, "lives")
    except ProcessLookupError:
        print(name, "ended")
for pid in pids.values():
    try:
        os.killpg(os.getpgid(pid), 9) if pid != direct.pid else direct.kill()
    except ProcessLookupError:
        pass
"""


def fates(folder: os.PathLike[str], *words: str) -> dict[str, str]:
    """What became of each process."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    argv = [sys.executable, "-c", PROGRAM, *words]
    done = subprocess.run(argv, cwd=folder, env=env, text=True, capture_output=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


def test_what_went_away_with_the_mark_is_ended(tmp_path: os.PathLike[str]) -> None:
    """Not what was started here, though it has the mark too, nor an orphan of others."""
    assert fates(tmp_path) == {
        "daemon": "ended",
        "other": "lives",
        "direct": "lives",
        "spawned": "lives",
    }


def test_where_everybody_has_the_mark_nobody_is_ended(tmp_path: os.PathLike[str]) -> None:
    assert set(fates(tmp_path, "all").values()) == {"lives"}
