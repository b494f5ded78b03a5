"""LIEF in a process of its own: the second opinion on ELF files, the one module that imports it.

Run as a program by `second_opinion`, with three arguments: an inherited descriptor that holds the
bytes, the memory limit in bytes, and the folder where the package `lief` is. A request on standard
input is the number of bytes to look at (8 bytes, big endian); the answer on standard output is
JSON, its length before it (4 bytes, big endian). It ends with its standard input. It imports
nothing of this package, so that it shares no mistake with the strict reader.

An answer has the names of `core.elf.Facts` that are not in `reader.OWN`, or `error`: LIEF refuses
these bytes, or `unavailable`: LIEF itself cannot be used.
"""

from __future__ import annotations

import io
import json
import os
import resource
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    import lief  # noqa: TID251 - this is the one place

    Describe = Callable[[bytes], dict[str, Any]]


def main(descriptor: int, memory: int, folder: str) -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever LIEF prints is no answer
    _limit(memory)
    describe = _load(folder)
    while len(request := sys.stdin.buffer.read(8)) == 8:  # noqa: PLR2004 - the request's size
        found = _guarded(describe, descriptor, int.from_bytes(request))
        answer = json.dumps(found).encode()
        answers.write(len(answer).to_bytes(4) + answer)
        answers.flush()


def _limit(memory: int) -> None:
    """Cap the address space, and leave no core file: a crash here is an answer like another."""
    for what, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        hard = resource.getrlimit(what)[1]
        if hard not in {resource.RLIM_INFINITY, -1}:
            most = min(most, hard)  # noqa: PLW2901 - it can be lowered, not raised
        with suppress(ValueError, OSError):  # macOS has no limit on the address space
            resource.setrlimit(what, (most, most))


def _load(folder: str) -> Describe:
    """Import LIEF, after the limit. A failure is told with the first answer, not by dying."""
    sys.path.append(folder)
    try:
        import lief  # noqa: PLC0415, TID251 - under the limit, and this is the one place

        lief.logging.disable()
        return _reader(lief)
    except Exception as error:  # noqa: BLE001 - a broken library raises anything
        reason = f"{type(error).__name__}: {error}"
        return lambda _: {"unavailable": reason}


def _guarded(describe: Describe, descriptor: int, size: int) -> dict[str, Any]:
    try:
        return describe(os.pread(descriptor, size, 0))
    except Exception as error:  # noqa: BLE001 - whatever it is, the file is not accepted
        return {"error": f"{type(error).__name__}: {error}"}


def _reader(library: Any) -> Describe:  # noqa: ANN401 - a module
    """Make the function that describes bytes; symbols, relocations and notes are not parsed."""
    config = library.ELF.ParserConfig()
    for part in (
        "parse_dyn_symbols", "parse_notes", "parse_overlay", "parse_relocations",
        "parse_symbol_versions", "parse_symtab_symbols",
    ):  # fmt: skip
        setattr(config, part, False)

    def describe(data: bytes) -> dict[str, Any]:
        # LIEF copies bytes one by one, and reads a stream at once.
        binary = library.ELF.parse(io.BytesIO(data), config)
        return {"error": "it finds no ELF file"} if binary is None else _facts(library, binary)

    return describe


def _facts(library: Any, binary: lief.ELF.Binary) -> dict[str, Any]:  # noqa: ANN401 - a module
    elf, header, tags = library.ELF, binary.header, library.ELF.DynamicEntry.TAG
    loads = [s for s in binary.segments if s.type == elf.Segment.TYPE.LOAD]
    stacks = [s for s in binary.segments if s.type == elf.Segment.TYPE.GNU_STACK]
    paths = {tag: binary.get(tag) for tag in (tags.RPATH, tags.RUNPATH) if binary.has(tag)}
    rpath, runpath = paths.get(tags.RPATH), paths.get(tags.RUNPATH)
    return {
        "machine": int(header.machine_type),
        "elf_class": 32 * int(header.identity_class),
        "little_endian": header.identity_data == elf.Header.ELF_DATA.LSB,
        "os_abi": int(header.identity_os_abi),
        "file_type": int(header.file_type),
        "interp": binary.interpreter if binary.has_interpreter else None,
        "needed": list(binary.libraries),
        "pie": binary.is_pie,
        "gnu_stack": [int(s.flags) for s in stacks],
        "relro": _relro(elf, binary),
        "wx_segments": sum(int(s.flags) & 3 == 3 for s in loads),  # noqa: PLR2004 - PF_W | PF_X
        "textrel": binary.has(tags.TEXTREL) or _flagged(elf, binary, "FLAGS", "TEXTREL"),
        "rpath": getattr(rpath, "rpath", None),
        "runpath": getattr(runpath, "runpath", None),
        "entry": header.entrypoint,
        "entry_executable": any(_holds(s, header.entrypoint) for s in loads),
        "stripped": not any(_has_symbols(elf, s) for s in binary.sections),
        "size": binary.original_size,
    }


def _holds(segment: lief.ELF.Segment, address: int) -> bool:
    inside = 0 <= address - segment.virtual_address < segment.physical_size
    return inside and int(segment.flags) & 1 == 1


def _relro(elf: Any, binary: lief.ELF.Binary) -> str:  # noqa: ANN401 - a module
    if not binary.has(elf.Segment.TYPE.DYNAMIC):
        return "n/a"
    relro = binary.get(elf.Segment.TYPE.GNU_RELRO)
    if relro is None or not relro.virtual_size:
        return "none"
    wanted = {"FLAGS": "BIND_NOW", "FLAGS_1": "NOW"}
    bound = any(_flagged(elf, binary, tag, flag) for tag, flag in wanted.items())
    return "full" if bound or binary.has(elf.DynamicEntry.TAG.BIND_NOW) else "partial"


def _flagged(elf: Any, binary: lief.ELF.Binary, tag: str, flag: str) -> bool:  # noqa: ANN401 - a module
    entry = binary.get(getattr(elf.DynamicEntry.TAG, tag))
    return bool(entry and entry.has(getattr(elf.DynamicEntryFlags.FLAG, flag)))


def _has_symbols(elf: Any, section: lief.ELF.Section) -> bool:  # noqa: ANN401 - a module
    loaded = section.has(elf.Section.FLAGS.ALLOC)
    debug = str(section.name).startswith((".debug_", ".zdebug_")) and not loaded
    return debug or section.type == elf.Section.TYPE.SYMTAB


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
