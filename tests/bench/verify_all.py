"""Verifies the named x86_64 executables as the pipeline does."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tasks"))

from doit_cargo.core.elf.policy import default_levels
from doit_cargo.core.model import Binary, Policy, Target
from doit_cargo.tools import artifact
from doit_cargo.tools.elf import second_opinion, verify


def main() -> None:
    """One child for all, as in a run."""
    target = Target(
        arch="x86_64", triple="x86_64-unknown-linux-musl", platform="linux/amd64", default=True
    )
    policy = Policy(levels=default_levels(target.triple), min_size=1, max_size=1 << 30, budgets={})
    needles = (b"/home/build/workspace", b"/home/build/.cargo", b"/home/build/.rustup")
    with second_opinion.SecondOpinion() as opinion:
        for name in sys.argv[1:]:
            path = Path(name)
            data = artifact.read(path)
            verdict = verify.check(
                data, binary=Binary(crate=path.name, name=path.name), target=target,
                policy=policy, needles=needles, opinion=opinion,
            )  # fmt: skip
            print(verdict.sha256, "pass" if verdict.passed else "fail", verify.explain(verdict))


if __name__ == "__main__":
    main()
