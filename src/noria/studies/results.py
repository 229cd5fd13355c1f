"""What a study came to, as figures: one line for each variant, one for each pair of them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from noria.arrays import Array
from noria.models.loading import model_class
from noria.models.model import Metric
from noria.reports.curves import Curve, drawn_metric, number
from noria.reports.prose import HIGHER_IS_BETTER, MISSING
from noria.studies.design import Study
from noria.studies.folder import StudyFolder
from noria.studies.looking import averaged
from noria.studies.statistics import Difference, all_pairs, half_width, spread
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


@dataclass(frozen=True)
class Results:
    """A study that has ended, or as far as it has come.

    Attributes
    ----------
    metric : str
        The figure that is compared, on the test part.
    higher_is_better : bool
    lines : tuple of Line
    differences : tuple of Difference
        Of every pair that is :func:`compared`.
    curves : mapping
        By variant, the curves of the seeds.
    baseline : float
        The figure to beat, mean over the seeds, the best one where variants have several (as words and
        characters have); not a number where there is none.
    baseline_name : str
    source : str
        The data.
    missing : int
        Runs that have not ended.
    messages : tuple of str
        What diverged or failed, or is not shown of a run that ended well, and why.
    samples : mapping of str to str
        What each variant writes, with the first of its seeds that ended well; empty where none writes.
    gates : mapping of str to str
        By variant the folder in which the first of its runs that ended well left what its gates did; empty
        where there are none.
    """

    metric: str
    form: str
    higher_is_better: bool
    lines: tuple[Line, ...]
    differences: tuple[Difference, ...]
    curves: Mapping[str, Sequence[Sequence[Mapping[str, Any]]]]
    baseline: float
    baseline_name: str
    source: str
    missing: int
    messages: tuple[str, ...] = field(default=())
    samples: Mapping[str, str] = field(default_factory=dict)
    gates: Mapping[str, str] = field(default_factory=dict)

    @property
    def ranked(self) -> list[Line]:
        """The variants that are :func:`compared`, the best mean first; means are over the shared seeds."""
        found = compared({line.name: line.by_seed for line in self.lines})
        known = [replace(line, **_over(found[line.name])) for line in self.lines if line.name in found]
        return sorted(known, key=lambda line: line.figure, reverse=self.higher_is_better)

    @property
    def judged(self) -> bool:
        """Whether there is a spread to judge a difference by: a single seed has none."""
        return any(one.has_spread for one in self.differences)

    @property
    def drawn_metric(self) -> str:
        """What is drawn beside the loss: the metric, where it is known."""
        curves = [Curve.of_points(one) for many in self.curves.values() for one in many]
        return drawn_metric(curves, self.metric)

    def said(self, value: float) -> str:
        """Write a figure as the model does."""
        return format(value, self.form) if math.isfinite(value) else MISSING

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        verdicts = [
            asdict(one) | {"verdict": one.verdict(higher_is_better=self.higher_is_better)}
            for one in self.differences
        ]
        return asdict(self) | {"lines": [asdict(line) for line in self.lines], "differences": verdicts}


def results_of(folder: StudyFolder) -> Results:
    """Gather the figures of a study, as far as it has come."""
    study, found = folder.study, folder.results()
    metric = metric_of(study)
    lines, curves, messages, samples, gates = [], {}, [], {}, {}
    for variant in study.variants:
        runs = {seed: found[variant.name, seed] for seed in study.seeds if (variant.name, seed) in found}
        lines.append(_line(variant.name, runs, metric.key))
        curves[variant.name] = [run["curve"] for run in runs.values() if run["curve"]]
        if written := [run["sample"] for run in runs.values() if run.get("sample")]:
            samples[variant.name] = written[0]
        if kept := [seed for seed, run in runs.items() if run.get("gates")]:
            gates[variant.name] = str(folder.gates_of(variant, kept[0]))
        messages += [
            f"{variant.name}, seed {seed}: {run.get('message', run['status'])}"
            for seed, run in runs.items()
            if run["status"] != DONE
        ]
        messages += [
            f"{variant.name}, seed {seed}: {said}"
            for seed, run in runs.items()
            for said in run.get("looking", ())
        ]
    higher = metric.key in HIGHER_IS_BETTER
    baseline, baseline_name = _baseline(found, metric.key, higher_is_better=higher)
    return Results(
        metric=metric.key,
        form=metric.form,
        higher_is_better=higher,
        lines=tuple(lines),
        differences=tuple(all_pairs(compared({line.name: line.by_seed for line in lines}))),
        curves=curves,
        baseline=baseline,
        baseline_name=baseline_name,
        source=next((str(run["data"]) for run in found.values() if "data" in run), ""),
        missing=len(folder.missing()),
        messages=tuple(messages),
        samples=samples,
        gates=gates,
    )


def compared(figures: Mapping[str, Mapping[int, float]]) -> dict[str, dict[int, float]]:
    """Give the figures that variants are compared by: those of the seeds with which all of them ended well.

    The ranking and every pair have the same, so that they cannot contradict each other. Variants with few
    seeds are left out, the fewest first, until at least half of the most seeds that one has are shared.

    Parameters
    ----------
    figures : mapping of str to mapping of int to float
        By variant and seed.
    """
    kept = {name: one for name, one in figures.items() if one}
    most = max(map(len, kept.values()), default=0)
    shared: set[int] = set()
    while kept:
        shared = set.intersection(*map(set, kept.values()))
        if 2 * len(shared) >= most:
            break
        del kept[min(reversed(kept), key=lambda name: len(kept[name]))]
    return {name: {seed: one[seed] for seed in one if seed in shared} for name, one in kept.items()}


def _over(by_seed: Mapping[int, float]) -> dict[str, Any]:
    """Give what a line says of the metric over some seeds."""
    values = list(by_seed.values())
    return {
        "figure": mean(values),
        "deviation": spread(values),
        "half_width": half_width(values) if values else math.nan,
        "by_seed": by_seed,
    }


def _baseline(
    found: Mapping[tuple[str, int], Mapping[str, Any]], key: str, *, higher_is_better: bool
) -> tuple[float, str]:
    """Give the figure to beat and its name: of each variant the mean over seeds, of these the best."""
    known: dict[str, list[Mapping[str, Any]]] = {}
    for (variant, _), run in found.items():
        if run.get("baseline"):
            known.setdefault(variant, []).append(run["baseline"])
    means = {name: mean([number(one.get(key)) for one in of_seeds]) for name, of_seeds in known.items()}
    finite = {name: value for name, value in means.items() if math.isfinite(value)}
    if not finite:
        return math.nan, ""
    best = (max if higher_is_better else min)(finite, key=lambda name: finite[name])
    return finite[best], str(known[best][0].get("name", "baseline"))


def metric_of(study: Study) -> Metric:
    """Give the figure that a study compares."""
    own: Metric = model_class(study.task).metric
    return own if study.metric is None else Metric(study.metric, study.metric, ".4f")


def _line(name: str, runs: Mapping[int, Mapping[str, Any]], key: str) -> Line:
    done = {seed: run for seed, run in runs.items() if run["status"] == DONE}
    figures = {seed: number(run["test"].get(key)) for seed, run in done.items()}

    def over(entry: str) -> float:
        return mean([number(run.get(entry)) for run in done.values()])

    curves = [Curve.of_points(run["curve"]) for run in done.values() if run["curve"]]

    def ends(read: Callable[[Curve], Array]) -> float:
        return mean([float(read(curve)[-1]) for curve in curves])

    return Line(
        name=name,
        **_over({seed: value for seed, value in figures.items() if math.isfinite(value)}),
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


def _gradient(curves: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Average the gradients of several seeds, each as a share of its norm at distance 0."""
    return averaged([np.asarray(curve["norm"], float) / curve["norm"][0] for curve in curves])


def _lowest(values: Array) -> float:
    return min((float(value) for value in values if math.isfinite(value)), default=math.nan)


def mean(values: Sequence[float]) -> float:
    """Give the mean of what is finite; not a number where nothing is."""
    known = [value for value in values if math.isfinite(value)]
    return sum(known) / len(known) if known else math.nan
