"""The crate that a linker symbol is named after: no more of demangling than its first name.

Sources: The rustc book, "Symbol Mangling" (legacy and v0); RFC 2603.
"""

from __future__ import annotations

import re

# Legacy: lengths and names between `_ZN` and a hash, which tells it from C++.
_LEGACY = re.compile(r"_ZN(\d{1,4})(.*17h[0-9a-f]{16}E)", re.DOTALL)
_PATH = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\.\.")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# v0: what may stand before the crate root (`C`): namespaces, generics, implementations with their
# disambiguator. `Y`, a trait's own method, has a type first: the crate of that, if it has one.
_V0 = re.compile(
    r"_R(?:N[A-Za-z]|I|[MX](?:s[0-9A-Za-z]*_)?|Y[RQPO]?)*"
    r"C(?:s[0-9A-Za-z]*_)?(\d{1,4})_?([A-Za-z0-9_]*)"
)


def crate_of(symbol: str) -> str | None:
    """The crate that defines what the symbol names; None if it is no Rust path."""
    if found := _V0.match(symbol):
        return found[2][: int(found[1])] or None
    if found := _LEGACY.match(symbol):
        return _first(found[2][: int(found[1])])
    return None


def _first(component: str) -> str | None:
    """`core`, or the first crate of `_$LT$T$u20$as$u20$core..fmt..Debug$GT$`."""
    if _NAME.fullmatch(component):
        return component
    path = _PATH.search(component)
    return path[1] if path else None
