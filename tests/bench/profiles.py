"""What a Cargo profile costs and saves: size and processor time of the bundled workspace.

    python tests/bench/profiles.py [BINARY …]

Each row is a cold build, in a target folder of its own, by the very command of `doit`, with the
settings of `[profile.release]` given on cargo's command line; the workspace is not touched.
Advice for whoever writes a Cargo.toml: nothing here is ever applied by the pipeline.
"""

from __future__ import annotations

import os
import resource
import subprocess  # noqa: TID251 - whole builds are what is measured
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).parents[2] / "tasks")]

from doit_cargo.core.cargo import command
from doit_cargo.core.context import read_context
from doit_cargo.core.model import Context
from doit_cargo.core.text import columns, size
from helpers.project import REPOSITORY

Settings = Mapping[str, str]

BINARIES = ("fechatter_server", "bot")
# Cargo's own defaults for `release`, which the rows below change: The Cargo Book, "Profiles".
DEFAULT: Settings = {
    "opt-level": "3", "lto": "false", "codegen-units": "16", "panic": '"unwind"', "strip": "true",
}  # fmt: skip
CHANGES: tuple[Settings, ...] = (
    {},
    {"strip": "false"},
    {"strip": '"debuginfo"'},
    {"opt-level": "2"},
    {"opt-level": '"s"'},
    {"opt-level": '"z"'},
    {"lto": '"thin"'},
    {"lto": '"fat"'},
    {"codegen-units": "1"},
    {"panic": '"abort"'},
    {"lto": '"thin"', "panic": '"abort"'},
    {"lto": '"fat"', "codegen-units": "1", "panic": '"abort"'},
    {"opt-level": '"s"', "lto": '"fat"', "codegen-units": "1", "panic": '"abort"'},
    {"opt-level": '"z"', "lto": '"fat"', "codegen-units": "1", "panic": '"abort"'},
)


def build(ctx: Context, settings: Settings, binaries: Sequence[str]) -> tuple[list[int], float]:
    """The size in bytes of each binary, and the seconds of processor time of a cold build."""
    (target,) = [target for target in ctx.config.targets if target.default]
    flags = [f"profile.release.{key}={value}" for key, value in settings.items()]
    with tempfile.TemporaryDirectory() as folder:
        env = command.cargo_env(ctx, target)
        env |= {"CARGO_TARGET_DIR": folder, "CARGO_BUILD_BUILD_DIR": folder}
        before = processor_time()
        subprocess.run(
            [*command.argv(ctx, target, binaries), *(w for f in flags for w in ("--config", f))],
            cwd=ctx.graph.root, env=env, check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        made = Path(folder, target.triple, "release")
        sizes = [(made / name).stat().st_size for name in binaries]
        return sizes, processor_time() - before


def processor_time() -> float:
    """Seconds that the processes started from here have taken: other load counts little."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rows(ctx: Context, binaries: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """A row a profile: what it changes, each size and the time, with their share of the first's."""
    base: list[float] = []
    for changes in CHANGES:
        sizes, seconds = build(ctx, {**DEFAULT, **changes}, binaries)
        found = [*sizes, seconds]
        base = base or found
        texts = [*map(size, sizes), f"{seconds:.1f} s"]
        what = ", ".join(f"{key} = {value}" for key, value in changes.items())
        yield (
            what or "cargo's defaults, strip = true",
            *(f"{t} ({f / b:.0%})" for t, f, b in zip(texts, found, base, strict=True)),
        )


def main() -> None:
    """Build them all and print the table."""
    binaries = tuple(sys.argv[1:]) or BINARIES
    ctx = read_context(REPOSITORY, os.environ)
    lines = [("PROFILE", *binaries, "CPU TIME OF A COLD BUILD")]
    for row in rows(ctx, binaries):
        print(row[0], file=sys.stderr, flush=True)
        lines.append(row)
    print(columns(lines))


if __name__ == "__main__":
    main()
