"""What a build leaves running is ended with it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from helpers.project import SOURCES, Project

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone"),
]

# A shell that waits long, told from others by its argument; it closes what cargo would wait for.
CLOSED = "</dev/null >/dev/null 2>&1"
DAEMON = """\
use std::process::{{Command, Stdio}};
fn main() {{
    println!("cargo:rerun-if-changed=build.rs");
    let script = "{how} sh -c 'while :; do sleep 1; done' {mark} </dev/null >/dev/null 2>&1 &";
    let shell = ["-c", script];
    Command::new("sh").args(shell).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    {end}
}}
"""


def left(mark: str) -> list[int]:
    """The processes that have that word among their arguments."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if mark.encode() in words:
            found.append(int(path.parent.name))
    return found


@pytest.mark.parametrize("how", ["", "nohup", "setsid", "setsid setsid"])
@pytest.mark.parametrize(("end", "code"), [("", 0), ('panic!("no");', 1)])
def test_a_daemon_of_a_build_script(tmp_path: Path, how: str, end: str, code: int) -> None:
    """In cargo's process group or in a session of its own, whether the build succeeds or not."""
    mark = f"daemon-of-{os.getpid()}-{len(how)}-{code}"
    script = DAEMON.format(how=how, mark=mark, end=end)
    project = Project(tmp_path, {**SOURCES, "alpha/build.rs": script})

    done = project.doit()

    assert done.returncode == code, done.stdout + done.stderr
    assert project.path("target/x86_64-unknown-linux-musl/release/build").is_dir()
    assert left(mark) == []


def test_a_daemon_of_a_task_of_the_users_own_stays(tmp_path: Path) -> None:
    """It may be there to be left: a database, a server to look at."""
    mark = f"kept-{os.getpid()}"
    dodo = (
        "from doit_cargo.pipeline import load\n\nDOIT_CONFIG, task_cargo = load(__file__)\n\n\n"
        "def task_server():\n"
        f"    script = \"setsid sh -c 'while :; do sleep 1; done' {mark} {CLOSED} &\"\n"
        "    return {'actions': [script]}\n"
    )
    project = Project(tmp_path)
    project.path("dodo.py").write_text(dodo)
    try:
        done = project.doit("server", "stage")
        assert done.returncode == 0, done.stdout + done.stderr
        assert len(left(mark)) == 1
    finally:
        for pid in left(mark):
            os.kill(pid, 9)
