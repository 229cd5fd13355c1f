"""``noria train``: from a text to a run folder, with everything said on the way."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from noria.cli.cell_files import open_cell
from noria.cli.common import Debug, Json
from noria.cli.compiling import compilation_said
from noria.cli.config import read_config
from noria.cli.console import give_json, say
from noria.cli.flags import flag, option_flags, parsed, with_flags
from noria.cli.headings import heading
from noria.cli.progress import Progress
from noria.cli.sources import large_or_read, source_again
from noria.cli.story import say_how_it_went, say_what_was_understood
from noria.cli.threads import origin
from noria.errors import OptionError
from noria.models import LanguageModel, Prepared
from noria.training import RunFolder
from noria.training.options import Budget, options_of
from noria.training.report import Listener, all_of
from noria.training.run_folder import refuse_taken

TASK = "text"
WHO = "noria train"
OK, INTERRUPTED = 0, 130

BUDGET = options_of(Budget)
MODEL = tuple(info for info in options_of(LanguageModel) if not info.option.hidden)
BUDGET_NAMES = frozenset(info.name for info in BUDGET)


def _train(
    *files: Annotated[
        str,
        Parameter(help="Files, or folders of .txt files, or - for standard input; none: a built-in text."),
    ],
    **flags: Any,
) -> int:
    """Train a language model on a text, and say how good it is.

    It says what it understood, trains, shows how it is getting on, and takes the figure at the end on a part
    of the text that it has not seen. Without a budget it trains for two minutes.
    """
    if flags["resume"] is not None:
        return _resume(files, flags)
    options = _options(flags)
    budget = {name: options.pop(name) for name in BUDGET_NAMES & options.keys()}
    Budget(**budget).validate(WHO)
    model = LanguageModel(**options)
    model.validate(WHO)
    for cell in model.layer_cells:
        open_cell(cell)
    if flags["out"] is not None and not flags["dry_run"]:
        # Before the text is read, which may take long.
        refuse_taken(flags["out"], "Choose another folder, leave --out out to take the next one in runs")
    text = large_or_read(_without_task(files), name=flags["data"], encoding=flags["encoding"])
    prepared = model.prepare(text, encoding=flags["encoding"], lines=flags["lines"])
    return _fit(model, prepared, budget, flags)


def _resume(files: tuple[str, ...], flags: Mapping[str, Any]) -> int:
    """Go on with a run: its own options, its own text; what is given besides must be the same."""
    for name in ("out", "init_from"):
        if flags[name] is not None:
            raise OptionError(
                f"--resume goes on in the run's own folder, from its own weights: leave out "
                f"--{name.replace('_', '-')}."
            )
    run = RunFolder.open(flags["resume"])
    options = _options(flags)
    budget = {name: options.pop(name) for name in BUDGET_NAMES & options.keys()}
    Budget(**budget).validate(WHO)
    model = LanguageModel.from_run(run).set_params(**{"stop_after": 0, **options})
    model.validate(WHO)
    about = run.config["data"]
    named = _without_task(files)
    if not named and flags["data"] is None:
        named = source_again(about.get("source", ""), run.path)
    encoding = flags["encoding"] or about.get("asked_encoding")
    text = large_or_read(named, name=flags["data"], encoding=encoding)
    lines = flags["lines"] or about["kind"] == "sequences"
    prepared = model.prepare(text, encoding=encoding, lines=lines, resuming=True)
    return _fit(model, prepared, budget, flags, run)


def _fit(
    model: LanguageModel,
    prepared: Prepared,
    budget: Mapping[str, Any],
    flags: Mapping[str, Any],
    resumed: RunFolder | None = None,
) -> int:
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
        run = RunFolder.create(flags["out"], task=TASK, cell=named)
        place = {"out": run, "init_from": init_from}
    say("Run", f"{run.path} · seed {model.seed} · Ctrl-C saves and stops")
    with (
        run.complete_or_removed(),
        Progress(quiet=flags["quiet"]) as progress,
        _also_to_tensorboard(progress, run.path if flags["tensorboard"] else None) as listener,
        compilation_said(progress.say),
    ):
        model.fit(prepared, **budget, **place, listener=listener, encoding=flags["encoding"])
    report = model.report_
    say_how_it_went(run.path, report)
    if flags["json"]:
        give_json({"run": str(run.path), "report": report, "understood": understood.to_dict()})
    return INTERRUPTED if report["interrupted"] else OK


@contextlib.contextmanager
def _also_to_tensorboard(listener: Listener, run: Path | None) -> Iterator[Listener]:
    """Give a listener that also writes TensorBoard's files into the run, where that is asked for."""
    if run is None:
        yield listener
        return
    from noria.training.tensorboard import TensorBoard

    with TensorBoard(run / "tensorboard") as board:
        yield all_of(listener, board)


def _options(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the options: those of the file, then those that were typed, which go before."""
    typed = parsed([*BUDGET, *MODEL], flags, WHO)
    if flags["config"] is None:
        return typed
    written = read_config(flags["config"], [*BUDGET, *MODEL])
    if BUDGET_NAMES & typed.keys():  # --steps takes the place of the file's minutes
        written = {name: value for name, value in written.items() if name not in BUDGET_NAMES}
    return written | typed


def _without_task(files: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out the word ``text`` of ``noria train text FILE``; a file of that name is ``./text``."""
    return files[1:] if files[:1] == (TASK,) else files


def _own(group: str, help_: str) -> Parameter:
    return Parameter(group=heading(group), help=help_, negative="", show_default=False)


train = with_flags(
    _train,
    [
        *option_flags([*BUDGET, *MODEL]),
        flag("data", Annotated[str | None, _own("Data", "A built-in text by name: python.")], None),
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
    ],
)
