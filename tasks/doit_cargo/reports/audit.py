"""Checks from scratch what lies on disk: built, packaged and staged binaries, manifest, sums.

Reads no record and no state: nothing that an earlier run noted can make it pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from doit_cargo.core import layout, manifest
from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context, Target
from doit_cargo.core.text import one_line
from doit_cargo.tools import artifact, files
from doit_cargo.tools.elf import verify
from doit_cargo.tools.elf.second_opinion import SecondOpinion


def faults(ctx: Context, targets: Sequence[Target], opinion: SecondOpinion) -> Iterator[str]:
    """One line for each thing that is wrong."""
    for target in targets:
        sums: dict[Binary, str] = {}
        for binary in ctx.ship:
            yield from _binary(ctx, target, binary, opinion, sums)
        yield from _manifest(ctx, target, sums)
        yield from _foreign(ctx, target)


def _binary(
    ctx: Context, target: Target, binary: Binary, opinion: SecondOpinion,
    sums: dict[Binary, str],
) -> Iterator[str]:  # fmt: skip
    """The three places of a binary: each valid, and all the same."""
    built = layout.final_executable(ctx, target, binary)
    packaged = layout.packaged(ctx.config, target, binary)
    staged = layout.staged(ctx.config, target, binary)
    found: dict[Path, str] = {}
    for path in (built, packaged, staged):
        try:
            verdict = verify.verify_file(ctx, opinion, target, binary, path)
        except CheckError as error:
            yield str(error)
            continue
        found[path] = verdict.sha256
        if not verdict.passed:
            yield f"{path} does not pass:\n{verify.explain(verdict)}"
    yield from _alike(found, packaged)
    yield from (
        f"{path} does not have mode {layout.BINARY_MODE:o}: run doit"
        for path in (packaged, staged)
        if path in found and not files.is_plain(path, layout.BINARY_MODE)
    )
    if packaged in found:
        sums[binary] = found[packaged]


def _alike(found: dict[Path, str], packaged: Path) -> Iterator[str]:
    for path, sha in found.items():
        if packaged in found and sha != found[packaged]:
            yield f"{path} differs from {packaged}: run doit"


def _manifest(ctx: Context, target: Target, sums: dict[Binary, str]) -> Iterator[str]:
    """Both files, byte for byte, as the packaged binaries require."""
    if len(sums) < len(ctx.ship):
        return
    expected = {
        layout.manifest(ctx.config, target): manifest.text(ctx.config.title, target, sums),
        layout.checksums(ctx.config, target): manifest.checksums(sums),
    }
    for path, text in expected.items():
        found = None
        with suppress(OSError, CheckError):
            found = artifact.read(path, max_size=1 << 20)
        if found != text.encode():
            yield f"{path} does not list what lies beside it: run doit"


def _foreign(ctx: Context, target: Target) -> Iterator[str]:
    config = ctx.config
    expected = {
        layout.packages(config, target): {
            layout.manifest(config, target), layout.checksums(config, target),
            *(layout.packaged(config, target, binary) for binary in ctx.ship),
        },
        layout.staging(config, target): {
            layout.staged(config, target, binary) for binary in ctx.ship
        },
    }  # fmt: skip
    for folder, known in expected.items():
        for path in sorted(files.listing(folder) - known):
            yield f"{one_line(path)} belongs to no shipped binary: run doit"
