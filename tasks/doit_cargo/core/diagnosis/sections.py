"""The sections of docs/troubleshooting.md, by their anchors: what a hint names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_PAGE = "troubleshooting.md"


def sections() -> Mapping[str, str]:
    """Anchor → the section's text, with its heading. Anchors are as GitHub makes them."""
    parts = re.split(r"(?m)^(?=## )", _text())[1:]
    return {_anchor(part.partition("\n")[0]): part.rstrip() for part in parts}


def _text() -> str:
    """The page as it is installed, or of the checkout that this module lies in."""
    here = Path(__file__)
    installed = here.with_name(_PAGE)
    page = installed if installed.is_file() else here.parents[4] / "docs" / _PAGE
    return page.read_text("utf-8")


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lstrip("# ").lower()).replace(" ", "-")
