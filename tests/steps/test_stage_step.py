"""stage: the build context holds what the manifest says, and nothing else."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Binary, Context
from doit_cargo.core.task import Outcome, TaskSpec
from doit_cargo.steps import stage
from doit_cargo.tools.artifact import sha256
from helpers.contexts import BOTH, context, session, shown
from helpers.elf_files import elf

BYTES = {"alpha": elf(payload=b"\xc3" * 70_000), "beta": elf(payload=b"\xc3" * 80_000)}
SIZE = sum(map(len, BYTES.values()))
OTHER = elf(payload=b"\xc3" * 90_000)
BAD = elf(payload=b"\xc3" * 70_000, stacks=())


class Shop:
    """A workspace whose binaries are packaged, with their manifest."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.root = ctx.config.root
        for name, data in BYTES.items():
            self.packaged(name).parent.mkdir(parents=True)
            self.packaged(name).write_bytes(data)
        self.manifest(**BYTES)

    def manifest(self, **files: bytes) -> None:
        """Say that these are packaged."""
        lines = "".join(f"{name}/{name}  {sha256(data)}\n" for name, data in files.items())
        (self.root / "docker/binaries/x86_64/MANIFEST.txt").write_text(f"# Shop\n\n{lines}")

    def packaged(self, name: str) -> Path:
        return self.root / "docker/binaries/x86_64" / name / name

    def staged(self, name: str) -> Path:
        return self.root / "docker/context/binaries" / name / name

    def spec(self) -> TaskSpec:
        return next(iter(stage.specs(self.ctx, session())))

    def run(self) -> Outcome:
        spec = self.spec()
        assert spec.action
        found = spec.action()
        assert found is not None
        return found


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(context(tmp_path))


def test_a_task_a_target_each_with_a_context_of_its_own(tmp_path: Path) -> None:
    ctx = context(tmp_path, config=BOTH)
    one, other = (shown(spec, ctx.config.root) for spec in stage.specs(ctx, session()))

    assert one == {
        "name": "stage:x86_64",
        "doc": "copy the packaged files to docker/context/binaries",
        "inputs": [
            "docker/binaries/x86_64/MANIFEST.txt", "docker/binaries/x86_64/alpha/alpha",
            "docker/binaries/x86_64/beta/beta",
        ],
        "outputs": ["docker/context/binaries/alpha/alpha", "docker/context/binaries/beta/beta"],
        "group": "stage", "owns": "docker/context/binaries", "always": False, "programs": (),
    }  # fmt: skip
    assert other["owns"] == "docker/context/aarch64/binaries"


def test_what_is_shipped_and_in_what_order_makes_it_stale(shop: Shop) -> None:
    ctx = shop.ctx
    ships = (ctx.ship, ctx.ship[:1], (*ctx.ship[:1], Binary(crate="beta", name="other")))
    found = {next(iter(stage.specs(ctx._replace(ship=s), session()))).fingerprint for s in ships}

    assert len(found) == 3


def test_the_packages_are_copied_with_their_mode(shop: Shop) -> None:
    outcome = shop.run()

    assert outcome == Outcome(size=SIZE)
    for name, data in BYTES.items():
        assert shop.staged(name).read_bytes() == data
        assert stat.S_IMODE(shop.staged(name).stat().st_mode) == 0o755


def test_what_is_there_already_is_not_written_again(shop: Shop) -> None:
    """A Docker build sees by inode and time what changed."""
    shop.run()
    before = {name: shop.staged(name).stat() for name in BYTES}
    shop.packaged("beta").write_bytes(OTHER)
    shop.manifest(alpha=BYTES["alpha"], beta=OTHER)
    shop.run()
    after = {name: shop.staged(name).stat() for name in BYTES}

    assert (after["alpha"].st_ino, after["alpha"].st_mtime_ns) == (
        before["alpha"].st_ino, before["alpha"].st_mtime_ns,
    )  # fmt: skip
    assert after["beta"].st_ino != before["beta"].st_ino


def _linked(path: Path) -> None:
    path.symlink_to(path.rename(path.parents[3] / "elsewhere"))


def _folder(path: Path) -> None:
    path.unlink()
    (path / "below").mkdir(parents=True)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


TOUCHES: dict[str, Callable[[Path], object]] = {
    "other bytes": lambda p: p.write_bytes(b"other"),
    "nothing": lambda p: p.write_bytes(b""),
    "another mode": lambda p: p.chmod(0o644),
    "gone": Path.unlink,
    "a link to the same bytes": _linked,
    "a folder": _folder,
    "a pipe": _pipe,
}


@pytest.mark.parametrize("touch", TOUCHES.values(), ids=TOUCHES.keys())
def test_whatever_lies_in_its_place_becomes_the_package(
    shop: Shop, touch: Callable[[Path], object]
) -> None:
    shop.run()
    touch(shop.staged("alpha"))
    shop.run()

    found = shop.staged("alpha").lstat()
    assert shop.staged("alpha").read_bytes() == BYTES["alpha"]
    assert (stat.S_ISREG(found.st_mode), stat.S_IMODE(found.st_mode)) == (True, 0o755)


def test_what_belongs_to_nobody_goes_and_is_named(shop: Shop) -> None:
    shop.run()
    foreign = shop.staged("old")
    foreign.parent.mkdir()
    foreign.write_bytes(b"x")

    assert shop.run() == Outcome(size=SIZE, removed=("docker/context/binaries/old/old",))
    assert not foreign.parent.exists()
    assert shop.run().removed == ()


@pytest.mark.parametrize(
    "manifest",
    [{"alpha": b"other", "beta": BYTES["beta"]}, {"beta": BYTES["beta"]}],
    ids=["another sum", "no sum"],
)
def test_what_the_manifest_does_not_say_is_not_staged(
    shop: Shop, manifest: dict[str, bytes]
) -> None:
    """Nor is anything removed: what was there stays whole."""
    shop.manifest(**manifest)
    foreign = shop.staged("old")
    foreign.parent.mkdir(parents=True)
    foreign.touch()
    with pytest.raises(CheckError) as caught:
        shop.run()

    assert str(caught.value) == (
        f"{shop.packaged('alpha')} does not match the manifest: run doit again"
    )
    assert not shop.staged("alpha").exists()
    assert foreign.exists()


def test_a_missing_package_is_named(shop: Shop) -> None:
    shop.packaged("beta").unlink()

    with pytest.raises(CheckError, match=r"beta/beta is missing: build it first$"):
        shop.run()


def test_a_package_and_its_manifest_swapped_together_are_judged_again(shop: Shop) -> None:
    """Between the package and the stage of a run: the two agree, and prove nothing."""
    shop.packaged("alpha").write_bytes(BAD)
    shop.manifest(**{**BYTES, "alpha": BAD})
    with pytest.raises(CheckError, match=r"alpha/alpha does not pass:\n  deny nx"):
        shop.run()

    assert not shop.staged("alpha").exists()
