"""Lines about plugins in doit.cfg and pyproject.toml: what is told, and what becomes of the file.

doit's own reader says what a changed file means.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from doit.doit_cmd import DoitConfig

from doit_cargo.core.plugin_lines import files
from doit_cargo.core.plugin_lines.changes import Change, updated
from doit_cargo.core.plugin_lines.review import home, review
from doit_cargo.plugins import BACKENDS, COMMANDS

NEW = {name: f"doit_cargo.plugins:{plugin}" for name, plugin in COMMANDS.items()}
STORE = {name: f"doit_cargo.plugins:{plugin}" for name, plugin in BACKENDS.items()}
HOMES = {"run": "run", "clean": "clean", "hooks": "hooks"}  # the modules of before
OLD = {
    name: f"doit_cargo.doit_ext.{HOMES.get(name, 'commands')}:{plugin}"
    for name, plugin in COMMANDS.items()
}
OLD_STORE = {"doit-cargo": "doit_cargo.doit_ext.state:TaskStore"}


def cfg(commands: Mapping[str, str], backends: Mapping[str, str]) -> str:
    """A doit.cfg."""
    return "\n".join(
        (
            "[COMMAND]",
            *(f"{name} = {location}" for name, location in commands.items()),
            "",
            "[BACKEND]",
            *(f"{name} = {location}" for name, location in backends.items()),
            "",
        )
    )


def toml(commands: Mapping[str, str], backends: Mapping[str, str]) -> str:
    """A pyproject.toml."""
    return "\n".join(
        (
            "[tool.doit.plugins.command]",
            *(f'{name} = "{location}"' for name, location in commands.items()),
            "",
            "[tool.doit.plugins.backend]",
            *(f'{name} = "{location}"' for name, location in backends.items()),
            "",
        )
    )


def inline(commands: Mapping[str, str], backends: Mapping[str, str]) -> str:
    """The same with a line a table."""
    found = {"command": commands, "backend": backends}
    tables = (
        f"{key} = {{{', '.join(f'{k} = {v!r}' for k, v in entries.items())}}}\n"
        for key, entries in found.items()
    )
    return f"[tool.doit.plugins]\n{''.join(tables)}"


def without(entries: Mapping[str, str], *names: str) -> dict[str, str]:
    return {name: location for name, location in entries.items() if name not in names}


def after(name: str, text: str) -> str:
    """The file as it is when it has been brought up to date."""
    return updated(text, review({name: text}))


def read_by_doit(name: str, text: str, folder: Path) -> dict[str, dict[str, str]]:
    """The plugins that the real doit finds in it."""
    path = folder / name
    path.write_bytes(files.encode(text))
    config = DoitConfig()
    if name == "doit.cfg":
        parser = config.load_config_ini(str(path))
        return {key: dict(parser[key]) for key in files.CATEGORIES if key in parser}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        found = config.load_config_toml(name, "tool.doit")
    return {key: dict(found[key]) for key in files.CATEGORIES if key in found}


@pytest.mark.parametrize(("name", "form"), [("doit.cfg", cfg), ("pyproject.toml", toml)])
def test_a_complete_file_stays_as_it_is(name: str, form: type) -> None:
    assert review({name: form(NEW, STORE)}) == ()


CFG_HOOKS = "hooks = doit_cargo.plugins:Hooks"
FOREIGN = "[GLOBAL]\nverbosity = 2\n\n[COMMAND]\nmine = my.module:Mine\n\n[other]\nx = 1\n"
TEXT = 'd = """\n[tool.doit.plugins.command]\nrun = "doit_cargo.doit_ext.run:Run"\n"""\n'
# name: the file, before, after
CASES: dict[str, tuple[str, str, str]] = {
    "every name of before": ("doit.cfg", cfg(OLD, OLD_STORE), cfg(NEW, STORE)),
    "every name of before, TOML": ("pyproject.toml", toml(OLD, OLD_STORE), toml(NEW, STORE)),
    "two are missing, the others old": (
        "doit.cfg",
        cfg(without(OLD, "size", "hooks"), OLD_STORE),
        cfg({**without(NEW, "size", "hooks"), "size": NEW["size"], "hooks": NEW["hooks"]}, STORE),
    ),
    "the backend is missing": (
        "doit.cfg",
        cfg(NEW, {}).removesuffix("\n[BACKEND]\n"),
        cfg(NEW, STORE),
    ),
    "the backend is missing below its header": (
        "doit.cfg",
        cfg(NEW, {}) + "# the end\n",
        cfg(NEW, STORE) + "# the end\n",
    ),
    "the commands are missing": (
        "doit.cfg",
        "[BACKEND]\n" + "".join(f"{k} = {v}\n" for k, v in STORE.items()),
        "[BACKEND]\n"
        + "".join(f"{k} = {v}\n" for k, v in STORE.items())
        + "\n"
        + cfg(NEW, {}).removesuffix("\n[BACKEND]\n"),
    ),
    "no final newline": (
        "doit.cfg",
        "[BACKEND]\ndoit-cargo = doit_cargo.plugins:TaskStore\n[COMMAND]\n"
        + "\n".join(f"{k} = {v}" for k, v in without(OLD, "hooks").items()),
        "[BACKEND]\ndoit-cargo = doit_cargo.plugins:TaskStore\n[COMMAND]\n"
        + "\n".join(f"{k} = {v}" for k, v in NEW.items()),
    ),
    "CRLF": (
        "doit.cfg",
        cfg(without(OLD, "hooks"), OLD_STORE).replace("\n", "\r\n"),
        cfg(NEW, STORE).replace("\n", "\r\n"),
    ),
    "CRLF and no final newline": (
        "pyproject.toml",
        toml(NEW, {}).removesuffix("\n\n[tool.doit.plugins.backend]\n").replace("\n", "\r\n"),
        toml(NEW, STORE).removesuffix("\n").replace("\n", "\r\n"),
    ),
    "comments, order and others' plugins": (
        "doit.cfg",
        "; mine\n[COMMAND]\n# first\nx = my.module:X\nclean = doit_cargo.doit_ext.clean:Clean\n"
        "   # then\n"
        + cfg(without(OLD, "clean", "hooks"), OLD_STORE).removeprefix("[COMMAND]\n")
        + "[GLOBAL]\n\n\ncheck = 1",
        "; mine\n[COMMAND]\n# first\nx = my.module:X\nclean = doit_cargo.plugins:Clean\n"
        "   # then\n"
        + cfg(without(NEW, "clean"), STORE).removeprefix("[COMMAND]\n")
        + "[GLOBAL]\n\n\ncheck = 1",
    ),
    "none of ours, but a section": (
        "doit.cfg",
        FOREIGN,
        FOREIGN.replace("[COMMAND]\n", cfg(NEW, {}).removesuffix("\n[BACKEND]\n"))
        + "\n[BACKEND]\ndoit-cargo = doit_cargo.plugins:TaskStore\n",
    ),
    "none of ours, no section": (
        "doit.cfg",
        "[GLOBAL]\nverbosity = 2",
        "[GLOBAL]\nverbosity = 2\n\n" + cfg(NEW, STORE).removesuffix("\n"),
    ),
    "an empty file": ("doit.cfg", "", cfg(NEW, STORE)),
    "quotes, spaces and comments": (
        "pyproject.toml",
        toml(without(NEW, "run", "hooks"), STORE).replace(
            "[tool.doit.plugins.command]\n",
            "[ tool . doit . plugins . command ]  # ours\n"
            "  'run'   =  'doit_cargo.doit_ext.run:Run'  # was doit_cargo.doit_ext.run:Run\n",
        ),
        toml(without(NEW, "run"), STORE).replace(
            "[tool.doit.plugins.command]\n",
            "[ tool . doit . plugins . command ]  # ours\n"
            "  'run'   =  'doit_cargo.plugins:Run'  # was doit_cargo.doit_ext.run:Run\n",
        ),
    ),
    "a new line is written as the one above it": (
        "pyproject.toml",
        toml(without(NEW, "size", "hooks"), {})
        + "\n\t\"doit-cargo\"='doit_cargo.doit_ext.state:TaskStore' # x\n",
        toml(without(NEW, "size", "hooks"), {}).replace(
            'reset-dep = "doit_cargo.plugins:ResetDep"\n',
            'reset-dep = "doit_cargo.plugins:ResetDep"\nsize = "doit_cargo.plugins:Size"\n'
            'hooks = "doit_cargo.plugins:Hooks"\n',
        )
        + "\n\t\"doit-cargo\"='doit_cargo.plugins:TaskStore' # x\n",
    ),
    "a header that only a text holds": (
        "pyproject.toml",
        TEXT + toml({}, OLD_STORE).partition("\n\n")[2],
        TEXT
        + toml({}, STORE).partition("\n\n")[2]
        + "\n"
        + toml(NEW, {}).partition("\n\n")[0]
        + "\n",
    ),
    "what is commented out stays so": (
        "doit.cfg",
        cfg(NEW, STORE) + "# run = doit_cargo.doit_ext.run:Run\n",
        cfg(NEW, STORE) + "# run = doit_cargo.doit_ext.run:Run\n",
    ),
    "names of the user's own": (
        "doit.cfg",
        cfg({**NEW, "clean": "my.module:Clean", "check": OLD["doctor"]}, STORE),
        cfg({**NEW, "clean": "my.module:Clean", "check": NEW["doctor"]}, STORE),
    ),
    "dotted keys": (
        "pyproject.toml",
        toml({}, STORE).replace(
            "[tool.doit.plugins.command]\n",
            "[tool.doit]\n" + "".join(f'plugins.command.{k} = "{v}"\n' for k, v in OLD.items()),
        ),
        toml({}, STORE).replace(
            "[tool.doit.plugins.command]\n",
            "[tool.doit]\n" + "".join(f'plugins.command.{k} = "{v}"\n' for k, v in NEW.items()),
        ),
    ),
    "inline tables": ("pyproject.toml", inline(OLD, OLD_STORE), inline(NEW, STORE)),
    "ends of lines that are none": (
        "doit.cfg",
        "# a\x0bb\u2028c\x85\n" + cfg(OLD, STORE),
        "# a\x0bb\u2028c\x85\n" + cfg(NEW, STORE),
    ),
}


@pytest.mark.parametrize(("name", "before", "expected"), CASES.values(), ids=CASES.keys())
def test_a_file_is_brought_up_to_date(
    name: str, before: str, expected: str, tmp_path: Path
) -> None:
    assert after(name, before) == expected
    assert after(name, expected) == expected
    found = read_by_doit(name, expected, tmp_path)
    assert found["COMMAND"].keys() >= NEW.keys()
    assert found["BACKEND"] == STORE


def test_bytes_that_are_no_text_stay() -> None:
    """Doit reads the file in the encoding of the user's locale."""
    old, new = (b"# caf\xe9\n" + cfg(form, STORE).encode() for form in (OLD, NEW))

    assert files.encode(after("doit.cfg", files.decode(old))) == new


def told(changes: Iterable[Change]) -> list[tuple[int, str, str]]:
    """Line number, the line, and what to write."""
    return [(change.number, change.text, change.new) for change in changes]


def test_every_change_has_its_line_and_what_to_write() -> None:
    text = cfg({**without(NEW, "hooks"), "clean": OLD["clean"]}, {})

    assert told(review({"doit.cfg": text})) == [
        (3, "clean = doit_cargo.doit_ext.clean:Clean", "clean = doit_cargo.plugins:Clean"),
        (16, "", "hooks = doit_cargo.plugins:Hooks"),
        (18, "", "doit-cargo = doit_cargo.plugins:TaskStore"),
    ]


def test_what_the_main_job_needs_is_marked() -> None:
    text = cfg(without(OLD, "run", "hooks"), {})

    assert [change.new for change in review({"doit.cfg": text}) if change.needed] == [
        "run = doit_cargo.plugins:Run",
        "doit-cargo = doit_cargo.plugins:TaskStore",
    ]


HIDDEN = (0, "run = 'doit_cargo.doit_ext.run:Run'", 'run = "doit_cargo.plugins:Run"')
BY_HAND = {
    "a plugin that there is not": (
        "doit.cfg",
        cfg({**NEW, "old": "doit_cargo.doit_ext.commands:Old"}, STORE),
        [(18, "old = doit_cargo.doit_ext.commands:Old", "")],
    ),
    "no text": (
        "doit.cfg",
        "[COMMAND\n" + cfg(NEW, STORE),
        [(0, "", "")],
    ),
    "a text with escapes": (
        "pyproject.toml",
        toml({**NEW, "run": "doit_cargo.doit_ext\\u002erun:Run"}, STORE),
        [HIDDEN],
    ),
    "a text of many lines": (
        "pyproject.toml",
        toml({**NEW, "run": '""\\\n  doit_cargo.doit_ext.run:Run""'}, STORE),
        [HIDDEN],
    ),
    "no place for what is missing": (
        "pyproject.toml",
        inline({"run": NEW["run"]}, STORE),
        [(0, "", f'{name} = "{NEW[name]}"') for name in without(NEW, "run")],
    ),
}


@pytest.mark.parametrize(("name", "text", "expected"), BY_HAND.values(), ids=BY_HAND.keys())
def test_what_cannot_be_changed_safely_is_told_and_left(
    name: str, text: str, expected: list[tuple[int, str, str]]
) -> None:
    found = review({name: text})

    assert told(found) == expected
    assert all(change.by_hand for change in found)
    assert updated(text, found) == text


def test_a_line_is_changed_where_what_is_missing_has_no_place() -> None:
    text = inline({"run": OLD["run"]}, STORE)

    assert after("pyproject.toml", text) == inline({"run": NEW["run"]}, STORE)


def test_the_two_files_count_together() -> None:
    """Each plugin is taken from either; what is missing goes where ours are."""
    foreign, ours = "[GLOBAL]\nverbosity = 2\n", toml(without(NEW, "hooks"), STORE)
    both = {"pyproject.toml": ours, "doit.cfg": foreign}
    split = {"pyproject.toml": ours, "doit.cfg": f"[COMMAND]\n{CFG_HOOKS}\n"}

    assert [(c.file, c.new) for c in review(both)] == [
        ("pyproject.toml", 'hooks = "doit_cargo.plugins:Hooks"')
    ]
    assert review(split) == ()
    assert (home(both), home(split)) == ("pyproject.toml", "doit.cfg")
    assert home({"doit.cfg": foreign}) == ""


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("name", "form"), [("doit.cfg", cfg), ("pyproject.toml", toml)])
def test_any_mixture_ends_complete_and_keeps_what_is_others(
    name: str, form: type, seed: int, tmp_path: Path
) -> None:
    """Some lines old, some missing, some moved, others' lines between them."""
    draw = random.Random(seed)  # noqa: S311
    commands = {k: draw.choice((OLD, NEW))[k] for k in NEW if draw.random() < 0.7}
    backends = {k: draw.choice((OLD_STORE, STORE))[k] for k in STORE if draw.random() < 0.7}
    mixed = [*commands.items(), *((f"x{i}", f"their.module:X{i}") for i in range(3))]
    draw.shuffle(mixed)
    lines = form(dict(mixed), backends).splitlines()
    for i in range(5):
        lines.insert(draw.randrange(len(lines)), draw.choice((f"# {i}", "", f"  # [{i}] = doit")))
    text = draw.choice(("\n", "\r\n")).join(lines) + draw.choice(("", "\n", "\n\n"))

    done = after(name, text)

    theirs = {k: v for k, v in mixed if k not in NEW}
    assert read_by_doit(name, done, tmp_path) == {"COMMAND": {**NEW, **theirs}, "BACKEND": STORE}
    kept = [line for line in text.splitlines() if line and "doit_cargo" not in line]
    left = [line for line in done.splitlines() if line and "doit_cargo" not in line]
    assert [line for line in left if line in kept] == kept
    assert set(left) - set(kept) <= {form({}, {}).splitlines()[0], form({}, {}).splitlines()[2]}
