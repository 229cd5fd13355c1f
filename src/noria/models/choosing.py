"""Options that are left open are chosen when data and budget are known, once, before the first step."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from noria.models.prepared import Prepared
from noria.training.optioned import Options
from noria.training.report import Chosen
from noria.training.run_folder import RunFolder
from noria.training.training_options import DEFAULT_MINUTES, Budget

PACE = 1.2e12
"""What a minute of training is taken for where time is the budget: tokens times parameters, of two cores.

It is one number for every machine, so that the same command makes the same model everywhere.
"""


def choose(options: Options, prepared: Prepared, budget: Budget, accumulate: int) -> Chosen:
    """Choose what is left open, and the level leaves open too, by the passes over the training part.

    Parameters
    ----------
    options : Options
    prepared : Prepared
    budget : Budget
    accumulate : int
        Batches in an update.
    """
    passes = expected_passes(prepared, budget, accumulate)
    left_open = options.decided().undecided()
    values = {info.name: info.option.chosen(passes) for info in left_open if info.option.by_passes}
    return Chosen(values, passes)


def expected_passes(prepared: Prepared, budget: Budget, accumulate: int) -> float:
    """Give the passes that a budget has, or that its minutes would have at the usual pace; 0: not known."""
    description = prepared.description
    if budget.epochs is not None:
        return budget.epochs
    if budget.steps is not None:
        return budget.steps * accumulate / description.steps_per_epoch
    work = prepared.tokens * description.model.parameters
    return (budget.minutes or DEFAULT_MINUTES) * PACE / work if work else 0.0


def as_in_run(options: Options, run: RunFolder) -> dict[str, Any]:
    """Give what a run has in the place of what is left open here."""
    stored = run.config.get("options")
    known: Mapping[str, Any] = {**options.unwritten, **(stored if isinstance(stored, dict) else {})}
    return {
        info.name: known[info.name]
        for info in options.undecided()
        if info.name in known and info.accepts(known[info.name])
    }


@contextlib.contextmanager
def holding(options: Options, values: Mapping[str, Any]) -> Iterator[None]:
    """Let options have other values for a while."""
    before = {name: getattr(options, name) for name in values}
    vars(options).update(values)
    try:
        yield
    finally:
        vars(options).update(before)
