"""What can happen to a workspace between two runs, or during one. Each step is deterministic.

A step takes the world and a source of random choices and says what it did. What it chooses
depends on what is there, so that a list of steps stays valid when some are dropped.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess  # noqa: TID251
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from world import SAYING, VERSION, World

Step = Callable[[World, Random], str]
_OLD = 1_000_000_000
_LAYOUTS = (
    "",
    '[build]\nrustflags = ["-Cdebug-assertions=on"]\n',
    '[env]\nFROMCFG = "a"\nWATCHED = "cfg"\n',
    '[env]\nOPT = "fromcfg"\n',
    "[profile.release]\nopt-level = 1\n",
    '[target.x86_64-unknown-linux-musl]\nrustflags = ["-Cdebug-assertions=on"]\n',
)


def edit(world: World, rng: Random) -> str:
    """Another version number in a file, with the time of now."""
    path = rng.choice(world.editable())
    bump(path)
    return _name(world, path)


def edit_sly(world: World, rng: Random) -> str:
    """The same, with the file's size and modification time kept."""
    path = rng.choice(world.editable())
    _keeping_time(path, bump)
    return _name(world, path)


def edit_backdated(world: World, rng: Random) -> str:
    """The same, with a modification time of long ago."""
    path = rng.choice(world.editable())
    bump(path)
    os.utime(path, (_OLD, _OLD))
    return _name(world, path)


def edit_outside(world: World, rng: Random) -> str:
    """A file that no crate holds, with its time kept or not."""
    path = rng.choice(world.outside())
    sly = rng.random() < 0.5
    _keeping_time(path, bump) if sly else bump(path)
    return f"{_name(world, path)}, sly={sly}"


def replace_outside(world: World, rng: Random) -> str:
    """A file outside is replaced by another one through a rename, of any age."""
    path = rng.choice(world.outside())
    other = path.with_name(".other")
    other.write_text(f"text of {rng.randrange(100)}\n")
    os.utime(other, (_OLD, _OLD))
    other.rename(path)
    return _name(world, path)


def touch(world: World, rng: Random) -> str:
    """A new time, or one of long ago, and the same bytes."""
    path = rng.choice(world.editable())
    old = rng.random() < 0.5
    os.utime(path, (_OLD, _OLD) if old else None)
    return f"{_name(world, path)}, old={old}"


def asset(world: World, rng: Random) -> str:
    """The watched folder gets, loses or renames a file."""
    found = sorted((world.root / "assets").iterdir())
    what = rng.choice(["add", "add", "remove", "rename"]) if len(found) > 1 else "add"
    path, fresh = rng.choice(found), world.root / f"assets/n{rng.randrange(100)}"
    if what == "add":
        fresh.write_text("version 1\n")
        os.utime(fresh, (_OLD, _OLD))
    elif what == "remove":
        path.unlink()
    else:
        path.rename(fresh)
    return f"{what} {_name(world, path)}"


def module(world: World, rng: Random) -> str:
    """A module moves between m0.rs and m0/mod.rs, with its time kept, or an unused one appears."""
    crate = world.root / "crates" / rng.choice(world.programs() + world.libraries())
    flat, deep = crate / "src/m0.rs", crate / "src/m0/mod.rs"
    deep.parent.mkdir(exist_ok=True)
    here, there = (flat, deep) if flat.exists() else (deep, flat)
    here.rename(there)
    if rng.random() < 0.5:
        _keeping_time(there, bump)
    return _name(world, there)


def feature(world: World, rng: Random) -> str:
    """A program turns a library's feature on, or off again."""
    path = world.root / "crates" / rng.choice(world.programs()) / "Cargo.toml"
    text = path.read_text()
    names = [n for n in world.libraries() if f'"../{n}"' in text] or world.libraries()
    plain = f'path = "../{rng.choice(names)}"'
    loud = f'{plain}, features = ["loud"]'
    path.write_text(text.replace(loud, plain) if loud in text else text.replace(plain, loud))
    return f"{_name(world, path)}: {plain}"


def dev_feature(world: World, rng: Random) -> str:
    """The same in a dependency for tests alone, which an old resolver unifies too."""
    path = world.root / "crates" / rng.choice(world.programs()) / "Cargo.toml"
    text, _, dev = path.read_text().partition("[dev-dependencies]\n")
    name = rng.choice(world.libraries())
    table = f'[dev-dependencies]\n{name} = {{ path = "../{name}", features = ["loud"] }}\n'
    path.write_text(text if dev else text + table)
    (world.root / "Cargo.lock").unlink(missing_ok=True)
    return f"{_name(world, path)}: {name}"


def default_feature(world: World, rng: Random) -> str:
    """A library has its feature by default, or no more."""
    path = world.root / "crates" / rng.choice(world.libraries()) / "Cargo.toml"
    text, plain, default = path.read_text(), "loud = []\n", 'loud = []\ndefault = ["loud"]\n'
    path.write_text(
        text.replace(default, plain) if default in text else text.replace(plain, default)
    )
    return _name(world, path)


def dependency(world: World, rng: Random) -> str:
    """A program loses or gets a library that it does not call."""
    path = world.root / "crates" / rng.choice(world.programs()) / "Cargo.toml"
    lines = path.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith("extra")]
    spare = [name for name in world.libraries() if f'"../{name}"' not in "".join(lines)]
    name = rng.choice([*spare, ""])
    if kept == lines and name:
        at = kept.index("[dependencies]\n") + 1
        kept.insert(at, f'extra = {{ path = "../{name}", package = "{name}" }}\n')
    path.write_text("".join(kept))
    (world.root / "Cargo.lock").unlink(missing_ok=True)
    return f"{_name(world, path)}: {name}"


def config_env(world: World, rng: Random) -> str:
    """The pipeline's configuration sets a variable, or no more."""
    name = rng.choice(["WATCHED", "PLAIN", "OPT", "MACRO_WORD"])
    if not world.config_env.pop(name, None) or rng.random() < 0.5:
        world.config_env[name] = str(rng.randrange(10))
    world.configure()
    return f"{name}={world.config_env.get(name)}"


def user_env(world: World, rng: Random) -> str:
    """The user's shell exports something else."""
    name = rng.choice(["SOURCE_DATE_EPOCH", "SOURCE_DATE_EPOCH", "RUSTFLAGS", "OPT"])
    flags = rng.choice(["-Cdebug-assertions=on", "-Copt-level=2"])
    world.user[name] = flags if name == "RUSTFLAGS" else str(rng.randrange(10))
    return f"{name}={world.user[name]}"


def setting(world: World, rng: Random) -> str:
    """The pipeline's configuration asks for features, or for another profile."""
    key, value = rng.choice([("features", "{names: [core/loud]}"), ("profile", "fast")])
    if not world.settings.pop(key, None):
        world.settings[key] = value
    world.configure()
    return f"{key}: {world.settings.get(key)}"


def opt_level(world: World, _: Random) -> str:
    """Another optimisation in the root manifest, or back."""
    path = world.root / "Cargo.toml"
    levels = ("opt-level = 0", "opt-level = 1")
    old, new = levels if levels[0] in path.read_text() else levels[::-1]
    path.write_text(path.read_text().replace(old, new))
    return new


def cargo_config(world: World, rng: Random) -> str:
    """Cargo's own configuration in the project."""
    text = rng.choice(_LAYOUTS)
    _configure_cargo(world, text)
    return text


def included_config(world: World, rng: Random) -> str:
    """Cargo's configuration includes another file."""
    more = f'[env]\nOPT = "more{rng.randrange(10)}"\n'
    _configure_cargo(world, 'include = ["more.toml"]\n')
    (world.root / ".cargo/more.toml").write_text(more)
    return more


def moved_config(world: World, rng: Random) -> str:
    """Cargo's configuration moves what it builds."""
    key = rng.choice(["build-dir", "target-dir"])
    _configure_cargo(world, f'[build]\n{key} = "built"\n')
    return key


def parent_config(world: World, rng: Random) -> str:
    """Cargo's configuration in the folder above comes, changes or goes."""
    text = rng.choice(_LAYOUTS)
    _configure_cargo(world, text, world.root.parent)
    return text


def lock_file(world: World, rng: Random) -> str:
    """The lock file goes, gets a comment or another version of its form, or nonsense."""
    path = world.root / "Cargo.lock"
    text = path.read_text() if path.exists() else ""
    how = rng.choice(["remove", "comment", "form"])
    if how == "remove" or not text:
        path.unlink(missing_ok=True)
    elif how == "comment":
        path.write_text(f"# {rng.randrange(10)}\n{text}")
    else:
        path.write_text(text.replace("version = 4", "version = 3"))
    return how


def branch(world: World, rng: Random) -> str:
    """An edit is committed on a branch, and another branch is switched to."""
    if not (world.root / ".git").exists():
        (world.root / ".gitignore").write_text("target\ndocker\n.doit-cargo\nbuilt\n__pycache__\n")
        _git(world, "init", "-qb", "main")
    _git(world, "add", "-A")
    _git(world, "commit", "-qm", "as it is", "--allow-empty")
    _git(world, "checkout", "-qB", f"edited{rng.randrange(3)}")
    for _ in range(rng.choice([1, 3])):
        bump(rng.choice(world.editable()))
    _git(world, "commit", "-qam", "an edit", "--allow-empty")
    if back := rng.random() < 0.7:
        _git(world, "checkout", "-q", "main")
    return f"back={back}"


def rename_crate(world: World, rng: Random) -> str:
    """A program's package and folder get another name; its files keep their times."""
    old, new = rng.choice(world.programs()), f"app{rng.randrange(6, 9)}"
    folder = world.root / "crates" / new
    if new in world.crates():
        return "nothing"
    (world.root / "crates" / old).rename(folder)
    manifest = folder / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace(f'name = "{old}"', f'name = "{new}"'))
    (world.root / "Cargo.lock").unlink(missing_ok=True)
    return f"{old} to {new}"


def rename_binary(world: World, rng: Random) -> str:
    """A program in src/bin gets another name and keeps its time."""
    found = sorted(world.root.glob("crates/app*/src/bin/*.rs"))
    if not found:
        return binary(world, rng)
    path = rng.choice(found)
    crate = path.parts[-4]
    new = path.with_name(f"{crate}_{'less' if path.stem.endswith('more') else 'more'}.rs")
    path.rename(new)
    return _name(world, new)


def script(world: World, rng: Random) -> str:
    """A build script says something else, or a script that reads nothing comes or goes."""
    path = world.root / "crates" / rng.choice(world.programs()) / "build.rs"
    if path.exists() and rng.random() < 0.3:
        path.unlink()
        return f"{_name(world, path)} goes"
    said = rng.randrange(10)
    path.write_text(f'fn main() {{ println!("cargo:rustc-env=OPT=script{said}"); }}\n')
    return f"{_name(world, path)} {said}"


# What a script watches (as a Rust literal has it), and the file that it reads.
_CHANGED = "cargo:rerun-if-changed="
_WATCHED = {
    "absent": (f"{_CHANGED}no/such", "../../said/word"),
    "absent, and says always the same": (f"{_CHANGED}no/such", "no/such"),
    "a pattern": (f"{_CHANGED}../../said/*", "../../said/word"),
    "dangling": (f"{_CHANGED}../../said/dangling", "../../said/word"),
    "blanks": (" \\tcargo::rerun-if-changed=../../said/word \\r", "../../said/word"),
    "a blank that belongs to the path": (f"{_CHANGED} ../../said/word", "../../said/word"),
    "odd bytes": (f"\\xff\\n{_CHANGED}../../said/word\\n\\xfe", "../../said/word"),
    "odd bytes in a path": (f"{_CHANGED}no\\xff\\n{_CHANGED}../../said", "../../said/word"),
    "a link": (f"{_CHANGED}../../linked", "../../said/word"),
    "behind a link": (f"{_CHANGED}../../linked/../said/word", "../../said/word"),
    "its package": (f"{_CHANGED}.", "word"),
    "its package, by an empty path": (f"{_CHANGED}", "word"),
    "nothing": ("", "word"),
    "the folder above": (f"{_CHANGED}..", "../word"),
    "everything": (f"{_CHANGED}../..", "../../said/word"),
}


def watching(world: World, rng: Random) -> str:
    """A script that watches something odd, or nothing that is there, and says a word."""
    names = [name for name in world.crates() if name.startswith("app") or name == "plain"]
    path = world.root / "crates" / rng.choice(names) / "build.rs"
    what = rng.choice(sorted(_WATCHED))
    watch, file = _WATCHED[what]
    path.write_text(SAYING.replace("WATCH", watch).replace("FILE", file))
    (path.parent / "word").write_text("word 1\n")
    (path.parent.parent / "word").write_text("word 1\n")
    return f"{_name(world, path)} watches {what}"


def word(world: World, rng: Random) -> str:
    """The words that such scripts say are others; perhaps with their times kept."""
    found = sorted(path for path in world.root.glob("**/word") if path.is_file())
    chosen = [path for path in found if rng.random() < 0.7] or found
    new, sly = f"word {rng.randrange(10)}\n", rng.random() < 0.4
    for path in chosen:
        if sly:
            _keeping_time(path, lambda path: path.write_text(new))
        else:
            path.write_text(new)
    return f"{[_name(world, path) for path in chosen]}: {new.strip()}, sly={sly}"


def word_and_edit(world: World, rng: Random) -> str:
    """And a crate is edited, or only a part is built."""
    said = word(world, rng)
    did = edit(world, rng) if rng.random() < 0.7 else part(world, rng)
    return f"{said}; {did}"


def tamper_generated(world: World, rng: Random) -> str:
    """What a build script made, or the script itself, is damaged, and the crate edited."""
    found = sorted(world.root.glob("target/**/build/protos-*/out/*.rs"))
    found += sorted(world.root.glob("target/**/build/*/build-script-build"))
    if not found:
        return "nothing there"
    path = rng.choice(found)
    how = rng.choice([_delete, _company, _another_api, _another_api])
    how(path)
    for crate in world.root.glob("crates/protos/src/lib.rs"):
        bump(crate)
    return f"{how.__name__} {_name(world, path)}"


def add_crate(world: World, rng: Random) -> str:
    """A program more."""
    name = f"app{rng.randrange(3, 6)}"
    if name not in world.crates():
        world.add_program(name, [rng.choice(world.libraries())])
        (world.root / "Cargo.lock").unlink(missing_ok=True)
    return name


def remove_crate(world: World, rng: Random) -> str:
    """A program less; one always stays."""
    name = rng.choice(world.programs())
    if len(world.programs()) > 1:
        shutil.rmtree(world.root / "crates" / name)
        (world.root / "Cargo.lock").unlink(missing_ok=True)
    return name


def binary(world: World, rng: Random) -> str:
    """A crate gets a second program, or loses it."""
    name = rng.choice(world.programs())
    path = world.root / f"crates/{name}/src/bin/{name}_more.rs"
    if path.exists():
        path.unlink()
    else:
        path.parent.mkdir(exist_ok=True)
        path.write_text('const V: u32 = 1;\nfn main() { println!("more {V}"); }\n')
    return _name(world, path)


def tamper(world: World, rng: Random) -> str:
    """An output is deleted, changed, replaced, or gets company."""
    built = [p for p in world.root.glob("target/*linux*/*/*") if p.name in _names(world)]
    ours = [path for path in world.root.glob("docker/**/*") if path.is_file()]
    if not built + ours:
        return "nothing there"
    path = rng.choice(sorted(ours if rng.random() < 0.6 else built or ours))
    how = rng.choice([_delete, _append, _truncate, _flip, _mode, _link, _folder, _company])
    how(path)
    return f"{how.__name__} {_name(world, path)}"


def tamper_library(world: World, rng: Random) -> str:
    """A library that cargo made is deleted or damaged, and a program that links it edited."""
    found = sorted(world.root.glob("target/*/*/deps/lib*.rlib"))
    if not found:
        return "nothing there"
    path = rng.choice(found)
    how = rng.choice([_delete, _keeping_damage])
    how(path)
    bump(world.root / "crates" / rng.choice(world.programs()) / "src/main.rs")
    return f"{how.__name__} {_name(world, path)}"


def tamper_state(world: World, rng: Random) -> str:
    """The state folder, or a file in it, is gone or damaged."""
    found = sorted(path for path in world.root.glob(".doit-cargo/**/*") if path.is_file())
    found = [path for path in found if "owned" not in path.parts]
    if not found or rng.random() < 0.2:
        shutil.rmtree(world.root / ".doit-cargo", ignore_errors=True)
        return "all of it"
    path = rng.choice(found)
    how = rng.choice([_delete, _truncate, _append])
    how(path)
    return f"{how.__name__} {_name(world, path)}"


def drop_target(world: World, rng: Random) -> str:
    """Part of cargo's folder is gone."""
    found = [path for path in sorted(world.root.glob("target/**/")) if len(path.parts) < 10]
    if not found:
        return "nothing there"
    path = rng.choice(found)
    shutil.rmtree(path)
    return _name(world, path)


def part(world: World, rng: Random) -> str:
    """An edit, and a run of one crate or another profile only."""
    path = rng.choice(world.editable())
    _keeping_time(path, bump) if rng.random() < 0.5 else bump(path)
    name = rng.choice(world.crates())
    words = rng.choice([[f"build:x86_64:{name}"], ["profile=fast"], ["verify"], ["--continue"]])
    code = world.project.doit(*words, env=world.user).returncode
    return f"{_name(world, path)}; {words} ended with {code}"


def broken(world: World, rng: Random) -> str:
    """A source that does not compile, a run that fails, and the old source with its old time."""
    path = rng.choice(world.editable())
    other = rng.choice(world.editable())
    kept, text, status = other.read_text(), path.read_text(), path.stat()
    back = other.stat()
    bump(other)
    if path.suffix == ".rs":
        path.write_text(path.read_text() + "compile_error!();\n")
    code = world.project.doit(*rng.choice([[], ["--continue"]]), env=world.user).returncode
    other.write_text(kept)
    os.utime(other, ns=(back.st_atime_ns, back.st_mtime_ns))
    path.write_text(text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return f"{_name(world, path)} and {_name(world, other)}; ended with {code}"


def killed(world: World, rng: Random) -> str:
    """An edit, a run that is killed at any moment, and perhaps the old source with its old time."""
    path = rng.choice(world.editable())
    text, status = path.read_text(), path.stat()
    _keeping_time(path, bump) if rng.random() < 0.5 else bump(path)
    running = world.project.start(env=world.user)
    time.sleep(rng.uniform(0.1, 1.8))
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    if back := rng.random() < 0.6:
        path.write_text(text)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    return f"{_name(world, path)}, back={back}"


def during(world: World, rng: Random) -> str:
    """An edit starts a run, another one comes while cargo compiles, and perhaps goes again."""
    slow = world.root / "slow"
    slow.touch()
    first, second = rng.choice(world.editable()), rng.choice(world.editable())
    bump(first)
    running = world.project.start(env=world.user)
    time.sleep(rng.uniform(0.2, 0.9))
    text, status = second.read_text(), second.stat()
    _keeping_time(second, bump) if rng.random() < 0.5 else bump(second)
    if back := rng.random() < 0.5:
        time.sleep(rng.uniform(0.1, 0.8))
        second.write_text(text)
        os.utime(second, ns=(status.st_atime_ns, status.st_mtime_ns))
    running.communicate()
    slow.unlink()
    return f"{_name(world, first)}, then {_name(world, second)}, back={back}"


def two_runs(world: World, rng: Random) -> str:
    """An edit and two runs at once, which must come to the same."""
    path = rng.choice(world.editable())
    bump(path)
    runs = [world.project.start(env=world.user) for _ in range(2)]
    said = [run.communicate() for run in runs]
    assert runs[0].returncode == runs[1].returncode, said
    return _name(world, path)


STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        edit, edit_sly, edit_backdated, edit_outside, replace_outside, touch, asset, module,
        feature, dev_feature, default_feature, dependency, config_env, user_env, setting,
        opt_level, cargo_config, included_config, moved_config, parent_config, lock_file, branch,
        script, watching, word, word_and_edit, add_crate, remove_crate, rename_crate, binary,
        rename_binary, tamper, tamper_library, tamper_generated, tamper_state, drop_target, part,
        broken, killed, during, two_runs,
    )
}  # fmt: skip


def bump(path: Path) -> None:
    """Give the file another version number; its size stays."""
    text = path.read_text()
    if match := VERSION.search(text):
        number = (int(match[0]) + 1) % 10
        path.write_text(f"{text[: match.start()]}{number}{text[match.end() :]}")


def _configure_cargo(world: World, text: str, folder: Path | None = None) -> None:
    place = (folder or world.root) / ".cargo"
    shutil.rmtree(place, ignore_errors=True)
    if text:
        place.mkdir()
        (place / "config.toml").write_text(text)


def _git(world: World, *words: str) -> None:
    argv = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *words]
    subprocess.run(argv, cwd=world.root, check=True, capture_output=True)


def _keeping_time(path: Path, change: Callable[[Path], object]) -> None:
    status = path.stat()
    change(path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _name(world: World, path: Path) -> str:
    return str(path.relative_to(world.root))


def _names(world: World) -> set[str]:
    return {name.partition("/")[2] for name in world.binaries()}


def _delete(path: Path) -> None:
    path.unlink()


def _append(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more")


def _truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def _flip(path: Path) -> None:
    def change(path: Path) -> None:
        data = bytearray(path.read_bytes())
        data[len(data) // 2 : len(data) // 2 + 1] = b"\x7f"
        path.write_bytes(data)

    _keeping_time(path, change)


def _another_api(path: Path) -> None:
    data = path.read_bytes().replace(b"api version", b"bad version")
    _keeping_time(path, lambda path: path.write_bytes(data))


def _keeping_damage(path: Path) -> None:
    _keeping_time(path, _truncate)


def _mode(path: Path) -> None:
    path.chmod(0o700)


def _link(path: Path) -> None:
    moved = path.with_name(path.name + ".moved")
    path.rename(moved)
    path.symlink_to(moved.name)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")


def _company(path: Path) -> None:
    path.with_name("foreign").write_text("x")
