"""`doit setup` on machines of paper: what it runs, what it says, what it leaves to the user."""

from __future__ import annotations

import base64
import hashlib
import multiprocessing
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from doit_cargo.core.errors import MissingToolError, SetupError
from doit_cargo.core.model import Toolchain
from doit_cargo.core.toolchain import compiler as rust
from doit_cargo.core.toolchain import locate
from doit_cargo.tools.machine import apt, std
from doit_cargo.tools.machine.cache import locked, remove_cache, require
from doit_cargo.tools.machine.runtime import fault, std_fault
from doit_cargo.tools.machine.setup import setup
from helpers.machines import LINUX, MUSL, TARGET, TRIPLE, ZIG, Machine, add_std, program, usual

RUSTUP_ADDS = f"""\
#!/bin/sh
echo "$@" >> "$HOME/asked"
lib="$HOME/.rustup/toolchains/stable-{LINUX}/lib/rustlib/$5/lib"
mkdir -p "$lib" && : > "$lib/libstd-1.rlib"
"""
# no std for that target: the source alone
RUSTUP_SOURCE = f"""\
#!/bin/sh
[ "$1" = component ] || {{ echo "error: no such target" >&2; exit 1; }}
std="$HOME/.rustup/toolchains/stable-{LINUX}/lib/rustlib/src/rust/library/std"
mkdir -p "$std" && : > "$std/Cargo.toml"
"""
# a cargo that writes down how it is called, and "builds"
CARGO = """\
#!/bin/sh
PATH=/usr/bin:/bin
echo "$@" > "$HOME/argv"; env > "$HOME/env"; find . -name config.toml > "$HOME/config"
while [ $# -gt 0 ]; do [ "$1" = --target ] && triple=$2; shift; done
mkdir -p "target/$triple/release/deps" && : > "target/$triple/release/deps/libstd-9.rlib"
"""
RUSTUP_FAILS = "#!/bin/sh\necho 'error: could not download file' >&2\nexit 1\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """All there but std and the wrappers; what this process itself looks for is there too."""
    made = usual(tmp_path)
    made.site.joinpath("ziglang", "zig").write_text(ZIG)
    monkeypatch.syspath_prepend(made.site)
    monkeypatch.setenv("HOME", str(made.home))
    monkeypatch.setattr(apt, "present", lambda: False)
    monkeypatch.setattr(apt, "usable", lambda: False)
    return made


def run(machine: Machine) -> list[str]:
    """What it said."""
    said: list[str] = []
    setup([TARGET], workspace=machine.workspace, env=machine.env, stripped=True, say=said.append)
    return said


def located(machine: Machine) -> Toolchain:
    """The toolchain that a build there takes."""
    return locate.locate(TARGET, workspace=machine.workspace, env=machine.env, host=LINUX)


def no_rust(machine: Machine) -> None:
    for name in ("cargo", "rustc", "rustup"):
        (machine.home / ".cargo" / "bin" / name).unlink()


def debian(machine: Machine, monkeypatch: pytest.MonkeyPatch, *, known: str, root: bool) -> None:
    """apt-get, apt-cache and dpkg-query that write down how they are called."""
    monkeypatch.undo()
    monkeypatch.syspath_prepend(machine.site)
    monkeypatch.setenv("PATH", f"{machine.usr}/bin:/usr/bin:/bin")
    monkeypatch.setattr("os.geteuid", lambda: 0 if root else 1000)
    log = f'echo "$0 $@" | sed "s:.*/::" >> {machine.root}/log\n'
    uris = """case "$*" in *--print-uris*) echo "'http://x/a.deb' a.deb 3000000 SHA256:1"; esac\n"""
    bin_ = machine.usr / "bin"
    program(bin_ / "apt-get", f"#!/bin/sh\n{uris}{log}")
    program(bin_ / "apt-cache", f'#!/bin/sh\ncase "$3" in {known}) echo yes;; *) exit 100; esac\n')
    program(bin_ / "dpkg-query", '#!/bin/sh\necho "rustc-web: $2"\n')


def log(machine: Machine) -> list[str]:
    lines = (machine.root / "log").read_text().splitlines()
    return [line for line in lines if "--print-uris" not in line]


def test_rustup_fetches_std(machine: Machine) -> None:
    """And a second run finds everything and runs nothing."""
    (machine.home / ".cargo" / "bin" / "rustup").write_text(RUSTUP_ADDS)

    said = run(machine)

    asked = f"target add --toolchain stable-{LINUX} {TRIPLE}\n"
    assert (machine.home / "asked").read_text() == asked
    folder = machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}"
    assert f"fetching std for {TRIPLE}, about 40 MB, into {folder}" in said
    assert said[-1] == f"x86_64: everything is installed, in {machine.cache}"
    assert run(machine) == [
        f"Rust is installed: {folder}/bin/rustc",
        f"std for {TRIPLE} is installed: {folder}/lib/rustlib/{TRIPLE}/lib",
        said[-1],
    ]
    assert (machine.home / "asked").read_text() == asked
    chain = located(machine)
    assert chain.missing == ()


def test_rustup_without_a_network(machine: Machine) -> None:
    (machine.home / ".cargo" / "bin" / "rustup").write_text(RUSTUP_FAILS)

    with pytest.raises(SetupError) as caught:
        run(machine)

    assert "error: could not download file" in str(caught.value)
    assert f"component add rust-src --toolchain stable-{LINUX}" in str(caught.value)


def no_network_but_the_source(machine: Machine) -> None:
    """Of std, with all that it depends on."""
    (machine.home / ".cargo" / "bin" / "rustup").write_text(RUSTUP_FAILS)
    toolchain = machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}"
    library = toolchain / "lib/rustlib/src/rust/library"
    program(library / "std" / "Cargo.toml")
    (library / "vendor").mkdir()


def test_rustup_without_a_network_but_with_the_source(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_network_but_the_source(machine)
    monkeypatch.setattr(std, "_compile", fake_compile)

    said = run(machine)

    assert any("trying to build it from source" in line for line in said)
    chain = located(machine)
    assert chain.private_sysroot
    assert [path.name for path in chain.identity if path.suffix == ".rlib"] == ["libstd-9.rlib"]


def test_rustup_without_that_std_fetches_the_source(machine: Machine) -> None:
    """Rustup's source lacks what std depends on: cargo may fetch it, by the user's proxy."""
    (machine.home / ".cargo" / "bin" / "rustup").write_text(RUSTUP_SOURCE)
    program(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}" / "bin" / "cargo", CARGO)
    said: list[str] = []
    env = {**machine.env, "https_proxy": "http://proxy", "RUSTFLAGS": "-Cno"}

    setup([TARGET], workspace=machine.workspace, env=env, stripped=True, say=said.append)

    assert any(line.startswith("fetching the source of std, about 3 MB") for line in said)
    assert "--offline" not in (machine.home / "argv").read_text().split()
    assert (machine.home / "config").read_text() == ""
    given = (machine.home / "env").read_text()
    assert "https_proxy=http://proxy\n" in given
    assert "-Cno" not in given
    assert f"--remap-path-prefix={machine.home}/.cargo=/cargo\x1f" in given


def test_a_source_with_all_it_depends_on_needs_no_network(machine: Machine) -> None:
    no_network_but_the_source(machine)
    program(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}" / "bin" / "cargo", CARGO)

    run(machine)

    assert "--offline" in (machine.home / "argv").read_text().split()
    assert (machine.home / "config").read_text() == "./.cargo/config.toml\n"


def fake_compile(_rust: rust.Rust, triple: str, seed: Path, *_: object) -> None:
    deps = seed / "target" / triple / "release" / "deps"
    deps.mkdir(parents=True)
    for name in ("libstd-9.rlib", "libseed-1.rlib", "libstd-9.rmeta"):
        (deps / name).touch()


def test_a_selected_toolchain_is_installed(machine: Machine) -> None:
    (machine.workspace / "rust-toolchain").write_text("1.42\n")
    (machine.home / ".cargo" / "bin" / "rustup").write_text(RUSTUP_FAILS)
    said: list[str] = []

    with pytest.raises(SetupError):
        _setup_as_setup_error(machine, said)

    assert any("rustup toolchain install 1.42 --profile minimal" in line for line in said)


def _setup_as_setup_error(machine: Machine, said: list[str]) -> None:
    setup([TARGET], workspace=machine.workspace, env=machine.env, stripped=True, say=said.append)


def test_debian_as_root_without_rust(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    no_rust(machine)
    debian(machine, monkeypatch, known="rustc*|cargo*|rust-*", root=True)
    said: list[str] = []

    with pytest.raises(SetupError):  # apt is of paper: Rust isn't there afterwards either
        _setup_as_setup_error(machine, said)

    words = "rustc-web cargo-web rust-web-src gcc libc6-dev"
    assert log(machine) == [f"apt-get install -y -q --no-install-recommends {words}"]
    assert said[:3] == [
        "Rust is not installed",
        "fetching 3 MB of packages, into /usr",
        f"running apt-get install -y -q --no-install-recommends {words}",
    ]


def test_an_older_debian_names(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    debian(machine, monkeypatch, known="rustc|cargo|rust-src", root=True)

    assert apt.rust_packages() == ("rustc", "cargo", "rust-src")


def test_apt_without_lists_updates_first(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    no_rust(machine)
    debian(machine, monkeypatch, known="nothing", root=True)

    with pytest.raises(MissingToolError, match="knows no package"):
        run(machine)

    assert log(machine) == ["apt-get update -q"]


def test_debian_without_rights(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    no_rust(machine)
    debian(machine, monkeypatch, known="rustc*|cargo*|rust-*", root=False)

    with pytest.raises(MissingToolError) as caught:
        run(machine)

    assert "sudo apt-get install -y -q --no-install-recommends rustc-web" in str(caught.value)
    assert not (machine.root / "log").exists()


def test_elsewhere_without_rust(machine: Machine) -> None:
    no_rust(machine)

    with pytest.raises(MissingToolError, match=r"https://rustup\.rs"):
        run(machine)


def test_no_host_linker(machine: Machine) -> None:
    (machine.usr / "bin" / "cc").unlink()

    with pytest.raises(MissingToolError, match="install gcc or clang"):
        run(machine)


def test_a_distributions_rust_without_source(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source that belongs to that very compiler."""
    no_rust(machine)
    for name in ("cargo", "rustc"):
        program(machine.usr / "bin" / name)
    debian(machine, monkeypatch, known="rustc*|cargo*|rust-*", root=True)

    with pytest.raises(SetupError, match="no source of std"):
        run(machine)

    assert log(machine) == ["apt-get install -y -q --no-install-recommends rust-web-src"]


def test_a_failed_build_of_std_leaves_nothing(machine: Machine) -> None:
    no_rust(machine)
    program(machine.usr / "bin" / "cargo", "#!/bin/sh\necho 'error: E1' >&2; exit 101\n")
    program(machine.usr / "bin" / "rustc")
    program(machine.usr / "lib" / "rustlib" / "src" / "rust" / "library" / "std" / "Cargo.toml")
    (machine.usr / "lib" / "rustlib" / "src" / "rust" / "library" / "vendor").mkdir()

    with pytest.raises(SetupError, match="error: E1"):
        run(machine)

    assert list((machine.cache / "tmp").iterdir()) == []
    assert not (machine.cache / "sysroots").exists()


def test_zigs_own_words(machine: Machine) -> None:
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    machine.site.joinpath("ziglang", "zig").write_text("#!/bin/sh\necho odd zig >&2; exit 1\n")

    with pytest.raises(SetupError, match=f"zig can't compile for {TRIPLE}:\n.*\nodd zig"):
        run(machine)


def test_a_cache_that_cant_be_written(machine: Machine) -> None:
    machine.cache.parent.mkdir(parents=True)
    machine.cache.write_text("a file")

    with pytest.raises(SetupError, match="export DOIT_CARGO_CACHE=FOLDER"):
        run(machine)


def test_leftovers_of_a_killed_setup_are_swept(machine: Machine) -> None:
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    run(machine)
    (machine.cache / "tmp" / "half" / "build").mkdir(parents=True)

    run(machine)

    assert list((machine.cache / "tmp").iterdir()) == []


def test_two_at_once_wait(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    said: list[str] = []

    with locked(tmp_path, said.append):
        other = multiprocessing.get_context("spawn").Process(target=_second, args=(tmp_path,))
        other.start()
        waiting = tmp_path / "said"
        _until(waiting.exists)
        assert waiting.read_text() == f"waiting for another setup in {tmp_path}"
        assert not (tmp_path / "done").exists()
    other.join()

    assert (tmp_path / "done").exists()


def _second(cache: Path) -> None:
    def say(text: str) -> None:
        (cache / "part").write_text(text)
        (cache / "part").rename(cache / "said")

    with locked(cache, say):
        (cache / "done").touch()


def _until(true: Callable[[], bool]) -> None:
    import time  # noqa: PLC0415

    end = time.monotonic() + 30
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_removing_the_cache(machine: Machine) -> None:
    """Only what setup made; what else lies there stays."""
    said: list[str] = []
    require(machine.env)
    (machine.cache / "zig").mkdir()
    (machine.cache / "zig" / "big").write_bytes(b"x" * 2_000_000)
    (machine.cache / "mine").touch()

    remove_cache(machine.env, dry=True, say=said.append)
    assert (machine.cache / "zig" / "big").exists()
    remove_cache(machine.env, dry=False, say=said.append)
    remove_cache(machine.env, dry=False, say=said.append)

    assert said == [
        f"would remove {machine.cache} (2 MB)",
        f"removing {machine.cache} (2 MB)",
        f"there is no toolchain cache in {machine.cache}",
    ]
    assert [path.name for path in machine.cache.iterdir()] == ["mine"]


@pytest.mark.parametrize("name", ["tmp/mine", "zig/mine", "wrappers/mine", "lock", "mine"])
def test_a_folder_of_somebody_else_is_not_touched(machine: Machine, name: str) -> None:
    """Neither swept by a setup nor removed with the cache."""
    file = machine.cache / name
    file.parent.mkdir(parents=True)
    file.write_text("mine")

    with pytest.raises(SetupError, match="is not a cache that doit-cargo made"):
        run(machine)
    with suppress(SetupError):
        remove_cache(machine.env, dry=False, say=print)

    assert file.read_text() == "mine"
    assert [path for path in machine.cache.rglob("*") if path.is_file()] == [file]


def test_a_tag_of_another_program_is_not_ours(machine: Machine) -> None:
    (machine.cache / "tmp").mkdir(parents=True)
    tag = machine.cache / "CACHEDIR.TAG"
    tag.write_text("Signature: 8a477f597d28d172789f06886806bc55\n# cargo\n")

    with pytest.raises(SetupError, match=r"no CACHEDIR\.TAG of ours"):
        require(machine.env)
    with pytest.raises(SetupError, match=r"no CACHEDIR\.TAG of ours"):
        remove_cache(machine.env, dry=False, say=print)


def test_a_cache_from_before_there_was_a_tag_is_taken_over(machine: Machine) -> None:
    program(machine.cache / "wrappers" / f"{TRIPLE}-0123456789ab" / f"{TRIPLE}-cc")
    (machine.cache / "lock").touch()

    assert require(machine.env) == machine.cache
    assert (machine.cache / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172")


def test_a_cache_behind_a_link_is_tagged_where_it_lies(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    machine.cache.parent.mkdir(parents=True)
    machine.cache.symlink_to(tmp_path / "disk")

    require(machine.env)

    assert (tmp_path / "disk" / "CACHEDIR.TAG").is_file()


def test_a_file_of_zig_that_was_altered_is_told_and_nothing_is_made(machine: Machine) -> None:
    """By the list that the installer wrote: one of its headers, say."""
    header = machine.site / "ziglang" / "lib" / "stdio.h"
    header.parent.mkdir()
    header.write_text("int puts(const char *);\n")
    good = base64.urlsafe_b64encode(hashlib.sha256(header.read_bytes()).digest()).decode()
    record = machine.site / "ziglang-0.17.1.dist-info" / "RECORD"
    line = f"ziglang/lib/stdio.h,sha256={good.rstrip('=')},24\n"
    record.write_text(f"ziglang/zig,,\n{line}")
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    run(machine)
    header.write_text("int evil(const char *);\n")

    with pytest.raises(MissingToolError) as caught:
        run(machine)

    fault, remedy = str(caught.value).splitlines()
    assert fault == f"1 file of ziglang not as installed, such as {header}"
    assert remedy.endswith("-m pip install --force-reinstall --no-deps ziglang==0.17.1")
    header.unlink()
    with pytest.raises(MissingToolError, match="1 file of ziglang not as installed"):
        run(machine)


def test_a_wrapper_that_was_altered_is_told_and_made_anew(machine: Machine) -> None:
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    run(machine)
    chain = located(machine)
    (chain.wrappers / f"{TRIPLE}-cc").write_text("#!/bin/sh\nevil\n")

    altered = located(machine)
    said = run(machine)
    restored = located(machine)

    assert chain.missing == restored.missing == ()
    (fault,) = altered.missing
    assert fault == (
        f"the linker wrappers for {TRIPLE} were changed since `doit setup` "
        f"({chain.wrappers}/{TRIPLE}-cc): doit setup"
    )
    assert any(line.startswith("made zig's wrappers") for line in said)


UNMADE = f"musl for stripped {TRIPLE} executables is not compiled yet"


def tampered(machine: Machine, what: str) -> Path:
    """What setup made in the cache: musl, what is linked with it, or a mark of zig's."""
    (made,) = machine.cache.glob({"musl": f"zig/*/{MUSL}", "relro.o": "wrappers/*/relro.o"}[what])
    return made


@pytest.mark.parametrize("what", ["musl", "relro.o"])
@pytest.mark.parametrize("how", ["altered", "gone", "a link"])
def test_what_zig_links_is_told_when_it_is_not_what_was_made_and_made_anew(
    machine: Machine, what: str, how: str
) -> None:
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    run(machine)
    made = tampered(machine, what)
    before = made.read_bytes()
    if how == "altered":
        made.write_text("evil")
    else:
        made.unlink()
    if how == "a link":
        made.symlink_to("/dev/zero")

    assert fault(located(machine)) == f"musl for {TRIPLE} was changed since `doit setup` ({made})"
    said = run(machine)

    assert fault(located(machine)) == ""
    assert made.read_bytes() == before
    assert not made.is_symlink()
    assert any(line.startswith("compiling musl") for line in said)
    assert len(run(machine)) == 3  # Rust, std and the last line


EVIL = hashlib.sha256(b"evil").hexdigest()
OF_ANOTHER_KEY = f'{"0" * 32}\n{{"{MUSL}": "{EVIL}"}}'


@pytest.mark.parametrize("record", [None, "", "[]", OF_ANOTHER_KEY])
def test_without_a_record_of_this_users_all_of_it_is_made_anew(
    machine: Machine, record: str | None
) -> None:
    """Such as a cache that was restored: zig would take what lies in it."""
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    run(machine)
    found = located(machine)
    tampered(machine, "musl").write_text("evil")
    if record is None:
        found.zig_record.unlink()
    else:
        found.zig_record.write_text(record)

    assert fault(located(machine)) == UNMADE
    run(machine)

    assert fault(located(machine)) == ""
    assert tampered(machine, "musl").read_text() == "made\n"


def test_what_zig_links_belongs_to_the_toolchains_identity(machine: Machine) -> None:
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    run(machine)
    found = located(machine)

    assert {tampered(machine, "musl"), tampered(machine, "relro.o")} <= {*found.identity}


@pytest.mark.parametrize("how", ["altered", "another one", "no record"])
def test_a_std_that_setup_built_is_told_when_it_is_not_and_built_anew(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    no_network_but_the_source(machine)
    monkeypatch.setattr(std, "_compile", fake_compile)
    run(machine)
    found = located(machine)
    assert found.sysroot
    assert found.std_record
    lib = found.sysroot / "lib" / "rustlib" / TRIPLE / "lib"
    if how == "no record":
        found.std_record.unlink()
    else:
        (lib / {"altered": "libstd-9.rlib", "another one": "libevil-1.rlib"}[how]).write_text("x")

    wrong = std_fault(located(machine))
    said = run(machine)

    assert wrong in said
    assert wrong.startswith(f"std for {TRIPLE} was changed since `doit setup` ({lib}/lib") or (
        wrong == f"there is no record of who built std for {TRIPLE}" and how == "no record"
    )
    assert std_fault(located(machine)) == ""
    assert [path.name for path in lib.iterdir()] == ["libstd-9.rlib"]
    assert (lib / "libstd-9.rlib").read_bytes() == b""


def test_installations_share_a_std(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another Python environment has a zig of its own, and believes who built std."""
    no_network_but_the_source(machine)
    monkeypatch.setattr(std, "_compile", fake_compile)
    run(machine)
    shutil.rmtree(machine.site)
    machine.packages(ZIG)

    assert std_fault(located(machine)) == ""
    assert not [line for line in run(machine) if line.startswith("building Rust's std")]


def test_a_std_in_another_cache_has_a_record_of_its_own(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_network_but_the_source(machine)
    monkeypatch.setattr(std, "_compile", fake_compile)
    run(machine)

    env = {**machine.env, "DOIT_CARGO_CACHE": str(machine.root / "elsewhere")}
    setup([TARGET], workspace=machine.workspace, env=env, stripped=True, say=print)

    other = locate.locate(TARGET, workspace=machine.workspace, env=env, host=LINUX)
    assert std_fault(located(machine)) == std_fault(other) == ""


def test_what_is_the_same_stays_in_place(machine: Machine) -> None:
    """Another's run may be working with it: a setup with another key makes it anew for itself."""
    add_std(machine.home / ".rustup" / "toolchains" / f"stable-{LINUX}", TRIPLE)
    run(machine)
    before = [tampered(machine, what).stat() for what in ("musl", "relro.o")]
    located(machine).zig_record.unlink()

    assert any(line.startswith("compiling musl") for line in run(machine))

    assert [tampered(machine, what).stat() for what in ("musl", "relro.o")] == before
