"""Target triples: which are supported, and their Docker platforms."""

from __future__ import annotations

import re
from typing import Final

from doit_cargo.core.settings.faults import quote
from doit_cargo.core.settings.shapes import Text

_PLATFORMS: Final = {
    "x86_64": "linux/amd64",
    "aarch64": "linux/arm64",
    "i586": "linux/386",
    "i686": "linux/386",
    "armv7": "linux/arm/v7",
    "arm": "linux/arm/v6",
    "riscv64gc": "linux/riscv64",
    "powerpc64le": "linux/ppc64le",
    "s390x": "linux/s390x",
}
_STATIC: Final = "-[a-z0-9_]+-linux-musl[a-z0-9]*"


def platform_of(triple: str) -> str:
    """Return the Docker platform of a supported triple."""
    return _PLATFORMS.get(triple.partition("-")[0], "")


class Triple(Text):
    """A triple that gives static binaries, musl's, of a processor that is known."""

    def __init__(self) -> None:
        super().__init__("a target triple", f"({'|'.join(_PLATFORMS)}){_STATIC}")

    def complaint(self, text: str) -> str:
        """Say which triples are supported, and which was meant."""
        if re.fullmatch(f"[a-z0-9_]+{_STATIC}", text):
            return f"{quote(text)} is not supported, only {', '.join(_PLATFORMS)} are"
        meant = text.replace("-linux-gnu", "-linux-musl")
        hint = f", did you mean {quote(meant)}?" if meant != text else ""
        return f"{quote(text)} is not supported, only triples *-linux-musl* are{hint}"
