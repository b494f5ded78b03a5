"""What is said of a name that there is not."""

from __future__ import annotations

import pytest

from doit_cargo.core.settings.faults import nearest

MANY = tuple(f"crate-{number}" for number in range(30))


@pytest.mark.parametrize(
    ("name", "known", "said"),
    [
        ("stge", ("stage", "verify"), "did you mean 'stage'?"),
        ("zzz", ("stage", "verify"), "known: stage, verify"),
        ("zzz", (), "it has none"),
        ("zzz", MANY, f"known: {', '.join(MANY[:20])} and 10 more"),
        ("crate-77", MANY, "did you mean 'crate-7'?"),
    ],
)
def test_the_nearest_name(name: str, known: tuple[str, ...], said: str) -> None:
    assert nearest(name, known) == said
