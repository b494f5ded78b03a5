"""Makes cargo see absent paths that build scripts watch as old files.

A script that watches an absent path is run in every build, and its crate and all above compiled
anew: cargo compares the time of each watched path, and an absent one has none. No file of cargo's
says otherwise: the paths are those of the script's saved output, and the unit's fingerprint is a
hash over them, which is part of the hash of every unit above. Where the script has just been asked
and has said the same, a library of thirty lines that the dynamic linker loads into cargo answers
for these paths in place of the kernel. It takes itself out of the environment first, so compilers
and scripts see the paths as they are. Where it cannot be made or loaded, cargo compiles more.

Source: https://github.com/rust-lang/cargo, src/cargo/core/compiler/fingerprint/mod.rs
(`find_stale_file`) and library/std/src/sys/fs/unix.rs of Rust (`try_statx`); ld.so(8).
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from doit_cargo.core.errors import PipelineError
from doit_cargo.tools import process

_VARIABLE = "DOIT_CARGO_FRESH"
_SECONDS = 20.0
# Without libc's declaration of `statx`, which says that no pointer is null: Rust asks with null
# whether there is such a call.
_SOURCE = """\
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/stat.h>
#include <stdlib.h>
#include <string.h>

static char *paths;

__attribute__((constructor)) static void begin(void) {
    const char *found = getenv("DOIT_CARGO_FRESH");
    paths = found ? strdup(found) : 0;
    unsetenv("DOIT_CARGO_FRESH");
    unsetenv("LD_PRELOAD");
}

static int is_listed(const char *path) {
    size_t length = strlen(path);
    for (const char *at = paths; length && at; at = (at = strchr(at, '\\n')) ? at + 1 : 0)
        if (!strncmp(at, path, length) && (at[length] == '\\n' || !at[length])) return 1;
    return 0;
}

int statx(int folder, const char *path, int flags, unsigned mask, struct statx *found) {
    int (*real)(int, const char *, int, unsigned, struct statx *) = dlsym(RTLD_NEXT, "statx");
    if (!path || !found || !is_listed(path)) return real(folder, path, flags, mask, found);
    memset(found, 0, sizeof *found);
    found->stx_mask = mask;
    found->stx_mode = 0100444;
    found->stx_nlink = 1;
    found->stx_mtime.tv_sec = 1;
    return 0;
}
"""


def environment(paths: Collection[str], library: Path, env: Mapping[str, str]) -> dict[str, str]:
    """Make the library at that place; what cargo's environment needs to load it (or nothing)."""
    usable = [path for path in paths if "\n" not in path]
    odd = re.search(r"[\s:]", str(library)) or "LD_PRELOAD" in env
    if not usable or odd or sys.platform != "linux":
        return {}
    compiler = process.find("cc", env.get("PATH"))
    if compiler is None:
        return {}
    words: list[str | Path] = [
        compiler,
        "-shared",
        "-fPIC",
        "-O1",
        "-x",
        "c",
        "-o",
        library,
        "-",
        "-ldl",
    ]
    try:
        process.run(words, env=env, stdin=_SOURCE.encode(), timeout=_SECONDS)
    except (PipelineError, OSError):
        return {}
    return {"LD_PRELOAD": str(library), _VARIABLE: "\n".join(usable)}
