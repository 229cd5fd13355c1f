"""Going on with a run, or from its weights: what has to be the same is compared, differences are shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noria.equations import Cell
from noria.errors import RunError
from noria.layers import FlatParameters
from noria.models.stored import StoredModel
from noria.training.run_folder import RunFolder
from noria.training.training_options import Budget

FREE = frozenset({"threads", "save_every", "save_minutes", "stop_after", "thesaurus"})
"""Options that may differ from sitting to sitting. Other threads round sums otherwise, which is said; of the
thesaurus the content counts, and not the name of its file."""

SHOWN = 40


def refuse_finished(run: RunFolder, report: Mapping[str, Any], budget: Budget) -> None:
    """Refuse to go on with a run that is complete, where no more is asked for.

    Raises
    ------
    RunError
        Says how to go on beyond its end.
    """
    steps, planned = report.get("steps"), run.config.get("run", {}).get("steps")
    if budget.to_toml_dict() or "baseline" not in report or not steps or steps != planned:
        return
    raise RunError(
        f"{run.path}: is finished, all of its {steps:,} steps are made.\n"
        f"  To train on, give more: steps={2 * steps}, epochs or minutes. The learning rate then goes on "
        "as in a run of the new length."
    )


def check_options(run: RunFolder, stored: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse options that are not those of the run.

    Raises
    ------
    RunError
        Names each with both values.
    """
    names = sorted((stored.keys() | given.keys()) - FREE)
    differences = [
        f"{name}: {_shown(stored.get(name))} in the run, {_shown(given.get(name))} here"
        for name in names
        if stored.get(name) != given.get(name)
    ]
    _refuse(
        run,
        "options",
        differences,
        "Leave them out to go on with the run; for other options begin a new run, which may take over its "
        "weights (init_from).",
    )


def check_cells(run: RunFolder, stored: Sequence[Cell], given: Sequence[Cell]) -> None:
    """Refuse cells whose equations are not those of the run.

    Raises
    ------
    RunError
        Shows the first line that differs.
    """
    _refuse(run, "cells", _cell_differences(stored, given), "Give the run's own cell, or begin a new run.")


def check_data(run: RunFolder, about: Mapping[str, Any], differences: Sequence[str], content: str) -> None:
    """Refuse data that are not those of the run.

    Parameters
    ----------
    run : RunFolder
    about : mapping
        What the run says of its data.
    differences : sequence of str
        What is known to differ.
    content : str
        Digits of the data that are here, compared where nothing else differs.

    Raises
    ------
    RunError
        Says what is known of both.
    """
    found = list(differences)
    if not found:
        if "content" not in about:
            raise RunError(
                f"{run.path}: does not say which data it was made with, so it cannot be gone on with.\n"
                "  Begin a new run, which may take over its weights (init_from)."
            )
        if about["content"] != content:
            found.append("the data are as many and of the same kinds, but not the same")
    advice = "Give the data that the run was made with (they may have moved), read in the same way."
    _refuse(run, "data", found, advice)


def take_over_weights(
    stored: StoredModel,
    cells: Sequence[Cell],
    differences: Sequence[str],
    parameters: FlatParameters,
    options: Mapping[str, Any],
) -> None:
    """Set the parameters of a new run to the best weights of another one.

    Parameters
    ----------
    stored : StoredModel
    cells : sequence of Cell
    differences : sequence of str
        Those between the schemas: vocabularies, labels, columns.
    parameters : FlatParameters
    options : mapping
        Those of the network, which explain sizes that differ.

    Raises
    ------
    RunError
        If schema, cells or sizes are not the same: shows where.
    """
    shapes = {name: array.shape for name, array in stored.weights.items()}
    here = {name: array.shape for name, array in parameters.state_dict().items()}
    sizes = [
        f"{name}: {shapes.get(name, 'nothing')} in the run, {here.get(name, 'nothing')} here"
        for name in sorted(shapes.keys() | here.keys())
        if shapes.get(name) != here.get(name)
    ]
    others = [
        f"{name}: {stored.options[name]} in the run, {value} here"
        for name, value in options.items()
        if name in stored.options and stored.options[name] != value
    ]
    different = [*_cell_differences(stored.cells, cells), *differences] or (sizes and [*others, *sizes])
    if different:
        raise RunError(
            f"{stored.path}: its weights do not fit this model:\n"
            + "".join(f"  {line}\n" for line in different[:8])
            + "  Cell, sizes and vocabulary have to be the same for one to begin where the other ended."
        )
    stored.fill(parameters)


def _refuse(run: RunFolder, what: str, differences: Sequence[str], advice: str) -> None:
    if differences:
        lines = "".join(f"  {line}\n" for line in differences)
        raise RunError(f"{run.path}: was made with other {what}:\n{lines}  {advice}")


def _cell_differences(stored: Sequence[Cell], given: Sequence[Cell]) -> list[str]:
    if len(stored) != len(given):
        return [f"layers: {len(stored)} in the run, {len(given)} here"]
    return [
        f"cell of layer {layer}: {there.name} in the run, {here.name} here"
        f"{_first_line(there.text, here.text)}"
        for layer, (there, here) in enumerate(zip(stored, given, strict=True), 1)
        if there != here
    ]


def _first_line(there: str, here: str) -> str:
    for one, other in _lines(there, here):
        if one != other:
            return f": {one.strip() or 'nothing'!r} and {other.strip() or 'nothing'!r}"
    return ""


def _lines(there: str, here: str) -> Iterator[tuple[str, str]]:
    ours, theirs = (
        [line for line in text.splitlines() if not line.startswith("#")] for text in (there, here)
    )
    count = max(len(ours), len(theirs))
    yield from zip(ours + [""] * (count - len(ours)), theirs + [""] * (count - len(theirs)), strict=True)


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
