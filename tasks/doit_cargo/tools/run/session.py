"""A run's live things: the cargo processes, one after the other, and LIEF's child."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING

from doit_cargo.core.errors import CheckError, PipelineError
from doit_cargo.core.model import CrateGraph

if TYPE_CHECKING:  # what a run with nothing to do never uses, it does not import
    from doit_cargo.tools.cargo.build import CargoBuild
    from doit_cargo.tools.cargo.order import Delivery, Order
    from doit_cargo.tools.cargo.progress import Progress
    from doit_cargo.tools.elf.second_opinion import SecondOpinion
    from doit_cargo.tools.smoke.containers import Containers

Ready = Callable[[str, str], None]
"""Called with architecture and crate, when cargo has delivered it or will not any more."""


class Session:
    """What the actions of one run share. Nothing in it outlives the run."""

    def __init__(self) -> None:
        self._builds: dict[tuple[str, str], CargoBuild] = {}  # by architecture and crate
        self._started: list[CargoBuild] = []
        self._waiting: queue.SimpleQueue[CargoBuild | None] = queue.SimpleQueue()
        self._digests: dict[str, str] = {}
        self._stopping = threading.Event()
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

    def start(
        self, orders: Sequence[Order], graph: CrateGraph, ready: Ready, progress: Progress | None
    ) -> None:
        """Have these cargo processes run, each when the one before has ended.

        They'd lock each other out of the target directory.
        """
        from doit_cargo.tools.cargo.build import CargoBuild  # noqa: PLC0415

        self.opinion.start()
        for order in orders:
            build = CargoBuild(order, graph, ready=partial(ready, order.arch), progress=progress)
            self._started.append(build)
            self._builds |= {(order.arch, crate): build for crate in order.wanted}
            self._waiting.put(build)
        if self._driver is None:
            driver = threading.Thread(target=self._drive, daemon=True)
            driver.start()  # a machine may have no thread left: what never ran is not joined
            self._driver = driver

    def delivery(self, arch: str, crate: str) -> Delivery:
        """What cargo made of a crate that is ready.

        Raises CheckError when it failed, or was not planned because it changed after the plan.
        """
        build = self._builds.get((arch, crate))
        if build is None:
            raise CheckError(f"{crate} changed while the run was under way: run doit again")
        return build.delivery(crate)

    def settle(self) -> None:
        """Wait until all cargo processes have ended."""
        for build in self._started:
            build.settle()

    @property
    def builds(self) -> Sequence[CargoBuild]:
        """The cargo processes of this run."""
        return self._started

    def cached(self) -> Iterator[Mapping[str, frozenset[str]]]:
        """What each cargo of this run keeps of packages."""
        for build in self._started:
            yield build.cached()

    def stop_builds(self) -> None:
        """End the cargo that runs, and start none any more."""
        self._stopping.set()
        for build in self._started:
            build.stop()
        self._waiting.put(None)
        if self._driver:
            self._driver.join()
            self._driver = None

    def close(self) -> None:
        """End everything that still runs."""
        self.stop_builds()
        if "opinion" in self.__dict__:
            self.opinion.close()
        if self._containers:
            self._containers.close()

    def _drive(self) -> None:
        while (build := self._waiting.get()) and not self._stopping.is_set():
            try:
                build.start()
            except (PipelineError, OSError, RuntimeError) as error:
                build.stop()
                build.fail_all(f"cargo cannot be started: {error}")
                continue
            if self._stopping.is_set():  # it was started while the others were being stopped
                build.stop()
            build.join()
