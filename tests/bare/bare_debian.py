#!/usr/bin/env python3
"""The README's commands on a machine without anything: a Debian root of its own, in a chroot.

    sudo tests/bare/bare_debian.py                    the two commands of the README
    sudo tests/bare/bare_debian.py --rustup           with this machine's rustup in the root
    sudo tests/bare/bare_debian.py --command 'a && b' --command c     other commands

It needs root, debootstrap, git and a Debian mirror. The repository goes into the root as a clean
clone of what is committed (`--worktree`: as it lies here). Certificates and pip's settings are
copied if this machine's environment names them. Mounts and folders are removed at the end, however
it ends (`--keep` keeps the folder). Prints what each command took.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess  # noqa: TID251 - stands alone: it must not need what it tests
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
MARKS = ("fresh-machine", "tests")
PLACE = "root/project"  # where the clone lies in the root
PASSED = (
    "PIP_CERT", "PIP_INDEX_URL", "PIP_DEFAULT_TIMEOUT", "SSL_CERT_FILE", "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE", "http_proxy", "https_proxy", "no_proxy",
)  # fmt: skip
CA = "SSL_CERT_FILE"
CERTIFICATES = "root/certificates"
SOURCES = """\
deb {mirror} {suite} main
deb {mirror} {suite}-updates main
deb {mirror}-security {suite}-security main
"""


def main() -> int:
    """Make the root, run the commands in it, say how long each took."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with made_root(options) as root, mounted(root, rustup=options.rustup):
        for text in options.command or readme_commands(REPOSITORY / "README.md"):
            start = time.monotonic()
            code = in_root(root, text, rustup=options.rustup)
            sys.stdout.write(f"== {time.monotonic() - start:.1f} s, exit code {code}: {text}\n")
            sys.stdout.flush()
            if code:
                return 1
    return 0


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--command", action="append", help="run this, not the README's commands")
    parser.add_argument("--rustup", action="store_true", help="bind this machine's rustup")
    parser.add_argument("--worktree", action="store_true", help="copy the files as they lie here")
    parser.add_argument("--keep", action="store_true", help="don't remove the root")
    parser.add_argument("--suite", default="bookworm")
    parser.add_argument("--mirror", default="http://deb.debian.org/debian")
    return parser.parse_args()


def readme_commands(readme: Path) -> list[str]:
    """The first code block after each `<!-- mark -->`, a command of one or more lines."""
    text, found = readme.read_text(encoding="utf-8"), []
    for mark in MARKS:
        pattern = rf"<!--\s*{mark}\s*-->\s*```\w*\n(.*?)```"
        match = re.search(pattern, text, re.DOTALL)
        if match is None:
            sys.exit(f"{readme}: no code block after <!-- {mark} -->")
        found.append(match[1].strip())
    return found


@contextlib.contextmanager
def made_root(options: argparse.Namespace) -> Iterator[Path]:
    """A minimal Debian with the repository in it."""
    folder = Path(tempfile.mkdtemp(prefix="bare-debian."))
    try:
        root = folder / "root"
        call(["debootstrap", "--variant=minbase", options.suite, str(root), options.mirror])
        sources = SOURCES.format(suite=options.suite, mirror=options.mirror)
        (root / "etc/apt/sources.list").write_text(sources, encoding="utf-8")
        copy_settings(root)
        copy_repository(root / PLACE, worktree=options.worktree)
        yield root
    finally:
        if options.keep:
            sys.stdout.write(f"kept: {folder}\n")
        else:
            shutil.rmtree(folder)


def copy_settings(root: Path) -> None:
    """How this machine reaches the network: resolver, hosts, certificates it names."""
    for name in ("/etc/resolv.conf", "/etc/hosts"):
        shutil.copy(name, root / name[1:])
    (root / CERTIFICATES).mkdir()
    for name in PASSED:
        value = os.environ.get(name, "")
        if Path(value).is_file():
            shutil.copy(value, root / CERTIFICATES / name)


def settings() -> dict[str, str]:
    """The variables handed on. Files lie apart in the root, where no package replaces them."""
    given = {name: os.environ[name] for name in PASSED if os.environ.get(name)}
    found = {
        name: f"/{CERTIFICATES}/{name}" if Path(value).is_file() else value
        for name, value in given.items()
    }
    if "SSL_CERT_FILE" in found:  # a distribution's cargo reads no other variable
        found["CARGO_HTTP_CAINFO"] = found["SSL_CERT_FILE"]
    return found


def copy_repository(place: Path, *, worktree: bool) -> None:
    """A clean clone, or a copy without what git ignores at the top."""
    if worktree:
        ignored = shutil.ignore_patterns(".git", ".doit-cargo", "target", "__pycache__", ".*_cache")
        shutil.copytree(REPOSITORY, place, symlinks=True, ignore=ignored)
    else:
        call(["git", "clone", "--quiet", "--no-local", str(REPOSITORY), str(place)])


@contextlib.contextmanager
def mounted(root: Path, *, rustup: bool) -> Iterator[None]:
    """proc, sys and dev, and rustup read-write as `target add` writes into it: a copy."""
    mounts = [
        ["-t", "proc", "proc", str(root / "proc")],
        ["--rbind", "/sys", str(root / "sys")],
        ["--rbind", "/dev", str(root / "dev")],
    ]
    if rustup:
        copy_rustup(root)
    with contextlib.ExitStack() as stack:
        for words in mounts:
            call(["mount", *words])
            stack.callback(unmount, words[-1])
        yield


def unmount(place: str) -> None:
    """Detach it with all below, without passing that on to where it is bound from."""
    call(["mount", "--make-rslave", place])
    call(["umount", "--recursive", "--lazy", place])


def copy_rustup(root: Path) -> None:
    """The default toolchain and the proxies, as rustup's installer would have put them."""
    home = Path(os.environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    cargo = Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo")
    chosen = (home / "settings.toml").read_text(encoding="utf-8")
    match = re.search(r'^default_toolchain = "(.*)"', chosen, re.MULTILINE)
    if match is None:
        sys.exit(f"{home}: rustup has no default toolchain")
    name = match[1]
    inside = root / "root/.rustup"
    shutil.copytree(home / "toolchains" / name, inside / "toolchains" / name, symlinks=True)
    (inside / "settings.toml").write_text(chosen, encoding="utf-8")
    (inside / "update-hashes").mkdir()
    if (home / "update-hashes" / name).exists():
        shutil.copy(home / "update-hashes" / name, inside / "update-hashes" / name)
    shutil.copytree(cargo / "bin", root / "root/.cargo/bin", symlinks=True)


def in_root(root: Path, text: str, *, rustup: bool) -> int:
    """Run a shell command in the clone, with little more than HOME and PATH; its exit code."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    env = {
        "HOME": "/root",
        "PATH": f"/root/.cargo/bin:{path}" if rustup else path,
        "TERM": "dumb",
        **settings(),
    }
    argv = ["chroot", str(root), "/bin/sh", "-c", f"cd /{PLACE} && {text}"]
    return subprocess.run(argv, env=env, check=False).returncode


def call(argv: Sequence[str]) -> None:
    """Run a command of this machine; end with its output when it fails."""
    done = subprocess.run(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True
    )
    if done.returncode:
        sys.exit(f"{' '.join(argv)} ended with {done.returncode}\n{done.stdout[-2000:]}")


if __name__ == "__main__":
    sys.exit(main())
