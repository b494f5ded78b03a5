"""What an ELF file is, by a parser that shares no code with ours: pyelftools.

It decodes what is there and judges nothing. Here stands only which of it counts: by the gABI, and
as the kernel and the loader read it (segments, never sections).
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

from elftools.common.utils import parse_cstring_from_stream, struct_parse
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_E_MACHINE, ENUM_E_TYPE

_PF_X, _PF_W, _SHF_ALLOC = 1, 2, 2
_BIND_NOW, _NOW, _PIE = 0x8, 0x1, 0x08000000


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
        return [self.text(self._in_file(self.tags("DT_STRTAB")[0]) + at) for at in self.tags(tag)]

    def text(self, offset: int) -> str:
        """The string that ends with the next NUL."""
        raw: bytes | None = parse_cstring_from_stream(self.file.stream, offset)
        return (raw or b"").decode("utf-8", "backslashreplace")

    def _in_file(self, address: int) -> int:
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
        "wx_segments": sum(bool(segment["p_flags"] & _PF_W) for segment in code),
        "rpath": next(iter(file.names("DT_RPATH")), None),
        "runpath": next(iter(file.names("DT_RUNPATH")), None),
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


def _has_symbols(file: Parsed, section: Any) -> bool:  # noqa: ANN401 - pyelftools' own
    if section["sh_type"] == "SHT_SYMTAB":
        return True
    names = file.file["e_shstrndx"]
    name = file.text(file.sections[names]["sh_offset"] + section["sh_name"]) if names else ""
    return name.startswith((".debug_", ".zdebug_")) and not section["sh_flags"] & _SHF_ALLOC


def _number(value: Any, names: Mapping[str, int]) -> int:  # noqa: ANN401 - a name, or a number
    return int(names.get(value, value))
