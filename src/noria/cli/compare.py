"""``noria compare``: which of several is better, over seeds, and whether that exceeds the spread."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from noria.cli.common import Debug, Json
from noria.cli.console import give, give_json, say, table
from noria.cli.headings import heading
from noria.errors import OptionError

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
            name="--set", group=heading("Study"), help="An option of all variants, key=value.", negative=""
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
    language: Annotated[Literal["en", "es"], _in("Output", "Of the report and the conclusions.")] = "en",
    json: Json = False,
    debug: Debug = False,
) -> int:
    """Compare variants of a model fairly: same data, same budget, same seeds.

    Every combination of cells and grid values is trained with every seed. The report (report.html, report.md,
    results.json) has means and spreads, differences paired by seed with confidence intervals, what it cost,
    and conclusions that follow from the figures: better is said only where the interval leaves zero out.

    Ctrl-C stops it and leaves what has ended; the same command goes on from there. A run that diverges is
    recorded and does not stop the others.

    noria compare --cells rnn,gru,lstm --seeds 3 --minutes 1

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
            give(table([(name, reason) for name, reason, _ in lines], indent=0) + "\n")
        return OK
    budget = {"minutes": minutes, "steps": steps, "epochs": epochs}
    given = {name: value for name, value in budget.items() if value is not None}
    study = _designed(what, cells, seeds, grid or [], recipe, set_ or [], equal_parameters, given, data)
    path = out or Path("studies") / f"{study.task}-{recipe or 'study'}-{study.digest}"
    _say_study(study, path)
    if dry_run:
        if json:
            give_json(study.to_dict())
        return OK
    folder = StudyFolder.take(path, study)
    there = len(study.variants) * len(study.seeds) - len(folder.missing())
    if there:
        say("Study", f"goes on: {there} runs have ended")
    finished = run_study(folder, processes=processes, told=_say_run)
    command = _command(study, given, path)
    reason = recipe_named(recipe).reason if recipe else ""
    results = write_report(folder, command, language=language, reason=reason)
    if json:
        give_json({"study": str(path), **results.to_dict()})
    else:
        _give(results, language)
    say("Report", f"{path / 'report.html'} · report.md · results.json")
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
    """Make the study that was asked for."""
    from noria.models.loading import MODELS
    from noria.studies.data import known_options
    from noria.studies.design import Study, parse_grid, variants_of
    from noria.studies.recipes import StudyRecipe, recipe_named
    from noria.studies.sizing import equal_sizes
    from noria.training.options import Budget, options_of

    if seeds < 1:
        raise OptionError(f"noria compare: --seeds must be at least 1. Got {seeds}.")
    named = recipe_named(recipe) if recipe else StudyRecipe("")
    words = list(what)
    task = words.pop(0) if words and words[0] in MODELS else (named.tasks or ("text",))[0]
    if named.tasks and task not in named.tasks:
        raise OptionError(f"The recipe {recipe!r} is for {' and '.join(named.tasks)}, not for {task}.")
    if words and data is not None:
        raise OptionError(f"--data {data} names built-in data, and {words[0]!r} is a file: leave one out.")
    known = dict(known_options(task, tuple(words), data))
    budgets = {info.name for info in options_of(Budget)}
    own_budget = {name: known.pop(name) for name in budgets & known.keys()}
    typed = {name: values[0] for name, values in parse_grid(task, settings).items()}
    listed = [cell.strip() for cell in cells.split(",")] if cells else list(named.cells)
    variants = variants_of(task, listed, {**named.grid, **parse_grid(task, grid)}, named.rows)
    study = Study(
        task=task,
        variants=variants,
        seeds=tuple(range(seeds)),
        budget=budget or own_budget or {"minutes": MINUTES},
        files=tuple(str(Path(word).resolve()) for word in words),
        data=data,
        options={**known, **named.options, **typed},
        equal_parameters=equal or named.equal_parameters,
        recipe=recipe,
    )
    study.check()
    if study.equal_parameters:
        import dataclasses

        study = dataclasses.replace(study, variants=equal_sizes(study))
    return study


def _say_study(study: Any, path: Path) -> None:
    runs = len(study.variants) * len(study.seeds)
    budget = ", ".join(f"{value:g} {name}" for name, value in study.budget.items())
    say("Study", f"{study.task} · {len(study.variants)} variants x {len(study.seeds)} seeds · {runs} runs")
    for variant in study.variants:
        options = ", ".join(f"{name}={value}" for name, value in variant.options.items())
        say("", f"{variant.name}: {options}" if options else variant.name)
    say("Budget", f"{budget} for each run")
    say("Folder", f"{path} · Ctrl-C stops, the same command goes on")


def _say_run(result: Mapping[str, Any], done: int, total: int) -> None:
    """Say that a run has ended, and how."""
    named = f"{done}/{total}  {result['variant']} · seed {result['seed']}"
    if result["status"] != "done":
        say("", f"{named} · {result['status']}: {str(result.get('message', '')).splitlines()[0]}")
        return
    test = result["test"].get("loss")
    say("", f"{named} · test loss {test:.4f} · {result['steps']:,} steps in {result['seconds']:.1f} s")


def _give(results: Any, language: str) -> None:
    from noria.studies.conclusions import conclusions

    lines = [("variant", results.metric, "spread", "parameters", "steps", "tokens/s", "seconds", "runs")]
    for line in results.lines:
        count = len(line.done) + len(line.diverged) + len(line.failed)
        numbers = (line.parameters, line.steps, line.tokens_per_second, line.seconds)
        lines.append(
            (
                line.name,
                results.said(line.figure),
                results.said(line.deviation),
                *(f"{number:,.0f}" if number == number else "-" for number in numbers),
                f"{len(line.done)}/{count}",
            )
        )
    give(table(lines, right=range(1, 8), indent=0) + "\n\n")
    for sentence in conclusions(results, language):
        give(sentence + "\n")


def _command(study: Any, budget: Mapping[str, float], path: Path) -> str:
    """Write the command that makes the study again."""
    import sys

    words = sys.argv[1:] if sys.argv[1:2] == ["compare"] else ["compare", study.task, *study.files]
    if "--out" not in words:
        words = [*words, "--out", str(path)]
    return shlex.join(["noria", *words])
