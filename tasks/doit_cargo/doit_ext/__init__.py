"""Plugs into doit: run command, runner, planner, state, file checker, reporter."""

import sys

from doit_cargo import plugins

# A doit.cfg of before names modules that are gone: they mean the stable names, so that doit goes
# on running there, and `doit doctor` can say which lines to change.
for _name in ("clean", "commands", "hooks"):
    sys.modules.setdefault(f"{__name__}.{_name}", plugins)
