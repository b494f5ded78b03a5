"""The table of known failures, and how output that nobody vouches for is held against it."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

from doit_cargo.core.diagnosis import table
from doit_cargo.core.diagnosis.diagnose import Hint, diagnose
from doit_cargo.core.diagnosis.sections import sections
from doit_cargo.core.diagnosis.surroundings import Surroundings
from helpers.machines import program
from helpers.workspaces import write

TABLE = table.load()
NOWHERE = Surroundings(None, {"PATH": ""})
SCRIPT = "error: failed to run custom build command for `{}-sys v1.0.0`\nCaused by:\n  {}\n"
FULL = "error: No space left on device (os error 28)\n"


def rows(text: str, around: Surroundings = NOWHERE) -> list[str]:
    return [hint.row for hint in diagnose(text, around, TABLE)]


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_section_that_a_hint_names_is_there(row: table.Failure) -> None:
    assert sections()[row.see].startswith("## ")


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_the_names_in_a_rows_texts_are_those_that_every_match_gives(row: table.Failure) -> None:
    given = {"crate"}
    given |= {name for name in ("file", "absent") if getattr(row, name)}
    texts = [row.cause, row.remedy]
    if row.config:
        texts.append(row.config)
        given.add("place")
    asked = {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}

    for expression in row.says:
        assert asked <= given | expression.groupindex.keys()
    for text in texts:  # and nothing else in braces
        text.format_map(dict.fromkeys(asked, "x"))


def wild(pattern: str) -> str:
    """What repeats without a bound, or repeats a group; "" if nothing does."""
    plain = re.sub(r"\[[^\]]+\]", "x", re.sub(r"\\.", "x", pattern))
    found = re.search(r"[*+]|\{\d*,\}|\)\{|\{\d*,?\d{4,}\}", plain)
    return found[0] if found else ""


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_no_expression_can_run_wild(row: table.Failure) -> None:
    """Every repetition is bounded, and none is repeated itself."""
    assert [wild(expression.pattern) for expression in row.says] == [""] * len(row.says)


@pytest.mark.parametrize("pattern", ["a*", "[a]+", "(a{1,9}){1,9}", "(x|a{2,})", "a{1,9999}"])
def test_a_wild_expression_is_seen(pattern: str) -> None:
    assert wild(pattern)


def test_a_key_that_the_table_does_not_know_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "failures.toml").write_text("[[failure]]\nname = 'a'\nsay = ['b']\n")
    monkeypatch.setattr(table, "FILE", tmp_path / "failures.toml")

    with pytest.raises(TypeError, match="say"):
        table.load()


def test_names_are_unique() -> None:
    names = [row.name for row in TABLE]

    assert len(names) == len(set(names))


def test_what_is_not_known_has_no_hint() -> None:
    assert rows("error[E0308]: mismatched types\n --> src/main.rs:1:1\n") == []
    assert rows("") == []


def test_colours_do_not_hide_it() -> None:
    assert rows("\x1b[1m\x1b[91merror\x1b[0m: \x1b[1mNo space left on device\x1b[0m") == [
        "disk-full"
    ]


def test_megabytes_are_searched_at_both_ends() -> None:
    """The first error stands at the beginning, a build script's last words at the end."""
    noise = "  compiling something that works\n" * 200_000

    assert rows(FULL + noise) == ["disk-full"]
    assert rows(noise + FULL) == ["disk-full"]
    assert rows(noise + FULL + noise) == []


def test_a_line_without_end_is_cut() -> None:
    assert rows("error: " + "x" * 100_000 + " No space left on device") == []


def test_each_error_has_its_hint_but_no_more_than_two_in_all() -> None:
    text = "".join(SCRIPT.format(name, "is `cmake` not installed?") for name in "abc")

    found = diagnose(text + FULL, NOWHERE, TABLE)

    assert [hint.cause.split()[0] for hint in found] == ["a-sys", "b-sys"]


def test_the_same_hint_is_given_once() -> None:
    assert rows(FULL * 5) == ["disk-full"]


def test_the_specific_explains_it() -> None:
    """openssl-sys asks pkg-config first and reports both."""
    text = "pkg-config has not been configured to support cross-compilation.\n  Could not find"
    text += " directory of OpenSSL installation"

    assert rows(SCRIPT.format("openssl", text)) == ["openssl"]


def test_a_warning_explains_nothing() -> None:
    """It repeats what a build script's error says, or belongs to another crate."""
    text = "warning: openssl-sys@0.9.1: Could not find directory of OpenSSL installation\n"

    assert rows(text + FULL) == ["disk-full"]


def test_what_a_script_says_is_no_explanation_of_another_error() -> None:
    assert rows("error: environment variable not found\n") == []


def test_nothing_that_a_terminal_obeys_is_repeated() -> None:
    (hint,) = diagnose("error: linker `a\x1b]0;b\x07\x9b` not found", NOWHERE, TABLE)

    assert hint.cause == "The linker a]0;b is not there."


def test_the_place_in_cargos_configuration_is_named(tmp_path: Path) -> None:
    write(tmp_path, {".cargo/config.toml": "[build]\n[target.x]\nlinker = 'x86-ld'\n"})
    around = Surroundings(tmp_path, {"HOME": str(tmp_path / "home")})

    (hint,) = diagnose("error: linker `x86-ld` not found", around, TABLE)

    assert hint.row == "linker-of-another-host"
    assert hint.cause.startswith(f"{tmp_path}/.cargo/config.toml:3 names the linker x86-ld")


def test_a_crate_in_the_lock_file_makes_a_row_fit(tmp_path: Path) -> None:
    text = SCRIPT.format("openssl", "Could not find directory of OpenSSL installation")
    write(tmp_path, {"Cargo.lock": '[[package]]\nname = "native-tls"\nversion = "1.0.0"\n'})

    assert rows(text, Surroundings(tmp_path, {})) == ["openssl-of-native-tls"]
    assert rows(text) == ["openssl"]


def test_the_programs_that_are_missing_are_named(tmp_path: Path) -> None:
    """With all of them there it is something else."""
    text = SCRIPT.format("x", "No such file or directory (os error 2)")
    (row,) = [row for row in TABLE if row.name == "a-program"]
    for name in row.absent:
        program(tmp_path / name)
    around = Surroundings(None, {"PATH": str(tmp_path)})
    assert rows(text, around) == ["a-file"]

    (tmp_path / "perl").unlink()
    (hint,) = diagnose(text, around, TABLE)

    assert hint.row == "a-program"
    assert hint.remedy.endswith("these are not installed: perl.")


@pytest.mark.parametrize("lock", ["", "package = 1", "[[package]]\nname = 1", "\x00"])
def test_a_damaged_lock_file_locks_nothing(tmp_path: Path, lock: str) -> None:
    write(tmp_path, {"Cargo.lock": lock})

    assert not Surroundings(tmp_path, {}).locks("native-tls")


def test_the_crate_that_failed_stands_in_where_none_is_named() -> None:
    text = "error: linking with `cc` failed\n  = note: error: unsupported linker arg: -Map\n"

    (hint,) = diagnose(text, NOWHERE, TABLE, "server")

    assert hint == Hint(
        row="linker-flag",
        cause="server gives the linker the flag -Map, which zig's does not know.",
        remedy=hint.remedy,
        see="a-flag-that-zig-refuses",
    )
