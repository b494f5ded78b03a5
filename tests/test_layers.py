"""The layers of the architecture: who may import whom. Read from every import statement."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "tasks" / "doit_cargo"
MODULES = sorted(PACKAGE.rglob("*.py"))

# What each layer may import of this package and of others; the standard library is free.
ALLOWED = {
    "core": {"doit_cargo.core", "yaml"},
    "tools": {"doit_cargo.core", "doit_cargo.tools"},
    "steps": {"doit_cargo.core", "doit_cargo.tools"},
    "doit_ext": {"doit_cargo.core", "doit_cargo.tools", "doit_cargo.doit_ext", "doit"},
    "pipeline.py": {
        "doit_cargo.core", "doit_cargo.steps", "doit_cargo.doit_ext", "doit_cargo.tools.run.session",
        "doit_cargo.tools.log", "doit",
    },
    "cli.py": {"doit_cargo.core", "doit_cargo.tools", "doit_cargo.tools.run.exit_codes"},
    "__init__.py": set(),
}  # fmt: skip

# The only modules that may touch these.
OWNERS = {
    "subprocess": {"tools/process.py"},
    "lief": {"tools/elf/lief_child.py"},
    "structlog": {"tools/log.py"},
    "sqlite3": {"doit_ext/state.py", "doit_ext/guard.py"},
    "yaml": {"core/settings/yamlfile.py"},
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


def breaches(path: Path) -> list[str]:
    relative = path.relative_to(PACKAGE)
    allowed = ALLOWED[relative.parts[0]]
    found = []
    for name in imports(path):
        if name.split(".")[0] in sys.stdlib_module_names:
            continue
        if not any(name == prefix or name.startswith(f"{prefix}.") for prefix in allowed):
            owner = OWNERS.get(name.split(".")[0], set())
            if relative.as_posix() not in owner:
                found.append(f"{relative} imports {name}")
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_what_its_layer_may(path: Path) -> None:
    assert breaches(path) == []


@pytest.mark.parametrize("path", MODULES, ids=lambda p: p.relative_to(PACKAGE).as_posix())
def test_outside_tools_have_one_owner_each(path: Path) -> None:
    relative = path.relative_to(PACKAGE).as_posix()
    used = {name.split(".")[0] for name in imports(path)}

    assert {name for name in used & OWNERS.keys() if relative not in OWNERS[name]} == set()


def test_a_breach_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "core").mkdir()
    bad = tmp_path / "core" / "bad.py"
    bad.write_text("from doit_cargo.tools import cargo\nimport doit\n")
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)

    assert breaches(bad) == [
        "core/bad.py imports doit_cargo.tools.cargo.build",
        "core/bad.py imports doit",
    ]
