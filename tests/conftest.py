"""The projects that tests drive: two programs on one library, or what the module's FILES say."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from helpers.project import SOURCES, Project


def pytest_configure() -> None:
    """A shell starts what goes to the background deaf to SIGINT; a test's programs hear it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def project(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """The test's own, as its files say: nothing has run."""
    return _made(tmp_path, request)


@pytest.fixture
def finished(project: Project) -> Project:
    """The test's own, after its first run."""
    project.build()
    return project


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Project:
    """The module's, after its first run: each test leaves it as good as it was."""
    made = _made(tmp_path_factory.mktemp("shared"), request)
    made.build()
    return made


def _made(root: Path, request: pytest.FixtureRequest) -> Project:
    """Who drives one drives cargo: the fast tests leave it out by its mark."""
    assert request.node.get_closest_marker("integration"), "mark it: pytest.mark.integration"
    return Project(root, getattr(request.module, "FILES", SOURCES))
