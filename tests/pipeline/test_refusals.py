"""What must not happen does not, and says why in one message with the right exit code."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from helpers.project import Project, sha256

pytestmark = pytest.mark.integration

SYSTEM_BINARY = Path("/bin/ls")  # dynamic, for this machine's own libc


def wrong_arch(path: Path) -> None:
    """A good x86_64 executable with the machine number of aarch64 (183, elf.h)."""
    data = bytearray(path.read_bytes())
    data[18:20] = (183).to_bytes(2, "little")
    replace(path, bytes(data))


def replace(path: Path, data: bytes) -> None:
    path.unlink()
    path.write_bytes(data)
    path.chmod(0o755)


def truncated(path: Path) -> None:
    replace(path, path.read_bytes()[:-100])


def altered(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    replace(path, bytes(data))


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def link(path: Path) -> None:
    path.unlink()
    path.symlink_to(SYSTEM_BINARY)


TAMPERINGS: dict[str, Callable[[Path], None]] = {
    "wrong architecture": wrong_arch,
    "dynamic": lambda path: replace(path, SYSTEM_BINARY.read_bytes()),
    "truncated": truncated,
    "one bit altered": altered,
    "text": lambda path: replace(path, b"#!/bin/sh\necho hello\n"),
    "empty": lambda path: replace(path, b""),
    "deleted": Path.unlink,
    "folder": folder,
    "pipe": pipe,
    "link": link,
    "mode": lambda path: path.chmod(0o700),
}


@pytest.mark.parametrize("place", ["built", "packaged", "staged"])
@pytest.mark.parametrize("how", TAMPERINGS)
def test_a_tampered_binary_is_named_and_mended(shared: Project, place: str, how: str) -> None:
    good = shared.tree("docker")
    path: Path = getattr(shared, place)("alpha")
    TAMPERINGS[how](path)

    audit = shared.doit("audit")
    fixed = shared.doit()

    assert audit.returncode == 1
    if (place, how) != ("built", "mode"):  # cargo's own output may have any mode
        assert str(path) in audit.stdout
    assert fixed.returncode == 0, fixed.stdout + fixed.stderr
    assert shared.tree("docker") == good
    assert shared.doit("audit").returncode == 0
    assert shared.build().startswith("up to date")


@pytest.mark.parametrize("name", ["MANIFEST.txt", "SHA256SUMS"])
def test_a_tampered_manifest_is_named_and_mended(shared: Project, name: str) -> None:
    good = shared.tree("docker")
    path = shared.path(f"docker/binaries/x86_64/{name}")
    path.write_text(path.read_text().replace("alpha", "omega"))

    audit = shared.doit("audit")

    assert audit.returncode == 1
    assert str(path) in audit.stdout
    shared.build()
    assert shared.tree("docker") == good


@pytest.mark.parametrize("place", ["docker/binaries/x86_64/new", "docker/context/binaries/a/b"])
def test_a_foreign_file_in_a_folder_of_ours_goes(shared: Project, place: str) -> None:
    path = shared.path(place)
    path.parent.mkdir(exist_ok=True)
    path.write_text("x")

    assert str(path) in shared.doit("audit").stdout
    assert f"removed {place}" in shared.build()
    assert not path.exists()
    assert shared.doit("audit").returncode == 0


def test_foreign_files_stop_the_first_run(project: Project) -> None:
    precious = project.path("docker/binaries/x86_64/precious")
    precious.parent.mkdir(parents=True)
    precious.write_text("x")

    refused = project.doit()

    assert refused.returncode == 3
    assert "docker/binaries/x86_64/precious" in refused.stderr
    assert "doit --force" in refused.stderr
    assert precious.read_text() == "x"
    assert not project.path("target").exists()
    assert project.doit("--force").returncode == 0
    assert not precious.exists()


@pytest.mark.parametrize("component", ["docker", "docker/binaries", "docker/context"])
def test_nothing_is_written_through_a_link(tmp_path: Path, component: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    project = Project(tmp_path / "project")
    project.path(component).parent.mkdir(parents=True, exist_ok=True)
    project.path(component).symlink_to(outside)

    done = project.doit()

    assert done.returncode != 0
    assert component in done.stdout + done.stderr
    assert list(outside.rglob("*")) == []


LINKER = """\
#!/bin/sh
# Links as usual, then puts something else in place of the executable named beta.
{real} "$@" || exit
while [ $# -gt 0 ]; do
    if [ "$1" = -o ]; then out=$2; fi
    shift
done
case $out in */beta-*) {action} ;; esac
"""


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ('cp /bin/ls "$out"', "static: "),
        ("printf '\\267' | dd of=\"$out\" bs=1 seek=18 conv=notrunc 2>/dev/null", "machine: "),
        ('truncate -s -64 "$out"', "beta"),
        ('echo text > "$out"', "beta"),
        (': > "$out"', "empty"),
        ('rm "$out" && mkdir "$out"', "beta"),
        ('rm "$out" && ln -s /bin/ls "$out"', "beta"),
    ],
    ids=["dynamic", "machine", "truncated", "text", "empty", "folder", "link"],
)  # fmt: skip
def test_what_a_broken_linker_leaves_is_not_shipped(
    project: Project, action: str, message: str
) -> None:
    real = project.linker()
    linker = project.path("linker")
    linker.write_text(LINKER.format(real=real, action=action))
    linker.chmod(0o755)
    env = f"\nenv: {{CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER: {linker}}}\n"
    config = project.path("config/pipeline.yaml")
    config.write_text(config.read_text() + env)
    project.path("config/policy.yaml").write_text("rules: {stripped: off}\n")

    done = project.doit("--continue")

    assert done.returncode == 1
    assert message in done.stderr
    assert not project.packaged("beta").exists()
    assert not project.path("docker/context").exists()
    assert sha256(project.packaged("alpha")) == sha256(project.built("alpha"))


def test_a_forged_record_is_no_pass(shared: Project) -> None:
    """A record that vouches for other bytes, and the state that goes with it."""
    good = shared.tree("docker")
    record = shared.path(".doit-cargo/records/x86_64/verify/alpha.json")
    fake = shutil.copy(SYSTEM_BINARY, shared.built("alpha"))
    text = record.read_text().replace(sha256(shared.packaged("alpha")), sha256(Path(fake)))
    record.write_text(text)

    shared.build()

    assert shared.tree("docker") == good


@pytest.mark.parametrize("command", ["ignore", "reset-dep"])
def test_no_command_grants_a_pass(shared: Project, command: str) -> None:
    """Stock doit would take the task for done from now on."""
    source = shared.path("alpha/src/main.rs")
    before = source.read_text()
    source.write_text("fn main() { compile_error!(); }\n")
    try:
        done = shared.doit(command, "build:x86_64:alpha")
        assert done.returncode == 3
        assert done.stderr == (
            "ERROR: build:x86_64:alpha is doit-cargo's: only a run may say it is done\n"
        )
        assert shared.doit("verify").returncode == 1
    finally:
        source.write_text(before)
        shared.build()


def test_info_prints_a_tasks_files_and_nothing_of_the_environment(shared: Project) -> None:
    said = shared.doit("info", "build:x86_64:alpha", env={"SECRET": "canary-7391"}).stdout

    assert f" - {shared.path('alpha/src/main.rs')}\n" in said
    assert f" - {shared.built('alpha')}\n" in said
    assert "canary" not in said
    assert len(said.splitlines()) < 40


@pytest.mark.parametrize(("args", "where"), [(["-f", "dodo.py"], ".."), (["-k"], "core")])
def test_without_the_plugins_one_line_says_so(shared: Project, args: list[str], where: str) -> None:
    if args[0] == "-f":
        args = ["-f", str(shared.path("dodo.py"))]
    done = shared.doit(*args, cwd=shared.path(where))

    assert done.returncode == 3
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "plugins are not loaded" in done.stderr


def test_faults_of_the_configuration_come_together(project: Project) -> None:
    project.path("config/pipeline.yaml").write_text(
        "workspace: .\ntargets:\n  x86_64: {tripel: x86_64-unknown-linux-musl}\nprofil: x\n"
    )
    done = project.doit()

    assert done.returncode == 3
    assert "config/pipeline.yaml:3: targets.x86_64.tripel: unknown key, did you mean 'triple'?" in (
        done.stderr
    )
    assert "config/pipeline.yaml:4: profil: unknown key, did you mean 'profile'?" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_tool_stops_before_anything_is_compiled(project: Project, tmp_path: Path) -> None:
    done = project.doit(env={"DOIT_CARGO_CACHE": str(tmp_path / "empty")})

    assert done.returncode == 3
    assert "doit setup" in done.stderr
    assert "Traceback" not in done.stderr
    assert not project.path("target").exists()


def test_an_unknown_task_is_a_message(shared: Project) -> None:
    done = shared.doit("biuld")

    assert done.returncode == 3
    assert "biuld" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_listing_works_where_no_rust_is(project: Project, tmp_path: Path) -> None:
    done = project.doit("list", "--all", env={"PATH": "/nowhere", "HOME": str(tmp_path)})

    assert done.returncode == 0
    assert "build:x86_64:alpha" in done.stdout
    assert not project.path(".doit-cargo").exists()
    assert stat.S_ISDIR(project.path("config").stat().st_mode)


def test_braces_in_a_path_are_no_placeholders(project: Project) -> None:
    """What doit says of an absent file it formats twice."""
    config = project.path("config/pipeline.yaml")
    config.write_text(config.read_text() + 'output: {state: "${PATH}"}\n')

    assert "2 built" in project.build()
    assert project.build().startswith("up to date")
