"""Cargo's message stream, taken apart: who waits for what, and who is told why not."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Crate, CrateGraph
from doit_cargo.tools.cargo.build import CargoBuild
from doit_cargo.tools.cargo.order import Delivery, Order
from doit_cargo.tools.cargo.progress import Step

TARGET = Path("/ws/target/x86_64-unknown-linux-musl")


def crate(name: str, *dependencies: str, bins: tuple[str, ...] = ()) -> Crate:
    return Crate(
        name=name, version="0.1.0", manifest=Path(f"/ws/{name}/Cargo.toml"),
        dependencies=dependencies, bins=bins, has_lib=not bins, build_script=None,
    )  # fmt: skip


GRAPH = CrateGraph(
    root=Path("/ws"),
    target_directory=Path("/ws/target"),
    crates={
        "core": crate("core"),
        "app": crate("app", "core", bins=("app",)),
        "spare": crate("spare"),
    },
)


def artifact(name: str, kind: str, *, fresh: bool = False, file: str = "") -> str:
    path = file or f"{TARGET}/release/deps/lib{name}-0123456789abcdef.rlib"
    return json.dumps({
        "reason": "compiler-artifact", "manifest_path": f"/ws/{name}/Cargo.toml", "fresh": fresh,
        "target": {"kind": [kind], "name": name}, "filenames": [path],
        "executable": path if kind == "bin" else None,
        "package_id": f"path+file:///ws/{name}#0.1.0",
    })  # fmt: skip


def diagnostic(name: str, text: str) -> str:
    return json.dumps({
        "reason": "compiler-message", "manifest_path": f"/ws/{name}/Cargo.toml",
        "message": {"rendered": text, "level": "error"},
    })  # fmt: skip


class Waiting(CargoBuild):
    """A build whose crates can be waited for."""

    def __init__(self, order: Order, graph: CrateGraph) -> None:
        self._events = {name: threading.Event() for name in order.wanted}
        super().__init__(order, graph, ready=lambda name: self._events[name].set())

    def wait(self, name: str) -> Delivery:
        self._events[name].wait()
        return self.delivery(name)


def build(
    tmp_path: Path, script: str, *, dropped: frozenset[str] = frozenset(), lock: str = ""
) -> Waiting:
    """A cargo that says what the script says; joined in a thread as in a run."""
    program = tmp_path / "cargo"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    order = Order(
        arch="x86_64", folder=TARGET, argv=(str(program),), env={"PATH": "/usr/bin:/bin"},
        directory=tmp_path, dropped=dropped,
        wanted={"core": frozenset(), "app": frozenset({"app"}), "spare": frozenset()},
    )  # fmt: skip
    (tmp_path / "Cargo.lock").write_text(lock)
    running = Waiting(order, GRAPH._replace(root=tmp_path))
    running.start()
    threading.Thread(target=running.join).start()
    return running


def say(*lines: str) -> str:
    return "\n".join(f"echo '{line}'" for line in lines)


def test_a_crate_is_delivered_before_cargo_ends(tmp_path: Path) -> None:
    flag = tmp_path / "go"
    wait = f"while [ ! -e {flag} ]; do sleep 0.01; done"
    path = f"{TARGET}/release/app"
    running = build(
        tmp_path,
        f"{say(artifact('core', 'lib'))}\n{wait}\n{say(artifact('app', 'bin', file=path))}",
    )

    assert running.wait("core").executables == {}
    flag.touch()
    assert running.wait("app").executables == {"app": Path(path)}


def test_a_library_that_was_not_needed_is_no_failure(tmp_path: Path) -> None:
    running = build(tmp_path, say(artifact("core", "lib")))

    assert running.wait("spare").executables == {}


def test_a_binary_that_never_came_is_a_failure(tmp_path: Path) -> None:
    running = build(tmp_path, say(artifact("core", "lib")))

    with pytest.raises(CheckError, match="cargo did not build app"):
        running.wait("app")


def test_a_failed_crate_has_its_own_diagnostics(tmp_path: Path) -> None:
    script = "\n".join([
        say(artifact("core", "lib"), diagnostic("app", "error: no such thing")),
        "echo 'error: could not compile `app` (bin) due to 1 previous error' >&2", "exit 101",
    ])  # fmt: skip
    running = build(tmp_path, script)

    with pytest.raises(CheckError) as caught:
        running.wait("app")

    assert str(caught.value) == "error: no such thing"
    assert running.wait("core")


def test_a_crate_above_a_failed_one_shows_that_ones_diagnostics(tmp_path: Path) -> None:
    script = f"{say(diagnostic('core', 'error: broken core'))}\nexit 101"

    with pytest.raises(CheckError, match="error: broken core"):
        build(tmp_path, script).wait("app")


def test_cargos_own_words_are_the_last_resort(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="error: no matching package"):
        build(tmp_path, "echo 'error: no matching package' >&2; exit 101").wait("core")


def test_a_warning_does_not_hide_why_it_failed(tmp_path: Path) -> None:
    """The compiler was killed: cargo alone says so, under its error."""
    message = json.loads(diagnostic("core", "warning: unused"))
    message["message"]["level"] = "warning"
    words = "error: could not compile `core` (lib)\n\nCaused by:\n  signal: 9, SIGKILL"
    script = f"{say(json.dumps(message))}; printf '%s\\n' '{words}' >&2; exit 101"

    with pytest.raises(CheckError) as caught:
        build(tmp_path, script).wait("core")

    assert str(caught.value).split("\n", 1) == [
        "warning: unusederror: could not compile `core` (lib)",
        "Caused by:\n  signal: 9, SIGKILL",
    ]


def test_a_third_party_crate_fails_those_above_it(tmp_path: Path) -> None:
    """Two failed: each of ours shows the one that the lock file puts below it."""
    lock = """\
[[package]]
name = "app"
dependencies = ["x-sys 1.0.0"]
[[package]]
name = "spare"
dependencies = ["y-sys"]
"""
    failed = "error: failed to run custom build command for `{0} v1.0.0`\n  no {0}"
    words = "\n".join(failed.format(name) for name in ("x-sys", "y-sys"))
    running = build(tmp_path, f"printf '%s\\n' '{words}' >&2; exit 101", lock=lock)

    for name, below in (("app", "x-sys"), ("spare", "y-sys")):
        with pytest.raises(CheckError) as caught:
            running.wait(name)
        assert str(caught.value) == failed.format(below)


def test_a_build_script_that_fails_ends_its_crate_while_cargo_goes_on(tmp_path: Path) -> None:
    flag = tmp_path / "go"
    words = "error: failed to run custom build command for `core v0.1.0 (/ws/core)`\n  no protoc"
    script = f"printf '%s\\n' '{words}' '   Compiling spare v0.1.0' >&2"
    running = build(tmp_path, f"{script}; while [ ! -e {flag} ]; do sleep 0.01; done; exit 101")

    with pytest.raises(CheckError) as caught:
        running.wait("core")
    flag.touch()

    assert str(caught.value) == words


def test_an_unlooked_for_fresh_is_an_error(tmp_path: Path) -> None:
    """Cargo was made to forget the crate; what it calls fresh it must have found elsewhere."""
    script = say(artifact("core", "lib", fresh=True))

    with pytest.raises(CheckError, match="cargo took core as fresh"):
        build(tmp_path, script, dropped=frozenset({"core"})).wait("core")


def test_the_hosts_part_may_be_fresh(tmp_path: Path) -> None:
    """Another target's cargo has just built the macro."""
    file = "/ws/target/release/deps/libcore-0123456789abcdef.so"
    script = say(artifact("core", "proc-macro", fresh=True, file=file))

    assert build(tmp_path, script, dropped=frozenset({"core"})).wait("core")


def test_a_cargo_that_cannot_start_tells_everybody(tmp_path: Path) -> None:
    order = Order(
        arch="x86_64", folder=TARGET, argv=("/nonexistent/cargo",), env={}, directory=tmp_path,
        wanted={"core": frozenset()},
    )  # fmt: skip
    running = Waiting(order, GRAPH)
    running.fail_all("cannot run cargo")

    with pytest.raises(CheckError, match="cannot run cargo"):
        running.wait("core")


@pytest.mark.parametrize(
    "said",
    [
        r"Building [=> ] 1/3: a\n",
        r"Building [=> ] 1/3: a\r",
        r"Building [=> ] 1/3: a\r\033[K     Running `A=1 /bin/rustc --x`\n",
        r"     Running `A=1 /bin/rustc --x`\n    Building [=> ] 1/3: a\r",
        r"Building [>  ] 0/3: a\r\033[K     Running `/bin/rustc`\n    Building [=> ] 1/3: a\r",
    ],
)
@pytest.mark.parametrize("verbose", [False, True])
def test_the_bar_is_seen_wherever_it_stands(tmp_path: Path, said: str, *, verbose: bool) -> None:
    """Cargo does not draw it again before it changes, which may take minutes."""
    program = tmp_path / "cargo"
    program.write_text(f"#!/bin/sh\nprintf '{said}' >&2\nsleep 0.1\n")
    program.chmod(0o755)
    order = Order(
        arch="x86_64", folder=TARGET, argv=(str(program),), env={"PATH": "/usr/bin:/bin"},
        directory=tmp_path, wanted={}, verbose=verbose,
    )  # fmt: skip
    steps: list[Step] = []
    running = CargoBuild(order, GRAPH, ready=lambda _: None, progress=steps.append)

    running.start()
    running.join()

    assert [step for step in steps if step.total][-1] == Step(1, 3, ("a",))


def test_what_is_no_message_is_kept(tmp_path: Path) -> None:
    script = "echo 'not json'; printf 'half a line' >&2; exit 1"

    with pytest.raises(CheckError) as caught:
        build(tmp_path, script).wait("core")

    assert sorted(str(caught.value).splitlines()) == ["half a line", "not json"]


@pytest.mark.parametrize(
    ("package_id", "name"),
    [
        ("registry+https://github.com/rust-lang/crates.io-index#serde@1.0.1", "serde"),
        ("path+file:///x/name#1.0.0", "name"),
        ("path+file:///x/dir#name@1.0.0", "name"),
        ("git+https://host/repo?branch=a/b#1.0.0", "repo"),
        ("git+https://host/repo?branch=a/b#name@1.0.0", "name"),
        ("name 1.0.0 (registry+https://host/index)", "name"),
    ],
)
def test_a_package_is_known_by_its_id(tmp_path: Path, package_id: str, name: str) -> None:
    message = json.loads(artifact("other", "lib")) | {"package_id": package_id}
    running = build(tmp_path, f"echo '{json.dumps(message)}'")
    with pytest.raises(CheckError):  # the last word: cargo has ended
        running.wait("app")

    assert name in running.cached()
