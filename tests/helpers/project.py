"""A project in a folder of its own, driven through the real `doit` executable."""

from __future__ import annotations

import hashlib
import os
import subprocess  # noqa: TID251 - the tests drive real processes
import sys
from collections.abc import Mapping
from pathlib import Path

from helpers.workspaces import write

REPOSITORY = Path(__file__).resolve().parents[2]
DOIT = Path(sys.executable).with_name("doit")

DODO = """\
from doit_cargo.pipeline import load

DOIT_CONFIG, task_cargo = load(__file__)
"""

CONFIG = """\
workspace: .
targets: {x86_64: x86_64-unknown-linux-musl}
"""

# Two servers on one library, the shape of the bundled workspace in small.
SOURCES = {
    "Cargo.toml": """\
[workspace]
members = ["core", "alpha", "beta"]
resolver = "2"

[profile.release]
opt-level = 0
strip = true
""",
    "Cargo.lock": """\
version = 4

[[package]]
name = "alpha"
version = "0.1.0"
dependencies = ["core_lib"]

[[package]]
name = "beta"
version = "0.1.0"
dependencies = ["core_lib"]

[[package]]
name = "core_lib"
version = "0.1.0"
""",
    "core/Cargo.toml": """\
[package]
name = "core_lib"
version = "0.1.0"
edition = "2021"
""",
    "core/src/lib.rs": 'pub fn greet() -> &\'static str { "hello" }\n',
    "alpha/Cargo.toml": """\
[package]
name = "alpha"
version = "0.1.0"
edition = "2021"
[dependencies]
core_lib = { path = "../core" }
""",
    "alpha/src/main.rs": 'fn main() { println!("alpha {}", core_lib::greet()); }\n',
    "beta/Cargo.toml": """\
[package]
name = "beta"
version = "0.1.0"
edition = "2021"
[dependencies]
core_lib = { path = "../core" }
""",
    "beta/src/main.rs": 'fn main() { println!("beta {}", core_lib::greet()); }\n',
}


def plugin_tables() -> str:
    """The tables that doit needs, as this repository's own pyproject.toml has them."""
    lines = (REPOSITORY / "pyproject.toml").read_text().splitlines()
    tables, inside = [], False
    for line in lines:
        if line.startswith("["):
            inside = line.startswith("[tool.doit")
        if inside and not line.startswith("#"):
            tables.append(line)
    return "\n".join(tables) + "\n"


def adopt(root: Path, config: str = CONFIG) -> None:
    """Put the three files beside a workspace that make it a project."""
    tables = plugin_tables()
    write(root, {"dodo.py": DODO, "pyproject.toml": tables, "config/pipeline.yaml": config})


class Project:
    """A workspace with its dodo.py, in `root`. A run may take `limit` seconds."""

    limit = 300

    def __init__(self, root: Path, files: Mapping[str, str] = SOURCES) -> None:
        self.root = root
        adopt(root)
        write(root, files)  # a configuration among them counts

    def doit(
        self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run doit to its end."""
        return subprocess.run(
            [DOIT, *args], cwd=cwd or self.root, env=self.environment(env), text=True,
            capture_output=True, check=False, timeout=self.limit,
        )  # fmt: skip

    def start(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
        """Start doit in a session of its own."""
        return subprocess.Popen(
            [DOIT, *args], cwd=self.root, env=self.environment(env), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip

    def build(self, *args: str, env: Mapping[str, str] | None = None) -> str:
        """Run doit, which must succeed; what it printed."""
        done = self.doit(*args, env=env)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    @staticmethod
    def environment(extra: Mapping[str, str] | None) -> dict[str, str]:
        """The tests' environment without what would change cargo or doit."""
        ours, network = (
            ("CARGO_", "DOIT_", "PYTHONDONTWRITEBYTECODE"),
            ("CARGO_HTTP_", "CARGO_NET_"),
        )
        kept = {
            name: value
            for name, value in os.environ.items()
            if name.startswith(network) or not name.startswith(ours)
        }
        return {**kept, "CI": "true", **(extra or {})}

    def linker(self) -> str:
        """The linker that doit gives to cargo."""
        words = self.build("env").split()
        (found,) = [word for word in words if "_LINKER=" in word and "MUSL" in word]
        return found.partition("=")[2].strip("'")

    def path(self, name: str) -> Path:
        """A file of the project."""
        return self.root / name

    def built(self, binary: str) -> Path:
        """Cargo's output."""
        return self.root / "target/x86_64-unknown-linux-musl/release" / binary

    def packaged(self, binary: str) -> Path:
        """The packaged binary (each crate has one binary of its name)."""
        return self.root / "docker/binaries/x86_64" / binary / binary

    def staged(self, binary: str) -> Path:
        """The binary in the build context."""
        return self.root / "docker/context/binaries" / binary / binary

    def tree(self, folder: str) -> dict[str, tuple[int, str]]:
        """Path → (mode, SHA-256) of every file below the folder."""
        top = self.root / folder
        return {
            str(path.relative_to(top)): (path.stat().st_mode & 0o7777, sha256(path))
            for path in sorted(top.rglob("*"))
            if path.is_file()
        }

    def stamps(self, folder: str) -> dict[str, tuple[int, int]]:
        """Path → (inode, mtime) of every file below the folder: who was rewritten."""
        top = self.root / folder
        return {
            str(path.relative_to(top)): (path.lstat().st_ino, path.lstat().st_mtime_ns)
            for path in sorted(top.rglob("*"))
            if not path.is_dir()
        }


def sha256(path: Path) -> str:
    """The SHA-256 (hex) of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
