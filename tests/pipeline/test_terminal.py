"""What others wrote reaches the terminal as text: file names, build scripts, the compiler."""

from __future__ import annotations

import os
import pty
import re
import subprocess  # noqa: TID251 - a real process on a terminal
from contextlib import suppress
from pathlib import Path

import pytest

from helpers.project import DOIT, SOURCES, Project

pytestmark = pytest.mark.integration

FORGED = "verified x86_64 forged"
ERASE = "\r\x1b[K"  # our own status line
CLIPBOARD, CLEAR = "\x1b]52;c;aGk=\x07", "\x1b[2J"
COLOUR = re.compile(r"\x1b\[[\d;]*m")


def harmless(text: str) -> bool:
    """No control character but those of lines and colours, and no line that is not ours."""
    left = COLOUR.sub("", text)
    return all(c in "\n\t" or c.isprintable() for c in left) and FORGED not in text.splitlines()


def on_a_terminal(project: Project) -> tuple[int, str]:
    """The exit code of doit, and what it writes where it believes to have a terminal."""
    here, there = pty.openpty()
    process = subprocess.Popen(
        [DOIT], cwd=project.root, env=project.environment(None), stdout=there, stderr=there
    )
    os.close(there)
    shown = b""
    with suppress(OSError):  # EIO: nobody has the other end any more
        while found := os.read(here, 4096):
            shown += found
    os.close(here)
    return process.wait(), shown.decode().replace("\r\n", "\n").replace(ERASE, "")


BUILD_SCRIPT = f'fn main() {{ println!("cargo::warning={CLIPBOARD}mine"); panic!("{CLEAR}"); }}\n'
WARNED = f'fn main() {{ let unused = "{CLIPBOARD}{CLEAR}\\u{{202e}}"; }}\n'


@pytest.mark.parametrize(
    ("file", "text", "code", "said"),
    [
        ("alpha/build.rs", BUILD_SCRIPT, 1, "mine"),
        ("alpha/src/main.rs", WARNED, 0, "unused variable"),
    ],
    ids=["a build script", "a warning"],
)
def test_what_others_say_cannot_reach_the_clipboard(
    tmp_path: Path, file: str, text: str, code: int, said: str
) -> None:
    project = Project(tmp_path, {**SOURCES, file: text})

    ended, shown = on_a_terminal(project)

    assert ended == code
    assert said in shown
    assert harmless(shown)


@pytest.mark.parametrize("word", ["run", "audit", "clean"])
def test_a_file_name_forges_no_line(tmp_path: Path, word: str) -> None:
    name = f"x{CLEAR}\n{FORGED}\n.rs"
    project = Project(tmp_path)
    source = project.path(f"alpha/src/{name}")
    source.write_text("")
    project.build()

    source.unlink()
    source.mkdir()
    (source / name).symlink_to(name)
    (tmp_path / "docker/binaries/x86_64" / name).write_text("")
    done = project.doit(word)

    assert harmless(done.stdout)
    assert harmless(done.stderr)


def test_a_changed_file_is_told_in_one_line(tmp_path: Path) -> None:
    """`audit` names it: changed, with the times and the size of before."""
    name = f"x\n{FORGED}\n.rs"
    project = Project(tmp_path)
    source = project.path(f"alpha/src/{name}")
    source.write_text("// a\n")
    project.build()
    before = source.stat()
    source.write_text("// b\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))

    done = project.doit("audit")

    assert done.returncode == 1
    assert "x\\nverified x86_64 forged\\n.rs" in done.stdout + done.stderr
    assert harmless(done.stdout)
    assert harmless(done.stderr)
