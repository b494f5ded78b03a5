"""Which objcopy splits executables: the toolchain's own, else LLVM's, else binutils'."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from doit_cargo.core.model import Toolchain

OWN = "rust-objcopy"
REMEDY = "apt-get install llvm, or a toolchain of rustup that brings rust-objcopy"


def find(chain: Toolchain, env: Mapping[str, str]) -> Path | None:
    """The program; None if there is none. Binutils' own knows the machine it was built for only.

    Rustup's toolchains have LLVM's beside the compiler, for rustc's own `strip`
    (https://doc.rust-lang.org/rustc/codegen-options/index.html#strip).
    """
    if chain.rustc:
        bundled = chain.rustc.parent.parent / "lib/rustlib" / chain.host / "bin" / OWN
        if bundled.is_file():
            return bundled
    for name in ("llvm-objcopy", "objcopy"):
        if found := shutil.which(name, path=env.get("PATH")):
            return Path(found)
    return None
