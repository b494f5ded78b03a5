"""Real programs through the whole pipeline, and a table of what came out.

    python tests/corpus/run.py [NAME …] [--arch x86_64,aarch64] [--table FILE] [--work FOLDER]

Each program of programs.yaml is fetched from the crate registry, gets the three files of an
adopted workspace and is built, verified, packaged and staged by `doit` in a folder of its own, for
x86_64, aarch64, riscv64 or armv7. Then readelf must say of each staged binary what ours said, and
the binary must tell its version, under qemu where it is for another processor. What was found is
kept in FOLDER/results.json: a second call does only what is missing or failed. The exit code is 1
if something failed.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import yaml

from corpus.attempt import ARCHES, Failure, Program, attempt, prepare
from corpus.table import markdown

HERE = Path(__file__).resolve().parent
WORK = HERE.parents[1] / ".doit-cargo/corpus"


def programs(path: Path) -> dict[str, Program]:
    """The data file."""
    data = yaml.safe_load(path.read_text())
    return {
        name: Program(name, str(it["version"]), tuple(it.get("features", ())))
        for name, it in data.items()
    }


def main() -> int:
    """Do what is missing, keep what was found, print the table."""
    options = _options()
    known = programs(HERE / "programs.yaml")
    wanted = [known[name] for name in options.names or known]
    results = Results(options.work / "results.json")
    for program in wanted:
        _missing(program, options.arch, options.work, results)
    text = markdown(known.values(), results.found, options.arch)
    (options.table.write_text if options.table else print)(text)
    good = [results.has(program, arch) for program in wanted for arch in options.arch]
    return 0 if all(good) else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument(
        "--arch", type=_arches, default="x86_64,aarch64", help=f"of {', '.join(ARCHES)}"
    )
    parser.add_argument("--table", type=Path, help="write the table there")
    parser.add_argument("--work", type=Path, default=WORK, help="sources and results")
    return parser.parse_args()


def _arches(text: str) -> list[str]:
    """The architectures of a list with commas."""
    found = text.split(",")
    if unknown := [arch for arch in found if arch not in ARCHES]:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: only {', '.join(ARCHES)}")
    return found


def _missing(program: Program, arches: Sequence[str], work: Path, results: Results) -> None:
    """Build the program where it has not succeeded; its folder is removed afterwards."""
    missing = [arch for arch in arches if not results.has(program, arch)]
    root = work / program.name
    shutil.rmtree(root, ignore_errors=True)
    failed = _unprepared(program, root, missing) if missing else {}
    for arch in missing:
        result = failed or attempt(program, root, arch)
        results.add(program, arch, result)
        print(f"{program.name} {arch}: {result['reason'] or 'ok'} ({result.get('seconds', '?')} s)",
              file=sys.stderr, flush=True)  # fmt: skip
    shutil.rmtree(root, ignore_errors=True)


def _unprepared(program: Program, root: Path, arches: Sequence[str]) -> dict[str, object]:
    """Prepare it; if that fails, what is the result for all architectures."""
    try:
        prepare(program, root, arches)
    except Failure as failure:
        return {"reason": str(failure)}
    return {}


class Results:
    """What was found, in a file that is written after each attempt."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.found = json.loads(path.read_text()) if path.exists() else {}

    def has(self, program: Program, arch: str) -> bool:
        """Tell whether this version, with these features, succeeded."""
        result = self.found.get(program.key, {}).get(arch)
        return result is not None and not result["reason"]

    def add(self, program: Program, arch: str, result: dict[str, object]) -> None:
        """Keep a result."""
        self.found.setdefault(program.key, {})[arch] = result
        self._path.parent.mkdir(parents=True, exist_ok=True)
        new = self._path.with_suffix(".new")
        new.write_text(json.dumps(self.found, indent=1) + "\n")
        new.replace(self._path)


if __name__ == "__main__":
    sys.exit(main())
