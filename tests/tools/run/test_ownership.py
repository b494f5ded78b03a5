"""Output folders become ours once; what lies there and is nobody's stops the first run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from doit_cargo.core.errors import SetupError
from doit_cargo.core.model import Config, Outputs
from doit_cargo.core.task import TaskSpec
from doit_cargo.tools.run.ownership import claim, foreign, is_ours


def config(root: Path) -> Config:
    docker = root / "docker"
    outputs = Outputs(
        root / ".doit-cargo", docker / "binaries", docker / "context", docker / "images",
        docker / "debug",
    )  # fmt: skip
    return Config(root / "config/pipeline.yaml", root, "Shop", root, outputs, (), None)


def spec(owns: Path | None, *outputs: Path, made: Sequence[Path] = ()) -> TaskSpec:
    return TaskSpec(
        "package", "", outputs=outputs, inputs=(), owns=owns, made=lambda: map(str, made)
    )


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def test_an_empty_folder_becomes_ours(tmp_path: Path) -> None:
    """Whether it is there or not; nothing is made in it."""
    folder = tmp_path / "docker/binaries/x86_64"
    before = is_ours(config(tmp_path), folder)
    claim(config(tmp_path), [spec(folder), spec(None)], force=False)

    assert (before, is_ours(config(tmp_path), folder)) == (False, True)
    assert not folder.exists()


def test_what_tasks_have_made_or_will_is_not_foreign(tmp_path: Path) -> None:
    folder = tmp_path / "docker/images/bot"
    known, listed, odd = folder / "index.json", folder / "blobs/sha256/ab", folder / "notes.txt"
    touch(known, listed, odd)

    assert foreign(spec(folder, known, made=[listed])) == {odd}
    assert foreign(spec(None, known)) == frozenset()


def test_inputs_in_the_folder_are_not_foreign(tmp_path: Path) -> None:
    """The manifest's task owns the folder; its inputs are the packages in it."""
    folder = tmp_path / "docker/binaries/x86_64"
    package, link = folder / "bot/bot", folder / "bot/link"
    touch(package)
    link.symlink_to(package)

    assert foreign(spec(folder)._replace(inputs=(package,))) == {link}


def test_foreign_files_stop_the_first_run_and_are_listed(tmp_path: Path) -> None:
    """All of them, of all folders, before anything is removed or marked."""
    first, second = tmp_path / "docker/binaries/x86_64", tmp_path / "docker/context/binaries"
    touch(first / "precious", second / "a/b", second / "c")
    specs = [spec(first), spec(second), spec(tmp_path / "docker/images/bot")]

    with pytest.raises(SetupError) as caught:
        claim(config(tmp_path), specs, force=False)

    assert str(caught.value) == (
        "output folders hold files that doit-cargo never wrote and would remove:\n"
        "  docker/binaries/x86_64/precious\n"
        "  docker/context/binaries/a/b\n"
        "  docker/context/binaries/c\n"
        "Move them away, or let them go: doit --force"
    )
    assert not any(is_ours(config(tmp_path), s.owns) for s in specs if s.owns)
    assert (first / "precious").exists()


def test_a_long_list_ends_with_a_number(tmp_path: Path) -> None:
    folder = tmp_path / "docker/binaries/x86_64"
    touch(*(folder / f"{number:02}" for number in range(23)))

    with pytest.raises(SetupError) as caught:
        claim(config(tmp_path), [spec(folder)], force=False)

    lines = str(caught.value).splitlines()
    assert lines[1:-1] == [
        *(f"  docker/binaries/x86_64/{number:02}" for number in range(20)),
        "  … and 3 more",
    ]


def test_force_takes_a_folder_over_and_leaves_the_removing_to_its_task(tmp_path: Path) -> None:
    folder = tmp_path / "docker/binaries/x86_64"
    touch(folder / "precious")
    claim(config(tmp_path), [spec(folder)], force=True)

    assert is_ours(config(tmp_path), folder)
    assert (folder / "precious").exists()


def test_once_ours_a_foreign_file_stops_nobody(tmp_path: Path) -> None:
    """It makes the folder's task stale, which removes it."""
    folder = tmp_path / "docker/binaries/x86_64"
    claim(config(tmp_path), [spec(folder)], force=False)
    touch(folder / "new")
    claim(config(tmp_path), [spec(folder)], force=False)

    assert foreign(spec(folder)) == {folder / "new"}


def test_a_mark_is_of_one_folder_and_one_place(tmp_path: Path) -> None:
    """Two folders of one name have a mark each; a copy of the workspace keeps its marks."""
    one, other = tmp_path / "docker/context/binaries", tmp_path / "docker/binaries"
    claim(config(tmp_path), [spec(one)], force=False)
    copied = tmp_path.rename(tmp_path.with_name(f"{tmp_path.name}-moved"))

    assert is_ours(config(copied), copied / "docker/context/binaries")
    assert not is_ours(config(copied), copied / other.relative_to(tmp_path))


def test_marks_are_plain_empty_files_of_the_state_folder(tmp_path: Path) -> None:
    claim(config(tmp_path), [spec(tmp_path / "docker/binaries/x86_64")], force=False)
    (mark,) = (tmp_path / ".doit-cargo/owned").iterdir()

    assert mark.name.startswith("x86_64-")
    assert mark.read_bytes() == b""
