"""What the runs of one variant came to: a line of the tables of a study."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.reports.curves import Curve, number
from noria.studies.looking import averaged
from noria.studies.statistics import half_width, spread
from noria.studies.work import DIVERGED, DONE, FAILED


@dataclass(frozen=True)
class Line:
    """What the runs of one variant came to; means over the seeds that ended well.

    Attributes
    ----------
    name : str
    figure, deviation, half_width : float
        The metric on the test part: mean, standard deviation, half of the interval around the mean.
    by_seed : mapping of int to float
    loss, train, validation : float
        The test loss; at the end of the curve the training loss and the validation loss.
    best_validation : float
        The lowest on the curve.
    parameters, steps : float
    seconds, tokens_per_second, peak_bytes : float
        Of a run; not a number where it is not known.
    done, diverged, failed : tuple of int
        The seeds.
    gradient : mapping or None
        How far the gradient reaches: ``distance`` and ``norm`` (a share of that at distance 0, mean over the
        seeds), and from which distance on it stays below a ``tenth`` and a ``thousandth``.
    train_figure, validation_figure : float
        The metric at the end of the curve, on the training part and on the validation part; not a number
        where it was not measured.
    """

    name: str
    figure: float
    deviation: float
    half_width: float
    by_seed: Mapping[int, float]
    loss: float
    train: float
    validation: float
    best_validation: float
    parameters: float
    steps: float
    seconds: float
    tokens_per_second: float
    peak_bytes: float
    done: tuple[int, ...]
    diverged: tuple[int, ...]
    failed: tuple[int, ...]
    gradient: Mapping[str, Any] | None = None
    train_figure: float = math.nan
    validation_figure: float = math.nan

    def reaches(self, share: str) -> str:
        """Say from how many steps back on a ``"tenth"`` or a ``"thousandth"`` is left: ``"12"``, ``">199"``.

        Empty where it is not known.
        """
        if self.gradient is None:
            return ""
        found = self.gradient[share]
        return f">{self.gradient['distance'][-1]}" if found is None else str(found)


def line_of(
    name: str, runs: Mapping[int, Mapping[str, Any]], points: Sequence[Sequence[Mapping[str, Any]]], key: str
) -> Line:
    """Gather what the runs of a variant came to.

    Parameters
    ----------
    name : str
    runs : mapping
        By seed, what each left.
    points : sequence
        The curves of those that ended well.
    key : str
        The metric.
    """
    done = {seed: run for seed, run in runs.items() if run["status"] == DONE}
    figures = {seed: number(run["test"].get(key)) for seed, run in done.items()}

    def over(entry: str) -> float:
        return mean([number(run.get(entry)) for run in done.values()])

    curves = [Curve.of_points(one) for one in points]

    def ends(read: Callable[[Curve], Array]) -> float:
        return mean([float(read(curve)[-1]) for curve in curves])

    return Line(
        name=name,
        **figures_over({seed: value for seed, value in figures.items() if math.isfinite(value)}),
        loss=mean([number(run["test"].get("loss")) for run in done.values()]),
        train=ends(lambda curve: curve.on_train("loss")),
        validation=ends(lambda curve: curve.on_validation("loss")),
        best_validation=mean([_lowest(curve.on_validation("loss")) for curve in curves]),
        parameters=mean([number(run.get("parameters")) for run in runs.values()]),
        steps=over("steps"),
        seconds=over("seconds"),
        tokens_per_second=over("tokens_per_second"),
        peak_bytes=over("peak_bytes"),
        done=tuple(done),
        diverged=tuple(seed for seed, run in runs.items() if run["status"] == DIVERGED),
        failed=tuple(seed for seed, run in runs.items() if run["status"] == FAILED),
        gradient=_gradient([run["gradient"] for run in done.values() if run.get("gradient")]),
        train_figure=ends(lambda curve: curve.on_train(key)),
        validation_figure=ends(lambda curve: curve.on_validation(key)),
    )


def figures_over(by_seed: Mapping[int, float]) -> dict[str, Any]:
    """Give what a line says of the metric over some seeds."""
    values = list(by_seed.values())
    return {
        "figure": mean(values),
        "deviation": spread(values),
        "half_width": half_width(values) if values else math.nan,
        "by_seed": by_seed,
    }


def _gradient(curves: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Average the gradients of several seeds, each as a share of its norm at distance 0."""
    return averaged([np.asarray(curve["norm"], float) / curve["norm"][0] for curve in curves])


def _lowest(values: Array) -> float:
    return min((float(value) for value in values if math.isfinite(value)), default=math.nan)


def mean(values: Sequence[float]) -> float:
    """Give the mean of what is finite; not a number where nothing is."""
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
