"""Verifies executables: reads a file once, asks two readers about those bytes, then the policy."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from typing import TYPE_CHECKING, Any, NamedTuple

from doit_cargo.core.elf import reader
from doit_cargo.core.elf.build_paths import find_build_paths
from doit_cargo.core.elf.policy import Violation, judge
from doit_cargo.core.errors import CheckError
from doit_cargo.tools.elf.second_opinion import SecondOpinion

if TYPE_CHECKING:
    from pathlib import Path

    from doit_cargo.core.elf.reader import Facts
    from doit_cargo.core.model import Binary, Policy, Target

__all__ = [
    "SIZE_LIMIT", "SecondOpinion", "Verdict", "as_record", "check", "explain", "read_artifact",
    "sha256",
]  # fmt: skip

SIZE_LIMIT = 1 << 30
"""The most bytes of any file that is read into memory; policy sets tighter bounds."""

_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a directory", stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device", stat.S_IFBLK: "a device",
}  # fmt: skip
_REMOVE = "remove it and build again"


class Verdict(NamedTuple):
    """What was found about some bytes: their SHA-256 (hex), size in bytes, facts, broken rules."""

    sha256: str
    size: int
    facts: Facts
    violations: tuple[Violation, ...]

    @property
    def passed(self) -> bool:
        """No rule of level `deny` is broken."""
        return not any(v.level == "deny" for v in self.violations)


_Key = tuple[object, ...]
_known: dict[_Key, Verdict] = {}


def sha256(data: bytes) -> str:
    """Hash bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def read_artifact(path: Path, *, max_size: int) -> bytes:
    """Read a regular file, once and whole, through no symbolic link.

    Raises CheckError, with the path and what to do, when it is missing, of another kind, empty,
    larger than `max_size` bytes, unreadable, or changes while it is read.
    """
    try:
        descriptor = os.open(path, _OPEN)
    except OSError as error:
        raise CheckError(f"{path} {_refusal(path, error)}") from None
    try:
        return _whole(path, descriptor, max_size)
    except OSError as error:
        raise CheckError(f"{path} cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)


def check(
    data: bytes, *, binary: Binary, target: Target, policy: Policy,
    needles: tuple[bytes, ...], opinion: SecondOpinion,
) -> Verdict:  # fmt: skip
    """Judge the bytes of a binary. The same question asked again in this process is free.

    Raises CheckError if they are no sound ELF file, or if LIEF refuses them or sees other facts.
    A broken rule raises nothing: it is in the verdict.
    """
    digest = sha256(data)
    key = (digest, binary, target, _hashable(policy), needles)
    if key not in _known:
        try:
            facts = _agreed(data, opinion)
        except CheckError as error:
            raise CheckError(f"{binary.name} ({target.triple}) is not sound: {error}") from None
        violations = judge(
            facts, policy=policy, target=target, binary_name=binary.name,
            build_paths=find_build_paths(data, needles),
        )  # fmt: skip
        _known[key] = Verdict(sha256=digest, size=len(data), facts=facts, violations=violations)
    return _known[key]


def explain(verdict: Verdict) -> str:
    """List the broken rules, one a line; empty if there are none."""
    return "\n".join(f"  {v.level} {v}" for v in verdict.violations)


def as_record(verdict: Verdict) -> dict[str, Any]:
    """Give the verdict as JSON has it."""
    return {
        "sha256": verdict.sha256,
        "size": verdict.size,
        "passed": verdict.passed,
        "facts": reader.as_dict(verdict.facts),
        "violations": [
            {"rule": v.rule, "level": v.level, "found": v.found, "wanted": v.wanted}
            for v in verdict.violations
        ],
    }


def _agreed(data: bytes, opinion: SecondOpinion) -> Facts:
    """Read with both readers: what only one of them sees is not believed."""
    try:
        facts = reader.read(data)
    except reader.ElfError as error:
        raise CheckError(f"{error}. {_REMOVE.capitalize()}") from None
    other = opinion.ask(data)
    for name, value in reader.as_dict(facts).items():
        if name not in other or other[name] != value:
            raise CheckError(
                f"two readers disagree on {name}: {value!r} by its headers, {other.get(name)!r} "
                f"by LIEF. The file is malformed or forged: {_REMOVE}"
            )
    return facts


def _hashable(policy: Policy) -> _Key:
    levels, budgets = (tuple(sorted(m.items())) for m in (policy.levels, policy.budgets))
    return levels, policy.min_size, policy.max_size, budgets


def _refusal(path: Path, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "is missing: build it first"
    if error.errno in {errno.ELOOP, errno.EMLINK} and path.is_symlink():
        return f"is a symbolic link, which is never followed: {_REMOVE}"
    if error.errno in {errno.ENXIO, errno.EOPNOTSUPP}:
        return f"is a socket or a device, no file: {_REMOVE}"
    if error.errno == errno.EACCES:
        return f"may not be read: chmod u+r {path}"
    return f"cannot be opened: {error.strerror}"


def _whole(path: Path, descriptor: int, max_size: int) -> bytes:
    found = os.fstat(descriptor)
    kind = stat.S_IFMT(found.st_mode)
    if kind != stat.S_IFREG:
        raise CheckError(f"{path} is {_KINDS.get(kind, 'no file')}, no regular file: {_REMOVE}")
    if not found.st_size:
        raise CheckError(f"{path} is empty: {_REMOVE}")
    if found.st_size > max_size:
        raise CheckError(f"{path} has {found.st_size:,} bytes, more than {max_size:,}: {_REMOVE}")
    with os.fdopen(descriptor, "rb", buffering=0, closefd=False) as file:
        data = file.read(found.st_size + 1)
    if len(data) != found.st_size:
        raise CheckError(
            f"{path} changed while it was read: let the build end, then run doit again"
        )
    return data
