"""Makes the Config from a file's decoded values, and checks what spans more than one of them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Final

from doit_cargo.core import architectures
from doit_cargo.core.image_settings import Images
from doit_cargo.core.model import Binary, Config, Features, Outputs, ShellVariable, Target
from doit_cargo.core.settings import image_values, places
from doit_cargo.core.settings.faults import quote

if TYPE_CHECKING:
    from pathlib import Path

    from doit_cargo.core.settings.faults import Faults
    from doit_cargo.core.settings.node import Node

_TAKEN: Final = "binaries"  # the folder beside those of the architectures in the Docker context


class Reader:
    """Goes on after a fault, to find the others: the result counts only without faults."""

    def __init__(self, tree: Node, values: dict[str, Any], faults: Faults) -> None:
        self._tree = tree
        self._values = values
        self._faults = faults

    def config(self, path: Path, default_root: Path) -> Config:
        """Return the Config of the file at `path`."""
        root = self._root(path.parent, default_root)
        workspace = self._workspace(root)
        kept = {"the root folder": root, "the workspace": workspace, "the configuration": path}
        outputs = self._outputs(root, kept)
        features = self._values["features"]
        return Config(
            path=path,
            root=root,
            title=self._values["title"] or places.title(workspace),
            workspace=workspace,
            outputs=Outputs(**outputs),
            targets=self._targets(self._values["targets"] or {}),
            ship=self._ship(self._values["ship"]),
            profile=self._values["profile"],
            split_debug=self._values["split_debug"],
            features=Features(**features | {"names": tuple(features["names"])}),
            env={key: v for key, v in self._values["env"].items() if isinstance(v, str)},
            from_shell={
                key: ShellVariable(value["from"], value["default"])
                for key, value in self._values["env"].items()
                if isinstance(value, dict)
            },
            inputs={crate: tuple(found) for crate, found in self._values["inputs"].items()},
            **self._values["cargo"],
            images=self._images(root, self._values["images"]),
            rerun=dict(self._values["rerun"]),
        )

    def _fault(self, text: str, *keys: str) -> None:
        self._tree.fault(self._faults, text, *keys)

    def _folder(self, root: Path, text: str, *keys: str) -> Path | None:
        try:
            return places.below(root, text)
        except ValueError as error:
            self._fault(str(error), *keys)
            return None

    def _root(self, folder: Path, default: Path) -> Path:
        if self._values["root"] is None:
            return default
        root = places.real(folder / self._values["root"])
        if not os.path.isdir(root):
            self._fault(f"there is no folder '{root}'", "root")
            return default
        return root

    def _workspace(self, root: Path) -> Path:
        text = self._values["workspace"]
        folder = self._folder(root, text, "workspace") if text else None
        if folder and not folder.is_dir():
            self._fault(f"there is no folder {quote(text)} in '{root}'", "workspace")
        return folder or root

    def _outputs(self, root: Path, kept: dict[str, Path]) -> dict[str, Path]:
        found: dict[str, Path] = {}
        valid: dict[str, Path] = {}
        unused = Outputs.unused(
            images=self._values["images"] is not None, split_debug=self._values["split_debug"]
        )
        for name, text in self._values["output"].items():
            if name in unused:  # nothing will lie there
                found[name] = root / text
                continue
            path = self._folder(root, text, "output", name)
            if path and (fault := places.output_fault(path, root, kept, valid)):
                self._fault(f"{quote(text)} {fault}", "output", name)
            elif path:
                valid[name] = path
            found[name] = path or root / name
        return found

    def _targets(self, values: dict[str, dict[str, Any]]) -> tuple[Target, ...]:
        first = {value["triple"]: arch for arch, value in reversed(values.items())}
        for arch, value in values.items():
            if (other := first[value["triple"]]) != arch and value["triple"]:
                self._fault(f"'{other}' has the same triple", "targets", arch)
        if values and not any(value["default"] for value in values.values()):
            self._fault("none has 'default: true': nothing would be built", "targets")
        return tuple(self._target(arch, value) for arch, value in values.items())

    def _target(self, arch: str, value: dict[str, Any]) -> Target:
        triple = value["triple"] or ""
        if arch == _TAKEN:
            self._fault(f"'{arch}' is the name of a folder in the Docker context", "targets", arch)
        docker = value["platform"] or (architectures.of(triple).platform if triple else "")
        return Target(arch=arch, triple=triple, platform=docker, default=value["default"])

    def _images(self, root: Path, values: dict[str, Any] | None) -> Images | None:
        if values is None:
            return None
        dockerfile = image_values.dockerfile(values["dockerfile"], root)
        if dockerfile is None:
            text = f"{quote(values['dockerfile'])} is outside the root folder {root}"
            self._fault(text, "images", "dockerfile")
        for keys, text in image_values.faults(values):
            self._fault(text, "images", *keys)
        return image_values.images(values, root, dockerfile or root)

    def _ship(self, values: dict[str, list[str]] | None) -> tuple[Binary, ...] | None:
        if values is None:
            return None
        crate_of: dict[str, str] = {}
        for crate, names in values.items():
            for name in names:
                if name in crate_of:
                    text = f"the binary '{name}' is shipped from '{crate_of[name]}' already"
                    self._fault(text, "ship", crate)
                crate_of.setdefault(name, crate)
        return tuple(Binary(crate=crate, name=name) for crate in values for name in values[crate])
