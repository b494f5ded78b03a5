"""Each executable of the corpus gets its verdict, and who disagrees is known to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from corpus import executables
from corpus.executables import CHECKED, SCRIPTED, Case
from doit_cargo.core.elf.policy import RULE_NAMES
from doit_cargo.tools.elf.second_opinion import SecondOpinion
from helpers import engines

pytestmark = pytest.mark.integration

# Who says what otherwise than ours, and why.
DISAGREEMENTS = {
    # Without a dynamic section nothing is bound after the start, and nothing need be relocated:
    # ours asks RELRO of what is. Both others look for PT_GNU_RELRO and "now" in every file.
    ("readelf", "fixed address", "relro"),
    ("checksec", "fixed address", "relro"),
    ("readelf", "packed in one page", "relro"),
    ("checksec", "packed in one page", "relro"),
}
# What no file of this corpus breaks alone: each has its own tests.
ELSEWHERE = {"class", "endianness", "type", "size", "build_path"}


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> list[Case]:
    engines.need("gcc", "clang", "ld.lld", "musl-gcc", "readelf", "checksec")
    return list(executables.made(tmp_path_factory.mktemp("executables")))


@pytest.fixture(scope="module")
def opinion() -> Iterator[SecondOpinion]:
    with SecondOpinion() as asked:
        yield asked


def test_every_verdict_is_the_one_that_is_expected(
    cases: list[Case], opinion: SecondOpinion
) -> None:
    wrong = {
        case.said: (sorted(found), sorted(case.breaks))
        for case in cases
        if (found := executables.ours(case, opinion)) != case.breaks
    }

    assert wrong == {}
    assert len(cases) >= 150
    assert {case.maker for case in cases} >= {"gcc", "musl-gcc", "clang+lld", "zig"}
    assert {case.arch for case in cases} == set(executables.ARCHES)
    assert {rule for case in cases for rule in case.breaks} == {*RULE_NAMES, "refused"} - ELSEWHERE


def test_who_disagrees_does_so_for_a_reason_that_is_known(cases: list[Case]) -> None:
    found = set()
    for case in cases:
        if case.breaks == {"refused"}:
            continue
        for name, reader, rules in (
            ("readelf", executables.readelf, SCRIPTED),
            ("checksec", executables.checksec, CHECKED),
        ):
            different = (reader(case.path) & rules) ^ (case.breaks & rules)
            found |= {(name, case.name, rule) for rule in different}

    assert found == DISAGREEMENTS
