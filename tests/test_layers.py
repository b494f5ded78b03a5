"""The architecture: which room may import which. Read from every import statement."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tasks" / "doit_cargo"
MODULES = sorted(PACKAGE.rglob("*.py"))

# The rooms inside core and tools: what each may import beside the nouns, which all may.
NOUNS = {
    f"core.{name}"
    for name in (
        "bounded",
        "errors",
        "image_settings",
        "model",
        "reach",
        "record",
        "seal",
        "secrets",
        "task",
        "text",
        "toml_file",
        "user_state",
    )
}
CORE = {
    "core.architectures": set(),
    "core.hosts": {"core.architectures"},
    "core.layout": set(),
    "core.manifest": set(),
    "core.plugin_lines": {"plugins"},
    "core.pre_push_hook": set(),
    "core.command_line": {"core.settings"},
    "core.short_names": set(),
    "core.completion": set(),
    "core.document": {"core.layout"},
    "core.project": set(),
    "core.purposes": set(),
    "core.terminal": set(),
    "core.why": set(),
    "core.elf": {"core.architectures"},
    "core.workspace": set(),
    "core.settings": {"core.architectures", "core.elf", "core.images"},
    "core.toolchain": {"core.architectures", "core.hosts"},
    "core.cargo": {
        "core.architectures", "core.hosts", "core.layout", "core.toolchain", "core.workspace"
    },
    "core.images": {"core.architectures", "core.toolchain"},
    "core.diagnosis": {"core.terminal", "core.workspace"},
    "core.context": {
        "core.elf", "core.project", "core.settings", "core.toolchain", "core.workspace"
    },
    "core.init_files": {
        "core.plugin_lines", "core.project", "core.settings", "core.workspace"
    },
}  # fmt: skip
TOOLS = {
    "tools.process": set(),
    "tools.files": set(),
    "tools.artifact": set(),
    "tools.console": set(),
    "tools.locks": set(),
    "tools.waiting": {"tools.console"},
    "tools.orphans": set(),
    "tools.log": {"tools.console"},
    "tools.git": {"tools.process"},
    "tools.git_hooks": {"tools.files", "tools.process"},
    "tools.init_files": {"tools.cargo", "tools.files"},
    "tools.cargo": {
        "tools.console", "tools.files", "tools.locks", "tools.orphans", "tools.process",
        "tools.waiting",
    },
    "tools.elf": {"tools.artifact", "tools.process"},
    "tools.images": {"tools.artifact", "tools.elf", "tools.process"},
    "tools.smoke": {"tools.process"},
    "tools.machine": {
        "tools.files", "tools.key", "tools.private", "tools.process", "tools.waiting"
    },
    "tools.private": {"tools.files"},
    "tools.key": {"tools.private"},
    "tools.run": {
        "tools.artifact", "tools.cargo", "tools.console", "tools.elf", "tools.files", "tools.key",
        "tools.locks", "tools.machine", "tools.private", "tools.process", "tools.smoke",
        "tools.waiting",
    },
}  # fmt: skip
# What stands above them; the standard library is free everywhere.
ABOVE = {
    "steps": {"core", "tools"},
    "reports": {"core", "tools"},
    "doit_ext": {"core", "tools", "plugins", "doit"},
    "commands": {"core", "tools", "reports", "doit_ext", "doit"},
    "pipeline": {"core", "tools", "doit_ext", "doit"},
    "front_door": {"core", "tools", "pipeline", "plugins", "doit"},
    "help_page": {"core"},
    "completions": {"core", "tools", "front_door"},
    "cli": {"core", "tools", "completions", "front_door", "help_page"},
    "plugins": set(),
    "": set(),
}
ALLOWED: Mapping[str, set[str]] = {
    **dict.fromkeys(NOUNS, NOUNS),
    **{room: {room, *NOUNS, *others} for room, others in CORE.items()},
    **{room: {room, "core", *others} for room, others in TOOLS.items()},
    **{room: {room, *others} for room, others in ABOVE.items()},
}
# An __init__ imports nothing: this one lets a doit.cfg of before name modules that are gone.
PACKAGES = {"doit_ext/__init__.py": {"sys", "doit_cargo.plugins"}}
# The only modules that may touch these.
OWNERS = {
    "subprocess": {"tools/process.py"},
    "lief": {"tools/elf/lief_child.py"},
    "structlog": {"tools/log.py"},
    "sqlite3": {"doit_ext/database.py"},
    "yaml": {"core/settings/yamlfile.py"},
    "tomli": {"core/toml_file.py"},
}


def imports(path: Path) -> Iterator[str]:
    """Every module that the file imports, anywhere in it, with the names taken from packages."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            assert node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(path: Path) -> str:
    """`core.elf` of core/elf/rules.py, `core.model` of core/model.py, `steps` of steps/build.py."""
    parts = [part for part in path.with_suffix("").parts if part != "__init__"]
    return ".".join(parts[: 2 if parts[:1] in (["core"], ["tools"]) else 1])


def breaches(path: Path) -> list[str]:
    relative = path.relative_to(PACKAGE)
    if relative.name == "__init__.py":
        known = PACKAGES.get(relative.as_posix(), set())
        return [f"{relative} imports {name}" for name in imports(path) if name not in known]
    allowed = ALLOWED[room_of(relative)]
    found = []
    for name in imports(path):
        top, short = name.split(".")[0], name.removeprefix("doit_cargo.")
        if top in sys.stdlib_module_names or relative.as_posix() in OWNERS.get(top, set()):
            continue
        if not any(short == room or short.startswith(f"{room}.") for room in allowed):
            found.append(f"{relative} imports {name}")
    return found


def circle(edges: Mapping[str, set[str]]) -> list[str]:
    try:
        list(TopologicalSorter(edges).static_order())
    except CycleError as error:
        return list(error.args[1])
    return []


def edges(package: Path) -> dict[str, set[str]]:
    """Module → the modules of the package that it imports, anywhere in it."""
    paths = {path.relative_to(package): path for path in package.rglob("*.py")}
    names = {".".join(("doit_cargo", *path.with_suffix("").parts)): path for path in paths}
    found: dict[str, set[str]] = {}
    for name, path in names.items():
        wanted = {part for i in imports(paths[path]) for part in (i, i.rpartition(".")[0])}
        found[name] = wanted & names.keys() - {name}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_its_room_may(path: Path) -> None:
    assert breaches(path) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_outside_tools_have_one_owner_each(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    used = {name.split(".")[0] for name in imports(path)}

    assert {name for name in used & OWNERS.keys() if relative not in OWNERS[name]} == set()


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert circle(edges(PACKAGE)) == []


def test_no_room_is_above_itself() -> None:
    above = {room: allowed - {room} for room, allowed in {**CORE, **TOOLS, **ABOVE}.items()}

    assert circle(above) == []


def test_every_room_has_a_rule_and_every_rule_a_room() -> None:
    rooms = {room_of(path.relative_to(PACKAGE)) for path in MODULES}

    assert rooms - {"core", "tools"} == ALLOWED.keys()


def test_every_step_is_in_the_table_of_contents() -> None:
    from doit_cargo.pipeline import STEPS  # noqa: PLC0415

    steps = {path.stem for path in (PACKAGE / "steps").glob("*.py")} - {"__init__"}

    assert (steps, len(STEPS)) == ({*STEPS}, len(steps))


def test_a_breach_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    (tmp_path / "core" / "elf").mkdir(parents=True)
    bad = tmp_path / "core" / "elf" / "bad.py"
    bad.write_text(
        "from doit_cargo.tools import cargo\n"
        "from doit_cargo.core.images import names\n"
        "from doit_cargo.core import model\n"
        "import doit\n"
    )

    assert breaches(bad) == [
        "core/elf/bad.py imports doit_cargo.tools.cargo",
        "core/elf/bad.py imports doit_cargo.core.images.names",
        "core/elf/bad.py imports doit",
    ]


def test_a_circle_is_found(tmp_path: Path) -> None:
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "one.py").write_text("from doit_cargo.tools import other\n")
    (tmp_path / "tools" / "other.py").write_text(
        "def late():\n    from doit_cargo.tools.one import it\n"
    )

    assert {"doit_cargo.tools.one", "doit_cargo.tools.other"} == {*circle(edges(tmp_path))}


# `env` prints what a shell reads, and quotes it; the children answer in JSON.
PRINTERS = {
    "tools/console.py",
    "commands/env.py",
    "tools/elf/lief_child.py",
    "tools/smoke/namespaces_child.py",
}


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_what_a_terminal_sees_passes_the_console(path: Path) -> None:
    """Else a file name or a build script's words could move its cursor."""
    if path.relative_to(PACKAGE).as_posix() in PRINTERS:
        return
    nodes = list(ast.walk(ast.parse(path.read_text())))
    written = {ast.unparse(node.func) for node in nodes if isinstance(node, ast.Call)}
    handed = {ast.unparse(node.value) for node in nodes if isinstance(node, ast.keyword)}

    assert not written & {"print", "sys.stdout.write", "sys.stderr.write"}
    assert "print" not in handed
