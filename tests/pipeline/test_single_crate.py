"""A crate at the root of the project: every output folder lies in it, and none is a source."""

from __future__ import annotations

import pytest

from doit_cargo.core.settings.config_keys import OUTPUTS
from helpers import engines
from helpers.project import CONFIG, Project
from helpers.workspaces import package

pytestmark = pytest.mark.integration

FILES = {
    "Cargo.toml": package("solo", "[profile.release]\nopt-level = 0\ndebug = 1\nstrip = false\n"),
    "Cargo.lock": 'version = 4\n\n[[package]]\nname = "solo"\nversion = "0.1.0"\n',
    "src/main.rs": "fn main() {}\n",
}
IMAGES = "images: {engine: buildah, prefix: acme}\n"
DEBUG = "split_debug: true\n"


@pytest.mark.parametrize("more", ["", DEBUG], ids=["plain", "split_debug"])
def test_what_a_run_made_is_no_edit_of_the_crate(project: Project, more: str) -> None:
    project.path("config/pipeline.yaml").write_text(CONFIG + more)
    project.build()

    (said,) = project.build().splitlines()

    assert said.startswith("up to date: 1 binary")
    assert project.path(OUTPUTS["debug"]).is_dir() is bool(more)


@pytest.mark.engine
@pytest.mark.parametrize("more", ["", DEBUG], ids=["plain", "split_debug"])
def test_images_are_no_edit_of_the_crate(project: Project, more: str) -> None:
    engines.need("buildah")
    project.path("config/pipeline.yaml").write_text(CONFIG + IMAGES + more)
    project.build("index")

    (said,) = project.build().splitlines()

    assert said.startswith("up to date: 1 binary")
    assert "compiled" not in project.build("index")
    made = {key for key, folder in OUTPUTS.items() if project.path(folder).is_dir()}
    assert made == OUTPUTS.keys() - (set() if more else {"debug"})
