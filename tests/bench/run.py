"""Speed and memory, side by side with what they are compared to.

    python tests/bench/run.py [no-op|cold|edit|scale|verify|services …]

Times are this machine's; the ratios are what counts. Every pair is run in turn (A B B A …), and
the median of the pairs' ratios is printed. Nothing here is a test: it asserts nothing.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess  # noqa: TID251 - whole processes are what is measured
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).parents[2] / "tasks")]

from corpus.workspaces import adopted
from helpers.project import REPOSITORY, Project
from helpers.workspaces import generate

Row = tuple[str, str, str, str]
Call = Callable[[], object]

BARE = 'def task_trivial():\n    return {"actions": ["true"], "file_dep": ["dodo.py"]}\n'
PYTHON = sys.executable
SUMS = 'python=$1; shift; sha256sum "$@" && "$python" -c "import lief"'
DOIT = str(Path(PYTHON).with_name("doit"))


def run(argv: list[str], cwd: Path, env: dict[str, str] | None = None) -> None:
    """A process that must succeed, its output thrown away."""
    subprocess.run(argv, cwd=cwd, env=env or Project.environment(None), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip


def timed(call: Call) -> float:
    """Seconds that the call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def paired(ours: Call, theirs: Call, runs: int, reset: Call = lambda: None) -> tuple[float, ...]:
    """Medians of both in seconds, and of the ratio and difference of the pairs.

    Who comes first takes turns: the first to read a file waits for the disk.
    """
    pairs = []
    for number in range(runs):
        times = {}
        for call in (ours, theirs) if number % 2 else (theirs, ours):
            reset()
            times[call] = timed(call)
        pairs.append((times[ours], times[theirs]))
    return (
        median(a for a, _ in pairs), median(b for _, b in pairs),
        median(a / b for a, b in pairs), median(a - b for a, b in pairs),
    )  # fmt: skip


def row(what: str, versus: str, found: tuple[float, ...], bar: str) -> Row:
    """A line of the table."""
    ours, theirs, ratio, difference = found
    numbers = f"{ours:.3f} s / {theirs:.3f} s = {ratio:.2f} ({difference:+.3f} s)"
    return what, versus, numbers, bar


def example(folder: Path) -> Path:
    """A copy of this project with its bundled workspace, and nothing built."""
    made = ("target", ".doit-cargo", ".git", ".venv", "binaries", "context")
    ignored = shutil.ignore_patterns(*made)
    shutil.copytree(REPOSITORY, folder, ignore=ignored)
    return folder


def bare(folder: Path) -> Call:
    """A doit with one trivial task that is up to date."""
    folder.mkdir()
    (folder / "dodo.py").write_text(BARE)
    run([DOIT], folder)
    return lambda: run([DOIT], folder)


def no_op(work: Path) -> Iterator[Row]:
    """A run with nothing to do: its time, and its peak memory."""
    project = example(work / "project")
    run([DOIT], project)
    found = paired(lambda: run([DOIT], project), bare(work / "bare"), 20)
    yield row("no-op doit", "bare doit", found, "≤ 1.5")
    with (Path(os.devnull)).open("w") as null:
        child = subprocess.Popen([DOIT], cwd=project, stdout=null)
        _, _, usage = os.wait4(child.pid, 0)
    yield "peak memory of a no-op", "", f"{usage.ru_maxrss / 1024:.0f} MiB", "≤ 60 MB"


def cold(work: Path) -> Iterator[Row]:
    """Everything from sources, against the same cargo command by hand."""
    project = example(work / "project")
    found = from_nothing(project, project / "examples/fechatter", 3)
    yield row("cold doit", "the cargo command alone", found, "≤ 1.05 + 1 s")


def services(work: Path) -> Iterator[Row]:
    """The same with hundreds of crates, OpenSSL, SQLite and ring: minutes, so two pairs."""
    project = adopted("services", work).root
    run(["cargo", "fetch", "--locked"], project)
    found = from_nothing(project, project, 2)
    yield row("cold doit, three servers", "the cargo command alone", found, "≤ 1.05")


def from_nothing(project: Path, workspace: Path, runs: int) -> tuple[float, ...]:
    """Pairs of builds with no target folder, state or output: doit, and cargo by hand."""
    command = subprocess.run([DOIT, "env"], cwd=project, text=True, capture_output=True, check=True)

    def reset() -> None:
        for path in (workspace / "target", project / ".doit-cargo", project / "docker"):
            shutil.rmtree(path, ignore_errors=True)

    return paired(
        lambda: run([DOIT], project),
        lambda: run(["sh", "-c", command.stdout], workspace),
        runs,
        reset,
    )


def edit(work: Path) -> Iterator[Row]:
    """From a saved edit to the staged binary, against cargo building that binary."""
    project = example(work / "project")
    run([DOIT], project)
    source = project / "examples/fechatter/notify_server/src/main.rs"
    argv = subprocess.run([DOIT, "env"], cwd=project, text=True, capture_output=True, check=True)
    by_hand = argv.stdout.replace("--bin fechatter_server", "")
    for name in ("analytics_server", "fechatter_gateway", "bot", "indexer"):
        by_hand = by_hand.replace(f"--bin {name}", "")
    workspace = project / "examples/fechatter"

    def save() -> None:
        source.write_text(source.read_text() + "// another line\n")

    found = paired(
        lambda: run([DOIT], project), lambda: run(["sh", "-c", by_hand], workspace), 7, save
    )
    yield row("edit of one binary, to staged", "cargo build --bin", found, "+ 0.5 s")


def scale(work: Path) -> Iterator[Row]:
    """No-ops in generated workspaces, against bare doit and cargo's own no-op."""
    trivial = bare(work / "bare")
    for crates in (100, 300, 1000):
        for binaries, bar in ((10, "≤ 5 at 1,000"), (crates, "≤ 10 at 1,000")):
            root = work / f"{crates}-{binaries}"
            generate(root, crates=crates, files=10, dependencies=3, binaries=binaries, seed=1)
            project = small(root)
            run([DOIT], root)
            found = paired(lambda root=root: run([DOIT], root), trivial, 7)  # type: ignore[misc]
            command = project.build("env")
            cargo = timed(lambda command=command, root=root: run(["sh", "-c", command], root))  # type: ignore[misc]
            what = f"no-op, {crates} crates, {binaries} binaries"
            yield row(what, f"bare doit (cargo's own: {cargo:.2f} s)", found, bar)
            shutil.rmtree(root)


def small(root: Path) -> Project:
    """A generated workspace as a project, with a profile that compiles and links quickly."""
    with (root / "Cargo.toml").open("a") as manifest:
        manifest.write("\n[profile.dev]\ndebug = 0\nstrip = true\n")
    project = Project(root, {})
    config = root / "config/pipeline.yaml"
    config.write_text(config.read_text() + "profile: dev\n")
    return project


def verify(work: Path) -> Iterator[Row]:
    """Reading, judging and hashing 73 MB of executables, against sha256sum and importing LIEF."""
    project = example(work / "project")
    run([DOIT], project)
    names = padded(project)
    program = Path(__file__).with_name("verify_all.py")
    found = paired(
        lambda: run([PYTHON, str(program), *names], project),
        lambda: run(["sh", "-c", SUMS, "sh", PYTHON, *names], project),
        7,
    )
    yield row("verify and hash 73 MB", "sha256sum + import lief", found, "≤ 2 sums + import")


def padded(project: Path) -> list[str]:
    """The six binaries, each with a loadable note of zeros, 73 MB in all."""
    names = sorted((project / "docker/context/binaries").glob("*/*"))
    for path in names:
        with path.open("ab") as file:
            file.truncate(73_000_000 // len(names))
    return [str(path) for path in names]


BENCHES = {
    "no-op": no_op, "cold": cold, "edit": edit, "scale": scale, "verify": verify,
    "services": services,
}  # fmt: skip
QUICK = [name for name in BENCHES if name != "services"]


def main() -> None:
    """Run the named benches, or all that take no minutes, and print the table as it grows."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in sys.argv[1:] or QUICK:
        with tempfile.TemporaryDirectory() as folder:
            for what, versus, numbers, bar in BENCHES[name](Path(folder)):
                print(f"{what:36} {versus:36} {numbers:44} {bar}", flush=True)


if __name__ == "__main__":
    main()
