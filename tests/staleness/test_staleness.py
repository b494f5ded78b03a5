"""A hundred random steps from fixed seeds, and what the search has found before, by name.

The whole search is `python tests/staleness/search.py --seed N --steps K`.
"""

from __future__ import annotations

import os
import subprocess  # noqa: TID251
import sys
import time
from pathlib import Path

import pytest

from helpers.project import Project

sys.path.insert(0, str(Path(__file__).resolve().parent))

import search
from world import World

pytestmark = pytest.mark.integration

_SEEDS, _STEPS = 4, 25


@pytest.mark.parametrize("seed", range(1, _SEEDS + 1))
def test_random_steps_leave_nothing_stale(tmp_path: Path, seed: int) -> None:
    steps = search.choose(seed, _STEPS)

    assert search.play(tmp_path / "project", seed, steps) is None


def says(project: Project, binary: str) -> str:
    """What the staged program prints."""
    staged = project.staged(binary)
    return subprocess.run([staged], capture_output=True, text=True, check=True).stdout.strip()


def swap(path: Path, old: str, new: str, *, keep_time: bool = False) -> None:
    """Replace a text in a file, which must be there."""
    text, status = path.read_text(), path.stat()
    assert old in text
    path.write_text(text.replace(old, new))
    if keep_time:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def cargo_config(project: Project, text: str) -> None:
    """Write the project's .cargo/config.toml."""
    path = project.path(".cargo/config.toml")
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_a_feature_that_one_program_asks_for_counts_for_the_other(project: Project) -> None:
    """Features are unified over the workspace, so beta changes with alpha's manifest."""
    with project.path("core/Cargo.toml").open("a") as file:
        file.write("[features]\nloud = []\n")
    loud = 'if cfg!(feature = "loud") { "HELLO" } else { "hello" }'
    swap(project.path("core/src/lib.rs"), '"hello"', loud)
    project.build()

    swap(project.path("alpha/Cargo.toml"), '"../core"', '"../core", features = ["loud"]')
    project.build()

    assert says(project, "beta") == "beta HELLO"


SCRIPT = """\
fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let said = ["SOURCE_DATE_EPOCH", "FROM_CONFIG"].map(|n| std::env::var(n).unwrap_or_default());
    println!("cargo:rustc-env=SAID={}", said.join("-"));
}
"""


def test_what_a_script_reads_of_the_environment_unasked(project: Project) -> None:
    """A variable of the user's, then one of cargo's configuration: cargo sees neither change."""
    project.path("alpha/build.rs").write_text(SCRIPT)
    project.path("alpha/src/main.rs").write_text('fn main() { println!("{}", env!("SAID")); }\n')

    for number in "12":
        assert project.doit(env={"SOURCE_DATE_EPOCH": number}).returncode == 0
        assert says(project, "alpha") == f"{number}-"
    cargo_config(project, '[env]\nFROM_CONFIG = "x"\n')
    project.build()

    assert says(project, "alpha") == "-x"


def test_what_a_macro_reads_of_the_environment(project: Project) -> None:
    """As sqlx does with SQLX_OFFLINE and DATABASE_URL."""
    project.path("Cargo.lock").unlink()
    swap(project.path("Cargo.toml"), '"core"', '"core", "macros"')
    project.path("macros/src").mkdir(parents=True)
    project.path("macros/Cargo.toml").write_text(
        '[package]\nname = "macros"\nversion = "0.1.0"\nedition = "2021"\n'
        "[lib]\nproc-macro = true\n"
    )
    project.path("macros/src/lib.rs").write_text(
        "#[proc_macro]\npub fn word(_: proc_macro::TokenStream) -> proc_macro::TokenStream {\n"
        '    format!("\\"{}\\"", std::env::var("WORD").unwrap()).parse().unwrap()\n}\n'
    )
    with project.path("alpha/Cargo.toml").open("a") as file:
        file.write('macros = { path = "../macros" }\n')
    project.path("alpha/src/main.rs").write_text('fn main() { println!("{}", macros::word!()); }\n')
    config = project.path("config/pipeline.yaml")
    plain = config.read_text()
    for word in ("one", "two"):
        config.write_text(f"{plain}env: {{WORD: {word}}}\n")
        project.build()
        assert says(project, "alpha") == word


def test_a_build_directory_of_its_own(project: Project) -> None:
    """With `build.build-dir` the dep-infos and fingerprints would lie elsewhere."""
    cargo_config(project, '[build]\nbuild-dir = "elsewhere"\n')
    project.path("shared.txt").write_text("one")
    swap(project.path("alpha/src/main.rs"), "core_lib::greet()", 'include_str!("../../shared.txt")')
    project.build()

    project.path("shared.txt").write_text("two")
    project.build()

    assert says(project, "alpha") == "alpha two"


def test_a_file_that_cargos_configuration_includes(project: Project) -> None:
    cargo_config(project, 'include = ["more.toml"]\n')
    swap(
        project.path("alpha/src/main.rs"), "core_lib::greet()", 'option_env!("WORD").unwrap_or("")'
    )

    for word in ("one", "two"):
        project.path(".cargo/more.toml").write_text(f'[env]\nWORD = "{word}"\n')
        project.build()
        # a cargo that does not know `include` yet leaves it out
        assert says(project, "alpha") in {f"alpha {word}", "alpha"}


def test_an_edit_that_another_profile_saw_first(finished: Project) -> None:
    """Backdated, so that cargo would call the release build fresh."""
    swap(finished.path("core/src/lib.rs"), "hello", "HELLO", keep_time=True)

    finished.build("profile=dev")
    finished.build()

    assert says(finished, "alpha") == "alpha HELLO"


def test_a_damaged_library_is_not_linked(finished: Project) -> None:
    """Cargo never reads what it made; the old library has the right size and time."""
    source = finished.path("core/src/lib.rs")
    (library,) = finished.root.glob("target/*linux*/release/deps/libcore_lib-*.rlib")
    swap(source, "hello", "HELLO")
    finished.build()
    other, status = library.read_bytes(), library.stat()
    swap(source, "HELLO", "hello")
    finished.build()
    library.write_bytes(other)
    os.utime(library, ns=(status.st_atime_ns, status.st_mtime_ns))

    swap(finished.path("alpha/src/main.rs"), "fn main", "// edited\nfn main")
    finished.build()

    assert says(finished, "alpha") == "alpha hello"


def test_what_is_no_longer_read_is_no_input(project: Project) -> None:
    """After the run that found out, not one run later."""
    project.path("shared.txt").write_text("one")
    swap(project.path("alpha/src/main.rs"), "core_lib::greet()", 'include_str!("../../shared.txt")')
    project.build()

    swap(project.path("alpha/src/main.rs"), 'include_str!("../../shared.txt")', "1")
    project.build()

    assert project.build().startswith("up to date")


def test_what_the_script_of_a_fresh_crate_watches_is_its_own(project: Project) -> None:
    """Alpha is built alone; the library's folder is no input of alpha's."""
    project.path("words").mkdir()
    project.path("words/one").write_text("one")
    project.path("core/build.rs").write_text(
        'fn main() { println!("cargo:rerun-if-changed=../words"); }\n'
    )
    project.build()
    swap(project.path("alpha/src/main.rs"), "fn main", "// edited\nfn main")
    project.build()

    assert "words" not in project.path(".doit-cargo/records/x86_64/build/alpha.json").read_text()


def test_the_smallest_world_is_right_at_once(tmp_path: Path) -> None:
    judge = search.Judge(World(tmp_path / "project", 3))

    judge.check()


WAITING = """\
fn main() {
    println!("cargo:rerun-if-changed=../go");
    if std::path::Path::new("../wait").exists() {
        std::fs::write("../started", "").unwrap();
        while !std::path::Path::new("../go").exists() {
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
    }
}
"""


def test_an_edit_that_comes_and_goes_while_cargo_compiles(finished: Project) -> None:
    """As `git stash` and `git stash pop` do: at the end the source is as it was at the start."""
    finished.path("core/build.rs").write_text(WAITING)
    finished.path("wait").touch()
    source = finished.path("core/src/lib.rs")
    running = finished.start()
    while not finished.path("started").exists():
        time.sleep(0.01)

    swap(source, "hello", "HELLO", keep_time=True)
    finished.path("go").touch()
    said = running.communicate()[0]
    assert "compiled x86_64 core_lib" in said
    swap(source, "HELLO", "hello", keep_time=True)
    finished.path("wait").unlink()
    finished.build()

    assert says(finished, "alpha") == "alpha hello"


def test_a_script_that_writes_into_the_source_tree_comes_to_rest(project: Project) -> None:
    project.path("core/build.rs").write_text(
        "fn main() {\n"
        '    println!("cargo:rerun-if-changed=build.rs");\n'
        '    std::fs::write("src/made.rs", "pub const MADE: u32 = 1;\\n").unwrap();\n}\n'
    )
    swap(project.path("core/src/lib.rs"), "pub fn", "mod made;\npub fn")
    for _ in range(3):
        project.build()
    assert project.build().startswith("up to date")

    swap(project.path("core/src/lib.rs"), "hello", "HELLO")
    project.build()

    assert project.build().startswith("up to date")
