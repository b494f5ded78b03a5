"""objcopy: takes symbols and debug information off an executable, and keeps them in a file."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from doit_cargo.core.elf import layout as elf_layout
from doit_cargo.core.elf.header import ElfError
from doit_cargo.core.elf.numbers import SHT_SYMTAB
from doit_cargo.core.errors import CheckError
from doit_cargo.core.toolchain.objcopy import OWN
from doit_cargo.tools import process


def split(tool: Path, data: bytes, *, debug_name: str) -> tuple[bytes, bytes]:
    """The stripped executable, which names the other by file name and CRC, and what was taken off.

    Raises CheckError if the bytes are not a valid ELF file or have no symbols.
    """
    try:
        sections = elf_layout.parse(data).sections
    except ElfError as error:
        raise CheckError(f"it is not valid: {error}") from None
    if not any(section.type == SHT_SYMTAB for section in sections):
        raise CheckError(
            "it has no symbols for split_debug to keep: set `strip = false` (and `debug = 1` for "
            "line numbers) in the Cargo profile"
        )
    with tempfile.TemporaryDirectory() as folder:
        whole, small = Path(folder, "whole"), Path(folder, "small")
        debug = Path(folder, "debug", debug_name)
        debug.parent.mkdir()
        whole.write_bytes(data)
        for words in (
            ("--only-keep-debug", whole, debug),
            ("--strip-all", f"--add-gnu-debuglink={debug}", whole, small),
        ):
            process.run([tool, *words], env=_environment(tool))
        return small.read_bytes(), debug.read_bytes()


def _environment(tool: Path) -> dict[str, str]:
    """Rustup's finds LLVM only as a child of rustc, which says where: in the toolchain's `lib`."""
    libraries = {"LD_LIBRARY_PATH": str(tool.parents[3])} if tool.name == OWN else {}
    return {**os.environ, **libraries}
