"""Writes zig's wrappers into the cache and tries them: the first link builds musl, once."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from doit_cargo.core import bounded, toml_file
from doit_cargo.core.errors import PipelineError, SetupError
from doit_cargo.core.model import Toolchain
from doit_cargo.core.toolchain import relro
from doit_cargo.tools import process
from doit_cargo.tools.machine.cache import Say, new_folder

_HELLO = """\
#include <stdio.h>
int main(void) { return puts("hello") < 0; }
"""
# As rustc links: libunwind too, which std needs, and without -O, which gives another libunwind
_LINK = ("hello.c", "-lunwind", "-o", "hello", "-nodefaultlibs", "-lc")


def write_wrappers(cache: Path, folder: Path, triple: str, texts: Mapping[str, str]) -> bool:
    """Put a target's wrappers in place, and what they link; all or none. False if it was there.

    Raises SetupError with zig's own words.
    """
    made = (folder / relro.OBJECT).is_file()
    if made and all(_holds(folder / name, text) for name, text in texts.items()):
        return False
    with new_folder(cache, folder) as work:
        for name, text in texts.items():
            (work / name).write_text(text, encoding="utf-8")
            (work / name).chmod(_mode(name))
        try:
            process.run([work / f"{triple}-cc", *relro.COMPILE], cwd=work)
        except PipelineError as error:
            raise SetupError(f"zig can't compile for {triple}:\n{error}") from error
    return True


def warm_up(chains: Sequence[Toolchain], cache: Path, *, strip: bool, say: Say) -> None:
    """Link a C program for each target, all at once: zig compiles musl when first asked to.

    It has compiler-rt apart for stripped executables, so link as the workspace will.
    Raises SetupError with zig's own words.
    """
    flags = ("-Wl,--strip-all",) if strip else ()
    cold = [chain for chain in chains if not _warm(chain, flags).exists()]
    if not cold:
        return
    names = ", ".join(chain.target.triple for chain in cold)
    say(f"compiling musl for {names}, a minute or two, once, into {cold[0].zig_cache}")
    with tempfile.TemporaryDirectory(dir=cache / "tmp", prefix="hello.") as work:
        _link_all(cold, Path(work), flags)
    for chain in cold:
        chain.zig_cache.mkdir(exist_ok=True)
        _warm(chain, flags).touch()


def strips(workspace: Path) -> bool:
    """Tell whether any profile of the workspace strips symbols: a job of the linker's."""
    try:
        data = toml_file.parse(bounded.read_text(workspace / "Cargo.toml"))
    except (OSError, ValueError):
        return False
    profiles = data.get("profile", {})
    profiles = profiles.values() if isinstance(profiles, dict) else ()
    return any(p.get("strip") in (True, "symbols") for p in profiles if isinstance(p, dict))


def _mode(name: str) -> int:
    return 0o644 if name == relro.SOURCE else 0o755


def _holds(path: Path, text: str) -> bool:
    try:
        mode = path.stat().st_mode & 0o777
        return bounded.read_text(path) == text and mode == _mode(path.name)
    except OSError:
        return False


def _warm(chain: Toolchain, flags: Sequence[str]) -> Path:
    """A mark beside the wrappers that zig's cache has what a link needs."""
    return chain.zig_cache / f"{chain.wrappers.name}{'-stripped' if flags else ''}.warm"


def _link_all(chains: Sequence[Toolchain], work: Path, flags: Sequence[str]) -> None:
    running = [(chain, _link(chain, work, flags)) for chain in chains]
    try:
        for chain, child in running:
            stderr = child.communicate()[1].decode(errors="replace").strip()
            if child.returncode:
                raise SetupError(f"zig can't link for {chain.target.triple}:\n{stderr}")
    finally:
        for _, child in running:
            if child.poll() is None:  # another one failed, or the user pressed Ctrl-C
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()


def _link(chain: Toolchain, work: Path, flags: Sequence[str]) -> process.Process[bytes]:
    folder = work / chain.target.triple
    folder.mkdir()
    (folder / "hello.c").write_text(_HELLO, encoding="utf-8")
    compiler = chain.wrappers / f"{chain.target.triple}-cc"
    return process.spawn(
        [compiler, *_LINK, *flags], cwd=folder, stdout=process.DEVNULL, stderr=process.PIPE
    )
