"""``noria compare``: which of several is better, over seeds, and whether that exceeds the spread."""

import dataclasses
import inspect
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from noria.cli.common import Debug, Json
from noria.cli.comparison import give_results, say_run, say_study
from noria.cli.console import give, give_json, say, table
from noria.cli.headings import heading
from noria.errors import OptionError
from noria.training.option import did_you_mean

OK, INTERRUPTED = 0, 130
MINUTES = 1.0
"""Of each run, where nothing else is said."""


def _in(group: str, help_: str) -> Parameter:
    return Parameter(group=heading(group), help=help_, negative="", show_default=False)


def compare(
    *what: Annotated[
        str,
        Parameter(
            help="A task (text, classify, regress, tag, forecast, translate), files, or both; none: text."
        ),
    ],
    cells: Annotated[
        str | None, _in("Study", "Cells, by name or file of equations: rnn,gru,lstm,my.eq.")
    ] = None,
    seeds: Annotated[
        int, _in("Study", "How many seeds, 0 and on: each variant with each. 5 if left out.")
    ] = 5,
    grid: Annotated[
        list[str] | None,
        _in("Study", "An option and its values, key=a,b,c; several are combined with each other."),
    ] = None,
    recipe: Annotated[str | None, _in("Study", "A study by name; --recipes lists them.")] = None,
    recipes: Annotated[bool, _in("Study", "List the studies by name, with what they are for.")] = False,
    set_: Annotated[
        list[str] | None,
        Parameter(
            name="--set",
            group=heading("Study"),
            help="An option of all variants, key=value; a switch alone is on.",
            negative="",
        ),
    ] = None,
    equal_parameters: Annotated[
        bool,
        _in("Study", "Choose each hidden size so that all have as many parameters as the first variant."),
    ] = False,
    minutes: Annotated[float | None, _in("Budget", "Of each run; 1 if no budget is given.")] = None,
    steps: Annotated[
        int | None, _in("Budget", "Updates of each run: it can then be repeated to the byte.")
    ] = None,
    epochs: Annotated[float | None, _in("Budget", "Passes of each run over the training part.")] = None,
    data: Annotated[str | None, _in("Data", "Built-in data by name, in the place of a file.")] = None,
    out: Annotated[
        Path | None,
        _in(
            "Run", "The folder; left out: one in studies by what is compared, so that it can be gone on with."
        ),
    ] = None,
    processes: Annotated[
        int | None, _in("Machine", "Runs side by side, one thread each; as many as cores if left out.")
    ] = None,
    dry_run: Annotated[bool, _in("Run", "Say what would be compared, and stop there.")] = False,
    language: Annotated[
        Literal["en", "es"],
        Parameter(
            alias="--lang", group=heading("Output"), help="Of the report and the conclusions.", negative=""
        ),
    ] = "en",
    json: Json = False,
    debug: Debug = False,
    **options: Annotated[
        str,
        Parameter(
            group=heading("Study"),
            help="Any option that noria train has for the task, for all variants: --hidden-size 64 "
            "--tie-weights.",
        ),
    ],
) -> int:
    """Compare variants of a model fairly: same data, same budget, same seeds.

    Every combination of cells and grid values is trained with every seed. The report (report.html, report.md,
    results.json) has means and spreads, differences paired by seed with confidence intervals, what it cost,
    how far the gradient reaches, and conclusions that follow from the figures: better is said only where the
    interval leaves zero out.

    Ctrl-C stops it and leaves what has ended; the same command goes on from there. A run that diverges is
    recorded and does not stop the others.

    noria compare --cells rnn,gru,lstm --seeds 3 --minutes 1 --hidden-size 128

    noria compare classify reviews.csv --grid pooling=last,mean,max --epochs 5

    noria compare --recipe optimisers --steps 2000
    """
    from noria.studies.folder import StudyFolder
    from noria.studies.recipes import RECIPES, recipe_named
    from noria.studies.report import write_report
    from noria.studies.running import run_study

    if recipes:
        lines = [(name, one.reason, ", ".join(one.tasks)) for name, one in RECIPES.items()]
        if json:
            give_json([{"name": name, "reason": reason, "tasks": tasks} for name, reason, tasks in lines])
        else:
            shown = [(name, reason.partition(". ")[0].rstrip(".") + ".") for name, reason, _ in lines]
            give(table(shown, indent=0) + "\n")
        return OK
    budget = {"minutes": minutes, "steps": steps, "epochs": epochs}
    given = {name: value for name, value in budget.items() if value is not None}
    settings = [*(f"{name}={value}" for name, value in options.items()), *(set_ or [])]
    study = _designed(what, cells, seeds, grid or [], recipe, settings, equal_parameters, given, data)
    path = out or Path("studies") / f"{study.task}-{recipe or 'study'}-{study.digest}"
    say_study(study, path, processes)
    if dry_run:
        if json:
            give_json(study.to_dict())
        return OK
    folder = StudyFolder.take(path, study)
    there = len(study.variants) * len(study.seeds) - len(folder.missing())
    if there:
        say("Study", f"goes on: {there} runs have ended")
    finished = run_study(folder, processes=processes, told=say_run)
    command = _command(study, given, path)
    if len(folder.missing()) == len(study.variants) * len(study.seeds):
        say("Report", "none yet: no run has ended")
        say("Next", command)
        return INTERRUPTED
    reason = recipe_named(recipe).reason if recipe else ""
    results = write_report(folder, command, language=language, reason=reason)
    if json:
        give_json({"study": str(path), **results.to_dict()})
    else:
        give_results(results, language)
    say("Report", f"{path / 'report.html'} · report.md · report.pdf · results.json · figures")
    if not finished:
        say("Next", command)
    return OK if finished else INTERRUPTED


def _designed(
    what: Sequence[str],
    cells: str | None,
    seeds: int,
    grid: Sequence[str],
    recipe: str | None,
    settings: Sequence[str],
    equal: bool,
    budget: Mapping[str, float],
    data: str | None,
) -> Any:
    """Make the study that was asked for, and read its data once: what cannot be trained is refused here."""
    from noria.studies.data import known_options
    from noria.studies.design import Study, parse_grid, variants_of
    from noria.studies.recipe import StudyRecipe
    from noria.studies.recipes import recipe_named
    from noria.training.options import Budget, options_of

    if seeds < 1:
        raise OptionError(f"noria compare: --seeds must be at least 1. Got {seeds}.")
    named = recipe_named(recipe) if recipe else StudyRecipe("")
    task, files = _told(what, (named.tasks or ("text",))[0])
    if files and data is not None:
        raise OptionError(f"--data {data} names built-in data, and {files[0]!r} is a file: leave one out.")
    left = named.for_task(recipe or "", task, _settings(task, settings))
    for sentence in left.left_out:
        say("Recipe", sentence)
    if not files and data is None:
        data = named.data.get(task)
        if task in named.files:
            raise OptionError(
                f"The recipe {recipe!r} needs data of yours for {task}: there is nothing to tell beside the "
                f"built-in ones.\n  Name a file: noria compare {task} FILE --recipe {recipe}"
            )
    known = dict(known_options(task, tuple(files), data))
    own_budget = {info.name: known.pop(info.name) for info in options_of(Budget) if info.name in known}
    listed = [cell.strip() for cell in cells.split(",")] if cells else list(named.cells)
    study = Study(
        task=task,
        variants=variants_of(task, listed, {**named.grid, **parse_grid(task, grid)}, left.rows),
        seeds=tuple(range(seeds)),
        budget=budget or own_budget or {"minutes": MINUTES},
        files=tuple(str(Path(file).resolve()) for file in files),
        data=data,
        options={**known, **named.options, **left.settings},
        equal_parameters=equal or named.equal_parameters,
        recipe=recipe,
        metric=named.metric,
    )
    study.check()
    return _tried(study)


def _told(what: Sequence[str], otherwise: str) -> tuple[str, list[str]]:
    """Tell the task from the files."""
    from noria.models.loading import MODELS

    words = list(what)
    if words and words[0] in MODELS:
        return words[0], words[1:]
    if words and not Path(words[0]).exists() and (near := did_you_mean(words[0], list(MODELS))):
        raise OptionError(f"{words[0]}: there is no such file.{near}")
    return otherwise, words


def _settings(task: str, lines: Sequence[str]) -> dict[str, Any]:
    """Read what is set for all variants; a name that is none may be one of this verb's, misspelt."""
    from noria.models.loading import model_class
    from noria.studies.design import parse_settings
    from noria.training.options import options_of

    known = {flag.replace("_", "-") for info in options_of(model_class(task)) for flag in info.flags}
    own = {f"--{name.rstrip('_').replace('_', '-')}" for name in inspect.signature(compare).parameters}
    for line in lines:
        flag = f"--{line.partition('=')[0].strip().replace('_', '-')}"
        if flag not in known:
            raise OptionError(
                f"noria compare {task} has no option '{flag}'.{did_you_mean(flag, [*own, *known])}\n"
                f"  It takes its own options (noria compare --help) and those of noria train {task} --help."
            )
    return parse_settings(task, lines)


def _tried(study: Any) -> Any:
    """Read the data for the first variant, and fit the sizes of the others where they are to be equal."""
    from noria.models.loading import model_class
    from noria.studies.data import prepared_of
    from noria.studies.sizing import equal_sizes

    model = model_class(study.task)(**study.options_of(study.variants[0], study.seeds[0]))
    say("Data", prepared_of(study, model).description.data.summary())
    if not study.equal_parameters:
        return study
    return dataclasses.replace(study, variants=equal_sizes(study))


def _command(study: Any, budget: Mapping[str, float], path: Path) -> str:
    """Write the command that makes the study again."""
    import sys

    words = sys.argv[1:] if sys.argv[1:2] == ["compare"] else ["compare", study.task, *study.files]
    if not any(word.split("=")[0] == "--out" for word in words):
        words = [*words, "--out", str(path)]
    return shlex.join(["noria", *words])
