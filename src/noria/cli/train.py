"""``noria train``: from a text to a run folder, with everything said on the way."""

from collections.abc import Mapping
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
from noria.cli.sources import read_source
from noria.cli.story import say_how_it_went, say_what_was_understood
from noria.cli.threads import origin
from noria.errors import RunError
from noria.models import LanguageModel
from noria.training import RunFolder
from noria.training.options import Budget, options_of

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
    options = _options(flags)
    budget = {name: options.pop(name) for name in BUDGET_NAMES & options.keys()}
    Budget(**budget).validate(WHO)
    model = LanguageModel(**options)
    model.validate(WHO)
    for cell in model.layer_cells:
        open_cell(cell)
    if flags["out"] is not None and not flags["dry_run"]:
        _refuse_taken(flags["out"])
    text = read_source(_without_task(files), name=flags["data"], encoding=flags["encoding"])
    prepared = model.prepare(text, lines=flags["lines"])
    understood = prepared.description
    say_what_was_understood(understood, origin(model.threads))
    if flags["dry_run"]:
        if flags["json"]:
            give_json(understood.to_dict())
        return OK
    run = RunFolder.create(flags["out"], task=TASK, cell="-".join(dict.fromkeys(understood.model.cells)))
    say("Run", f"{run.path} · seed {model.seed} · Ctrl-C saves and stops")
    with Progress(quiet=flags["quiet"]) as progress, compilation_said(progress.say):
        model.fit(prepared, **budget, out=run, listener=progress)
    report = model.report_
    say_how_it_went(run.path, report)
    if flags["json"]:
        give_json({"run": str(run.path), "report": report, "understood": understood.to_dict()})
    return INTERRUPTED if report["interrupted"] else OK


def _options(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Gather the options: those of the file, then those that were typed, which go before."""
    typed = parsed([*BUDGET, *MODEL], flags, WHO)
    if flags["config"] is None:
        return typed
    written = read_config(flags["config"], [*BUDGET, *MODEL])
    if BUDGET_NAMES & typed.keys():  # --steps takes the place of the file's minutes
        written = {name: value for name, value in written.items() if name not in BUDGET_NAMES}
    return written | typed


def _refuse_taken(folder: Path) -> None:
    """Refuse a folder with something in it before the text is read, which may take long."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(
            f"{folder}: is already there, and a new run never writes over an old one.\n"
            "  Choose another folder, leave --out out to take the next one in runs, or remove this one."
        )


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
        flag("encoding", Annotated[str | None, _own("Data", "Of the files; left out: detected.")], None),
        flag(
            "out",
            Annotated[Path | None, _own("Run", "The run folder to write; left out: the next in runs.")],
            None,
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
