"""A run's live things: the cargo processes, one after the other, and LIEF's child."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from doit_cargo.core.errors import CheckError, PipelineError
from doit_cargo.core.model import CrateGraph

if TYPE_CHECKING:  # what a run with nothing to do never uses, it does not import
    from doit_cargo.tools.cargo.build import CargoBuild, Progress
    from doit_cargo.tools.cargo.order import Delivery, Order
    from doit_cargo.tools.elf.second_opinion import SecondOpinion
    from doit_cargo.tools.smoke.containers import Containers


class Session:
    """What the actions of one run share. Nothing in it outlives the run."""

    def __init__(self) -> None:
        self._builds: dict[str, CargoBuild] = {}
        self._digests: dict[str, str] = {}
        self._stopping = False
        self._driver: threading.Thread | None = None
        self._containers: Containers | None = None
        self._lock = threading.Lock()

    @cached_property
    def opinion(self) -> SecondOpinion:
        """LIEF's child."""
        from doit_cargo.tools.elf.second_opinion import SecondOpinion  # noqa: PLC0415

        return SecondOpinion()

    def containers(self, env: Mapping[str, str], mark: str) -> Containers:
        """The containers of this run; the first call says with what environment and mark."""
        from doit_cargo.tools.smoke.containers import Containers  # noqa: PLC0415

        with self._lock:
            self._containers = self._containers or Containers(env, mark)
            return self._containers

    def digest(self, task: str) -> str:
        """The digest of a task's inputs as they were when the run was planned."""
        return self._digests[task]

    def note(self, digests: Mapping[str, str]) -> None:
        """Keep the digests of the tasks that are going to run."""
        self._digests.update(digests)

    def start(self, orders: Sequence[Order], graph: CrateGraph, progress: Progress | None) -> None:
        """Start the first cargo; the next follows when it has ended (they'd lock each other)."""
        from doit_cargo.tools.cargo.build import CargoBuild  # noqa: PLC0415

        self.opinion.start()
        self._builds = {order.arch: CargoBuild(order, graph, progress) for order in orders}
        driver = threading.Thread(target=self._drive, daemon=True)
        driver.start()
        self._driver = driver

    def wait(self, arch: str, crate: str) -> Delivery:
        """Wait for a crate of the running build.

        Raises CheckError when it fails, or was not planned because it changed after the plan.
        """
        build = self._builds.get(arch)
        if build is None or crate not in build.order.wanted:
            raise CheckError(f"{crate} changed while the run was under way: run doit again")
        return build.wait(crate)

    def cached(self) -> Iterator[Mapping[str, frozenset[str]]]:
        """What each cargo of this run keeps of packages."""
        for build in self._builds.values():
            yield build.cached()

    def close(self) -> None:
        """End everything that still runs."""
        self._stopping = True
        for build in self._builds.values():
            build.stop()
            build.release()
        if self._driver:
            self._driver.join()
        self._builds = {}
        if "opinion" in self.__dict__:
            self.opinion.close()
        if self._containers:
            self._containers.close()

    def _drive(self) -> None:
        for build in self._builds.values():
            if self._stopping:
                break
            try:
                build.start()
            except (PipelineError, OSError, RuntimeError) as error:
                build.stop()
                build.fail_all(f"cargo cannot be started: {error}")
                continue
            build.join()
