"""Projects set up by an older doit-cargo: doctor tells what is old, `init --keep` fixes it."""

from __future__ import annotations

import re
import subprocess  # noqa: TID251 - drives the real programs
from pathlib import Path

import pytest

from doit_cargo.core.init_files import ignoring
from helpers.project import CONFIG, DODO, DOIT, Project
from helpers.workspaces import package, write

pytestmark = pytest.mark.integration

# What init wrote before there were `size` and `hooks`, and what its user has made of it.
FORMER = """\
# What doit loads of doit-cargo. doit reads this file in the folder it is started in.
[COMMAND]
run = doit_cargo.doit_ext.run:Run
clean = doit_cargo.doit_ext.clean:Clean
setup = doit_cargo.doit_ext.commands:Setup
# a command of ours
release = tools.release:Release
doctor = doit_cargo.doit_ext.commands:Doctor
env = doit_cargo.doit_ext.commands:Env
show = doit_cargo.doit_ext.commands:Show
audit = doit_cargo.doit_ext.commands:Audit

[GLOBAL]
verbosity = 1

[BACKEND]
doit-cargo = doit_cargo.doit_ext.state:TaskStore"""
TODAY = """\
# What doit loads of doit-cargo. doit reads this file in the folder it is started in.
[COMMAND]
run = doit_cargo.plugins:Run
clean = doit_cargo.plugins:Clean
setup = doit_cargo.plugins:Setup
# a command of ours
release = tools.release:Release
doctor = doit_cargo.plugins:Doctor
env = doit_cargo.plugins:Env
show = doit_cargo.plugins:Show
audit = doit_cargo.plugins:Audit
size = doit_cargo.plugins:Size
list = doit_cargo.plugins:List
info = doit_cargo.plugins:Info
why = doit_cargo.plugins:Why
plan = doit_cargo.plugins:Plan
affected = doit_cargo.plugins:Affected
history = doit_cargo.plugins:History
reset-dep = doit_cargo.plugins:ResetDep
hooks = doit_cargo.plugins:Hooks

[GLOBAL]
verbosity = 1

[BACKEND]
doit-cargo = doit_cargo.plugins:TaskStore"""
FORMER_TABLES = """\
[project]
name = "x"  # ours
version = "1"

[tool.doit.plugins.command]
run = "doit_cargo.doit_ext.run:Run"
clean = "doit_cargo.doit_ext.clean:Clean"
setup = "doit_cargo.doit_ext.commands:Setup"
doctor = "doit_cargo.doit_ext.commands:Doctor"
env = "doit_cargo.doit_ext.commands:Env"
show = "doit_cargo.doit_ext.commands:Show"
size = "doit_cargo.doit_ext.commands:Size"
audit = "doit_cargo.doit_ext.commands:Audit"

[tool.doit.plugins.backend]
doit-cargo = "doit_cargo.doit_ext.state:TaskStore"
"""
TABLES = re.sub(r"doit_ext\.\w+:", "plugins:", FORMER_TABLES).replace(
    'audit = "doit_cargo.plugins:Audit"\n',
    'audit = "doit_cargo.plugins:Audit"\nlist = "doit_cargo.plugins:List"\n'
    'info = "doit_cargo.plugins:Info"\nwhy = "doit_cargo.plugins:Why"\n'
    'plan = "doit_cargo.plugins:Plan"\naffected = "doit_cargo.plugins:Affected"\n'
    'history = "doit_cargo.plugins:History"\n'
    'reset-dep = "doit_cargo.plugins:ResetDep"\nhooks = "doit_cargo.plugins:Hooks"\n',
)
FILES = {
    "Cargo.toml": package("solo", "[profile.release]\nopt-level = 0\nstrip = true\n"),
    "Cargo.lock": 'version = 4\n\n[[package]]\nname = "solo"\nversion = "0.1.0"\n',
    "src/main.rs": "fn main() {}\n",
    "dodo.py": DODO,
    "config/pipeline.yaml": CONFIG,
    "config/policy.yaml": "{}\n",
    "docker/Dockerfile": "FROM scratch\n",
    ".gitignore": ignoring(b"/target\n").decode(),
}


def run(root: Path, *argv: str | Path, code: int = 0) -> str:
    """Run it; what it printed."""
    done = subprocess.run(
        argv, cwd=root, env=Project.environment(None), text=True, capture_output=True,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def init(root: Path) -> str:
    return run(root, DOIT.with_name("doit-cargo"), "init", "--keep")


def contents(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and not {"__pycache__", ".doit-cargo", "target"} & {*path.parts}
    }


def advice(root: Path) -> list[str]:
    """Doctor's lines about plugins."""
    lines = run(root, DOIT, "doctor").splitlines()
    names = r"plugins|doit\.cfg|pyproject\.toml"
    return [" ".join(line.split()) for line in lines if re.match(rf"\S+ +({names})[ :]", line)]


def test_a_project_of_before_goes_on_working(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "doit.cfg": FORMER})

    assert "verify:x86_64:solo" in run(tmp_path, DOIT, "list", "--all")
    assert "1 binary" in run(tmp_path, DOIT)
    assert run(tmp_path, DOIT, "audit").startswith("1 binary")
    assert "would remove docker/binaries/x86_64" in run(tmp_path, DOIT, "clean", "-n")


def test_doctor_tells_each_line_with_what_to_write(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "doit.cfg": FORMER})

    assert advice(tmp_path) == [
        "optional doit.cfg 17 lines to bring up to date: doit-cargo init --keep",
        *(
            f"optional doit.cfg:{number} {name} = doit_cargo.doit_ext.{module}:{plugin} is an old "
            f"name: write {name} = doit_cargo.plugins:{plugin}"
            for number, name, module, plugin in (
                (3, "run", "run", "Run"),
                (4, "clean", "clean", "Clean"),
                (5, "setup", "commands", "Setup"),
                (8, "doctor", "commands", "Doctor"),
                (9, "env", "commands", "Env"),
                (10, "show", "commands", "Show"),
                (11, "audit", "commands", "Audit"),
                (17, "doit-cargo", "state", "TaskStore"),
            )
        ),
        *(
            f"optional doit.cfg:11 {name} is missing: "
            f"add {name} = doit_cargo.plugins:{plugin} below this line, in [COMMAND]"
            for name, plugin in (
                ("size", "Size"),
                ("list", "List"),
                ("info", "Info"),
                ("why", "Why"),
                ("plan", "Plan"),
                ("affected", "Affected"),
                ("history", "History"),
                ("reset-dep", "ResetDep"),
                ("hooks", "Hooks"),
            )
        ),
    ]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("name", "former", "today"),
    [("doit.cfg", FORMER, TODAY), ("pyproject.toml", FORMER_TABLES, TABLES)],
)
def test_keep_changes_our_own_lines_and_nothing_else(
    tmp_path: Path, name: str, former: str, today: str, newline: str
) -> None:
    write(tmp_path, FILES)
    (tmp_path / name).write_bytes(former.replace("\n", newline).encode())
    before = contents(tmp_path)

    said = init(tmp_path).splitlines()

    assert f"updated {name}" in said
    assert not [line for line in said if line.startswith("wrote")]
    assert contents(tmp_path) == before | {name: today.replace("\n", newline).encode()}
    assert "verify:x86_64:solo" in run(tmp_path, DOIT, "list", "--all")
    assert advice(tmp_path) == [f"ok plugins {name}"]
    assert not [line for line in init(tmp_path).splitlines() if line.startswith("updated")]


def test_a_doit_cfg_of_somebody_elses_gets_our_sections(tmp_path: Path) -> None:
    foreign = "[GLOBAL]\nverbosity = 1\n"
    write(tmp_path, {**FILES, "doit.cfg": foreign})

    assert "updated doit.cfg" in init(tmp_path).splitlines()
    assert (tmp_path / "doit.cfg").read_text().startswith(f"{foreign}\n[COMMAND]\nrun = doit_cargo")
    assert "verify:x86_64:solo" in run(tmp_path, DOIT, "list", "--all")
    assert advice(tmp_path) == ["ok plugins doit.cfg"]


def test_what_the_main_job_needs_is_no_option(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "doit.cfg": TODAY.replace("run =", "# run =")})
    said = run(tmp_path, DOIT, "doctor", code=1)

    assert re.search(
        r"^MISSING +doit\.cfg:20 +run is missing: add run = doit_cargo\.plugins:Run below", said,
        re.MULTILINE,
    )  # fmt: skip


def test_what_keep_leaves_to_the_user_is_said(tmp_path: Path) -> None:
    text = TODAY.replace("audit =", "bake = doit_cargo.x:Bake\naudit =")
    write(tmp_path, {**FILES, "doit.cfg": text})
    wanted = "bake = doit_cargo.x:Bake names a plugin that does not exist: remove the line"

    assert f"doit.cfg:11: {wanted}" in init(tmp_path).splitlines()


def test_a_link_is_not_written_through(tmp_path: Path) -> None:
    write(tmp_path, {**FILES, "elsewhere.toml": FORMER_TABLES})
    (tmp_path / "pyproject.toml").symlink_to("elsewhere.toml")
    run(tmp_path, DOIT.with_name("doit-cargo"), "init", "--keep", code=1)

    assert (tmp_path / "elsewhere.toml").read_text() == FORMER_TABLES
