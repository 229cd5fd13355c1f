"""What a run came to, read from its folder: figures beside the one to beat, and the curve that led there."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noria.reports.curves import Curve, number
from noria.reports.fit import Fit, MetricFit, fit_of, metric_fit_of
from noria.reports.prose import HIGHER_IS_BETTER, MISSING, in_reports
from noria.training.run_folder import RunFolder


@dataclass(frozen=True, eq=False)
class RunFigures:
    """The figures of a run.

    Attributes
    ----------
    key, form : str
        The metric, and how it is written.
    part : str
        Where it was measured: ``"test"``, or ``"validation"`` where there is no other; empty if nowhere.
    test, validation, baseline : mapping
        All figures, as report.json has them.
    train : mapping
        All figures of the weights that were kept on a sample of the training part; empty where that was not
        measured.
    curve : Curve
    fit : Fit
    metric_fit : MetricFit or None
    samples : tuple of (int, str)
        What the model showed while it learnt, with the step.
    report : mapping
        report.json; empty where the run was cut off.
    planned, best_step, steps : int
    """

    key: str
    form: str
    part: str
    test: Mapping[str, Any]
    validation: Mapping[str, Any]
    train: Mapping[str, Any]
    baseline: Mapping[str, Any]
    curve: Curve
    fit: Fit
    metric_fit: MetricFit | None
    samples: tuple[tuple[int, str], ...]
    report: Mapping[str, Any]
    planned: int
    best_step: int
    steps: int

    @property
    def value(self) -> float:
        """The metric on the part."""
        return number(self._shown.get(self.key))

    @property
    def to_beat(self) -> float:
        """The metric of the baseline, on the test part."""
        return number(self.baseline.get(self.key)) if self.part == "test" else math.nan

    @property
    def better_by(self) -> float:
        """How much better than the baseline; below zero if it is not."""
        sign = 1.0 if self.key in HIGHER_IS_BETTER else -1.0
        return sign * (self.value - self.to_beat)

    @property
    def _shown(self) -> Mapping[str, Any]:
        return self.test if self.part == "test" else self.validation

    def written(self, value: float) -> str:
        """Write a value of the metric."""
        return format(value, self.form) if math.isfinite(value) else MISSING


def figures_of(folder: RunFolder, metric: Any) -> RunFigures:
    """Read the figures of a run, as far as it has come.

    Parameters
    ----------
    folder : RunFolder
    metric : Metric
        Of its model.
    """
    report = folder.read_json("report.json") if (folder.path / "report.json").exists() else {}
    events = log_events(folder.path / "log.jsonl")
    curve = Curve.of_log(events)
    test, validation = (dict(report.get(part) or {}) for part in ("test", "validation"))
    evaluated = [event for event in events if event.get("event") == "Evaluated"]
    best = report.get("best_step") or (evaluated[-1].get("best_step") if evaluated else None)
    at_best = next((one for one in evaluated if one["step"] == best), {})
    validation = validation or dict(at_best.get("metrics") or {})
    steps = [int(event["step"]) for event in events if "step" in event]
    part = "test" if test else "validation" if validation else ""
    shown = test or validation
    key, form = (metric.key, metric.form) if metric.key in shown else ("loss", ".4f")
    return RunFigures(
        key=key,
        form=in_reports(form),
        part=part,
        test=test,
        validation=validation,
        train=dict(at_best.get("train") or {}),
        baseline=dict(report.get("baseline") or {}),
        curve=curve,
        fit=fit_of(curve),
        metric_fit=metric_fit_of(curve, key),
        samples=tuple(
            (int(one["step"]), str(one["text"])) for one in events if one.get("event") == "Sampled"
        ),
        report=report,
        planned=int(report.get("planned") or folder.config.get("run", {}).get("steps") or 0),
        best_step=int(best or 0),
        steps=int(report.get("steps") or max(steps, default=0)),
    )


def log_events(path: Path) -> list[dict[str, Any]]:
    """Read the log of a run; a line that is not whole, as a power cut leaves it, is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found = []
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            found.append(event)
    return found
