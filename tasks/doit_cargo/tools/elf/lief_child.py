"""LIEF in a process of its own: the second opinion on ELF files, the one module that imports it.

Run as a program by `second_opinion`, with three arguments: an inherited descriptor that holds the
bytes, the memory limit in bytes, and the folder where the package `lief` is. A request on standard
input is the number of bytes to look at (8 bytes, big endian); the answer on standard output is
JSON, its length before it (4 bytes, big endian). It ends with its standard input. It imports
nothing of this package, so that it shares no mistake with the strict reader.

An answer has the names of `core.elf.Facts` that are not in `reader.OWN`, or `error`: LIEF refuses
these bytes, or `unavailable`: LIEF itself cannot be used.

Once LIEF is loaded the process gives up all that reading bytes does not need: `_confine`.
"""

from __future__ import annotations

import io
import json
import os
import resource
import struct
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
    _guarded(describe, descriptor, 0)  # whatever is loaded at first use
    _confine()
    while len(request := sys.stdin.buffer.read(8)) == 8:  # noqa: PLR2004 - the request's size
        answer = _guarded(describe, descriptor, int.from_bytes(request))
        answers.write(len(answer).to_bytes(4) + answer)
        answers.flush()


def _limit(memory: int) -> None:
    """Cap the address space, and leave no core file: a crash here is an answer like another."""
    _lower(resource.RLIMIT_AS, memory)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    if hard not in {resource.RLIM_INFINITY, -1}:
        most = min(most, hard)  # it can be lowered, not raised
    with suppress(ValueError, OSError):  # macOS has no limit on the address space
        resource.setrlimit(what, (most, most))


def _confine() -> None:
    """Open nothing, start nothing, write no file; where Linux can, call nothing else either."""
    library = _libc()
    for what in (resource.RLIMIT_NOFILE, resource.RLIMIT_NPROC, resource.RLIMIT_FSIZE):
        _lower(what, 0)
    if library is None:
        return
    ctypes, prctl = library
    prctl(_NO_NEW_PRIVS, 1, 0, 0, 0)
    calls = _CALLS.get(os.uname().machine)
    if calls and sys.maxsize > 1 << 32:
        code = _filter(*calls)
        text = ctypes.create_string_buffer(code, len(code))
        program = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(text))
        prctl(_SET_SECCOMP, _FILTER, ctypes.create_string_buffer(program, len(program)), 0, 0)


def _libc() -> tuple[Any, Any] | None:
    """The module ctypes and prctl(2); None where there is none of them."""
    with suppress(ImportError, OSError, AttributeError):
        import ctypes  # noqa: PLC0415 - a Python may come without it

        return ctypes, ctypes.CDLL(None).prctl
    return None


# prctl(2): PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP and SECCOMP_MODE_FILTER of Linux's headers.
_NO_NEW_PRIVS, _SET_SECCOMP, _FILTER = 38, 22, 2
# By machine: AUDIT_ARCH of linux/audit.h, and the calls that remain, by asm/unistd.h: those for
# open files (read, write, close, fstat, lseek, pread64), for memory (brk, mmap, mprotect, munmap,
# mremap, madvise), for signals (rt_sigaction, rt_sigprocmask, rt_sigreturn), for itself (getpid,
# gettid, futex, sched_yield, clock_gettime, getrandom, restart_syscall, exit and exit_group).
_CALLS = {
    "x86_64": (
        0xC000003E,
        (0, 1, 3, 5, 8, 17, 12, 9, 10, 11, 25, 28, 13, 14, 15, 39, 186, 202, 24, 228, 318, 219,
         60, 231),
    ),
    "aarch64": (
        0xC00000B7,
        (63, 64, 57, 80, 62, 67, 214, 222, 226, 215, 216, 233, 134, 135, 139, 172, 178, 98, 124,
         113, 278, 128, 93, 94),
    ),
}  # fmt: skip


def _filter(machine: int, calls: tuple[int, ...]) -> bytes:
    """A program for seccomp(2): these calls go on, any other fails with EPERM."""
    load, equal, answer, refuse, allow = 0x20, 0x15, 0x06, 0x50001, 0x7FFF0000
    count = len(calls)  # a jump is counted from the next line; `refuse` and `allow` come last
    lines = [(load, 0, 0, 4), (equal, 0, count + 1, machine), (load, 0, 0, 0)]
    lines += [(equal, count - at, 0, number) for at, number in enumerate(calls)]
    lines += [(answer, 0, 0, refuse), (answer, 0, 0, allow)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)


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


def _guarded(describe: Describe, descriptor: int, size: int) -> bytes:
    """The answer as JSON: what LIEF gives may be text that no JSON has."""
    try:
        return json.dumps(describe(os.pread(descriptor, size, 0))).encode()
    except Exception as error:  # noqa: BLE001 - whatever it is, the file is not accepted
        return json.dumps({"error": f"{type(error).__name__}: {error}"}).encode()


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
