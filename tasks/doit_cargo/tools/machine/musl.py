"""Has zig compile musl and what else it links, in a new folder, and records it.

zig does so at its first link. That one is made here in an empty cache, whose files then go into
the shared one: what lay there is replaced, whatever it was.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from doit_cargo.core.errors import PipelineError, SetupError
from doit_cargo.core.model import Toolchain
from doit_cargo.core.toolchain import relro, runtime, wheels
from doit_cargo.core.toolchain.locate import wrapper_texts
from doit_cargo.tools import process, waiting
from doit_cargo.tools.machine.cache import Say, is_same, remove_tree
from doit_cargo.tools.machine.runtime import keep_linked, zig_fault
from doit_cargo.tools.machine.zig import fresh_compiler, write_wrappers

_HELLO = """\
#include <stdio.h>
int main(void) { return puts("hello") < 0; }
"""
# As rustc links: libunwind too, which std needs, and without -O, which gives another libunwind
_LINK = ("-lunwind", "-nodefaultlibs", "-lc", "-v")
_STRIP = "-Wl,--strip-all"
# A manifest of zig's (h) says that what it made (o) is there.
_ORDER = ("z", "b", "o", "h")


def compile_missing(chains: Sequence[Toolchain], cache: Path, say: Say) -> None:
    """Compile what is missing or altered, for all targets at once, under the cache's lock.

    What zig links beside it, in the folder of the wrappers, is rebuilt too.
    Raises SetupError with zig's own words.
    """
    cold = [chain for chain in chains if zig_fault(chain)]
    zig = wheels.zig()
    if not cold or zig is None:
        return
    names = ", ".join(chain.target.triple for chain in cold)
    say(f"compiling musl for {names}, a minute or two, once, into {cold[0].zig_cache}")
    for chain in cold:
        triple = chain.target.triple
        texts = wrapper_texts(triple, zig.program, chain.zig_cache)
        write_wrappers(cache, chain.wrappers, triple, zig.program, texts)
    work = cache / "tmp" / "musl"  # the same each time: a static library holds its members' paths
    work.mkdir()
    fresh = work / "zig"
    compilers = {chain: _compiler(chain, zig.program, work) for chain in cold}
    with waiting.told(f"compiling musl for {names}"):
        linked = _linked(compilers, work)
    for chain, paths in linked.items():
        keep_linked(chain, paths, fresh)
    for kind in _ORDER:
        _move(fresh / kind, cold[0].zig_cache / kind)
    remove_tree(work)


def _compiler(chain: Toolchain, zig: Path, work: Path) -> Path:
    """The target's, with what it links beside it."""
    folder = work / chain.target.triple
    folder.mkdir()
    shutil.copy(chain.wrappers / relro.OBJECT, folder)
    return fresh_compiler(folder, chain.target.triple, zig, work / "zig")


def _linked(compilers: Mapping[Toolchain, Path], work: Path) -> Mapping[Toolchain, frozenset[str]]:
    """Link a C program for each target, all at once: what zig's cache gave to the linker."""
    running = {chain: _link(chain, compiler, work) for chain, compiler in compilers.items()}
    found = {}
    try:
        for chain, child in running.items():
            said = child.communicate()[1].decode(errors="replace").strip()
            found[chain] = runtime.linked(said)
            if child.returncode or not found[chain]:
                raise SetupError(f"zig can't link for {chain.target.triple}:\n{said}")
    finally:
        for child in running.values():
            if child.poll() is None:  # another one failed, or the user pressed Ctrl-C
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
    return found


def _link(chain: Toolchain, compiler: Path, work: Path) -> process.Process[bytes]:
    name = f"hello-{chain.target.triple}"
    (work / f"{name}.c").write_text(_HELLO, encoding="utf-8")
    try:
        process.run([compiler, "-c", f"{name}.c", "-o", f"{name}.o"], cwd=work)
    except PipelineError as error:
        raise SetupError(f"zig can't compile for {chain.target.triple}:\n{error}") from error
    flags = (*_LINK, *([_STRIP] if chain.stripped else []))
    return process.spawn(
        [compiler, f"{name}.o", "-o", name, *flags],
        cwd=work,
        stdout=process.DEVNULL,
        stderr=process.PIPE,
    )


def _move(made: Path, into: Path) -> None:
    """Put every entry there, in place of another one; one that is the same may be in use."""
    into.mkdir(parents=True, exist_ok=True)
    for entry in made.iterdir() if made.is_dir() else ():
        final = into / entry.name
        if not is_same(entry, final):
            remove_tree(final)
            entry.rename(final)
