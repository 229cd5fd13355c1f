"""Options that are left open are chosen when data and budget are known, once, before the first step."""

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from noria.errors import OptionError
from noria.models.prepared import Prepared
from noria.training.option import OptionInfo
from noria.training.optioned import Options
from noria.training.report import Chosen
from noria.training.run_folder import RunFolder
from noria.training.training_options import DEFAULT_MINUTES, Budget

PACE = 1.2e12
"""What a minute of training is taken for where time is the budget: tokens times parameters, of two cores.

It is one number for every machine, so that the same command makes the same model everywhere.
"""


def choose(options: Options, prepared: Prepared, budget: Budget, accumulate: int) -> Chosen:
    """Choose what is left open by the passes over the training part; what shaped the network is told, too.

    Parameters
    ----------
    options : Options
    prepared : Prepared
        With the network described that will be trained: see :func:`choose_shape`.
    budget : Budget
    accumulate : int
        Batches in an update.
    """
    passes = expected_passes(options, prepared, budget, accumulate)
    values = {info.name: prepared.decided[info.name] for info in _by_minutes(options, prepared.decided)}
    by_passes = [info for info in options.by_length() if info.option.by_passes]
    values |= {info.name: info.option.chosen(passes, options.text_level) for info in by_passes}
    return Chosen(values, passes)


def choose_shape(options: Options, prepared: Prepared, budget: Budget, accumulate: int) -> dict[str, Any]:
    """Choose what shapes the network and is left open, by the minutes of the run; nothing where that is done.

    Parameters
    ----------
    options, prepared, budget, accumulate
        As for :func:`choose`; the network that is described is that of a short run.
    """
    minutes = expected_minutes(options, prepared, budget, accumulate)
    left_open = [info for info in options.by_length() if info.option.by_minutes]
    return {info.name: info.option.chosen(minutes) for info in left_open if info.name not in prepared.decided}


def _by_minutes(options: Options, decided: Mapping[str, Any]) -> list[OptionInfo]:
    return [info for info in options.by_length() if info.option.by_minutes and info.name in decided]


def all_chosen(options: Options, prepared: Prepared, chosen: Chosen) -> dict[str, Any]:
    """Give what is left open with its value: as the data say, the length of the run, or else the level.

    Raises
    ------
    OptionError
        If data were read with another value than is given here.
    """
    left_open = {info.name for info in options.undecided()}
    for name, value in prepared.decided.items():
        given = getattr(options, name)
        if name not in left_open and given != value:
            raise OptionError(
                f"These data were read with {name}={value!r}. Got {name}={given!r}.\n"
                f"  Read them anew with 'prepare' of this model, or leave {name} out."
            )
    of_data = {**options.by_symbols(prepared.symbols), **prepared.decided}
    return {**options.by_level(), **of_data, **chosen.values}


def expected_passes(options: Options, prepared: Prepared, budget: Budget, accumulate: int) -> float:
    """Give the passes that a budget has, or that its minutes would have at the usual pace; 0: not known."""
    description = prepared.description
    if budget.epochs is not None:
        return budget.epochs
    if budget.steps is not None:
        return budget.steps * accumulate / description.steps_per_epoch
    work = _work(options, prepared)
    return (budget.minutes or DEFAULT_MINUTES) * PACE / work if work else 0.0


def expected_minutes(options: Options, prepared: Prepared, budget: Budget, accumulate: int) -> float:
    """Give the minutes of a budget, or those that its passes would take at the usual pace."""
    if budget.epochs is budget.steps is None:
        return budget.minutes or DEFAULT_MINUTES
    return expected_passes(options, prepared, budget, accumulate) * _work(options, prepared) / PACE


def _work(options: Options, prepared: Prepared) -> float:
    """Give the work of a pass: tokens times parameters, without those of symbols that a step leaves out."""
    left_out = options.unscored(prepared.symbols) * prepared.symbol_size
    return prepared.tokens * (prepared.description.model.parameters - left_out)


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
