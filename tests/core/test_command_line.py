"""Options before and after names, and what is said of a wrong one."""

from __future__ import annotations

import pytest

from doit_cargo.core.command_line import Option, arrange, asks_for_help
from doit_cargo.core.errors import UsageError

OPTIONS = (
    Option("n", "process", valued=True),
    Option("c", "continue"),
    Option("", "pdb"),
    Option("a", "always", inverse="no-always"),
    Option("x", ""),
    Option("v", "verbosity", valued=True, number=True),
)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("stage", "stage"),
        ("stage -n 2", "-n 2 stage"),
        ("-n 2 stage", "-n 2 stage"),
        ("stage -n2 image", "-n2 stage image"),
        ("stage --process=2", "--process=2 stage"),
        ("stage --process 2 image", "--process 2 stage image"),
        ("stage --proc 2 image", "--proc 2 stage image"),
        ("stage -ca image", "-ca stage image"),
        ("stage -cn 2", "-cn 2 stage"),
        ("stage -cn2 image", "-cn2 stage image"),
        ("stage --no-always", "--no-always stage"),
        ("stage -v 1", "-v 1 stage"),
        ("stage -cv1", "-cv1 stage"),
        ("stage --verb=-1", "--verb=-1 stage"),
        ("stage -- -c", "-- stage -c"),
        ("stage -", "-- stage -"),
        ("stage -n -c", "-n -c stage"),
        ("", ""),
    ],
)
def test_options_go_first(words: str, expected: str) -> None:
    assert arrange(words.split(), OPTIONS) == expected.split()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("stage --contnue", "there is no option --contnue, did you mean '--continue'?"),
        ("--wrong=3", "there is no option --wrong, known: --process, --continue, --pdb, "),
        ("stage -q", "there is no option -q, known: "),
        ("stage -cq", "there is no option -cq, known: "),
        ("stage --p 2", "there is no option --p, "),
        ("stage -n", "-n needs a value"),
        ("stage --process", "--process needs a value"),
        ("stage -v x", "-v needs a whole number, not 'x'"),
        ("-cvx stage", "-cv needs a whole number, not 'x'"),
        ("--verbosity= stage", "--verbosity needs a whole number, not ''"),
        ("stage -v", "-v needs a value"),
    ],
)
def test_a_wrong_one_is_told(words: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        arrange(words.split(), OPTIONS)

    assert str(caught.value).startswith(said)
    assert caught.value.exit_code == 2


def test_behind_a_name_an_unknown_one_may_be_a_tasks() -> None:
    words = ["-c", "deploy", "--where", "here", "-c"]

    assert arrange(words, OPTIONS, strict=False) == ["-c", "--", "deploy", "--where", "here", "-c"]
    with pytest.raises(UsageError):
        arrange(["--where", "deploy"], OPTIONS, strict=False)


def test_help_is_asked_for_before_the_rest() -> None:
    assert asks_for_help(["stage", "-h"])
    assert asks_for_help(["--help"])
    assert not asks_for_help(["stage", "--", "-h"])
    assert not asks_for_help(["help"])
