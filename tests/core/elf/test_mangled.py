"""The crate in a mangled name, against names that rustc wrote."""

from __future__ import annotations

import pytest

from doit_cargo.core.elf.mangled import crate_of

_HASH = "17h0123456789abcdefE"


@pytest.mark.parametrize(
    ("symbol", "crate"),
    [
        ("_RNvCs9ltgdHTiPiY_7mycrate3foo", "mycrate"),
        ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate"),
        ("_RINvNtC3std3mem8align_ofjE", "std"),
        ("_RNvMs2_NtCs1234_7mycrate3fooNtB5_3Bar3new", "mycrate"),
        ("_RNvXs_Cs1234_7mycrateNtB4_3FooNtCs5678_4core5Clone5clone", "mycrate"),
        ("_RNvYNtCs1234_7mycrate3FooNtCs5678_4core5Clone10clone_from", "mycrate"),
        ("_RNvYjNtCs5678_4core5Clone5clone", None),
        (f"_ZN4core3fmt5write{_HASH}", "core"),
        (f"_ZN4core3fmt5write{_HASH}.llvm.123", "core"),
        (f"_ZN59_$LT$alloc..string..String$u20$as$u20$core..fmt..Debug$GT$3fmt{_HASH}", "alloc"),
        (f"_ZN42_$LT$$RF$T$u20$as$u20$core..fmt..Debug$GT$3fmt{_HASH}", "core"),
        (f"_ZN18_$LT$impl$u20$u8$GT$3abs{_HASH}", None),
        ("_ZN9libunwind10CFI_ParserINS_17LocalAddressSpaceEE9decodeFDEEv", None),
        ("printf_core", None),
        ("_R", None),
        ("_ZN99999", None),
        ("", None),
    ],
)
def test_the_crate_of_a_symbol(symbol: str, crate: str | None) -> None:
    assert crate_of(symbol) == crate


def test_a_long_forged_name_takes_no_time() -> None:
    assert crate_of("_R" + "Nv" * 2000 + "MsC" * 500) is None
    assert crate_of("_ZN9" + "17h" * 1300) is None
