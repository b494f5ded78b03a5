"""A minute of mutants; the program beside this file makes as many as it is told."""

from __future__ import annotations

import elf as fuzz
import pytest

from doit_cargo.core.elf.policy import RULE_NAMES
from doit_cargo.core.model import Level

# What the model knows nothing of, since it is no matter of running: what the file is called, how
# long it is, what strings it holds. It reads no other class and byte order, and no symbols.
OTHERS = {"class", "endianness", "os_abi", "type", "stripped", "size", "build_path"}


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    found = [data for data in fuzz.made(tmp_path_factory.mktemp("made")) if fuzz.passes(data)]
    assert len(found) >= 2
    return found


@pytest.mark.integration
def test_no_mutant_passes_that_the_kernel_would_run_otherwise(seeds: list[bytes]) -> None:
    found = fuzz.search(seeds, seed=11, seconds=60)

    assert found.faults == []
    assert found.mutants > 10_000
    assert found.ends["passed"] > 1_000
    assert found.ends["refused"] > 1_000


@pytest.mark.parametrize("rule", [rule for rule in RULE_NAMES if rule not in OTHERS])
def test_the_model_would_tell_if_a_rule_were_not_there(
    monkeypatch: pytest.MonkeyPatch, seeds: list[bytes], rule: str
) -> None:
    levels: dict[str, Level] = {**fuzz.POLICY.levels, rule: "off"}
    monkeypatch.setattr(fuzz, "POLICY", fuzz.POLICY._replace(levels=levels))

    found: set[str] = set()
    for seed in range(100):
        if found:
            break
        found |= {rule} & fuzz.search(seeds, seed, seconds=0.2).rules

    assert found == {rule}
