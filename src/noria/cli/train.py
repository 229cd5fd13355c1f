"""``noria train``: from data to a run folder, with everything said on the way; one verb for each task."""

import contextlib
import inspect
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from noria.cli.cell_files import open_cell
from noria.cli.common import Debug, Json
from noria.cli.compiling import compilation_said
from noria.cli.config import read_config
from noria.cli.console import give_json, say
from noria.cli.flags import flag, option_flags, parsed, with_flags
from noria.cli.headings import heading
from noria.cli.progress import Announced, Progress
from noria.cli.sources import BUILT_IN
from noria.cli.story import say_how_it_went, say_what_was_understood
from noria.cli.tasks import EXAMPLES, FILES, SUMMARIES, TEXT, files_again, prepared_of, recipe
from noria.cli.threads import origin
from noria.errors import OptionError
from noria.models import Prepared
from noria.models.loading import MODELS, model_class
from noria.models.model import Model
from noria.training import RunFolder
from noria.training.options import Budget, OptionInfo, options_of
from noria.training.report import Listener, all_of
from noria.training.run_folder import refuse_taken

WHO = "noria train"
OK, INTERRUPTED = 0, 130

BUDGET = options_of(Budget)
BUDGET_NAMES = frozenset(info.name for info in BUDGET)


def _train(task: str, files: tuple[str, ...], flags: Mapping[str, Any]) -> int:
    """Say what was understood, train, show how it is getting on, and say how it went."""
    model_of_task = model_class(task)
    table = _table(model_of_task)
    if flags["resume"] is not None:
        return _resume(model_of_task, table, files, flags)
    typed = _options(table, flags)
    known = recipe(task, None if files else flags["data"] or model_of_task.default_data)
    if BUDGET_NAMES & typed.keys():  # --steps takes the place of a recipe's epochs
        known = {name: value for name, value in known.items() if name not in BUDGET_NAMES}
    options = {**known, **typed}
    budget = Budget(**{name: options.pop(name) for name in BUDGET_NAMES & options.keys()})
    budget.validate(WHO)
    model = model_of_task(**options)
    model.validate(WHO)
    model.check_budget(budget)
    for cell in model.layer_cells:
        open_cell(cell)
    if taken := {name: value for name, value in known.items() if name not in typed}:
        said = ", ".join(f"{name}={value}" for name, value in taken.items())
        say("Recipe", f"of these data: {said}; flags go before it")
    if flags["out"] is not None and not flags["dry_run"]:
        # Before the data are read, which may take long.
        refuse_taken(flags["out"], "Choose another folder, leave --out out to take the next one in runs")
    return _fit(model, prepared_of(model, files, flags), budget, flags)


def _resume(
    model_of_task: type[Model], table: Sequence[OptionInfo], files: tuple[str, ...], flags: Mapping[str, Any]
) -> int:
    """Go on with a run: its own options, its own data; what is given besides must be the same."""
    for name in ("out", "init_from"):
        if flags[name] is not None:
            raise OptionError(
                f"--resume goes on in the run's own folder, from its own weights: leave out "
                f"--{name.replace('_', '-')}."
            )
    run = RunFolder.open(flags["resume"])
    options = _options(table, flags)
    budget = Budget(**{name: options.pop(name) for name in BUDGET_NAMES & options.keys()})
    budget.validate(WHO)
    model = model_of_task.from_run(run).set_params(**{"stop_after": 0, **options})
    model.validate(WHO)
    about, given = run.config["data"], dict(flags)
    if not files and flags["data"] is None:
        files, given["data"] = files_again(about, run.path)
    if model.task == TEXT:
        given["encoding"] = flags["encoding"] or about.get("asked_encoding")
        given["lines"] = flags["lines"] or about["kind"] == "sequences"
    return _fit(model, prepared_of(model, files, given, resuming=True), budget, flags, run)


def _fit(
    model: Any,
    prepared: Prepared,
    budget: Budget,
    flags: Mapping[str, Any],
    resumed: RunFolder | None = None,
) -> int:
    if resumed is None:
        prepared = model.settled(prepared, budget, flags["init_from"])
    understood = prepared.description
    say_what_was_understood(understood, origin(model.threads), model.accumulate)
    if flags["dry_run"]:
        if flags["json"]:
            give_json(understood.to_dict())
        return OK
    run = resumed
    place: dict[str, Any] = {"resume": resumed}
    if run is None:
        named = "-".join(dict.fromkeys(understood.model.cells))
        init_from = None if flags["init_from"] is None else RunFolder.open(flags["init_from"])
        run = RunFolder.create(flags["out"], task=model.task, cell=named)
        place = {"out": run, "init_from": init_from}
    with (
        run.complete_or_removed(),
        Progress(model.metric_of(prepared), quiet=flags["quiet"]) as progress,
        _also_to_tensorboard(progress, run.path, asked=flags["tensorboard"]) as listener,
        compilation_said(progress.say),
    ):
        told = Announced(listener, progress, f"{run.path} · seed {model.seed} · Ctrl-C saves and stops")
        try:
            model.fit(prepared, **budget.to_toml_dict(), **place, listener=told)
        except KeyboardInterrupt:
            if told.is_made:
                progress.say("Next", f"noria train --resume {shlex.quote(str(run.path))}")
            raise
    report = model.report_
    say_how_it_went(run.path, model)
    if flags["json"]:
        give_json({"run": str(run.path), "report": report, "understood": understood.to_dict()})
    return INTERRUPTED if report["interrupted"] else OK


@contextlib.contextmanager
def _also_to_tensorboard(listener: Listener, run: Path, *, asked: bool) -> Iterator[Listener]:
    """Give a listener that also writes TensorBoard's files into the run, where asked or where it has some."""
    folder = run / "tensorboard"
    if not (asked or folder.is_dir()):
        yield listener
        return
    from noria.training.tensorboard import TensorBoard

    with TensorBoard(folder) as board:
        yield all_of(listener, board)


def _table(model_of_task: type[Model]) -> tuple[OptionInfo, ...]:
    """Give the options of a task that are flags."""
    return tuple(info for info in options_of(model_of_task) if not info.option.hidden)


def _options(table: Sequence[OptionInfo], flags: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the options: those of the file, then those that were typed, which go before."""
    typed = parsed([*BUDGET, *table], flags, WHO)
    if flags["config"] is None:
        return typed
    written = read_config(flags["config"], [*BUDGET, *table])
    if BUDGET_NAMES & typed.keys():  # --steps takes the place of the file's minutes
        written = {name: value for name, value in written.items() if name not in BUDGET_NAMES}
    return written | typed


def _own(group: str, help_: str) -> Parameter:
    return Parameter(group=heading(group), help=help_, negative="", show_default=False)


def _flags(task: str) -> list[inspect.Parameter]:
    """Give the flags of a task: its table of options, and what stands in no table."""
    of_text = [
        flag(
            "lines",
            Annotated[bool, _own("Data", "Each line is a sequence of its own, with a beginning and an end.")],
            False,
        ),
        flag(
            "encoding",
            Annotated[str | None, _own("Data", "Of the files; left out: detected, or that of the run.")],
            None,
        ),
    ]
    return [
        *option_flags([*BUDGET, *_table(model_class(task))]),
        flag("data", Annotated[str | None, _own("Data", f"Built-in data by name: {_names(task)}.")], None),
        *(of_text if task == TEXT else ()),
        flag(
            "out",
            Annotated[Path | None, _own("Run", "The run folder to write; left out: the next in runs.")],
            None,
        ),
        flag(
            "resume",
            Annotated[Path | None, _own("Run", "A run that was cut off, to go on with; its options hold.")],
            None,
        ),
        flag(
            "init_from",
            Annotated[Path | None, _own("Run", "A run whose weights to begin with, of the same vocabulary.")],
            None,
        ),
        flag(
            "tensorboard",
            Annotated[bool, _own("Output", "Write TensorBoard event files into the run folder too.")],
            False,
        ),
        flag(
            "config", Annotated[Path | None, _own("Run", "A TOML file of options; flags go before it.")], None
        ),
        flag("dry_run", Annotated[bool, _own("Run", "Say what was understood, and stop there.")], False),
        flag("quiet", Annotated[bool, _own("Output", "No table while it trains.")], False),
        flag("json", Json, False),
        flag("debug", Debug, False),
    ]


def _names(task: str) -> str:
    from noria.data.builtin_tasks import builtin_tasks

    names = [entry.usage for entry in builtin_tasks(task)]
    return ", ".join([*BUILT_IN, *names] if task == TEXT else names)


def _about(task: str) -> str:
    """Give the help of a task: what it does, how it goes, and commands to begin with."""
    budget = "50 epochs" if task == "forecast" else "two minutes"
    how = (
        "It says what it understood, trains, shows how it is getting on, and takes the figure at the end on "
        "a part of the data that it has not seen, beside that of a baseline. Without a file it takes "
        f"built-in data, without a budget it trains for {budget}. Ctrl-C saves, evaluates and stops; "
        "--resume goes on."
    )
    return "\n\n".join((SUMMARIES[task], how, *(f"{WHO} {words}" for words in EXAMPLES[task])))


def verb(task: str) -> Callable[..., int]:
    """Make the verb of a task, with the flags of its table of options."""

    def train(*files: Annotated[str, Parameter(help=FILES[task])], **flags: Any) -> int:
        return _train(task, files, flags)

    train.__doc__ = _about(task)
    return with_flags(train, _flags(task))


def __getattr__(name: str) -> Callable[..., int]:
    """Make the verb of a task when it is called for, and import no other model."""
    if name not in MODELS:
        raise AttributeError(f"module 'noria.cli.train' has no attribute {name!r}")
    return verb(name)


app = App(name="train")
app.default(verb(TEXT))
for _place, _task in enumerate(MODELS):
    app.command(f"noria.cli.train:{_task}", name=_task, help=_about(_task), sort_key=_place)
