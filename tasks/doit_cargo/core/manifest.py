"""The text of MANIFEST.txt and SHA256SUMS."""

from __future__ import annotations

from collections.abc import Mapping

from doit_cargo.core.model import Binary, Target


def text(title: str, target: Target, sums: Mapping[Binary, str]) -> str:
    """The guide's MANIFEST.txt: two comment lines, then `crate/bin␣␣sha256` in shipping order."""
    head = f"# {title} {target.arch} Binary Manifest\n# Target: {target.triple}\n\n"
    return head + "".join(f"{b.crate}/{b.name}  {sha}\n" for b, sha in sums.items())


def checksums(sums: Mapping[Binary, str]) -> str:
    """What `sha256sum -c --strict` reads: `sha256␣␣path`, relative to the package folder."""
    return "".join(f"{sha}  {b.crate}/{b.name}\n" for b, sha in sums.items())


def parse(text: str) -> dict[str, str]:
    """`crate/bin` → SHA-256 of a MANIFEST.txt. Raises ValueError naming a malformed line."""
    sums: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        path, separator, sha = line.partition("  ")
        if not separator or len(sha) != 64 or not set(sha) <= set("0123456789abcdef"):  # noqa: PLR2004
            raise ValueError(f"line {number} is not a `path  sha256` pair")
        if path in sums:
            raise ValueError(f"line {number} lists {path} again")
        sums[path] = sha
    return sums
