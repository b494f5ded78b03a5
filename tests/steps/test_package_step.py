"""package and manifest: verified bytes and nothing else, whatever records and places may say."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from doit_cargo.core.errors import CheckError
from doit_cargo.core.model import Context
from doit_cargo.core.record import encode
from doit_cargo.core.task import Outcome, TaskSpec
from doit_cargo.steps import package, verify
from doit_cargo.tools.artifact import sha256
from helpers.contexts import BOTH, context, session, shown
from helpers.elf_files import elf

ALPHA = elf(payload=b"\xc3" * 70_000)
BETA = elf(payload=b"\xc3" * 80_000)
OTHER = elf(payload=b"\xc3" * 90_000)
BAD = elf(payload=b"\xc3" * 70_000, stacks=())


class Shop:
    """A workspace whose two binaries are built and verified."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.root = ctx.config.root
        self.build("alpha", ALPHA)
        self.build("beta", BETA)
        for spec in verify.specs(ctx, session()):
            assert spec.action
            spec.action()

    def build(self, name: str, data: bytes) -> None:
        path = self.root / "target/x86_64-unknown-linux-musl/release" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def packaged(self, name: str) -> Path:
        return self.root / "docker/binaries/x86_64" / name / name

    def record(self, name: str, **changes: Any) -> None:  # noqa: ANN401 - any of its values
        """Forge a verdict."""
        path = self.root / ".doit-cargo/records/x86_64/verify" / f"{name}.json"
        path.write_bytes(encode({**json.loads(path.read_bytes()), **changes}))

    def spec(self, name: str) -> TaskSpec:
        return {spec.name: spec for spec in package.specs(self.ctx, session())}[name]

    def run(self, name: str) -> Outcome:
        spec = self.spec(name)
        assert spec.action
        found = spec.action()
        assert found is not None
        return found

    def run_all(self) -> Outcome:
        self.run("package:x86_64:alpha")
        self.run("package:x86_64:beta")
        return self.run("manifest:x86_64")


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(context(tmp_path))


def test_a_task_a_binary_and_one_for_the_manifest(tmp_path: Path) -> None:
    ctx = context(tmp_path, config=BOTH)
    found = [shown(spec, ctx.config.root) for spec in package.specs(ctx, session())]

    assert [spec["name"] for spec in found] == [
        "package:x86_64:alpha", "package:x86_64:beta", "manifest:x86_64",
        "package:aarch64:alpha", "package:aarch64:beta", "manifest:aarch64",
    ]  # fmt: skip
    assert found[0] == {
        "name": "package:x86_64:alpha",
        "doc": "copy the verified alpha to docker/binaries/x86_64",
        "inputs": [
            "target/x86_64-unknown-linux-musl/release/alpha",
            ".doit-cargo/records/x86_64/verify/alpha.json",
        ],
        "outputs": ["docker/binaries/x86_64/alpha/alpha"],
        "group": "package:x86_64", "owns": None, "always": False, "programs": (),
    }  # fmt: skip
    assert found[2] == {
        "name": "manifest:x86_64",
        "doc": "write MANIFEST.txt and SHA256SUMS of docker/binaries/x86_64",
        "inputs": ["docker/binaries/x86_64/alpha/alpha", "docker/binaries/x86_64/beta/beta"],
        "outputs": ["docker/binaries/x86_64/MANIFEST.txt", "docker/binaries/x86_64/SHA256SUMS"],
        "group": "package:x86_64", "owns": "docker/binaries/x86_64", "always": False,
        "programs": (),
    }  # fmt: skip


def test_the_manifest_changes_with_what_is_shipped_and_the_title(shop: Shop) -> None:
    ctx = shop.ctx
    one = ctx._replace(ship=ctx.ship[:1])
    turned = ctx._replace(ship=ctx.ship[::-1])
    titled = ctx._replace(config=ctx.config._replace(title="Acme"))

    def fingerprint(of: Context) -> str:
        return list(package.specs(of, session()))[-1].fingerprint

    assert len({fingerprint(of) for of in (ctx, one, turned, titled)}) == 4


def test_a_package_is_the_verified_bytes_and_executable(shop: Shop) -> None:
    outcome = shop.run("package:x86_64:alpha")

    assert outcome == Outcome(size=len(ALPHA), digest=sha256(ALPHA))
    assert shop.packaged("alpha").read_bytes() == ALPHA
    assert stat.S_IMODE(shop.packaged("alpha").stat().st_mode) == 0o755


def _forge(shop: Shop) -> None:
    shop.build("alpha", BAD)
    shop.record("alpha", sha256=sha256(BAD), passed=True)


FORGERIES: dict[str, Callable[[Shop], object]] = {
    "other good bytes than were verified": lambda s: s.build("alpha", OTHER),
    "bytes that do not pass": lambda s: s.build("alpha", BAD),
    "bad bytes and a record that says they pass": _forge,
    "a record of something else": lambda s: s.record("alpha", sha256=sha256(OTHER)),
    "no sum in the record": lambda s: s.record("alpha", sha256=None),
}  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES.values(), ids=FORGERIES.keys())
def test_what_was_not_verified_is_not_packaged(shop: Shop, forge: Callable[[Shop], object]) -> None:
    forge(shop)
    with pytest.raises(CheckError) as caught:
        shop.run("package:x86_64:alpha")

    built = shop.root / "target/x86_64-unknown-linux-musl/release/alpha"
    assert str(caught.value) == f"{built} changed after it was verified: run doit again"
    assert not shop.packaged("alpha").exists()


def test_what_lies_in_its_place_is_replaced_never_written_through(shop: Shop) -> None:
    """A link's target, or whoever has the old file open, keeps what it had."""
    elsewhere = shop.root / "precious"
    elsewhere.write_text("precious")
    shop.packaged("alpha").parent.mkdir(parents=True)
    shop.packaged("alpha").symlink_to(elsewhere)
    shop.run("package:x86_64:alpha")

    assert elsewhere.read_text() == "precious"
    assert not shop.packaged("alpha").is_symlink()


def test_the_manifest_is_of_what_lies_there(shop: Shop) -> None:
    outcome = shop.run_all()
    folder = shop.root / "docker/binaries/x86_64"

    assert outcome == Outcome()
    assert (folder / "MANIFEST.txt").read_text() == (
        "# Shop x86_64 Binary Manifest\n# Target: x86_64-unknown-linux-musl\n\n"
        f"alpha/alpha  {sha256(ALPHA)}\nbeta/beta  {sha256(BETA)}\n"
    )
    assert (folder / "SHA256SUMS").read_text() == (
        f"{sha256(ALPHA)}  alpha/alpha\n{sha256(BETA)}  beta/beta\n"
    )
    assert stat.S_IMODE((folder / "MANIFEST.txt").stat().st_mode) == 0o644


def test_what_belongs_to_nobody_goes_and_is_named(shop: Shop) -> None:
    """Also a binary that is shipped no longer, and its folder."""
    shop.run_all()
    old = shop.packaged("old")
    old.parent.mkdir()
    old.write_bytes(ALPHA)
    (shop.root / "docker/binaries/x86_64/.hidden").touch()
    outcome = shop.run("manifest:x86_64")

    assert outcome.removed == (
        "docker/binaries/x86_64/.hidden", "docker/binaries/x86_64/old/old",
    )  # fmt: skip
    assert not old.parent.exists()


@pytest.mark.parametrize(
    "change",
    [lambda p: p.write_bytes(OTHER), lambda p: p.write_bytes(BETA + b"\0")],
    ids=["other good bytes", "a byte more"],
)
def test_a_package_that_was_altered_stops_the_manifest(
    shop: Shop, change: Callable[[Path], object]
) -> None:
    shop.run_all()
    before = (shop.root / "docker/binaries/x86_64/MANIFEST.txt").read_bytes()
    change(shop.packaged("beta"))
    with pytest.raises(CheckError) as caught:
        shop.run("manifest:x86_64")

    assert (
        str(caught.value)
        == f"{shop.packaged('beta')} changed after it was verified: run doit again"
    )
    assert (shop.root / "docker/binaries/x86_64/MANIFEST.txt").read_bytes() == before


def test_a_package_that_is_a_link_to_the_right_bytes_is_none(shop: Shop) -> None:
    shop.run_all()
    moved = shop.packaged("beta").rename(shop.root / "elsewhere")
    shop.packaged("beta").symlink_to(moved)

    with pytest.raises(CheckError, match="is a symbolic link, which is never followed"):
        shop.run("manifest:x86_64")


def test_a_package_and_its_verdict_swapped_together_get_no_manifest(shop: Shop) -> None:
    """Between the package and the manifest of a run."""
    shop.run("package:x86_64:alpha")
    shop.run("package:x86_64:beta")
    shop.packaged("alpha").write_bytes(BAD)
    shop.record("alpha", sha256=sha256(BAD))
    with pytest.raises(CheckError, match="does not pass"):
        shop.run("manifest:x86_64")
