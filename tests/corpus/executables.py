"""Executables with the verdict that each must get: one property apart, five compilers and CPUs.

    python tests/corpus/executables.py [FOLDER]

makes them with the compilers that are here (gcc, musl-gcc, clang with lld, zig, rustc), holds each
against every rule, and prints a table: what ours says, and what readelf and checksec make of it.
"""

from __future__ import annotations

import os
import shutil
import subprocess  # noqa: TID251 - compilers and readers of others
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from doit_cargo.core import architectures
from doit_cargo.core.elf.policy import RULE_NAMES
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Policy, Target
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from doit_cargo.tools.elf.verify import check
from helpers.elf_files import poke

# Without a C library: so any of these compilers makes it for any of these processors.
CODE = """\
int counter = 1;
int *const kept = &counter;
static int zeros[4096];
void _start(void) { for (;;) counter += *kept + zeros[counter & 4095]; }
"""
HELLO = '#include <stdio.h>\nint main(void) { return puts("hello") < 0; }\n'
RUST = 'fn main() { println!("hello {}", std::process::id()); }\n'
WX = '__asm__(".pushsection .evil,\\"awxR\\",%progbits\\n.long 1\\n.popsection");\n'
# An absolute address in code, which the loader would have to write there.
TEXTREL = '__asm__(".text\\n.balign 8\\n{word} counter\\n");\n'
HARDENED = ("-O1", "-fPIE", "-static-pie", "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack")
ZIG = ("-O1", "-fPIE", "-static", "-pie", "-Wl,-z,relro", "-Wl,-z,now")
CLANG = {
    "x86_64": "x86_64-linux-musl", "aarch64": "aarch64-linux-musl",
    "riscv64gc": "riscv64-linux-musl", "armv7": "armv7-linux-musleabihf",
    "i686": "i686-linux-musl",
}  # fmt: skip
ARCHES = tuple(CLANG)


class Property(NamedTuple):
    """What is apart in an executable: flags, code, a change to its bytes; the rules it breaks."""

    breaks: frozenset[str]
    flags: tuple[str, ...] = ()
    code: str = ""
    change: Callable[[bytes], bytes] | None = None
    strip: bool = True


def _breaks(*rules: str) -> frozenset[str]:
    return frozenset(rules)


def _machine(data: bytes) -> bytes:
    """Another of the same class and byte order."""
    others = {62: 183, 183: 243, 243: 62, 3: 40, 40: 3}
    return poke(data, 18, "<H", others[int.from_bytes(data[18:20], "little")])


PROPERTIES: Mapping[str, Property] = {
    "good": Property(_breaks()),
    "fixed address": Property(_breaks("pie"), ("-no-pie", "-static", "-fno-pie")),
    "no RELRO": Property(_breaks("relro"), ("-Wl,-z,norelro",)),
    "bound late": Property(_breaks("relro"), ("-Wl,-z,lazy",)),
    "executable stack": Property(_breaks("nx"), ("-Wl,-z,execstack",)),
    "RUNPATH": Property(_breaks("rpath"), ("-Wl,-rpath,/opt/lib",)),
    "RPATH": Property(_breaks("rpath"), ("-Wl,-rpath,/opt/lib", "-Wl,--disable-new-dtags")),
    "symbols": Property(_breaks("stripped"), strip=False),
    "debug information": Property(_breaks("stripped"), ("-g",), strip=False),
    "writable code": Property(_breaks("wx"), code=WX),
    "relocation in code": Property(_breaks("textrel"), ("-Wl,-z,notext",), code=TEXTREL),
    "audited": Property(_breaks("filters"), ("-Wl,--audit=libaudit.so",)),
    "no entry": Property(_breaks("entry"), ("-Wl,-e,0x10",)),
    "appended": Property(_breaks("overlay"), change=lambda data: data + b"PK\3\4 and more"),
    "other system": Property(_breaks("os_abi"), change=lambda data: poke(data, 7, "<B", 9)),
    "other processor": Property(_breaks("machine"), change=_machine),
    "cut short": Property(_breaks("refused"), change=lambda data: data[:-100]),
    "packed in one page": Property(_breaks("pie", "wx", "loads"), ("-no-pie", "-static", "-Wl,-N")),
}


class Case(NamedTuple):
    """An executable: who made it, for what, what is apart, where it lies, the rules it breaks."""

    maker: str
    arch: str
    name: str
    path: Path
    breaks: frozenset[str]

    @property
    def said(self) -> str:
        """In one line."""
        return f"{self.maker} {self.arch}: {self.name}"


def made(folder: Path) -> Iterator[Case]:
    """Every combination that can be made here."""
    for maker, command in _makers().items():
        for name, wanted in PROPERTIES.items():
            for arch in ARCHES:
                argv = command(arch)
                case = Case(maker, arch, name, _place(folder, maker, arch, name), wanted.breaks)
                if argv and _make(folder, case, wanted, argv):
                    yield case
    yield from _hosted(folder)


def _makers() -> dict[str, Callable[[str], list[str]]]:
    """Name → the command that compiles and links for an architecture; none if it can't."""
    clang = shutil.which("clang") and shutil.which("ld.lld")
    return {
        "gcc": lambda arch: ["gcc", *HARDENED] if arch == "x86_64" and shutil.which("gcc") else [],
        "clang+lld": lambda arch: (
            ["clang", f"--target={CLANG[arch]}", "-fuse-ld=lld", *HARDENED] if clang else []
        ),
        "zig": lambda arch: [sys.executable, "-m", "ziglang", "cc", "-target", _zig(arch), *ZIG],
    }


def _zig(arch: str) -> str:
    suffix = "musleabihf" if arch == "armv7" else "musl"
    return f"{architectures.ARCHITECTURES[arch].zig}-linux-{suffix}"


def _place(folder: Path, *words: str) -> Path:
    return folder / "-".join(words).replace(" ", "-")


def _make(folder: Path, case: Case, wanted: Property, argv: Sequence[str]) -> bool:
    """False if the linker does not know the option."""
    place = case.path
    word = ".quad" if architectures.ARCHITECTURES[case.arch].bits == 64 else ".long"
    code = place.with_suffix(".c")
    code.write_text(CODE + wanted.code.replace("{word}", word))
    flags = [*wanted.flags, *(["-s"] if wanted.strip else [])]
    words = [*argv, "-nostdlib", "-ffreestanding", *flags, str(code), "-o", str(place)]
    done = subprocess.run(words, capture_output=True, check=False, env=_environment(folder))
    if done.returncode or not place.is_file():
        return False
    if wanted.change:
        place.write_bytes(wanted.change(place.read_bytes()))
    return True


def _environment(folder: Path) -> dict[str, str]:
    caches = {f"ZIG_{kind}_CACHE_DIR": str(folder / "cache") for kind in ("GLOBAL", "LOCAL")}
    return {**os.environ, **caches}


def _hosted(folder: Path) -> Iterator[Case]:
    """With a C library, or Rust's own."""
    hello, rust = folder / "hello.c", folder / "hello.rs"
    hello.write_text(HELLO)
    rust.write_text(RUST)
    target = "x86_64-unknown-linux-musl"
    rustc = ["rustc", "--edition=2021", "-O", str(rust), "-Clinker-flavor=gcc", "--target", target]
    musl, dynamic = frozenset[str](), _breaks("static")
    for maker, name, argv, breaks in (
        ("musl-gcc", "good", ["musl-gcc", *HARDENED, "-s", str(hello)], dynamic),
        ("musl-gcc", "fixed address", ["musl-gcc", "-static", "-s", str(hello)], _breaks("pie")),
        ("gcc", "a C library", ["gcc", "-static-pie", "-s", *HARDENED, str(hello)], musl),
        ("gcc", "dynamic", ["gcc", "-pie", "-s", "-Wl,-z,now", str(hello)], dynamic),
        ("rustc", "good", [*rustc, "-Cstrip=symbols"], musl),
        ("rustc", "symbols", rustc, _breaks("stripped")),
        ("rustc", "no RELRO", [*rustc, "-Cstrip=symbols", "-Crelro-level=off"], _breaks("relro")),
        ("rustc", "fixed address",
         [*rustc, "-Cstrip=symbols", "-Crelocation-model=static"], _breaks("pie")),
    ):  # fmt: skip
        place = _place(folder, maker, "hosted", name)
        if shutil.which(argv[0]) is None:
            continue
        done = subprocess.run([*argv, "-o", str(place)], capture_output=True, check=False)
        if done.returncode == 0:
            yield Case(maker, "x86_64", name, place, breaks)


def ours(case: Case, opinion: SecondOpinion) -> frozenset[str]:
    """The rules that it breaks by our two readers, with every rule at `deny`."""
    triple = f"{case.arch}-unknown-linux-musl"
    platform = architectures.ARCHITECTURES[case.arch].platform
    policy = Policy(levels=dict.fromkeys(RULE_NAMES, "deny"), min_size=1, max_size=1 << 28)
    try:
        found = check(
            case.path.read_bytes(), binary=Binary(crate="it", name="it"), policy=policy,
            target=Target(arch=case.arch, triple=triple, platform=platform),
            needles=(b"/definitely/not/in/there",), opinion=opinion,
        )  # fmt: skip
    except CheckError:
        return _breaks("refused")
    return frozenset(violation.rule for violation in found.violations)


def readelf(path: Path) -> frozenset[str]:
    """What a script would conclude from `readelf -Wldh`, as hardening checks are mostly written."""
    done = subprocess.run(
        ["readelf", "-WhldS", path],
        capture_output=True,
        text=True,
        check=False,
        env={"LC_ALL": "C"},
    )
    text = done.stdout
    lines = text.splitlines()
    stack = [line for line in lines if "GNU_STACK" in line]
    now = "BIND_NOW" in text or any("FLAGS_1" in line and "NOW" in line for line in lines)
    found = {
        "refused": bool(done.returncode or "Error" in done.stderr or "Warning" in done.stderr),
        "pie": "Type:                              DYN" not in text,
        "static": "INTERP" in text or "(NEEDED)" in text,
        "nx": not stack or "RWE" in stack[0],
        "relro": "GNU_RELRO" not in text or not now,
        "rpath": "(RPATH)" in text or "(RUNPATH)" in text,
        "textrel": "(TEXTREL)" in text or any("FLAGS)" in x and "TEXTREL" in x for x in lines),
        "wx": any("LOAD" in line and "RWE" in line for line in lines),
        "stripped": ".symtab" in text or ".debug_" in text,
    }
    return frozenset(rule for rule, is_so in found.items() if is_so)


def checksec(path: Path) -> frozenset[str]:
    """What checksec says; it has no word for most rules."""
    import json  # noqa: PLC0415 - of use here alone

    done = subprocess.run(
        ["checksec", "--output=json", f"--file={path}"], capture_output=True, text=True, check=False
    )
    try:
        (said,) = json.loads(done.stdout).values()
    except ValueError:
        return _breaks("refused")
    found = {
        "relro": said["relro"] != "full",
        "nx": said["nx"] != "yes",
        "pie": said["pie"] != "yes",
        "rpath": said["rpath"] != "no" or said["runpath"] != "no",
        "stripped": said["symbols"] != "no",
    }
    return frozenset(rule for rule, is_so in found.items() if is_so)


SCRIPTED = frozenset({"pie", "static", "nx", "relro", "rpath", "textrel", "wx", "stripped"})
CHECKED = frozenset({"relro", "nx", "pie", "rpath", "stripped"})


def main(argv: Sequence[str]) -> int:
    """Print the table; 1 if a verdict is not the one that is expected."""
    wrong = 0
    with tempfile.TemporaryDirectory() as scratch, SecondOpinion() as opinion:
        folder = Path(argv[0]) if argv else Path(scratch)
        print("| executable | ours | readelf | checksec |\n|---|---|---|---|")
        for case in made(folder):
            found = ours(case, opinion)
            wrong += found != case.breaks
            cells = (found, readelf(case.path), checksec(case.path))
            text = " | ".join(", ".join(sorted(cell)) or "-" for cell in cells)
            note = "" if found == case.breaks else f" (expected {sorted(case.breaks)})"
            print(f"| {case.said}{note} | {text} |", flush=True)
    print(f"{wrong} verdicts are not as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
