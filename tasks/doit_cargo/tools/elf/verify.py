"""Verifies executables: two readers must agree about the bytes, then the policy decides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from doit_cargo.core.cargo import machine_paths
from doit_cargo.core.elf import reader
from doit_cargo.core.elf.build_paths import find_build_paths
from doit_cargo.core.elf.policy import Violation, judge
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.tools import artifact
from doit_cargo.tools.elf.second_opinion import SecondOpinion

if TYPE_CHECKING:
    from doit_cargo.core.elf.reader import Facts
    from doit_cargo.core.model import Policy

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


def verify_file(
    ctx: Context, opinion: SecondOpinion, target: Target, binary: Binary, path: Path
) -> Verdict:
    """The verdict about the file's bytes, read once. Raises CheckError if it is not a valid ELF."""
    return verify_bytes(ctx, opinion, target, binary, path=path, data=artifact.read(path))


def verify_bytes(
    ctx: Context,
    opinion: SecondOpinion,
    target: Target,
    binary: Binary,
    *,
    path: Path,
    data: bytes,
) -> Verdict:
    """The verdict about these very bytes, found at `path`, by the configured policy.

    Raises CheckError if they are not a valid ELF file.
    """
    try:
        return check(
            data,
            binary=binary,
            target=target,
            policy=ctx.policies[target.arch],
            needles=machine_paths.private_paths(ctx, target),
            opinion=opinion,
        )
    except CheckError as error:
        raise CheckError(f"{path}: {error}") from None


def must_pass(
    ctx: Context, opinion: SecondOpinion, target: Target, binary: Binary, *, path: Path,
    data: bytes,
) -> None:  # fmt: skip
    """Raise CheckError unless these bytes, found at `path`, pass the configured policy."""
    verdict = verify_bytes(ctx, opinion, target, binary, path=path, data=data)
    if not verdict.passed:
        raise CheckError(f"{path} does not pass:\n{explain(verdict)}")


def check(
    data: bytes, *, binary: Binary, target: Target, policy: Policy,
    needles: tuple[bytes, ...], opinion: SecondOpinion,
) -> Verdict:  # fmt: skip
    """Judge the bytes of a binary. The same question asked again in this process is free.

    Raises CheckError if they are not a valid ELF file, or if LIEF refuses them or sees other facts.
    A broken rule raises nothing: it is in the verdict.
    """
    digest = artifact.sha256(data)
    key = (digest, binary, target, _hashable(policy), needles)
    if key not in _known:
        try:
            facts = _agreed(data, opinion)
        except CheckError as error:
            raise CheckError(f"{binary.name} ({target.triple}) is not valid: {error}") from None
        violations = judge(
            facts, policy=policy, target=target, binary_name=binary.name,
            build_paths=find_build_paths(data, needles),
        )  # fmt: skip
        _known[key] = Verdict(sha256=digest, size=len(data), facts=facts, violations=violations)
    return _known[key]


def lines(verdict: Verdict) -> tuple[str, ...]:
    """The broken rules, a line each."""
    return tuple(f"  {v.level} {v}" for v in verdict.violations)


def explain(verdict: Verdict) -> str:
    """List the broken rules, one a line; empty if there are none."""
    return "\n".join(lines(verdict))


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
        if name not in reader.OWN and (name not in other or other[name] != value):
            raise CheckError(
                f"two readers disagree on {name}: {value!r} by its headers, {other.get(name)!r} "
                f"by LIEF. The file is malformed or forged: {_REMOVE}"
            )
    return facts


def _hashable(policy: Policy) -> _Key:
    levels, budgets = (tuple(sorted(m.items())) for m in (policy.levels, policy.budgets))
    return levels, policy.min_size, policy.max_size, budgets
