"""All that this package assumes of doit, asked of doit itself: what breaks here broke there.

doit documents little of it. Each docstring names the modules that rely on the promise.
"""

from __future__ import annotations

import inspect
import io
import json
import queue
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from doit import cmd_clean, cmd_list, cmd_resetdep, cmd_run, loader
from doit.action import BaseAction, PythonAction
from doit.cmd_base import Command, DoitCmdBase, ModuleTaskLoader
from doit.control import TaskControl, TaskDispatcher
from doit.dependency import Dependency, FileChangedChecker, JSONCodec
from doit.doit_cmd import DoitMain, get_var
from doit.exceptions import (
    BaseFail,
    InvalidCommand,
    InvalidDodoFile,
    InvalidTask,
    TaskError,
    TaskFailed,
    UnmetDependency,
)
from doit.reporter import ConsoleReporter
from doit.runner import (
    ERROR,
    FAILURE,
    SUCCESS,
    JobTask,
    JobTaskPickle,
    MRunner,
    MThreadRunner,
    Runner,
)
from doit.task import DelayedLoaded, DelayedLoader, Stream, Task

# Subclassing doit's classes is subclassing Any: it ships no types.
# mypy: disable-error-code="misc"


class Store:
    """A backend that notes what it is asked. doit makes it by calling the class."""

    desc = "notes"

    def __init__(self, name: str, codec: Any, *, module_name: str | None = None) -> None:
        self.name, self.codec, self.module_name = name, codec, module_name
        self.saved: dict[str, dict[str, Any]] = {}
        self.calls: list[tuple[Any, ...]] = []

    def get(self, task: str, key: str) -> Any:
        return self.saved.get(task, {}).get(key)

    def set(self, task: str, key: str, value: Any) -> None:
        self.calls.append(("set", task, key))
        self.saved.setdefault(task, {})[key] = value

    def in_(self, task: str) -> bool:
        return task in self.saved

    def remove(self, task: str) -> None:
        self.calls.append(("remove", task))
        self.saved.pop(task, None)

    def remove_all(self) -> None:
        self.calls.append(("remove_all",))
        self.saved.clear()

    def dump(self) -> None:
        self.calls.append(("dump",))


class Checker(FileChangedChecker):
    """Takes a file's text for its state, and notes what it is asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self) -> Checker:
        return self

    def info(self, file_path: str) -> Any:
        self.calls.append(("info", Path(file_path).name))
        return super().info(file_path)

    def check_modified(self, file_path: str, file_stat: Any, state: Any) -> bool:
        self.calls.append(("check_modified", Path(file_path).name, type(file_stat).__name__, state))
        return bool(Path(file_path).read_text() != state)

    def get_state(self, dep: str, current_state: Any) -> Any:
        self.calls.append(("get_state", Path(dep).name, current_state))
        text = Path(dep).read_text()
        return None if text == current_state else text


class Action(BaseAction):
    """Does what it is told, and has what doit asks of an action."""

    def __init__(self, fail: BaseFail | None = None, **values: Any) -> None:
        self.fail, self.values, self.runs = fail, values, 0
        self.task = self.out = self.err = self.result = None

    def execute(self, out: Any = None, err: Any = None) -> BaseFail | None:
        del out, err
        self.runs += 1
        return self.fail


class Noting:
    """A reporter that notes which of its methods are called, and on what."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, str]] = []

    def __getattr__(self, name: str) -> Callable[..., None]:
        def note(*arguments: Any) -> None:
            first = arguments[0] if arguments else ""
            self.calls.append((name, getattr(first, "name", "") or str(first)[:40]))

        return note


def manager(checker: Checker | None = None) -> Any:
    return Dependency(Store, "the name", checker_cls=checker or Checker(), codec_cls=JSONCodec)


def control(*tasks: Task, select: list[str] | None = None) -> Any:
    found = TaskControl(list(tasks))
    found.process(select or [task.name for task in tasks])
    return found


def ran(
    *tasks: Task, select: list[str] | None = None, kind: Any = Runner, always: bool = False,
    keep_going: bool = False, deps: Any = None,
) -> tuple[int, list[tuple[str, str]], Any]:  # fmt: skip
    """Run them: the exit code, what the reporter was told, the runner."""
    reporter = Noting()
    runner = kind(deps or manager(), reporter, keep_going, always, Stream(0))
    code = runner.run_all(control(*tasks, select=select).task_dispatcher())
    return code, reporter.calls, runner


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where doit is started: an empty folder. What it makes Python import is forgotten."""
    monkeypatch.chdir(tmp_path)
    before, paths = set(sys.modules), list(sys.path)
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path[:] = paths
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(
            sys.modules[name].__file__
        ):
            del sys.modules[name]


def doit(*words: str, **namespace: Any) -> int:
    """Run doit in this process, on what a dodo.py would hold."""
    namespace.setdefault("DOIT_CONFIG", CONFIG)
    return int(DoitMain(ModuleTaskLoader(namespace)).run(list(words)) or 0)


# Of doit's backends the one that opens nothing: others write when Python ends, wherever it is then.
CONFIG = {"backend": "json", "dep_file": "state.json"}
PLUGIN = """\
from doit.cmd_base import Command
print("loaded", __name__)
class Real(Command):
    name = "greet"
    doc_purpose = "p"
    def execute(self, opt_values, pos_args):
        print("greet", pos_args, sorted(opt_values))
        return 7
def __getattr__(name):
    if name == "Lazy":
        return Real
    raise AttributeError(name)
"""


# plugins and commands -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[tool.doit.plugins.command]\ngreet = "plugged:Lazy"\n'),
        ("doit.cfg", "[COMMAND]\ngreet = plugged:Lazy\n"),
    ],
)
def test_a_command_is_a_name_in_a_file_and_loaded_when_it_is_asked_for(
    folder: Path, capsys: pytest.CaptureFixture[str], file: str, text: str
) -> None:
    """plugins.py: `module:attribute` of the folder's file, by a module's `__getattr__` too."""
    (folder / file).write_text(text)
    (folder / "plugged.py").write_text(PLUGIN)

    assert doit("list", task_x=lambda: {"actions": None}) == 0
    assert "loaded" not in capsys.readouterr().out
    assert doit("greet", "a", "b=c", "d") == 7
    assert capsys.readouterr().out == "loaded plugged\ngreet ['a', 'd'] []\n"


def test_a_plugin_may_take_a_stock_commands_name(folder: Path) -> None:
    """plugins.py: `run`, `clean` and `reset-dep` are ours, and `run` is what no name means."""
    (folder / "doit.cfg").write_text("[COMMAND]\nrun = plugged:Lazy\n")
    (folder / "plugged.py").write_text(PLUGIN)
    cmds = DoitMain(ModuleTaskLoader({})).get_cmds()

    assert {"run", "clean", "reset-dep", "list", "info", "forget", "ignore"} <= set(cmds)
    assert cmds.get_plugin("run").__name__ == "Real"
    assert doit() == 7
    assert doit("task", "another") == 7


def test_the_later_file_wins(folder: Path) -> None:
    """core/plugin_lines: doit.cfg goes over pyproject.toml, by key."""
    (folder / "pyproject.toml").write_text('[tool.doit.plugins.command]\na = "x:X"\nb = "y:Y"\n')
    (folder / "doit.cfg").write_text("[COMMAND]\na = z:Z\n")
    cmds = DoitMain(ModuleTaskLoader({})).get_cmds()

    assert (cmds["a"].location, cmds["b"].location) == ("z:Z", "y:Y")


def test_backends_are_imported_before_the_dodo_file(folder: Path) -> None:
    """pipeline.load: what doit has imported by then tells whether our plugins are configured."""
    (folder / "doit.cfg").write_text("[BACKEND]\nmine = plugged:Lazy\n")
    (folder / "plugged.py").write_text(PLUGIN)
    (folder / "dodo.py").write_text(
        f"import sys\nprint('imported', 'plugged' in sys.modules)\nDOIT_CONFIG = {CONFIG}\n"
        "def task_x():\n    return {'actions': None}\n"
    )
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", out)
        assert DoitMain().run(["list"]) == 0

    assert "imported True\n" in out.getvalue()


def test_variables_are_taken_out_of_the_words_before_the_command_runs() -> None:
    """doit_ext/selection.py and run.py: `config=FILE` is known before the tasks are loaded."""
    seen: list[Any] = []

    def task_x() -> dict[str, Any]:
        seen.extend((get_var("config", ""), get_var("profile", "none")))
        return {"actions": None}

    assert doit("list", "config=a=b", task_x=task_x) == 0
    assert seen == ["a=b", "none"]


class Shows(DoitCmdBase):
    """Tells what doit passes to a command."""

    base_options = ()
    cmd_options = (cmd_run.opt_always, cmd_run.opt_continue, cmd_run.opt_verbosity)
    seen: Any = None

    def execute(self, params: Any, args: list[str]) -> int:
        type(self).seen = (dict(params), args)
        self.params = params
        return int(super().execute(params, args))

    def _execute(
        self, pipeline: Any, pos_args: list[str], continue_: Any, force_verbosity: Any
    ) -> int:
        deps = self.dep_manager
        type(self).seen = {
            "before": self.seen, "pipeline": pipeline, "pos_args": pos_args, "continue": continue_,
            "forced": force_verbosity, "selected": self.sel_tasks,
            "default": self.sel_default_tasks, "tasks": [task.name for task in self.task_list],
            "checker": deps.checker, "store": deps.backend.__class__, "file": deps.name,
            "codec": deps.backend.codec, "params": self.params,
        }  # fmt: skip
        return 4


def shows(*words: str, **config: Any) -> Any:
    """Run that command as `shows`, with these settings in DOIT_CONFIG."""
    checker = Checker()
    settings = {
        "backend": "mine", "dep_file": "the file", "codec_cls": "json",
        "check_file_uptodate": checker, "default_tasks": ["x"], "pipeline": "ours", **config,
    }  # fmt: skip
    main = DoitMain(ModuleTaskLoader({"DOIT_CONFIG": settings, "task_x": _task_x}))
    command = Shows(
        task_loader=main.task_loader, config={"BACKEND": {}}, bin_name="doit", cmds={}, opt_vals={}
    )
    command._backends["mine"] = Store  # as a plugin would
    code = command.parse_execute(list(words))
    return code, Shows.seen, checker


def _task_x() -> dict[str, Any]:
    return {"actions": None}


def test_the_settings_of_a_dodo_file_reach_the_command_that_names_them() -> None:
    """pipeline.py, run.py, commands/audit.py: also a key that doit does not know."""
    code, seen, checker = shows()

    assert (code, seen["pipeline"], seen["default"], seen["selected"]) == (4, "ours", True, ["x"])
    assert (seen["store"], seen["file"], seen["tasks"]) == (Store, "the file", ["x"])
    assert isinstance(seen["codec"], JSONCodec)
    assert seen["checker"] is checker


def test_words_and_options_reach_the_command_by_their_names() -> None:
    """run.py: `execute` gets words without options; `_execute` what its parameters are called."""
    _, seen, _ = shows("-c", "-v", "2", "x")
    params, args = seen["before"]

    assert (args, seen["pos_args"], seen["selected"]) == (["x"], ["x"], ["x"])
    assert (seen["continue"], seen["forced"], seen["default"]) == (True, True, False)
    assert (params["always"], params["continue"], params["verbosity"]) == (False, True, 2)


def test_the_options_are_one_object_that_doit_fills_in() -> None:
    """run.py and commands/clean.py keep what `execute` got, and read it in `_execute`."""
    _, seen, _ = shows("-c", "x")
    params = seen["params"]

    assert "pipeline" not in seen["before"][0]
    assert (params["pipeline"], params["pos_args"], params["force_verbosity"]) == (
        "ours", ["x"], False,
    )  # fmt: skip
    assert (params.get("continue"), params.get("nothing of the kind")) == (True, None)
    params.add_defaults({"continue": False, "another": 1})
    assert (params["continue"], params["another"]) == (True, 1)


def test_a_command_has_only_the_options_that_it_names() -> None:
    """run.py, commands/*: without `base_options` where state lies is not a user's to choose."""
    with pytest.raises(Exception, match="option --db-file not recognized"):
        shows("--db-file", "x")


def test_a_command_without_tasks_gets_its_options_and_words() -> None:
    """commands/base.py: `execute(opt_values, pos_args)`, and the class's own name."""
    seen: list[Any] = []

    class Doctor(Command):
        cmd_options = (
            {"name": "json", "long": "json", "type": bool, "default": False, "help": ""},
        )

        def execute(self, opt_values: Any, pos_args: list[str]) -> int:
            seen.append((opt_values["json"], pos_args))
            return 0

    assert Doctor.get_name() == "doctor"
    assert Doctor(config={}, opt_vals={}).parse_execute(["--json", "x86_64"]) == 0
    assert seen == [(True, ["x86_64"])]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (InvalidDodoFile("no file"), "ERROR: no file\n"),
        (InvalidTask("no task"), "ERROR: no task\n"),
        (InvalidCommand("no command"), "ERROR: no command\n"),
    ],
)
def test_an_error_of_the_user_is_one_line_and_3(
    capsys: pytest.CaptureFixture[str], error: Exception, text: str
) -> None:
    """pipeline.load, run.py, state.py raise these."""

    def task_x() -> None:
        raise error

    assert doit("list", task_x=task_x) == 3
    assert capsys.readouterr().err == text


def test_an_unknown_word_is_one_line_that_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    """run.py: TaskControl raises InvalidCommand, and doit words it."""
    assert doit("biuld", task_x=_task_x) == 3
    assert 'Invalid parameter: "biuld". Must be a command, task, or a target.' in (
        capsys.readouterr().err
    )


def test_a_task_creator_may_not_be_called_as_a_command() -> None:
    """doit_ext/neighbours.py adds whose command it is, by this text."""
    with pytest.raises(InvalidDodoFile) as caught:
        loader.load_tasks({"task_show": _task_x}, ["show"])

    assert "'show' because this is a command name" in str(caught.value)


def test_the_run_command_has_the_options_that_ours_takes_over() -> None:
    """run.py, commands/clean.py, commands/reset_dep.py: by these names, and these methods."""
    names = {option["name"] for option in cmd_run.Run.cmd_options}

    assert names == {
        "always", "continue", "verbosity", "reporter", "outfile", "num_process", "par_type", "pdb",
        "single", "auto_delayed_regex", "failure_verbosity",
    }  # fmt: skip
    assert (cmd_run.opt_num_process["short"], cmd_run.opt_reporter["long"]) == ("n", "reporter")
    assert [*inspect.signature(cmd_clean.Clean._execute).parameters][1:] == [
        "dryrun", "cleandep", "cleanall", "cleanforget", "pos_args",
    ]  # fmt: skip
    assert [*inspect.signature(cmd_clean.Clean.clean_tasks).parameters][1:] == [
        "tasks", "dryrun", "cleanforget",
    ]  # fmt: skip
    assert [*inspect.signature(cmd_resetdep.ResetDep._execute).parameters][1:] == ["pos_args"]
    assert "sort" in {option["name"] for option in cmd_list.List.cmd_options}


def test_the_run_command_knows_its_reporters_by_name() -> None:
    """run.py adds `lines` to them, and its description to the help."""
    command = cmd_run.Run(task_loader=ModuleTaskLoader({}), config={}, cmds={}, opt_vals={})

    assert {"console", "executed-only", "json", "zero", "error-only"} <= set(command.reporters)
    assert all(isinstance(kind.desc, str) for kind in command.reporters.values())
    assert "console" in command.cmdparser["reporter"].choices


# loading tasks ------------------------------------------------------------------------------


def test_a_creator_may_give_finished_tasks_in_their_order() -> None:
    """pipeline.load: `task_cargo` is a generator of Task objects, which keep their class."""

    class Ours(Task):
        pass

    def task_cargo() -> Iterator[Task]:
        yield Ours("b", None)
        yield Ours("a", None)

    found = loader.load_tasks({"task_cargo": task_cargo})

    assert [(task.name, type(task)) for task in found] == [("b", Ours), ("a", Ours)]


def test_a_creator_that_gives_nothing_makes_a_group_of_its_name() -> None:
    """pipeline.load always gives some."""

    def task_cargo() -> Iterator[Task]:
        yield from ()

    (task,) = loader.load_tasks({"task_cargo": task_cargo})

    assert (task.name, task.has_subtask, task.actions) == ("cargo", True, [])


# tasks and actions --------------------------------------------------------------------------


class Name(str):
    __slots__ = ()


def test_a_task_keeps_what_it_is_given() -> None:
    """doit_ext/tasks.py: names of a class of ours; what is a set, a list, a tuple with the call."""

    def check() -> bool:
        return True

    task = Task(
        Name("build:x86_64:a"), [Action()], file_dep=["/a", "/a"], targets=["/b"],
        task_dep=["t", "u"], uptodate=[check], doc="first\nsecond", subtask_of="build:x86_64",
    )  # fmt: skip

    assert type(task.name) is Name
    assert (task.file_dep, task.targets, task.task_dep) == ({"/a"}, ["/b"], ["t", "u"])
    assert (task.doc, task.subtask_of, task.has_subtask) == ("first", "build:x86_64", False)
    assert (task.uptodate[0][0], task.value_savers, task.values) == (check, [], {})
    assert (task.setup_tasks, task.calc_dep, task.loader) == ([], set(), None)


def test_a_group_is_a_task_without_actions() -> None:
    """doit_ext/tasks.py and runner.py: its `actions` are empty, and it has subtasks."""
    group = Task("build", None, task_dep=["build:a"], has_subtask=True)

    assert (group.actions, group.execute(Stream(0))) == ([], None)


def test_an_action_of_ours_is_taken_as_it_is_and_knows_its_task() -> None:
    """doit_ext/tasks.py: StepAction; its values become the task's."""
    action = Action(outcome={"size": 1})
    task = Task("a", [action])

    assert task.actions[0] is action
    assert action.task is task
    assert task.execute(Stream(0)) is None
    assert (task.values, task.result, task.executed) == ({"outcome": {"size": 1}}, None, True)


def test_an_action_fails_by_what_it_gives_back() -> None:
    """doit_ext/tasks.py: a BaseFail, and the values of one that failed are not taken."""
    fail = TaskFailed("no")
    task = Task("a", [Action(fail, outcome=1)])

    assert task.execute(Stream(0)) is fail
    assert task.values == {}


def test_failures_have_a_message_and_a_traceback() -> None:
    """doit_ext/tasks.py and reporter.py: the text ends its line, an error's traceback follows."""
    try:
        _ = 1 // 0
    except ZeroDivisionError as error:
        internal = TaskError("internal error in x", error)
    failed = TaskFailed("what it says")

    assert (failed.message, failed.get_msg(), failed.report) == (
        "what it says", "what it says\n", True,
    )  # fmt: skip
    assert internal.get_msg().startswith("internal error in x\nTraceback (most recent call last):")
    assert issubclass(UnmetDependency, TaskError)
    assert issubclass(TaskError, BaseFail)
    assert not issubclass(TaskError, TaskFailed)


def test_verbosity_is_the_streams_unless_the_task_has_its_own() -> None:
    """run.py: Stream(verbosity, force)."""
    assert Stream(2).effective_verbosity(None) == 2
    assert Stream(2).effective_verbosity(0) == 0
    assert Stream(2, force_global=True).effective_verbosity(0) == 2
    assert Stream(None, True).effective_verbosity(None) == Task.DEFAULT_VERBOSITY
    assert [*inspect.signature(Stream).parameters] == ["verbosity", "force_global"]


def test_a_task_is_cleaned_by_a_method_of_its_own() -> None:
    """doit_ext/tasks.py: `clean(outstream, dryrun)`."""
    assert [*inspect.signature(Task.clean).parameters] == ["self", "outstream", "dryrun"]


# state --------------------------------------------------------------------------------------


def test_the_state_is_made_of_a_name_and_a_codec() -> None:
    """doit_ext/state.py: TaskStore's constructor, and an instance as the checker's class."""
    checker = Checker()
    deps = manager(checker)

    assert (deps.backend.name, deps.name, type(deps.backend.codec)) == (
        "the name", "the name", JSONCodec,
    )  # fmt: skip
    assert deps.checker is checker
    assert deps.backend.codec.decode(deps.backend.codec.encode({"a": [1]})) == {"a": [1]}


def test_the_list_of_inputs_is_what_is_saved_last(tmp_path: Path) -> None:
    """doit_ext/state.py commits a task when it sees `deps:`."""
    (tmp_path / "a").write_text("A")
    deps, task = manager(), Task("t", [Action()], file_dep=[str(tmp_path / "a")])
    task.result = "digest"
    deps.save_success(task)

    assert deps.backend.calls == [
        ("set", "t", "_values_:"), ("set", "t", "result:"), ("set", "t", "checker:"),
        ("set", "t", str(tmp_path / "a")), ("set", "t", "deps:"),
    ]  # fmt: skip
    saved = deps.backend.saved["t"]
    assert saved["deps:"] == (str(tmp_path / "a"),)
    assert (saved["checker:"], saved[str(tmp_path / "a")]) == ("Checker", "A")


def test_a_state_of_none_keeps_what_was_saved(tmp_path: Path) -> None:
    """doit_ext/checker.py: get_state(path, what was saved)."""
    (tmp_path / "a").write_text("A")
    checker = Checker()
    deps, task = manager(checker), Task("t", [Action()], file_dep=[str(tmp_path / "a")])
    deps.save_success(task)
    deps.backend.calls.clear()
    deps.save_success(task)

    assert ("set", "t", str(tmp_path / "a")) not in deps.backend.calls
    assert checker.calls == [("get_state", "a", None), ("get_state", "a", "A")]


def test_savers_add_to_a_tasks_values_before_they_are_saved() -> None:
    """doit_ext/checker.py: Intact's state is saved so, and what a saver sets on the task."""
    task = Task("t", [Action(outcome=1)])

    def saver() -> dict[str, Any]:
        task.result = "digest"
        return {"fingerprint": "f"}

    task.value_savers[:] = [saver]
    _, _, runner = ran(task)
    saved = runner.dep_manager.backend.saved["t"]

    assert saved["_values_:"] == {"outcome": 1, "fingerprint": "f"}
    assert "result:" in saved


def test_what_was_saved_are_the_values_of_a_task_with_nothing_to_do() -> None:
    """doit_ext/tasks.py: size_of, of a task that did not run."""
    deps = manager()
    ran(Task("t", [Action(size=3)], uptodate=[True]), deps=deps, always=True)
    again = Task("t", [Action()], uptodate=[True])
    _, calls, _ = ran(again, deps=deps)

    assert ("skip_uptodate", "t") in calls
    assert again.values == {"size": 3}


def test_a_failed_task_is_forgotten() -> None:
    """doit_ext/state.py: a failure costs all that was known."""
    deps = manager()
    ran(Task("t", [Action()], uptodate=[True]), deps=deps)
    ran(Task("t", [Action(TaskFailed("no"))], uptodate=[False]), deps=deps)

    assert "t" not in deps.backend.saved
    assert ("remove", "t") in deps.backend.calls


def test_an_ignored_task_is_one_with_that_key() -> None:
    """doit_ext/state.py: `doit ignore` sets it outside of a run."""
    deps = manager()
    deps.ignore(Task("t", None))

    assert deps.backend.calls == [("set", "t", "ignore:")]
    assert deps.status_is_ignore(Task("t", None))


# status -------------------------------------------------------------------------------------


def known(tmp_path: Path, **attributes: Any) -> tuple[Any, Task]:
    """A manager that knows of a task's success, with the files `a` and `b`, and that task."""
    files = [tmp_path / name for name in "ab"]
    for path in files:
        path.write_text(path.name)
    deps, task = manager(), Task("t", [Action()], file_dep=list(map(str, files)), **attributes)
    deps.save_success(task)
    return deps, task


def test_a_task_with_nothing_changed_is_up_to_date(tmp_path: Path) -> None:
    """doit_ext/planner.py: the word."""
    deps, task = known(tmp_path)
    found = deps.get_status(task, {}, get_log=True)

    assert (found.status, dict(found.reasons), task.dep_changed) == ("up-to-date", {}, [])


def test_reasons_have_these_names_and_tell_all_at_once(tmp_path: Path) -> None:
    """planner.py, commands/audit.py: with `get_log` nothing is left out, whatever came first."""
    deps, task = known(tmp_path)
    never = False
    task.uptodate = [(never, None, None)]
    task.targets = [str(tmp_path / "target")]
    task.file_dep = {str(tmp_path / "a"), str(tmp_path / "c")}
    (tmp_path / "a").write_text("changed")
    (tmp_path / "c").write_text("new")
    found = deps.get_status(task, {}, get_log=True)

    assert found.status == "run"
    assert {key: sorted(map(str, value)) for key, value in found.reasons.items()} == {
        "uptodate_false": ["(False, None, None)"],
        "missing_target": [str(tmp_path / "target")],
        "added_file_dep": [str(tmp_path / "c")],
        "removed_file_dep": [str(tmp_path / "b")],
        "changed_file_dep": [str(tmp_path / "a"), str(tmp_path / "c")],
    }
    assert sorted(task.dep_changed) == [str(tmp_path / "a"), str(tmp_path / "c")]


def test_reasons_are_asked_for_without_fear_of_a_missing_one(tmp_path: Path) -> None:
    """planner.py: `reasons.get`; and a status may be changed by whoever holds it."""
    deps, task = known(tmp_path)
    found = deps.get_status(task, {}, get_log=True)
    found.status = "run"

    assert found.reasons.get("missing_target") is None
    assert found.status == "run"


def test_an_input_without_a_state_is_changed_and_compared_with_nothing(tmp_path: Path) -> None:
    """doit_ext/checker.py pins such an input in Intact: doit asks no more than its stat."""
    (tmp_path / "a").write_text("A")
    checker = Checker()
    task = Task("t", [Action()], file_dep=[str(tmp_path / "a")])
    found = manager(checker).get_status(task, {}, get_log=True)

    assert checker.calls == [("info", "a")]
    assert (found.status, task.dep_changed) == ("run", [str(tmp_path / "a")])


def test_an_input_with_a_state_is_looked_at_and_compared(tmp_path: Path) -> None:
    """doit_ext/checker.py: info(path), then check_modified(path, what info gave, state)."""
    deps, task = known(tmp_path)
    deps.checker.calls.clear()
    deps.get_status(task, {})

    assert sorted(deps.checker.calls) == [
        ("check_modified", "a", "stat_result", "a"), ("check_modified", "b", "stat_result", "b"),
        ("info", "a"), ("info", "b"),
    ]  # fmt: skip


def test_without_a_log_the_first_reason_ends_the_question(tmp_path: Path) -> None:
    """doit_ext/checker.py: Intact comes before every input, and may be all that is asked."""
    deps, task = known(tmp_path, uptodate=[False])
    deps.checker.calls.clear()
    found = deps.get_status(task, {})

    assert (found.status, deps.checker.calls) == ("run", [])


def test_an_input_that_cannot_be_looked_at_is_an_error(tmp_path: Path) -> None:
    """doit_ext/checker.py: for our tasks `info` raises no FileNotFoundError."""
    deps, task = known(tmp_path)
    (tmp_path / "a").unlink()
    found = deps.get_status(task, {}, get_log=True)

    assert (found.status, dict(found.reasons)) == (
        "error", {"missing_file_dep": [str(tmp_path / "a")]},
    )  # fmt: skip
    assert FileChangedChecker.CheckerError is OSError


def test_a_target_is_there_if_the_checker_says_so(tmp_path: Path) -> None:
    """doit_ext/checker.py inherits `exists`."""
    assert FileChangedChecker().exists(str(tmp_path))
    assert not FileChangedChecker().exists(str(tmp_path / "x"))


def test_a_checker_of_another_name_makes_everything_stale(tmp_path: Path) -> None:
    """doit_ext/checker.py: its class keeps its name, or every state is thrown away."""

    class Other(Checker):
        pass

    deps, task = known(tmp_path)
    deps.checker = Other()
    found = deps.get_status(task, {}, get_log=True)

    assert (found.status, found.reasons["checker_changed"]) == ("run", ("Checker", "Other"))
    assert "t" not in deps.backend.saved


def test_uptodate_is_called_with_the_task_and_its_saved_values(tmp_path: Path) -> None:
    """doit_ext/checker.py: by the parameters' names, which `__signature__` may say."""

    class Check:
        __signature__ = inspect.Signature(
            [
                inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
                for name in ("task", "values")
            ]
        )
        seen: Any = None

        def __call__(self, *arguments: Any) -> bool:
            self.seen = arguments
            return True

    check = Check()
    deps, _ = known(tmp_path)
    deps.backend.saved["t"]["_values_:"] = {"fingerprint": "f"}
    task = Task("t", [Action()], uptodate=[check])
    deps.get_status(task, {})

    assert check.seen == (task, {"fingerprint": "f"})


# the runner ---------------------------------------------------------------------------------


def test_the_codes_of_a_run() -> None:
    """runner.py, README: 0 all is well, 1 a failure, 2 an error."""
    assert (SUCCESS, FAILURE, ERROR) == (0, 1, 2)
    assert ran(Task("t", [Action()]))[0] == SUCCESS
    assert ran(Task("t", [Action(TaskFailed("no"))]))[0] == FAILURE
    assert ran(Task("t", [Action(TaskError("no"))]))[0] == ERROR


def test_a_runner_is_made_of_these() -> None:
    """run.py and workers.py pass them by place, runner.py reads them."""
    deps, reporter, stream = manager(), Noting(), Stream(0)
    runner = Runner(deps, reporter, True, True, stream)

    assert (runner.dep_manager, runner.reporter, runner.stream) == (deps, reporter, stream)
    assert (runner.continue_, runner.always_execute) == (True, True)
    assert (runner.teardown_list, runner.final_result, runner._stop_running) == ([], 0, False)


def test_what_the_reporter_is_told_of_a_run() -> None:
    """reporter.py: these methods, in this order."""
    good = Task("good", [Action()])
    same = Task("same", [Action()], uptodate=[True])
    bad = Task("bad", [Action(TaskFailed("no"))])
    after = Task("after", [Action()], task_dep=["bad"])
    deps = manager()
    ran(Task("same", [Action()], uptodate=[True]), deps=deps)
    _, calls, _ = ran(good, same, bad, after, deps=deps, keep_going=True)

    assert [call for call in calls if call[0] != "initialize"] == [
        ("get_status", "good"), ("execute_task", "good"), ("add_success", "good"),
        ("get_status", "same"), ("skip_uptodate", "same"),
        ("get_status", "bad"), ("execute_task", "bad"), ("add_failure", "bad"),
        ("get_status", "after"), ("add_failure", "after"),
        ("complete_run", ""),
    ]  # fmt: skip


def test_the_other_methods_of_a_reporter() -> None:
    """reporter.py: teardowns, ignored tasks."""
    deps = manager()
    deps.ignore(Task("ignored", None))
    torn = Task("torn", [Action()], teardown=[Action(TaskFailed("it stays"))])
    _, calls, _ = ran(Task("ignored", [Action()]), torn, deps=deps)

    assert ("skip_ignore", "ignored") in calls
    assert [name for name, _ in calls[-3:]] == ["teardown_task", "cleanup_error", "complete_run"]


def test_the_reporter_has_the_last_word_even_of_a_run_that_was_broken_off() -> None:
    """runner.py tells it that by `broken_off`."""

    class Broken(Runner):
        def run_tasks(self, task_dispatcher: Any) -> None:
            raise KeyboardInterrupt

    reporter, deps = Noting(), manager()
    runner = Broken(deps, reporter, False, False, Stream(0))
    with pytest.raises(KeyboardInterrupt):
        runner.run_all(control(Task("t", None)).task_dispatcher())

    assert [name for name, _ in reporter.calls] == ["initialize", "complete_run"]
    assert deps.backend.calls == [("dump",)]


def test_a_fault_in_the_tasks_is_a_runtime_error_of_the_reporters() -> None:
    """runner.py lets InvalidTask through to doit's run_all."""

    class Faulty(Runner):
        def run_tasks(self, task_dispatcher: Any) -> None:
            raise InvalidTask("no such field")

    reporter = Noting()
    runner = Faulty(manager(), reporter, False, False, Stream(0))

    assert runner.run_all(control(Task("t", None)).task_dispatcher()) == ERROR
    assert ("runtime_error", "no such field") in reporter.calls


def test_a_task_whose_prerequisite_failed_is_an_error_with_its_name() -> None:
    """runner.py makes a failure of it; reporter.py tells the names, which a blank parts."""
    seen: list[BaseFail] = []

    class Kept(Runner):
        def _handle_task_error(self, node: Any, base_fail: BaseFail) -> None:
            seen.append(base_fail)
            super()._handle_task_error(node, base_fail)

    bad = [Task(name, [Action(TaskFailed("no"))]) for name in "ab"]
    code, _, _ = ran(*bad, Task("c", [Action()], task_dep=["a", "b"]), kind=Kept, keep_going=True)

    assert (code, type(seen[-1]), seen[-1].message) == (ERROR, UnmetDependency, "a b")


def test_a_failure_stops_the_run_unless_it_is_to_go_on() -> None:
    """runner.py looks at `_stop_running`."""

    def tried(*, keep_going: bool) -> tuple[bool, bool]:
        tasks = [Task("a", [Action(TaskFailed("no"))]), Task("b", [Action()])]
        _, calls, runner = ran(*tasks, keep_going=keep_going)
        return runner._stop_running, ("add_success", "b") in calls

    assert tried(keep_going=False) == (True, False)
    assert tried(keep_going=True) == (False, True)


def test_always_is_asked_for_no_status_but_in_the_end() -> None:
    """planner.py is told `always` too: doit asks for the status, and runs the task anyway."""
    deps = manager()
    ran(Task("t", [Action()], uptodate=[True]), deps=deps)
    task = Task("t", [Action()], uptodate=[True])
    ran(task, deps=deps, always=True)

    assert task.actions[0].runs == 1


def test_the_managers_answers_may_be_replaced_on_the_instance() -> None:
    """cargo_work.py: get_status(task, tasks) by place, status_is_ignore(task)."""
    deps, task = manager(), Task("t", [Action()])
    asked: list[Any] = []

    def answer(of: Task, tasks: Any) -> Any:
        asked.append((of.name, sorted(tasks)))
        return Dependency.get_status(deps, of, tasks)

    deps.get_status = answer
    deps.status_is_ignore = lambda of: asked.append(of.name)
    ran(task, deps=deps)

    assert asked == ["t", ("t", ["t"])]


def test_a_group_that_ran_is_saved_each_time() -> None:
    """runner.py saves no group: that would be a write in a run with nothing to do."""
    deps = manager()
    ran(Task("g", None, has_subtask=True), deps=deps)

    assert deps.backend.saved["g"]["deps:"] == ()


# the dispatcher -----------------------------------------------------------------------------


def walk(dispatcher: Any, *, statuses: dict[str, str]) -> list[str]:
    """Take what it gives, answer with a status each; the names in that order."""
    order: list[str] = []
    done = None
    while True:
        try:
            node = dispatcher.generator.send(done)
        except StopIteration:
            return order
        order.append(node.task.name)
        node.run_status = statuses.get(node.task.name, "successful")
        done = node


def test_the_dispatcher_gives_a_node_when_those_that_it_waits_for_have_ended() -> None:
    """runner.py: `generator.send(the node that ended)`, None at first; StopIteration at the end."""
    found = control(
        Task("c", [Action()], task_dep=["a", "b"]), Task("a", [Action()]), Task("b", [Action()]),
        select=["c"],
    )  # fmt: skip

    assert walk(found.task_dispatcher(), statuses={}) == ["a", "b", "c"]


def test_the_dispatcher_asks_to_hold_on_when_all_wait() -> None:
    """runner.py: nodes are given before others have ended; the word; whom they wait for."""
    found = control(Task("b", [Action()], task_dep=["a"]), Task("a", [Action()]), select=["b"])
    dispatcher = found.task_dispatcher()
    first = dispatcher.generator.send(None)

    assert (first.task.name, dispatcher.generator.send(None)) == ("a", "hold on")
    (waiting,) = dispatcher.waiting
    assert (waiting.task.name, waiting.wait_run, waiting.wait_run_calc) == ("b", {"a"}, set())
    first.run_status = "successful"
    assert dispatcher.generator.send(first).task.name == "b"


def test_a_node_knows_which_of_its_prerequisites_failed() -> None:
    """runner.py, cargo_work.py and prerequisites.py: by these words of run_status."""
    found = control(
        Task("c", [Action()], task_dep=["a", "b"]), Task("a", [Action()]), Task("b", [Action()]),
        select=["c"],
    )  # fmt: skip
    dispatcher = found.task_dispatcher()
    walk(dispatcher, statuses={"a": "failure", "b": "ignore"})
    node = dispatcher.nodes["c"]

    assert [n.task.name for n in node.bad_deps] == ["a"]
    assert [n.task.name for n in node.ignored_deps] == ["b"]
    assert dispatcher.selected_tasks == ["c"]
    assert set(dispatcher.tasks) == {"a", "b", "c"}


def test_what_becomes_of_a_node_in_a_run() -> None:
    """runner.py and prerequisites.py compare with these words."""
    seen: dict[str, Any] = {}

    class Kept(Runner):
        def run_all(self, task_dispatcher: Any) -> int:
            code = int(super().run_all(task_dispatcher))
            seen.update({name: n.run_status for name, n in task_dispatcher.nodes.items()})
            return code

    deps = manager()
    ran(Task("same", [Action()], uptodate=[True]), deps=deps)
    deps.ignore(Task("ignored", None))
    ran(
        Task("good", [Action()]), Task("same", [Action()], uptodate=[True]),
        Task("ignored", [Action()]), Task("bad", [Action(TaskFailed("no"))]),
        kind=Kept, deps=deps,
    )  # fmt: skip

    assert seen == {
        "good": "successful", "same": "up-to-date", "ignored": "ignore", "bad": "failure",
    }  # fmt: skip


def test_a_node_starts_without_a_status() -> None:
    """prerequisites.py: None, and `run` once it is selected, is what has not ended."""
    dispatcher = control(Task("a", [Action()])).task_dispatcher()
    node = dispatcher.generator.send(None)
    runner = Runner(manager(), Noting(), False, False, Stream(0))
    before = node.run_status

    assert runner.select_task(node, dispatcher.tasks) is True
    assert (before, node.run_status) == (None, "run")


def test_a_dispatcher_is_made_of_what_a_control_has() -> None:
    """run.py makes one of ours so, in place of `control.task_dispatcher()`."""
    found = control(Task("a", [Action()]))
    dispatcher = TaskDispatcher(found.tasks, found.targets, found.selected_tasks)

    assert (dispatcher.tasks, dispatcher.targets) == (found.tasks, found.targets)
    assert (dispatcher.nodes, dispatcher.waiting, list(dispatcher.ready)) == ({}, set(), [])
    assert walk(dispatcher, statuses={}) == ["a"]


def test_a_dispatcher_makes_a_node_once() -> None:
    """dispatcher.py: a node, or None if there is one; `ready` are those that can go on."""
    dispatcher = control(Task("a", [Action()]), Task("b", [Action()]), select=["a"])
    made = dispatcher.task_dispatcher()
    first, second = made._gen_node(None, "b"), made._gen_node(None, "b")
    made.ready.append(first)

    assert (first.task.name, first.run_status, second) == ("b", None, None)
    assert made.nodes["b"] is first
    assert walk(made, statuses={}) == ["b", "a"]


def test_a_dispatcher_says_when_tasks_were_created_and_whom_a_node_waits_for() -> None:
    """dispatcher.py overrides both, by these names and parameters."""
    steps: list[Any] = []
    waits: list[tuple[str, list[str], bool]] = []

    class Kept(TaskDispatcher):
        def _add_task(self, node: Any) -> Iterator[Any]:
            for step in super()._add_task(node):
                steps.append(step)
                yield step

        def _node_add_wait_run(self, node: Any, task_list: list[str], calc: bool = False) -> None:
            waits.append((node.task.name, list(task_list), calc))
            super()._node_add_wait_run(node, task_list, calc)

    def creator() -> dict[str, Any]:
        return {"actions": [Action()], "basename": "later"}

    first, later = Task("first", None), Task("later", None, loader=DelayedLoader(creator, "first"))
    found = control(first, later, select=["later"])

    assert walk(Kept(found.tasks, found.targets, ["later"]), statuses={}) == ["first", "later"]
    assert [step for step in steps if isinstance(step, str)] == ["wait", "reset generator"]
    assert ("later", ["first"], False) in waits
    assert ("later", [], True) in waits


def test_a_task_that_is_both_task_dep_and_calc_dep_is_waited_for_for_ever() -> None:
    """dispatcher.py has it on one list only: doit has it on two, and takes it off one."""
    found = control(
        Task("a", [Action()]), Task("b", [Action()], task_dep=["a"], calc_dep=["a"]), select=["b"]
    )
    dispatcher = found.task_dispatcher()
    first = dispatcher.generator.send(None)
    held = dispatcher.generator.send(None)
    first.run_status = "successful"
    after = dispatcher.generator.send(first)

    assert (first.task.name, held, after) == ("a", "hold on", "hold on")
    (waiting,) = dispatcher.waiting
    assert (waiting.wait_run, waiting.wait_run_calc) in ((set(), {"a"}), ({"a"}, set()))


# selecting and linking ----------------------------------------------------------------------


def test_a_control_keeps_the_order_in_which_tasks_were_defined() -> None:
    """prerequisites.py: that is the pipeline's."""
    found = control(*(Task(name, None) for name in "cab"), select=["a", "c"])

    assert list(found.tasks) == ["c", "a", "b"]
    assert found.selected_tasks == ["a", "c"]


def test_a_file_that_another_task_makes_makes_an_edge() -> None:
    """planner.py: by the path as it is written, in the order of the inputs' set."""
    maker, user = (
        Task("maker", [Action()], targets=["/a"]),
        Task("user", [Action()], file_dep=["/a"]),
    )
    other = Task("other", [Action()], file_dep=["/./a"])
    found = control(maker, user, other)

    assert (user.task_dep, other.task_dep) == (["maker"], [])
    assert found.targets == {"/a": "maker"}


def test_edges_can_be_added_from_another_map_of_targets() -> None:
    """neighbours.py: a dictionary of its own in `targets`, asked by `in` and by key."""

    class Targets(dict[str, str]):
        def __contains__(self, path: object) -> bool:
            return str(path).endswith("/a")

        def __missing__(self, path: str) -> str:
            return "maker"

    maker, other = Task("maker", [Action()]), Task("other", [Action()], file_dep=["/./a"])
    found = control(maker, other)
    found.targets = Targets()
    found.add_implicit_task_dep(found.targets, other, other.file_dep)
    found.process(["/x/a"])

    assert other.task_dep == ["maker"]
    assert found.selected_tasks == ["maker"]
    assert found.task_dispatcher().targets is found.targets


def test_a_task_may_be_selected_by_name_target_or_pattern() -> None:
    """run.py hands the words on as they are."""
    tasks = [Task("build:a", [Action()], targets=["/a"]), Task("build:b", [Action()])]

    assert control(*tasks, select=["/a"]).selected_tasks == ["build:a"]
    assert control(*tasks, select=["build:*"]).selected_tasks == ["build:a", "build:b"]


def test_a_group_is_run_with_all_that_it_depends_on_and_no_more() -> None:
    """pipeline.py: `doit build` runs the group's task_dep."""
    group = Task("build", None, task_dep=["build:a"], has_subtask=True)
    parts = [Task(f"build:{name}", [Action()], subtask_of="build") for name in "ab"]
    code, calls, _ = ran(group, *parts, select=["build"])

    assert code == SUCCESS
    assert [name for call, name in calls if call == "add_success"] == ["build:a", "build"]


def test_two_tasks_of_one_name_are_refused() -> None:
    """neighbours.py says so first, with what to do."""
    with pytest.raises(InvalidDodoFile, match=r"^Task names must be unique\. a$"):
        TaskControl([Task("a", None), Task("a", None)])


def test_tasks_that_another_creates_are_marked() -> None:
    """prerequisites.py and workers.py: a loader before, DelayedLoaded (which is false) after."""
    waits = Task("later", None, loader=DelayedLoader(lambda: None, executed="first"))

    assert bool(waits.loader)
    assert waits.task_dep == ["first"]
    assert not DelayedLoaded

    def creator() -> dict[str, Any]:
        return {"actions": [Action()], "basename": "later"}

    first, later = Task("first", None), Task("later", None, loader=DelayedLoader(creator, "first"))
    found = control(first, later, select=["later"])
    walk(found.task_dispatcher(), statuses={})
    assert found.tasks["later"].loader is DelayedLoaded
    assert len(found.tasks["later"].actions) == 1


def test_a_setup_task_runs_only_if_its_task_does() -> None:
    """prerequisites.py does not count it among what will run."""
    deps = manager()
    ran(Task("t", [Action()], uptodate=[True]), deps=deps)
    same = Task("t", [Action()], uptodate=[True], setup=["s"])
    stale = Task("u", [Action()], uptodate=[False], setup=["s"])
    _, idle, _ = ran(same, Task("s", [Action()]), deps=deps, select=["t"])
    _, busy, _ = ran(stale, Task("s", [Action()]), deps=deps, select=["u"])

    assert same.setup_tasks == ["s"]
    assert ("execute_task", "s") not in idle
    assert [name for call, name in busy if call == "add_success"] == ["s", "u"]


# doit's workers -----------------------------------------------------------------------------


def test_a_worker_takes_jobs_until_there_are_none() -> None:
    """workers.py: which attributes a parallel runner has, and what a worker tells."""
    task = Task("t", [Action(outcome=1)])
    inner = MThreadRunner(manager(), Noting(), False, False, Stream(0), 3)
    inner.tasks = {"t": task}
    task.overwrite_verbosity(inner.stream)
    jobs, results = inner.Queue(), inner.Queue()
    jobs.put(JobTaskPickle(task))
    jobs.put(None)
    child = inner.Child(target=inner.execute_task_subprocess, args=(jobs, results, Noting))
    child.start()
    child.join()
    result = results.get_nowait()

    assert (inner.num_process, isinstance(inner.Queue(), queue.Queue)) == (3, True)
    assert set(result) == {"name", "task", "out", "err"}
    assert (result["name"], result["out"], result["err"]) == ("t", [None], [None])
    other = Task("t", [Action()])
    other.update_from_pickle(result["task"])
    assert other.values == {"outcome": 1}


def test_a_workers_failure_and_end_come_by_these_keys() -> None:
    """workers.py: `failure` is a BaseFail; `exit` and `exception` what ends the run."""

    class Ends(Action):
        def execute(self, out: Any = None, err: Any = None) -> BaseFail | None:
            raise SystemExit(5)

    fail = TaskFailed("no")
    tasks = {"bad": Task("bad", [Action(fail)]), "ends": Task("ends", [Ends()])}
    inner = MThreadRunner(manager(), Noting(), False, False, Stream(0), 1)
    inner.tasks = tasks
    jobs, results = inner.Queue(), inner.Queue()
    for task in tasks.values():
        task.overwrite_verbosity(inner.stream)
        jobs.put(JobTaskPickle(task))
    inner.execute_task_subprocess(jobs, results, Noting)
    failed, ended = results.get_nowait(), results.get_nowait()

    assert failed["failure"] is fail
    assert (ended["exit"], ended["exception"]) == (SystemExit, "5")


def test_there_are_two_kinds_of_workers() -> None:
    """workers.py: processes where there are some, else threads; a delayed task is sent whole."""
    assert MRunner.available() in (True, False)
    assert MThreadRunner.available()
    assert issubclass(MThreadRunner, MRunner)
    assert issubclass(MRunner, Runner)
    assert JobTask(Task("t", None)).name == "t"
    assert JobTaskPickle(Task("t", None)).name == "t"


# the console reporter -----------------------------------------------------------------------


def test_the_stock_reporter_writes_to_the_stream_it_is_given() -> None:
    """reporter.py: it tells of the tasks of others, by `write` alone."""
    written: list[str] = []

    class Screen:
        def write(self, text: str) -> None:
            written.append(text)

    reporter = ConsoleReporter(Screen(), {"failure_verbosity": 0})
    task = Task("web", ["true"])
    task.verbosity = 1
    reporter.execute_task(task)
    reporter.skip_uptodate(task)
    reporter.skip_ignore(task)
    reporter.add_success(task)
    reporter.add_failure(task, TaskFailed("no"))
    reporter.teardown_task(task)
    reporter.complete_run()

    assert "".join(written) == ".  web\n-- web\n!! web\nTaskFailed - taskid:web\nno\n\n"


# stock commands on tasks of ours ------------------------------------------------------------


def ours(**attributes: Any) -> dict[str, Any]:
    """A namespace with a group and a task of it, whose state lies nowhere."""

    def task_cargo() -> Iterator[Task]:
        yield Task("build", None, task_dep=["build:a"], has_subtask=True, doc="compile")
        name = Name("build:a")
        yield Task(name, [Action()], subtask_of="build", doc="compile a", **attributes)

    return {"task_cargo": task_cargo, "DOIT_CONFIG": {**CONFIG, "sort": "definition"}}


def test_a_listing_has_names_and_docs_in_the_order_of_definition(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """pipeline.py: `sort`; a subtask is shown with `--all` alone."""
    assert doit("list", **ours()) == 0
    assert capsys.readouterr().out == "build   compile\n"
    assert doit("list", "--all", **ours()) == 0
    assert capsys.readouterr().out == "build     compile\nbuild:a   compile a\n"


def test_info_prints_files_and_reasons_and_no_action(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """README: nothing of the environment, which actions and fingerprints hold."""
    (tmp_path / "a").write_text("A")
    code = doit("info", "build:a", **ours(file_dep=[str(tmp_path / "a")], targets=["/b"]))
    said = capsys.readouterr().out

    assert code == 1
    assert f"file_dep   : \n - {tmp_path / 'a'}\n" in said
    assert "targets    : \n - /b\n" in said
    assert "status     : run\n" in said
    assert "Action" not in said


@pytest.mark.parametrize(
    ("command", "call", "said"),
    [
        ("forget", ("remove", "build:a"), "forgetting build:a\n"),
        ("ignore", ("set", "build:a", "ignore:"), "ignoring build:a\n"),
    ],
)
def test_stock_commands_speak_to_the_state_by_a_tasks_own_name(
    capsys: pytest.CaptureFixture[str], command: str, call: tuple[str, ...], said: str
) -> None:
    """doit_ext/state.py: `remove` and `set` get the very name that the task has."""
    made: list[Store] = []

    class Kept(Store):
        def __init__(self, name: str, codec: Any, *, module_name: str | None = None) -> None:
            super().__init__(name, codec, module_name=module_name)
            made.append(self)

    main = DoitMain(ModuleTaskLoader(ours()))
    stock = main.get_cmds().get_plugin(command)(
        task_loader=main.task_loader, config={}, bin_name="doit", cmds={}, opt_vals={}
    )
    stock._backends["json"] = Kept
    stock.parse_execute(["build:a"])

    assert made[0].calls == [call, ("dump",)]
    assert type(made[0].calls[0][1]) is Name
    assert capsys.readouterr().out == said


def test_a_python_action_knows_whether_it_is_debugged() -> None:
    """run.py: `--pdb` is an attribute of the class."""
    assert hasattr(PythonAction, "pm_pdb")


def test_a_codec_gives_lists_for_tuples() -> None:
    """doit_ext/checker.py: what is saved is what is read back, so states are lists."""
    codec = JSONCodec()

    assert codec.decode(codec.encode({"a": (1, "x")})) == json.loads('{"a": [1, "x"]}')
