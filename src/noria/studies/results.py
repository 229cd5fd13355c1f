"""What a study came to, as figures: one line for each variant, one for each pair of them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from noria.models.loading import model_class
from noria.models.model import Metric
from noria.reports.curves import Curve, drawn_metric, number
from noria.reports.prose import HIGHER_IS_BETTER, MISSING, in_reports
from noria.studies.design import Study
from noria.studies.folder import StudyFolder
from noria.studies.lines import Line, figures_over, line_of, mean
from noria.studies.statistics import Difference, all_pairs
from noria.studies.work import DONE


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
        By variant, the curves of the seeds that ended well; what was measured on the training part is left
        out unless it is known of all of them, so that what stands side by side is the same.
    baseline : float
        The figure to beat, mean over the seeds, the best one where variants have several (as words and
        characters have); not a number where there is none.
    baseline_name : str
    source : str
        The data.
    missing : int
        Runs that have not ended.
    messages : tuple of str
        What diverged or failed, and why.
    unseen : tuple of (str, int, str, str)
        What is not shown of a run that ended well: variant, seed, ``"sample"``, ``"gradient"`` or
        ``"gates"``, and why.
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
    unseen: tuple[tuple[str, int, str, str], ...] = field(default=())
    samples: Mapping[str, str] = field(default_factory=dict)
    gates: Mapping[str, str] = field(default_factory=dict)

    @property
    def ranked(self) -> list[Line]:
        """The variants that are :func:`compared`, the best mean first; means are over the shared seeds."""
        found = compared({line.name: line.by_seed for line in self.lines})
        known = [replace(line, **figures_over(found[line.name])) for line in self.lines if line.name in found]
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
    points = _points(found)
    lines, curves, messages, unseen, samples, gates = [], {}, [], [], {}, {}
    for variant in study.variants:
        runs = {seed: found[variant.name, seed] for seed in study.seeds if (variant.name, seed) in found}
        curves[variant.name] = [points[variant.name, seed] for seed in runs if (variant.name, seed) in points]
        lines.append(line_of(variant.name, runs, curves[variant.name], metric.key))
        if written := [run["sample"] for run in runs.values() if run.get("sample")]:
            samples[variant.name] = written[0]
        if kept := [seed for seed, run in runs.items() if run.get("gates")]:
            gates[variant.name] = str(folder.gates_of(variant, kept[0]))
        messages += [
            f"{variant.name}, seed {seed}: {run.get('message', run['status'])}"
            for seed, run in runs.items()
            if run["status"] != DONE
        ]
        unseen += [
            (variant.name, seed, look, why)
            for seed, run in runs.items()
            for look, why in _looking(run).items()
        ]
    higher = metric.key in HIGHER_IS_BETTER
    baseline, baseline_name = _baseline(found, metric.key, higher_is_better=higher)
    return Results(
        metric=metric.key,
        form=in_reports(metric.form),
        higher_is_better=higher,
        lines=tuple(lines),
        differences=tuple(all_pairs(compared({line.name: line.by_seed for line in lines}))),
        curves=curves,
        baseline=baseline,
        baseline_name=baseline_name,
        source=next((str(run["data"]) for run in found.values() if "data" in run), ""),
        missing=len(folder.missing()),
        messages=tuple(messages),
        unseen=tuple(unseen),
        samples=samples,
        gates=gates,
    )


def _looking(run: Mapping[str, Any]) -> dict[str, str]:
    """Give what could not be shown of a run, and why; earlier versions wrote a sentence of each."""
    found = run.get("looking") or {}
    if isinstance(found, dict):
        return found
    parts = (one.removeprefix("its ").partition(" is missing: ") for one in found)
    return {look: why for look, _, why in parts}


def _points(found: Mapping[tuple[str, int], Mapping[str, Any]]) -> dict[tuple[str, int], list[Any]]:
    """Give the curves of the runs that ended well, the training part measured in all of them or in none."""
    points = {key: run["curve"] for key, run in found.items() if run["status"] == DONE and run["curve"]}
    if all(Curve.of_points(one).is_measured for one in points.values()):
        return points
    return {key: [{**point, "measured": None} for point in one] for key, one in points.items()}


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
