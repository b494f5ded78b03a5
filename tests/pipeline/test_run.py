"""The whole pipeline on a small workspace: what a user sees and holds after `doit`."""

from __future__ import annotations

import re
import subprocess  # noqa: TID251
import time
from pathlib import Path

import pytest

from helpers.project import DOIT, Project, sha256

pytestmark = pytest.mark.integration


def test_the_first_run_lays_everything_out(shared: Project) -> None:
    names = ["alpha", "beta"]
    assert sorted(shared.tree("docker/binaries")) == [
        "x86_64/MANIFEST.txt", "x86_64/SHA256SUMS", "x86_64/alpha/alpha", "x86_64/beta/beta",
    ]  # fmt: skip
    assert sorted(shared.tree("docker/context")) == ["binaries/alpha/alpha", "binaries/beta/beta"]
    for name in names:
        assert sha256(shared.built(name)) == sha256(shared.packaged(name))
        assert sha256(shared.packaged(name)) == sha256(shared.staged(name))
        assert shared.staged(name).stat().st_mode & 0o7777 == 0o755


def test_the_binaries_run_and_are_static(shared: Project) -> None:
    said = subprocess.run([shared.staged("alpha")], capture_output=True, text=True, check=True)
    header = subprocess.run(
        ["readelf", "-hldW", shared.staged("alpha")], capture_output=True, text=True, check=True
    ).stdout

    assert said.stdout == "alpha hello\n"
    assert "INTERP" not in header
    assert "(NEEDED)" not in header
    assert "DYN (Position-Independent Executable file)" in header
    assert "BIND_NOW" in header


def test_the_manifest_is_the_guides(shared: Project) -> None:
    title = shared.root.name[:1].upper() + shared.root.name[1:]
    text = shared.path("docker/binaries/x86_64/MANIFEST.txt").read_text()
    head, _, rest = text.partition("\n\n")

    assert re.fullmatch(r"# .+ x86_64 Binary Manifest\n# Target: x86_64-unknown-linux-musl", head)
    assert title.split("_")[0].lower()[:4] in head.lower()
    assert rest == "".join(f"{n}/{n}  {sha256(shared.packaged(n))}\n" for n in ("alpha", "beta"))


def test_sha256sum_accepts_the_sums(shared: Project) -> None:
    done = subprocess.run(
        ["sha256sum", "-c", "--strict", "SHA256SUMS"],
        cwd=shared.path("docker/binaries/x86_64"), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (0, "alpha/alpha: OK\nbeta/beta: OK\n")


def test_a_second_run_says_one_line_and_touches_nothing(shared: Project) -> None:
    before = shared.stamps(".")
    done = shared.doit()

    assert re.fullmatch(
        r"up to date: 2 binaries, [\d.]+ KiB in docker/context/binaries \([\d.]+ s\)\n",
        done.stdout,
    )
    assert done.stderr == ""
    assert shared.stamps(".") == before


def test_a_no_op_starts_no_process_and_imports_nothing_heavy(
    shared: Project, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    argv: list[str | Path] = [
        "strace",
        "-f",
        "-e",
        "trace=execve,execveat,fork,vfork,clone,clone3",
        "-o",
        trace,
    ]
    done = shared.doit(env={"PYTHONPROFILEIMPORTTIME": "1"})
    traced = subprocess.run(
        [*argv, DOIT],
        cwd=shared.root, env=shared.environment(None), check=False, capture_output=True,
    )  # fmt: skip

    imported = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
    assert traced.returncode == 0
    assert len(re.findall(r"execve", trace.read_text())) == 1
    assert re.findall(r"\b(?:v?fork|clone3?)\((?!.*CLONE_THREAD)", trace.read_text()) == []
    assert "doit_cargo.pipeline" in imported
    assert imported & {"lief", "structlog", "rich", "ziglang", "jsonschema"} == set()


def test_an_edit_redoes_one_binary_and_leaves_the_other(finished: Project) -> None:
    before = {f: finished.stamps(f) for f in ("docker", ".doit-cargo/records")}
    other = finished.built("alpha").stat()
    finished.path("beta/src/main.rs").write_text('fn main() { println!("new"); }\n')

    said = finished.build()

    assert "1 built, 1 reused" in said
    said_now = subprocess.run([finished.staged("beta")], capture_output=True, text=True, check=True)
    assert said_now.stdout == "new\n"
    changed = {
        name
        for folder, stamps in before.items()
        for name, stamp in finished.stamps(folder).items()
        if stamps.get(name) != stamp
    }
    assert finished.built("alpha").stat().st_ino == other.st_ino
    assert finished.built("alpha").stat().st_mtime_ns == other.st_mtime_ns
    assert changed == {
        "binaries/x86_64/beta/beta", "binaries/x86_64/MANIFEST.txt", "binaries/x86_64/SHA256SUMS",
        "context/binaries/beta/beta", "x86_64/build/beta.json", "x86_64/verify/beta.json",
    }  # fmt: skip


def test_an_edit_below_redoes_every_binary_above(finished: Project) -> None:
    before = finished.tree("docker/context")
    finished.path("core/src/lib.rs").write_text('pub fn greet() -> &\'static str { "bye" }\n')

    assert "2 built, 0 reused" in finished.build()
    assert all(finished.tree("docker/context")[name] != state for name, state in before.items())


def test_a_touch_rebuilds_nothing(finished: Project) -> None:
    for path in finished.root.rglob("*.rs"):
        path.touch()

    assert finished.build().startswith("up to date: 2 binaries")


def test_a_binary_built_alone_is_the_same(tmp_path: Path) -> None:
    """Built at the same path, since a path may be part of a binary's hash."""
    alone = Project(tmp_path)
    alone.build("build:x86_64:alpha")
    lone = sha256(alone.built("alpha"))
    assert not alone.built("beta").exists()
    alone.build("clean", "--cargo")
    alone.build("build")

    assert sha256(alone.built("alpha")) == lone


def test_verification_overlaps_with_compiling(project: Project) -> None:
    project.path("beta/build.rs").write_text(
        "fn main() { std::thread::sleep(std::time::Duration::from_secs(5)); }\n"
    )
    running = project.start()
    record = project.path(".doit-cargo/records/x86_64/verify/alpha.json")
    try:
        while not record.exists():
            assert running.poll() is None
            time.sleep(0.05)
        assert not project.built("beta").exists()
    finally:
        said, errors = running.communicate(timeout=120)
    assert running.returncode == 0, said + errors


def test_a_crate_that_does_not_compile_fails_alone(project: Project) -> None:
    project.path("beta/src/main.rs").write_text("fn main() { let x: u8 = 300; }\n")

    done = project.doit("--continue")

    assert done.returncode == 1
    assert "FAILED   build:x86_64:beta" in done.stderr
    assert done.stderr.count("literal out of range for `u8`") == 1
    assert "verified x86_64 alpha" in done.stdout
    assert project.packaged("alpha").exists()
    assert not project.packaged("beta").exists()
    assert "error" not in done.stdout


def test_a_failed_build_script_shows_its_own_words(project: Project) -> None:
    project.path("beta/build.rs").write_text('fn main() { panic!("no such gadget"); }\n')

    done = project.doit()

    assert done.returncode == 1
    assert "no such gadget" in done.stderr


def test_doit_env_is_what_cargo_gets(shared: Project) -> None:
    command = shared.build("env")
    done = subprocess.run(
        ["sh", "-c", command], cwd=shared.root, env=shared.environment(None),
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert "Compiling" not in done.stderr
    assert '"fresh":false' not in done.stdout


def test_show_tells_what_is_there(shared: Project) -> None:
    lines = shared.build("show").splitlines()

    assert lines[0].split() == ["BINARY", "ARCH", "SIZE", "SHA-256", "VERDICT", "BUILT"]
    assert lines[1].startswith("alpha")
    assert " pass " in lines[1]
    assert '"sha256": "' + sha256(shared.built("alpha")) in shared.build("show", "--json")


def test_another_profile_on_the_command_line(project: Project) -> None:
    project.path("config/policy.yaml").write_text("rules: {stripped: off, build_path: off}\n")
    project.build("build", "profile=dev")

    assert project.path("target/x86_64-unknown-linux-musl/debug/alpha").exists()
