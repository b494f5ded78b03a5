"""Mutants of executables: ours lets none pass that a model of the kernel finds fault with.

    python tests/fuzz/elf.py --seed 1 --seconds 60 [FILE...]

FILE are executables that pass; without any, some are made with the programs that are here. A
mutant has a few fields of its headers, its dynamic section or its sections changed, or program
headers exchanged, or bytes appended. Printed are the rate and what was found.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

import kernel

from doit_cargo.core.elf.policy import RULE_NAMES, judge
from doit_cargo.core.elf.reader import ElfError, read
from doit_cargo.core.model import Policy, Target
from helpers.elf_files import elf

TARGET = Target(arch="x86_64", triple="x86_64-unknown-linux-musl", platform="linux/amd64")
MACHINE = 62
POLICY = Policy(levels=dict.fromkeys(RULE_NAMES, "deny"), min_size=1, max_size=1 << 28)
FALSE = "false pass"
SLOW = 2.0  # seconds for one mutant: a hang

TYPES = (0, 1, 2, 3, 6, 7, 0x6474E550, 0x6474E551, 0x6474E552)
TAGS = (
    0, 1, 3, 5, 10, 15, 22, 24, 29, 30, 0x6FFFFFFB, 0x6FFFFEFB, 0x6FFFFEFC, 0x7FFFFFFD, 0x7FFFFFFF,
)  # fmt: skip


class Found(NamedTuple):
    """What a search came to: how many mutants, how each ended, the faults.

    `rules` are those that mutants broke which passed.
    """

    mutants: int
    ends: Counter[str]
    faults: list[str]
    rules: set[str]


def passes(data: bytes) -> bool:
    """Whether ours lets it pass. Raises nothing but what is a fault."""
    try:
        facts = read(data)
    except ElfError:
        return False
    return not judge(facts, policy=POLICY, target=TARGET, binary_name="it", build_paths=())


def verdict(data: bytes) -> tuple[str, str]:
    """How it ended, and the fault if that is one."""
    started = time.perf_counter()
    try:
        passed = passes(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a fault
        return "crash", f"{type(error).__name__}: {error}"
    if time.perf_counter() - started > SLOW:
        return "hang", f"took {time.perf_counter() - started:.1f} s"
    if not passed:
        return "refused", ""
    try:
        broken = kernel.broken(data, MACHINE)
    except (kernel.NotRunError, struct.error, IndexError):
        return "passed, does not run", ""
    return (FALSE, ", ".join(sorted(broken))) if broken else ("passed", "")


def search(seeds: Sequence[bytes], seed: int, seconds: float) -> Found:
    """Judge mutants until the time is over."""
    draw = random.Random(seed)  # noqa: S311 - to be repeated by its seed
    ends: Counter[str] = Counter()
    faults: list[str] = []
    rules: set[str] = set()
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        count += 1
        which = draw.randrange(len(seeds))
        data, how = mutant(seeds[which], draw)
        name, fault = verdict(data)
        ends[name] += 1
        if name == FALSE:
            rules.update(fault.split(", "))
        if fault:
            faults.append(f"mutant {count} of file {which}: {name}: {fault}: {how}")
    return Found(count, ends, faults, rules)


def mutant(data: bytes, draw: random.Random) -> tuple[bytes, str]:
    """The data with one to three changes, and which."""
    changed = bytearray(data)
    changes = draw.choices(CHANGES, k=draw.choice((1, 1, 2, 2, 3)))
    said = [change(changed, draw) for change in sorted(changes, key=lambda c: c is _tail)]
    return bytes(changed), "; ".join(said)


def _put(data: bytearray, place: int, size: int, draw: random.Random, values: Sequence[int]) -> str:
    form = {2: "<H", 4: "<I", 8: "<Q"}[size]
    if place + size > len(data):
        return "nothing"
    (old,) = struct.unpack_from(form, data, place)
    near = (old ^ 1 << draw.randrange(8 * size), old + draw.choice((1, -1, 8, 4096, -4096, 65536)))
    value = draw.choice((*values, *near)) % (1 << 8 * size)
    struct.pack_into(form, data, place, value)
    return f"{place:#x}: {old:#x} -> {value:#x}"


def _header(data: bytearray, draw: random.Random) -> str:
    place, size = draw.choice(((16, 2), (18, 2), (24, 8), (32, 8), (40, 8), (54, 2), (56, 2)))
    return "header " + _put(data, place, size, draw, (0, 1, 2, 3, 62))


def _table(data: bytearray) -> tuple[int, int]:
    at, count = struct.unpack_from("<Q", data, 32)[0], struct.unpack_from("<H", data, 56)[0]
    return (at, count) if count and at + 56 * count <= len(data) else (64, 1)


def _segment(data: bytearray, draw: random.Random) -> str:
    at, count = _table(data)
    place, size = draw.choice(((0, 4), (4, 4), (8, 8), (16, 8), (32, 8), (40, 8), (48, 8)))
    values = {0: TYPES, 4: tuple(range(8)), 48: (0, 1, 2, 16, 4096)}.get(place, (0, 64, len(data)))
    return "segment " + _put(data, at + 56 * draw.randrange(count) + place, size, draw, values)


def _exchange(data: bytearray, draw: random.Random) -> str:
    """One program header in the place of another, or both."""
    at, count = _table(data)
    one, other = (at + 56 * draw.randrange(count) for _ in range(2))
    first, second = bytes(data[one : one + 56]), bytes(data[other : other + 56])
    data[one : one + 56] = second
    if draw.random() < 0.5:
        data[other : other + 56] = first
    return f"segments at {one:#x} and {other:#x}"


def _dynamic(data: bytearray, draw: random.Random) -> str:
    at, count = _table(data)
    for index in range(count):
        kind, _, offset, _, _, size, *_ = kernel.SEGMENT.unpack_from(data, at + 56 * index)
        if kind == kernel.DYNAMIC and 16 <= size <= len(data) and offset + size <= len(data):
            place = offset + 16 * draw.randrange(size // 16)
            if draw.random() < 0.6:
                return "tag " + _put(data, place, 8, draw, TAGS)
            return "value " + _put(data, place + 8, 8, draw, (0, 1, 4, 8, 0x08000001, 0x10000))
    return "nothing"


def _section(data: bytearray, draw: random.Random) -> str:
    at, count = struct.unpack_from("<Q", data, 40)[0], struct.unpack_from("<H", data, 60)[0]
    if not count or at + 64 * count > len(data):
        return "nothing"
    place, size = draw.choice(((0, 4), (4, 4), (8, 8), (16, 8), (24, 8), (32, 8), (40, 4), (48, 8)))
    where = at + 64 * draw.randrange(count) + place
    return "section " + _put(data, where, size, draw, (0, 1, 2, 3, 8))


def _byte(data: bytearray, draw: random.Random) -> str:
    place = draw.randrange(min(len(data), 4096))
    data[place] = draw.randrange(256)
    return f"byte {place:#x}"


def _tail(data: bytearray, draw: random.Random) -> str:
    if len(data) > 64 and draw.random() < 0.3:
        size = draw.randrange(64, len(data))
        del data[size:]
        return f"cut to {size}"
    more = bytes(draw.randrange(256) for _ in range(draw.randrange(1, 40)))
    data += more
    return f"{len(more)} bytes appended"


Change = Callable[[bytearray, random.Random], str]
CHANGES: tuple[Change, ...] = (
    _header, _segment, _segment, _segment, _segment, _exchange, _dynamic, _dynamic, _section,
    _byte, _tail,
)  # fmt: skip


def made(folder: Path) -> Iterator[bytes]:
    """Executables that pass, made here: by hand, and by the host's linker where there is one."""
    from doit_cargo.core.errors import PipelineError  # noqa: PLC0415 - of use here alone
    from doit_cargo.tools.process import run  # noqa: PLC0415

    yield elf()
    code = folder / "start.c"
    code.write_text(
        "int counter = 1;\nint *const kept = &counter;\n"
        "void _start(void) { for (;;) counter += *kept; }\n"
    )
    hardened = ("-static-pie", "-Wl,-z,relro,-z,now", "-Wl,-z,noexecstack", "-s")
    for number, more in enumerate(((), ("-Wl,-z,noseparate-code",), ("-fuse-ld=lld",))):
        out = folder / f"start{number}"
        try:
            run(["gcc", "-nostdlib", "-O1", *hardened, *more, code, "-o", out])
        except PipelineError:
            continue
        yield out.read_bytes()


def main(argv: Sequence[str]) -> int:
    """Search for as long as is said; 1 if something was found."""
    import tempfile  # noqa: PLC0415 - of use here alone

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("file", nargs="*", type=Path)
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        files = [path.read_bytes() for path in options.file] or list(made(Path(folder)))
    seeds = [data for data in files if passes(data)]
    print(f"{len(seeds)} of {len(files)} files pass and are changed")
    found = search(seeds, options.seed, options.seconds)
    print("\n".join(found.faults))
    rate = found.mutants / options.seconds
    print(
        f"seed {options.seed}: {found.mutants:,} mutants, {rate:,.0f} a second: {dict(found.ends)}"
    )
    return 1 if found.faults or not seeds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
