"""`doit-cargo init`: the real doit takes what it writes, and nothing of the user's is lost."""

from __future__ import annotations

import json
import os
import re
import subprocess  # noqa: TID251
from collections.abc import Mapping
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from doit_cargo.core.settings.config import load_config
from helpers.project import DOIT, SOURCES, Project
from helpers.workspaces import app, lib, package, virtual, write

pytestmark = pytest.mark.integration

DOIT_CARGO = DOIT.with_name("doit-cargo")
WRITTEN = {
    "dodo.py", "doit.cfg", "config/pipeline.yaml", "config/policy.yaml", "docker/Dockerfile",
    "config/pipeline.schema.json", "config/policy.schema.json", ".gitignore",
}  # fmt: skip


def run(
    cwd: Path, *argv: str | Path, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, cwd=cwd, env=Project.environment(env), text=True, capture_output=True,
        check=False, timeout=300,
    )  # fmt: skip


def init(cwd: Path, *args: str | Path, env: Mapping[str, str] | None = None) -> str:
    """Run it, which must succeed; what it printed."""
    done = run(cwd, DOIT_CARGO, "init", *args, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def refused(
    cwd: Path, *args: str | Path, code: int = 1, env: Mapping[str, str] | None = None
) -> str:
    """Run it, which must fail in one message and leave every file as it was."""
    before = snapshot(cwd)
    done = run(cwd, DOIT_CARGO, "init", *args, env=env)
    assert (done.returncode, done.stdout) == (code, ""), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert snapshot(cwd) == before
    return done.stderr


def snapshot(root: Path) -> dict[str, tuple[int, bytes | str]]:
    """Every path below the root with its mode, and its text or where it leads."""
    return {
        str(path.relative_to(root)): (
            path.lstat().st_mode,
            os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else "",
        )
        for path in root.rglob("*")
    }


def new(root: Path, before: Mapping[str, object]) -> set[str]:
    return {name for name in snapshot(root) if name not in before and (root / name).is_file()}


def listed(root: Path) -> list[str]:
    """The verify tasks that the real doit has there."""
    done = run(root, DOIT, "list", "--all", "--quiet")
    assert done.returncode == 0, done.stdout + done.stderr
    names = (line.split()[0] for line in done.stdout.splitlines())
    return [name.removeprefix("verify:x86_64:") for name in names if name.count(":") == 2
            and name.startswith("verify:")]  # fmt: skip


SINGLE = {"Cargo.toml": package("solo"), "src/main.rs": "fn main() {}\n"}
ROOTED = {
    "Cargo.toml": package("top", '[workspace]\nmembers = ["side"]\n'),
    "src/main.rs": "fn main() {}\n",
    **app("side"),
}
VIRTUAL = {"Cargo.toml": virtual('"apps/*"'), **app("apps/one"), **app("apps/two"), **lib("apps/l")}


@pytest.mark.parametrize(
    ("files", "binaries"),
    [
        (SINGLE, ["solo"]),
        (ROOTED, ["side", "top"]),
        (VIRTUAL, ["one", "two"]),
        (SOURCES, ["alpha", "beta"]),
    ],
    ids=["single", "rooted", "virtual", "servers"],
)
@pytest.mark.parametrize("with_cargo", [True, False])
def test_the_real_doit_takes_what_was_written(
    tmp_path: Path, files: Mapping[str, str], binaries: list[str], *, with_cargo: bool
) -> None:
    before = snapshot(write(tmp_path, files))
    no_cargo = {"PATH": "/nowhere", "CARGO_HOME": "/nowhere"}
    no_venv = {"PATH": os.environ["PATH"].replace(str(DOIT.parent), "/nowhere")}
    said = init(tmp_path, env=no_venv if with_cargo else no_cargo)

    assert new(tmp_path, before) == WRITTEN
    assert {f"wrote {name}" for name in WRITTEN} <= set(said.splitlines())
    assert all(f"  {DOIT}{command}   " in said for command in (" setup", "", " verify"))
    assert ("read without cargo: cargo is not installed: doit setup" in said) is not with_cargo
    assert listed(tmp_path) == binaries
    assert before.items() <= snapshot(tmp_path).items()


def test_a_second_time_nothing_changes(tmp_path: Path) -> None:
    write(tmp_path, SINGLE)
    init(tmp_path)
    before = snapshot(tmp_path)

    said = init(tmp_path, env={"PATH": f"{DOIT.parent}:{os.environ['PATH']}"})

    assert snapshot(tmp_path) == before
    assert "wrote" not in said
    assert "  doit setup   " in said


@pytest.mark.parametrize("place", ["apps/one", "apps/one/../two", "link"])
def test_a_members_folder_means_its_workspace(tmp_path: Path, place: str) -> None:
    root = write(tmp_path / "ws", VIRTUAL)
    (root / "link").symlink_to("apps/one")
    said = init(tmp_path, f"ws/{place}")

    assert f"{(root / place).resolve()} belongs to the workspace in {root}" in said
    assert f"after `cd {root}`" in said
    assert {path.name for path in root.glob("*")} >= {"dodo.py", "doit.cfg", "config", "docker"}
    assert not (root / "apps/one/dodo.py").exists()
    assert listed(root) == ["one", "two"]


def test_what_is_there_is_told_together_and_nothing_is_written(tmp_path: Path) -> None:
    settings = {f"config/{name}.yaml": "mine\n" for name in ("pipeline", "policy")}
    write(tmp_path, {**SINGLE, **settings})
    said = refused(tmp_path)

    assert said.splitlines() == [
        "ERROR: nothing was written:",
        f"{tmp_path}/config/pipeline.yaml already exists",
        f"{tmp_path}/config/policy.yaml already exists",
        "--force overwrites what is there, --keep keeps it and writes the rest",
    ]


OWN = {
    "dodo.py": 'DOIT_CONFIG = {}\ndef task_mine():\n    return {"actions": ["echo mine"]}\n',
    "doit.cfg": "[GLOBAL]\nverbosity = 2\n",
    "config/app.yaml": "mine\n",
    "docker/Dockerfile": "FROM mine\n",
}


@pytest.mark.parametrize("option", ["--dry-run", "--keep", ""])
def test_beside_files_of_the_users_own_nothing_breaks(tmp_path: Path, option: str) -> None:
    """Their doit goes on as it did, and ours works by its own door."""
    write(tmp_path, {**SINGLE, **OWN})
    before = {name: (tmp_path / name).read_text() for name in OWN}
    said = init(tmp_path, *filter(None, [option]))

    assert {name: (tmp_path / name).read_text() for name in OWN} == before
    assert run(tmp_path, DOIT).stdout == ".  mine\nmine\n"
    assert "dodo.py is yours, and `doit-cargo` works beside it." in said
    assert "docker/Dockerfile is yours: for a binary add `COPY binaries/" in said
    if option != "--dry-run":
        assert "  doit-cargo run     " in said
        listed = run(tmp_path, DOIT_CARGO, "list")
        assert listed.stdout.startswith("ships, for x86_64\n  BINARY  CRATE\n  solo    solo\n")


def test_what_it_says_to_add_to_a_dodo_of_ones_own_works(tmp_path: Path) -> None:
    write(tmp_path, {**SINGLE, **OWN})
    said = init(tmp_path)
    lines = said.partition("add\n")[2].partition("    to it")[0]
    added = "".join(f"{line.strip()}\n" for line in lines.splitlines())
    text = f"{OWN['dodo.py'].partition(chr(10))[0]}\n{added}{OWN['dodo.py'].partition(chr(10))[2]}"
    (tmp_path / "dodo.py").write_text(text)
    init(tmp_path, "--keep")

    names = run(tmp_path, DOIT, "list", "--quiet").stdout.split()
    assert {"mine", "build", "stage"} <= set(names)


def test_a_dry_run_writes_nothing(tmp_path: Path) -> None:
    before = snapshot(write(tmp_path, VIRTUAL))
    said = init(tmp_path, "--dry-run", "--vscode")

    assert snapshot(tmp_path) == before
    assert {f"would write {name}" for name in (*WRITTEN, ".vscode/tasks.json")} == {
        line for line in said.splitlines() if line.startswith("would")
    }


def test_a_project_above_its_workspace(tmp_path: Path) -> None:
    write(tmp_path / "backend/rust", VIRTUAL)
    write(tmp_path, {"web/package.json": "{}", "web/node_modules/x/Cargo.toml": package("x")})
    init(tmp_path)

    assert "\nworkspace: backend/rust\n" in (tmp_path / "config/pipeline.yaml").read_text()
    assert not (tmp_path / "backend/rust/config").exists()
    assert listed(tmp_path) == ["one", "two"]


def test_of_several_workspaces_below_one_must_be_named(tmp_path: Path) -> None:
    write(tmp_path / "a", SINGLE)
    write(tmp_path / "b/c", SINGLE)

    assert refused(tmp_path, code=3) == (
        f"ERROR: {tmp_path}: there are several workspaces, name one: a, b/c\n"
    )


def test_a_folder_below_the_workspace_means_it(tmp_path: Path) -> None:
    root = write(tmp_path / "ws", VIRTUAL)
    init(tmp_path, "ws/apps/one/src")

    assert listed(root) == ["one", "two"]


def test_targets_and_services_are_chosen(tmp_path: Path) -> None:
    write(tmp_path, VIRTUAL)
    init(tmp_path, "--target", "aarch64", "--target=riscv64gc-unknown-linux-musl",
         "--services", "two")  # fmt: skip
    text = (tmp_path / "config/pipeline.yaml").read_text()

    assert (
        "targets:\n  aarch64: aarch64-unknown-linux-musl\n  riscv64: riscv64gc-unknown-linux-musl\n"
        "  # x86_64: {triple: x86_64-unknown-linux-musl, default: false}\n"
    ) in text
    assert "ship:\n  # one: [one]  # not among --services\n  two: [two]\n" in text
    config = load_config(tmp_path / "config/pipeline.yaml", tmp_path)
    assert [target.arch for target in config.targets] == ["aarch64", "riscv64"]


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["--services", "tow,one,three"],
         "--services: no binary tow, did you mean 'two'?\n--services: no binary three, "),
        (["--target", "x86"], "--target x86: 'x86' is not supported, only triples *-linux-musl*"),
        (["--target", "x86_64-unknown-linux-gnu"], "did you mean 'x86_64-unknown-linux-musl'?"),
    ],
)  # fmt: skip
def test_a_wrong_choice_is_told(tmp_path: Path, options: list[str], fault: str) -> None:
    write(tmp_path, VIRTUAL)

    assert fault in refused(tmp_path, *options, code=3)


def test_an_editor_finds_the_schemas(tmp_path: Path) -> None:
    init(write(tmp_path, SINGLE))
    for name in ("pipeline", "policy"):
        first = (tmp_path / f"config/{name}.yaml").read_text().splitlines()[0]
        schema = json.loads((tmp_path / "config" / first.partition("$schema=")[2]).read_text())
        document = yaml.safe_load((tmp_path / f"config/{name}.yaml").read_text())
        jsonschema.validate(document, schema)


def test_keep_writes_the_rest(tmp_path: Path) -> None:
    write(tmp_path, {**SINGLE, "docker/Dockerfile": "FROM mine\n"})
    said = init(tmp_path, "--keep")

    assert "unchanged: docker/Dockerfile\n" in said
    assert (tmp_path / "docker/Dockerfile").read_text() == "FROM mine\n"
    assert listed(tmp_path) == ["solo"]


def test_force_overwrites_but_never_an_ignore_file(tmp_path: Path) -> None:
    dist = SINGLE["Cargo.toml"] + '\n[profile.dist]\ninherits = "release"\n'
    write(tmp_path, {**SINGLE, "Cargo.toml": dist, "dodo.py": "mine\n", ".gitignore": "/target"})
    (tmp_path / ".gitignore").chmod(0o600)
    init(tmp_path, "--force", "--profile", "dist")

    assert (tmp_path / ".gitignore").read_text().splitlines()[0] == "/target"
    assert (tmp_path / ".gitignore").stat().st_mode & 0o777 == 0o600
    assert "\nprofile: dist\n" in (tmp_path / "config/pipeline.yaml").read_text()
    assert listed(tmp_path) == ["solo"]


def test_a_python_project_beside_it_is_not_touched(tmp_path: Path) -> None:
    """Doit reads pyproject.toml and doit.cfg, and takes the plugins of both."""
    theirs = (
        '[project]\nname = "x"\nversion = "1"\n[tool.ruff]\nline-length = 80\n'
        '[tool.doit]\nverbosity = 2\n[tool.doit.plugins.command]\nlist = "doit.cmd_list:List"\n'
    )
    write(tmp_path, {**SINGLE, "pyproject.toml": theirs})
    init(tmp_path)

    assert (tmp_path / "pyproject.toml").read_text() == theirs
    assert listed(tmp_path) == ["solo"]


def test_git_sees_only_what_was_written(tmp_path: Path) -> None:
    write(tmp_path, SINGLE)
    init(tmp_path)
    run(tmp_path, DOIT, "list")
    for name in (".doit-cargo/x", "docker/binaries/x86_64/x", "docker/context/binaries/x"):
        write(tmp_path, {name: "made"})
    run(tmp_path, "git", "init", "--quiet")
    said = run(tmp_path, "git", "ls-files", "--others", "--exclude-standard").stdout

    assert set(said.splitlines()) == {*WRITTEN, *SINGLE}


def test_git_ignores_every_output_folder(tmp_path: Path) -> None:
    """A revision is pushed only while nothing differs from it: made files must not count."""
    init(write(tmp_path, SINGLE))
    config = tmp_path / "config/pipeline.yaml"
    config.write_text(config.read_text() + "split_debug: true\nimages: {}\n")
    folders = load_config(config, tmp_path).outputs
    run(tmp_path, "git", "init", "--quiet")
    made = [f"{folder.relative_to(tmp_path)}/made" for folder in folders]

    assert run(tmp_path, "git", "check-ignore", *made).stdout.splitlines() == made


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({}, "no Cargo.toml; name the folder of a Cargo workspace or package"),
        ({"Cargo.toml": "[package\n"}, "[package"),
        ({"Cargo.toml": package("x", "[[bin]]\n"), "src/main.rs": ""}, "bin.name"),
        ({"Cargo.toml": virtual('"l"'), **lib("l")}, "no binary to ship"),
        ({"Cargo.toml": virtual('"gone"')}, "gone"),
        (
            {"Cargo.toml": virtual('"*"'), **app("one")},
            "matches .doit-cargo, __pycache__, config, docker, target, where no Cargo.toml is",
        ),
    ],
    ids=[
        "no manifest",
        "no TOML",
        "faulty",
        "no binary",
        "a member is missing",
        "a pattern of all",
    ],
)
def test_a_workspace_that_will_not_do(tmp_path: Path, files: Mapping[str, str], fault: str) -> None:
    """Exit code 3; of a broken manifest cargo's own words."""
    said = refused(write(tmp_path, files), code=3)

    assert fault in said
    if fault in {"[package", "bin.name", "gone"}:
        assert said.startswith(f"ERROR: cargo cannot read {tmp_path}:\n")


def test_a_pattern_of_all_that_excludes_our_folders_will_do(tmp_path: Path) -> None:
    """Cargo itself, and doit, go on reading it when all the folders are there."""
    folders = ("config", "docker", "target", ".doit-cargo", "__pycache__")
    exclude = ", ".join(f'"{name}"' for name in folders)
    write(tmp_path, {"Cargo.toml": virtual('"*"', f"exclude = [{exclude}]"), **app("one")})
    init(tmp_path)
    for name in folders:
        (tmp_path / name).mkdir(exist_ok=True)

    assert listed(tmp_path) == ["one"]
    assert run(tmp_path, "cargo", "metadata", "--no-deps", "--offline").returncode == 0


def test_names_that_yaml_would_read_as_something_else(tmp_path: Path) -> None:
    names = ["7z", "12", "1e3", "on", "null", "Y", "x-y_z"]
    bins = "".join(f'[[bin]]\nname = "{name}"\npath = "src/main.rs"\n' for name in names)
    write(tmp_path, {"Cargo.toml": package("no", bins), "src/main.rs": "fn main() {}\n"})
    init(tmp_path)

    assert listed(tmp_path) == sorted(names)


def test_outputs_that_lie_in_a_crate_are_told(tmp_path: Path) -> None:
    """The files are written, since the user fixes it in one of them."""
    write(tmp_path, {"Cargo.toml": virtual('"docker"'), **app("docker")})
    done = run(tmp_path, DOIT_CARGO, "init")

    assert done.returncode == 3
    assert "wrote config/pipeline.yaml" in done.stdout
    assert "ERROR: doit does not accept this yet:" in done.stderr
    assert "output.binaries: overlaps the crate 'docker'" in done.stderr


@pytest.mark.parametrize(
    ("place", "leads_to", "fault"),
    [
        ("config", "..", "config is a symbolic link or a file, not a folder"),
        ("config", "docker", "config is a symbolic link or a file, not a folder"),
        ("dodo.py", "elsewhere", "dodo.py is not a regular file"),
        (".gitignore", "../ignore", ".gitignore is not a regular file"),
    ],
)
def test_nothing_is_written_through_a_link(
    tmp_path: Path, place: str, leads_to: str, fault: str
) -> None:
    root = write(tmp_path / "ws", SINGLE)
    (root / place).symlink_to(leads_to)

    for option in ("", "--force", "--keep"):
        assert f"{root}/{fault}" in refused(root, *filter(None, [option]))
    assert set(tmp_path.iterdir()) == {root}


def test_a_folder_in_the_place_of_a_file_stays(tmp_path: Path) -> None:
    write(tmp_path, {**SINGLE, "doit.cfg/inside": "x"})

    assert "doit.cfg is not a regular file" in refused(tmp_path, "--force")


def test_a_failure_half_way_leaves_everything_as_it_was(tmp_path: Path) -> None:
    """The kernel refuses files over 1,024 bytes here, which the first is not."""
    write(tmp_path, {**SINGLE, "dodo.py": "mine\n"})
    before = snapshot(tmp_path)
    done = run(tmp_path, "bash", "-c", 'ulimit -f 1; exec "$0" init --force', DOIT_CARGO)

    assert done.returncode == 1
    assert re.fullmatch(rf"ERROR: {tmp_path}/config/\S+: File too large\n", done.stderr)
    assert snapshot(tmp_path) == before


def test_help_and_version(tmp_path: Path) -> None:
    alone, version = run(tmp_path, DOIT_CARGO), run(tmp_path, DOIT_CARGO, "--version")

    assert (alone.returncode, version.returncode) == (0, 0)
    assert "init" in alone.stdout
    assert version.stdout == "doit-cargo 0.1.0\n"
    assert run(tmp_path, DOIT_CARGO, "inti").returncode == 2
    assert refused(tmp_path, "--profile", "a b", code=3).startswith("ERROR: --profile a b: ")


def test_features_that_all_need_are_such_that_cargo_takes_them(tmp_path: Path) -> None:
    """A real build: `crate/feature` is known to cargo in a workspace and in a single package."""
    gated = 'required-features = ["cli"]\n[features]\ncli = []\n'
    binary = f'[[bin]]\nname = "tool"\npath = "src/main.rs"\n{gated}'
    write(tmp_path, {"Cargo.toml": virtual('"tool"'), **app("tool", binary)})
    said = init(tmp_path)
    built = run(tmp_path, DOIT)

    assert "these are on: tool/cli" in said
    assert "1 binary" in built.stdout, built.stdout + built.stderr
    assert run(tmp_path, DOIT, "verify").stdout.startswith("up to date")
