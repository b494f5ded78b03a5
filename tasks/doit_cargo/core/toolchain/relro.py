"""The object that makes RELRO true: it takes the right to write once relocation is done.

musl does so for what its dynamic loader loads, but not for a static executable (`__dls2b` and
`reloc_all` in musl's `ldso/dynlink.c` against `_dlstart_c` and `__libc_start_main`): the range of
PT_GNU_RELRO stays writable, whatever the file says.
"""

from __future__ import annotations

from pathlib import Path

SOURCE = "relro.c"
OBJECT = "relro.o"
# No library and no unwind tables: 0.3 KiB, and nothing to add where there is no C library. No debug
# information: it would name the folder that it was compiled in.
COMPILE = (
    "-c", SOURCE, "-o", OBJECT, "-std=c11", "-O2", "-g0", "-ffreestanding", "-fno-stack-protector",
    "-fno-unwind-tables", "-fno-asynchronous-unwind-tables",
)  # fmt: skip


def source() -> str:
    """The C source, which lies beside this module."""
    return Path(__file__).with_name(SOURCE).read_text(encoding="utf-8")
