"""Target triples: which are supported."""

from __future__ import annotations

import re
from typing import Final

from doit_cargo.core.architectures import ARCHITECTURES
from doit_cargo.core.settings.faults import quote
from doit_cargo.core.settings.shapes import Text

_STATIC: Final = "-[a-z0-9_]+-linux-musl[a-z0-9]*"


class Triple(Text):
    """A triple that gives static binaries, musl's, of a processor that is known."""

    def __init__(self) -> None:
        super().__init__("a target triple", f"({'|'.join(ARCHITECTURES)}){_STATIC}")

    def complaint(self, text: str) -> str:
        """Say which triples are supported, and which was meant."""
        if re.fullmatch(f"[a-z0-9_]+{_STATIC}", text):
            return f"{quote(text)} is not supported, only {', '.join(ARCHITECTURES)} are"
        meant = text.replace("-linux-gnu", "-linux-musl")
        hint = f", did you mean {quote(meant)}?" if meant != text else ""
        return f"{quote(text)} is not supported, only triples *-linux-musl* are{hint}"
