"""What an ELF file is, by a parser that shares no code with ours: pyelftools.

It decodes what is there and judges nothing. Here stands only which of it counts: by the gABI, and
as the kernel and the loader read it (segments, never sections).
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping
from typing import Any, NamedTuple

from elftools.common.utils import parse_cstring_from_stream, struct_parse
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_E_MACHINE, ENUM_E_TYPE

_PF_X, _PF_W, _SHF_ALLOC = 1, 2, 2
_BIND_NOW, _TEXTREL, _NOW, _PIE = 0x8, 0x4, 0x1, 0x08000000
_FILTERS = ("DT_FILTER", "DT_AUXILIARY", "DT_AUDIT", "DT_DEPAUDIT")
_PAGE = 0x1000


class Parsed(NamedTuple):
    """The headers and the dynamic entries (up to DT_NULL, None without PT_DYNAMIC), decoded."""

    file: ELFFile
    segments: list[Any]
    sections: list[Any]
    dynamic: list[Any] | None

    def of(self, kind: str) -> list[Any]:
        """The program headers of that type."""
        return [segment for segment in self.segments if segment["p_type"] == kind]

    def tags(self, name: str) -> list[int]:
        """The values of the dynamic entries with that tag."""
        return [entry["d_val"] for entry in self.dynamic or () if entry["d_tag"] == name]

    def names(self, tag: str) -> list[str]:
        """What those entries are called, in the string table that the loader uses."""
        return [self.text(self.in_file(self.tags("DT_STRTAB")[0]) + at) for at in self.tags(tag)]

    def text(self, offset: int) -> str:
        """The string that ends with the next NUL."""
        raw: bytes | None = parse_cstring_from_stream(self.file.stream, offset)
        return (raw or b"").decode("utf-8", "backslashreplace")

    def in_file(self, address: int) -> int:
        """Where the byte at that address lies."""
        for load in self.of("PT_LOAD"):
            if load["p_vaddr"] <= address < load["p_vaddr"] + load["p_filesz"]:
                return int(address - load["p_vaddr"] + load["p_offset"])
        raise ValueError(f"{address:#x} is in no PT_LOAD")


def parse(data: bytes | memoryview) -> Parsed:
    """Decode a file. Raises whatever it likes."""
    file = ELFFile(io.BytesIO(bytes(data)))
    segments = _table(file, file.structs.Elf_Phdr, "ph")
    sections = _table(file, file.structs.Elf_Shdr, "sh")
    parsed = Parsed(file, segments, sections, None)
    places = [segment["p_offset"] for segment in parsed.of("PT_DYNAMIC")]
    return parsed._replace(dynamic=_dynamic(file, places[0]) if places else None)


def facts(data: bytes | memoryview) -> dict[str, Any]:
    """All facts by the names of `reader.Facts`."""
    file = parse(data)
    kind, entry = _number(file.file["e_type"], ENUM_E_TYPE), file.file["e_entry"]
    interp = [file.text(segment["p_offset"]) for segment in file.of("PT_INTERP")]
    code = [s for s in file.of("PT_LOAD") if s["p_flags"] & _PF_X]
    pie = bool(interp) or any(value & _PIE for value in file.tags("DT_FLAGS_1"))
    return {
        "machine": _number(file.file["e_machine"], ENUM_E_MACHINE),
        "elf_class": file.file.elfclass,
        "little_endian": file.file.little_endian,
        "os_abi": data[7],
        "file_type": kind,
        "interp": next(iter(interp), None),
        "needed": file.names("DT_NEEDED"),
        "pie": kind == ENUM_E_TYPE["ET_DYN"] and pie,
        "gnu_stack": [segment["p_flags"] for segment in file.of("PT_GNU_STACK")],
        "relro": _relro(file),
        "relro_gaps": _gaps(file),
        "wx_segments": sum(bool(segment["p_flags"] & _PF_W) for segment in code),
        "textrel": bool(file.tags("DT_TEXTREL"))
        or any(value & _TEXTREL for value in file.tags("DT_FLAGS")),
        "load_faults": _load_faults(file),
        "overlay": _overlay(file, data),
        "rpath": next(iter(file.names("DT_RPATH")), None),
        "runpath": next(iter(file.names("DT_RUNPATH")), None),
        "filters": _filters(file),
        "entry": entry,
        "entry_executable": any(0 <= entry - s["p_vaddr"] < s["p_filesz"] for s in code),
        "stripped": not any(_has_symbols(file, section) for section in file.sections),
        "size": len(data),
    }


def _table(file: ELFFile, form: Any, kind: str) -> list[Any]:  # noqa: ANN401 - pyelftools' own
    start, size, count = (file[f"e_{kind}{field}"] for field in ("off", "entsize", "num"))
    places = range(start, start + size * count, size or 1)
    return [struct_parse(form, file.stream, stream_pos=place) for place in places]


def _dynamic(file: ELFFile, start: int) -> list[Any]:
    form = file.structs.Elf_Dyn
    entries: list[Any] = []
    while True:
        place = start + form.sizeof() * len(entries)
        entry = struct_parse(form, file.stream, stream_pos=place)
        if entry["d_tag"] == "DT_NULL":
            return entries
        entries.append(entry)


def _relro(file: Parsed) -> str:
    if file.dynamic is None:
        return "n/a"
    if not any(segment["p_memsz"] for segment in file.of("PT_GNU_RELRO")):
        return "none"
    wanted = {"DT_FLAGS": _BIND_NOW, "DT_FLAGS_1": _NOW}
    bound = any(value & bit for tag, bit in wanted.items() for value in file.tags(tag))
    return "full" if bound or file.tags("DT_BIND_NOW") else "partial"


def _pages(start: int, size: int) -> range:
    """The pages that a range of addresses touches."""
    return range(start // _PAGE, (start + size - 1) // _PAGE + 1 if size else start // _PAGE)


def _load_faults(file: Parsed) -> list[str]:
    """What the kernel would map otherwise than the program headers say: a map of pages."""
    loads, faults = file.of("PT_LOAD"), []
    mapped = [pages for s in loads if (pages := _pages(s["p_vaddr"], s["p_memsz"]))]
    twice = [
        one
        for one, other in itertools.combinations(mapped, 2)
        if max(one.start, other.start) < min(one.stop, other.stop)
    ]
    faults += ["align"] if min((s["p_align"] for s in loads), default=_PAGE) < _PAGE else []
    odd = [s for s in loads if s["p_vaddr"] % _PAGE != s["p_offset"] % _PAGE]
    faults += ["offset"] if odd else []
    faults += ["empty"] if 0 in [s["p_memsz"] for s in loads] else []
    faults += ["page"] if twice else []
    lost = [s for kind in _BY_ADDRESS for s in file.of(kind) if not _is_loaded(file, s)]
    return [*faults, "outside"] if lost else faults


_BY_ADDRESS = ("PT_PHDR", "PT_INTERP", "PT_DYNAMIC", "PT_TLS", "PT_GNU_EH_FRAME")


def _is_loaded(file: Parsed, segment: Any) -> bool:  # noqa: ANN401 - pyelftools' own
    """Whether the bytes in the file are the bytes in memory, each of them."""
    start, end = segment["p_vaddr"], segment["p_vaddr"] + segment["p_filesz"]
    if start == end:
        return True
    for load in file.of("PT_LOAD"):
        low, high = load["p_vaddr"], load["p_vaddr"] + load["p_filesz"]
        if low <= start and end <= high:
            return bool(load["p_offset"] - low == segment["p_offset"] - start)
    return False


def _gaps(file: Parsed) -> list[str]:
    """What a loader leaves writable: it protects the whole pages of the range."""
    ranges = [s for s in file.of("PT_GNU_RELRO") if s["p_memsz"]]
    if file.dynamic is None or not ranges:
        return []
    end = ranges[0]["p_vaddr"] + ranges[0]["p_memsz"]
    safe = range(ranges[0]["p_vaddr"] // _PAGE, end // _PAGE)
    got = [(place, 1) for place in file.tags("DT_PLTGOT")]
    got += [
        (s["sh_addr"], s["sh_size"])
        for s in file.sections
        if s["sh_flags"] & _SHF_ALLOC and s["sh_size"] and _name(file, s) in {".got", ".got.plt"}
    ]
    tables = {
        "dynamic": [(s["p_vaddr"], s["p_memsz"] or 1) for s in file.of("PT_DYNAMIC")],
        "got": got,
    }
    loads = [s for s in file.of("PT_LOAD") if s["p_flags"] & _PF_W]
    written = [pages for s in loads if (pages := _pages(s["p_vaddr"], s["p_memsz"]))]
    return [
        name
        for name, places in tables.items()
        if any(_open(_pages(*place), pages, safe) for place in places for pages in written)
    ]


def _open(table: range, written: range, safe: range) -> bool:
    """Whether both have a page that is not safe: the first or the last tells."""
    both = range(max(table.start, written.start), min(table.stop, written.stop))
    return bool(both) and not (both[0] in safe and both[-1] in safe)


def _overlay(file: Parsed, data: bytes | memoryview) -> int:
    """The bytes that nothing claims: a map with a byte for each byte of the file."""
    claimed = bytearray(len(data) + 1)
    head, pieces = file.file.header, []
    pieces.append((0, head["e_ehsize"]))
    pieces += [
        (head[f"e_{kind}off"], head[f"e_{kind}num"] * head[f"e_{kind}entsize"])
        for kind in ("ph", "sh")
    ]
    pieces += [(s["p_offset"], s["p_filesz"]) for s in file.segments if s["p_type"] != "PT_NULL"]
    holding = [s for s in file.sections if s["sh_type"] not in {"SHT_NULL", "SHT_NOBITS"}]
    pieces += [(s["sh_offset"], s["sh_size"]) for s in holding]
    for start, size in pieces:
        claimed[start : start + size] = b"\1" * size
    code = [s["p_offset"] + s["p_filesz"] for s in file.of("PT_LOAD") if s["p_flags"] & _PF_X]
    claimed[len(data) :] = b"\1"
    lost, at = 0, claimed.find(0)
    while at >= 0:
        end = claimed.find(1, at)
        gap, is_last = bytes(data[at:end]), end == len(data)
        lost += 0 if _is_filling(gap, is_last=is_last, is_after_code=at in code) else len(gap)
        at = claimed.find(0, end)
    return lost


def _is_filling(gap: bytes, *, is_last: bool, is_after_code: bool) -> bool:
    if set(gap) == {0}:
        return len(gap) < 16 or not is_last
    repeated = all(byte == gap[index % 4] for index, byte in enumerate(gap))
    return is_after_code and not is_last and len(gap) < 0x10000 and repeated


def _filters(file: Parsed) -> list[str]:
    found = []
    for entry in file.dynamic or ():
        if entry["d_tag"] in _FILTERS:
            place = file.in_file(file.tags("DT_STRTAB")[0]) + entry["d_val"]
            found.append(f"{entry['d_tag']} {file.text(place)}")
    return found


def _has_symbols(file: Parsed, section: Any) -> bool:  # noqa: ANN401 - pyelftools' own
    if section["sh_type"] == "SHT_SYMTAB":
        return True
    debug = _name(file, section).startswith((".debug_", ".zdebug_"))
    return debug and not section["sh_flags"] & _SHF_ALLOC


def _name(file: Parsed, section: Any) -> str:  # noqa: ANN401 - pyelftools' own
    names = file.file["e_shstrndx"]
    return file.text(file.sections[names]["sh_offset"] + section["sh_name"]) if names else ""


def _number(value: Any, names: Mapping[str, int]) -> int:  # noqa: ANN401 - a name, or a number
    return int(names.get(value, value))
