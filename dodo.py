"""The tasks of this workspace: see config/pipeline.yaml, and `doit list`."""

from doit_cargo.pipeline import load

DOIT_CONFIG, task_cargo = load(__file__)
