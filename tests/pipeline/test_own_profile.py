"""Each cargo profile is remembered on its own, and what there is none of is refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from helpers.project import SOURCES, Project, sha256

pytestmark = pytest.mark.integration

TABLES = '[profile.fast]\ninherits = "release"\n'
FILES = {**SOURCES, "Cargo.toml": f"{SOURCES['Cargo.toml']}\n{TABLES}"}
CARGOS = "target/x86_64-unknown-linux-musl"


def compiled(said: str) -> list[str]:
    return [line for line in said.splitlines() if line.startswith("compiled")]


def edit(project: Project, name: str = "core/src/lib.rs") -> None:
    path = project.path(name)
    path.write_text(path.read_text().replace("hello", "hello you"))


def unchanged(project: Project, run: Callable[[], str]) -> str:
    """What it says, where it changes nothing of the release and nothing of an editor's."""
    names = (f"{CARGOS}/release", "target/release", "target/debug")
    before = [project.stamps(name) for name in names]
    said = run()
    assert [project.stamps(name) for name in names] == before
    return said


def test_another_profile_in_between_costs_nothing(finished: Project) -> None:
    finished.build("profile=fast")
    release = sha256(finished.built("alpha"))

    assert compiled(unchanged(finished, finished.build)) == []
    assert sha256(finished.staged("alpha")) == release
    assert finished.build().startswith("up to date")
    assert compiled(unchanged(finished, lambda: finished.build("profile=fast"))) == []


def test_what_is_staged_is_of_the_profile_that_ran_last(finished: Project) -> None:
    for words, folder in ((["profile=dev"], "debug"), ([], "release"), (["profile=dev"], "debug")):
        finished.build(*words)
        made = finished.path(f"{CARGOS}/{folder}/alpha")
        assert sha256(finished.staged("alpha")) == sha256(made)
        assert finished.build(*words).startswith("up to date")
        assert finished.doit("audit", *words).returncode == 0


def test_an_edit_reaches_each_profile_when_its_turn_comes(finished: Project) -> None:
    finished.build("profile=fast")
    edit(finished)

    assert len(compiled(unchanged(finished, lambda: finished.build("profile=fast")))) == 3
    assert b"hello you" in finished.staged("alpha").read_bytes()
    assert len(compiled(finished.build())) == 3
    assert b"hello you" in finished.staged("alpha").read_bytes()
    assert compiled(finished.build("profile=fast")) == []


def test_the_inner_loop_of_dev_is_no_release(finished: Project) -> None:
    finished.path("config/policy.yaml").write_text(
        "rules: {stripped: deny, build_path: deny}\nsize: {max: 100 KiB}\n"
    )

    said = finished.build("profile=dev")
    assert "warn stripped" in said
    assert "warn size" in said
    assert finished.doit().returncode == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("relase", "cargo has no profile 'relase', did you mean 'release'?"),
        ("debug", "cargo has no profile 'debug', did you mean 'dev'?"),
    ],
)
def test_a_profile_that_is_not_there_costs_nothing(shared: Project, name: str, said: str) -> None:
    done = shared.doit(f"profile={name}")

    assert done.returncode == 3
    assert f"profile={name}: {said}" in done.stderr
    assert shared.build().startswith("up to date")


def test_one_that_inherits_from_nowhere(project: Project) -> None:
    path = project.path("Cargo.toml")
    path.write_text(f'{path.read_text()}\n[profile.lost]\ninherits = "nowhere"\n')
    done = project.doit("profile=lost")

    assert done.returncode == 3
    assert "cargo has no profile 'nowhere', which 'lost' inherits, known: bench" in done.stderr


def test_the_line_of_a_configured_one_is_told(project: Project) -> None:
    path = project.path("config/pipeline.yaml")
    path.write_text(path.read_text() + "profile: fst\n")

    assert "config/pipeline.yaml:3: profile: cargo has no profile 'fst', did you mean 'fast'?" in (
        project.doit().stderr
    )


def test_profiles_of_cargos_configuration_and_environment(project: Project) -> None:
    project.path(".cargo").mkdir()
    project.path(".cargo/config.toml").write_text('[profile.near]\ninherits = "fast"\n')
    path = project.path("config/pipeline.yaml")
    path.write_text(path.read_text() + "env: {CARGO_PROFILE_OTHER_INHERITS: near}\n")

    assert len(compiled(project.build("build", "profile=near"))) == 3
    assert len(compiled(project.build("build", "profile=other"))) == 3
