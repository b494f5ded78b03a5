"""What cargo says on standard error belongs to the crate that it speaks of."""

from __future__ import annotations

from doit_cargo.tools.cargo.stderr import Stderr

SCRIPT = """\
   Compiling a v0.1.0 (/ws/a)
warning: a@0.1.0: something
error: failed to run custom build command for `a v0.1.0 (/ws/a)`
Caused by:
  process didn't exit successfully: `/ws/target/release/build/a-1/build-script-build`
  --- stderr
  Compiling took too long
warning: build failed, waiting for other jobs to finish...
   Compiling b v0.1.0 (/ws/b)
memory allocation of 10 bytes failed
error: could not compile `b` (bin "b")
Caused by:
  process didn't exit successfully: `rustc` (signal: 6, SIGABRT: process abort signal)
error: could not compile `c` (lib) due to 1 previous error
error: no such registry
  tried hard
"""


def heard(text: str) -> tuple[Stderr, list[str]]:
    words = Stderr()
    return words, [crate for line in text.splitlines() for crate in words.add(line)]


def test_each_crate_has_its_own() -> None:
    lines = SCRIPT.splitlines(keepends=True)
    words, _ = heard(SCRIPT)

    assert words.of("a") == "".join(lines[1:7])
    assert words.of("b") == "".join(lines[9:13])
    assert words.of("c") == ""
    assert words.rest() == "".join(lines[14:])
    assert list(words.crates()) == ["a", "b", "c"]


def test_a_failing_script_is_not_buried_by_what_it_watches() -> None:
    words, _ = heard(
        "error: failed to run custom build command for `a v0.1.0 (/ws/a)`\n"
        "Caused by:\n"
        "  --- stdout\n"
        "  cargo:rerun-if-env-changed=CC\n"
        "  cargo::rerun-if-changed=build.rs\n"
        "  cargo::warning=no compiler\n"
    )

    assert "rerun-if" not in words.of("a")
    assert "  cargo::warning=no compiler\n" in words.of("a")


def test_a_failure_is_told_when_all_of_it_was_said() -> None:
    """One whose diagnostics came as messages is complete at once, others with the next line."""
    assert heard(SCRIPT)[1] == ["a", "b", "c"]
    assert heard("\n".join(SCRIPT.splitlines()[:7]))[1] == []
    assert heard("\n".join(SCRIPT.splitlines()[:8]))[1] == ["a"]


def test_what_belongs_to_no_error_is_kept() -> None:
    words = Stderr()
    words.add_unattributed("a macro said this")
    assert list(words.add("warning: unused manifest key: x")) == []

    assert words.rest() == "a macro said this\nwarning: unused manifest key: x\n"


def test_colours_are_kept_and_not_minded() -> None:
    line = "\x1b[1m\x1b[91merror\x1b[0m: could not compile `a` (bin) due to 1 previous error"

    assert heard(line)[1] == ["a"]
