"""`doit hooks`, with a real git: what a push does, and whose hook is touched."""

from __future__ import annotations

import os
import subprocess  # noqa: TID251
from pathlib import Path

import pytest

from doit_cargo.core import pre_push_hook
from helpers.project import DODO, DOIT, REPOSITORY, Project, plugin_tables
from helpers.workspaces import write

pytestmark = pytest.mark.integration

FOREIGN = "#!/bin/sh\necho mine\n"
# Nobody's own settings, and no doit on PATH: the hook calls the one that installed it.
ENV = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "PATH": os.pathsep.join(
        folder
        for folder in os.environ["PATH"].split(os.pathsep)
        if not os.access(Path(folder, "doit"), os.X_OK)
    ),
}


def run(*argv: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    env = Project.environment(ENV)
    return subprocess.run(argv, cwd=cwd, env=env, text=True, capture_output=True, check=False)


def good(*argv: str | Path, cwd: Path) -> str:
    done = run(*argv, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tip(bare: Path) -> str:
    """What the remote has for the branch."""
    return run("git", "rev-parse", "--verify", "-q", "refs/heads/main", cwd=bare).stdout.strip()


def commit(root: Path) -> str:
    good("git", "add", "-A", cwd=root)
    good("git", "commit", "-q", "--allow-empty", "-m", "a change", cwd=root)
    return good("git", "rev-parse", "HEAD", cwd=root).strip()


@pytest.fixture(scope="module")
def pushed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Path]:
    """A built project in a subfolder of a repository, with the hook and an empty remote."""
    folder = tmp_path_factory.mktemp("pushed")
    good("git", "init", "-q", "--bare", "-b", "main", "bare.git", cwd=folder)
    good("git", "init", "-q", "-b", "main", "top", cwd=folder)
    project = Project(folder / "top/rust project")
    write(project.root, {".gitignore": "/target/\n/.doit-cargo/\n/docker/\n"})
    good("git", "remote", "add", "origin", "../bare.git", cwd=folder / "top")
    good(DOIT, cwd=project.root)
    good(DOIT, "hooks", "install", cwd=project.root)
    return project, folder / "bare.git"


def test_a_push_passes_when_all_is_verified(pushed: tuple[Project, Path]) -> None:
    project, bare = pushed
    head = commit(project.root)
    done = run("git", "push", "-q", "origin", "main", cwd=project.root)

    assert (done.returncode, tip(bare)) == (0, head)
    assert "2 binaries and all copies are valid\nup to date: 2 binaries" in done.stderr


def test_an_altered_package_stops_the_push(pushed: tuple[Project, Path]) -> None:
    project, bare = pushed
    commit(project.root)
    before = tip(bare)
    data = bytearray(project.packaged("alpha").read_bytes())
    data[len(data) // 2] ^= 1
    project.packaged("alpha").write_bytes(data)
    done = run("git", "push", "-q", "origin", "main", cwd=project.root.parent)

    assert done.returncode == 1
    assert tip(bare) == before
    assert f"differs from {project.packaged('alpha')}: run doit\n" in done.stderr
    assert (
        "push refused: the binaries are not as they should be (above)\n"
        "    to fix it:     doit\n"
        "    to push anyway: git push --no-verify\n"
    ) in done.stderr
    good(DOIT, cwd=project.root)
    good("git", "push", "-q", "origin", "main", cwd=project.root)
    assert tip(bare) != before


def test_binaries_of_other_sources_stop_the_push(pushed: tuple[Project, Path]) -> None:
    project, bare = pushed
    source = project.path("beta/src/main.rs")
    source.write_text(source.read_text() + "// one more line\n")
    commit(project.root)
    before = tip(bare)
    done = run("git", "push", "-q", "origin", "main", cwd=project.root)

    assert (done.returncode, tip(bare)) == (1, before)
    assert "build:x86_64:beta is stale: beta/src/main.rs; run doit\n" in done.stderr
    good(DOIT, cwd=project.root)
    good("git", "push", "-q", "origin", "main", cwd=project.root)


def test_a_hook_whose_doit_is_gone_refuses(pushed: tuple[Project, Path]) -> None:
    project, bare = pushed
    installed = project.root.parent / ".git/hooks/pre-push"
    text = installed.read_text()
    commit(project.root)
    before = tip(bare)
    installed.write_text(pre_push_hook.text(folder="rust project", doit="/nowhere/doit"))
    done = run("git", "push", "-q", "origin", "main", cwd=project.root)
    installed.write_text(text)

    assert (done.returncode, tip(bare)) == (1, before)
    assert "push refused: no doit is found\n" in done.stderr


def test_pre_commit_runs_the_same(
    pushed: tuple[Project, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hooks of this repository, as a configuration at the top of another one names them."""
    project, _ = pushed
    offered = (REPOSITORY / ".pre-commit-hooks.yaml").read_text()
    hooks = write(tmp_path / "hooks", {".pre-commit-hooks.yaml": offered})
    good("git", "init", "-q", "-b", "main", cwd=hooks)
    entries = "".join(
        f"  - {{id: {name}, entry: sh -c 'cd \"rust project\" && {DOIT} {word}'}}\n"
        for name, word in (("doit-audit", "audit"), ("doit-verify", "verify"))
    )
    config = f"repos:\n- repo: {hooks}\n  rev: {commit(hooks)}\n  hooks:\n{entries}"
    top = write(project.root.parent, {".pre-commit-config.yaml": config})
    commit(top)
    argv = ("pre-commit", "run", "--hook-stage", "pre-push", "--all-files", "--color", "never")
    monkeypatch.setitem(ENV, "PRE_COMMIT_HOME", str(tmp_path / "home"))
    passed = run(DOIT.with_name(argv[0]), *argv[1:], cwd=top)
    os.chmod(project.staged("alpha"), 0o777)  # noqa: S103 - what audit must find
    refused = run(DOIT.with_name(argv[0]), *argv[1:], cwd=top)
    good(DOIT, cwd=project.root)

    assert (passed.returncode, passed.stdout.count("...Passed\n")) == (0, 2), passed.stdout
    assert refused.returncode == 1
    assert "does not have mode 755: run doit\n" in refused.stdout


@pytest.fixture
def bare_project(tmp_path: Path) -> Path:
    """Nothing but what doit loads: `doit hooks` needs no workspace."""
    root = write(tmp_path / "repo", {"dodo.py": DODO, "pyproject.toml": plugin_tables()})
    good("git", "init", "-q", "-b", "main", cwd=root)
    return root


def test_installed_said_and_removed(bare_project: Path) -> None:
    path = bare_project / ".git/hooks/pre-push"
    said = [
        good(DOIT, "hooks", *words, cwd=bare_project)
        for words in ([], ["install"], ["install"], [])
    ]

    assert said[0] == "no pre-push hook: doit hooks install\n"
    assert said[1] == said[2]
    assert said[1].startswith(f"installed {path}: ")
    assert said[3] == f"installed: {path}\n"
    assert path.stat().st_mode & 0o7777 == 0o755
    assert good(DOIT, "hooks", "uninstall", cwd=bare_project) == f"removed {path}\n"
    assert not path.exists()
    assert good(DOIT, "hooks", "uninstall", cwd=bare_project) == "there is no pre-push hook\n"


@pytest.mark.parametrize("kind", ["foreign", "edited", "link"])
def test_what_is_not_as_we_wrote_it_stays_unless_forced(bare_project: Path, kind: str) -> None:
    path = bare_project / ".git/hooks/pre-push"
    mine = pre_push_hook.text(folder=".", doit="/x/doit") + "echo and mine\n"
    text = mine if kind == "edited" else FOREIGN
    place = path.with_name("other") if kind == "link" else path
    place.write_text(text)
    if kind == "link":
        path.symlink_to("other")

    for word in ("install", "uninstall"):
        done = run(DOIT, "hooks", word, cwd=bare_project)
        assert (done.returncode, place.read_text()) == (1, text)
        assert f"and stays: doit hooks {word} --force" in done.stderr
    good(DOIT, "hooks", "install", "--force", cwd=bare_project)
    assert pre_push_hook.whose(path.read_text()) == "ours"
    assert not path.is_symlink()
    assert kind != "link" or place.read_text() == text
    path.write_text(text)
    good(DOIT, "hooks", "--force", "uninstall", cwd=bare_project)
    assert not path.exists()


def test_a_hooks_folder_of_the_repository_is_respected(bare_project: Path) -> None:
    good("git", "config", "core.hooksPath", ".hooks", cwd=bare_project)
    good(DOIT, "hooks", "install", cwd=bare_project)

    assert pre_push_hook.whose((bare_project / ".hooks/pre-push").read_text()) == "ours"
    assert not (bare_project / ".git/hooks/pre-push").exists()


def test_a_hooks_folder_shared_with_others_is_left_alone(
    bare_project: Path, tmp_path: Path
) -> None:
    good("git", "config", "core.hooksPath", str(tmp_path / "shared"), cwd=bare_project)
    done = run(DOIT, "hooks", "install", cwd=bare_project)

    assert done.returncode == 3
    assert "git config --local core.hooksPath .git/hooks" in done.stderr
    assert not (tmp_path / "shared").exists()


def test_a_worktree_has_the_hooks_of_its_repository(bare_project: Path, tmp_path: Path) -> None:
    commit(bare_project)
    good("git", "worktree", "add", "-q", tmp_path / "tree", cwd=bare_project)
    good(DOIT, "hooks", "install", cwd=tmp_path / "tree")

    assert pre_push_hook.whose((bare_project / ".git/hooks/pre-push").read_text()) == "ours"


def test_outside_of_a_repository_it_says_so(tmp_path: Path) -> None:
    root = write(tmp_path, {"dodo.py": DODO, "pyproject.toml": plugin_tables()})
    done = run(DOIT, "hooks", "install", cwd=root)

    assert done.returncode == 3
    assert done.stderr.startswith("ERROR: a hook needs a git repository with a working tree here:")
    assert "Traceback" not in done.stderr
