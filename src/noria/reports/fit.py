"""What the gap between training and validation says: of the loss, and of the task's own metric."""

import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from typing import Literal

import numpy as np

from noria.reports.curves import Curve
from noria.reports.prose import HIGHER_IS_BETTER, Prose, Sentences, capitalised

RISE = 0.02
"""Share of its best value by which a figure on validation has to get worse again to be said to."""
SHARED = 0.5
"""Share of a rise on validation that the training loss, measured, has to rise by for both to be one rise."""
GAP = 0.1
"""Share of the validation loss by which the training loss has to be below it to be called a gap."""

FIT_SENTENCES: Sentences = {
    "fit_overfits": (
        "Over-fitting: the validation loss was lowest at step {0} ({1}) and rose again by {2} until the end, "
        "while the training loss went from {5} to {6}.",
        "Sobreajuste: la pérdida de validación fue mínima en el paso {0} ({1}) y volvió a subir {2} hasta el "
        "final, mientras la de entrenamiento pasaba de {5} a {6}.",
    ),
    "fit_gap": (
        "A gap, but no over-fitting yet: at the end the training loss is {3} ({4} %) below the validation "
        "loss, which has not risen again by more than 2 % of its lowest value ({1}).",
        "Hay distancia, pero aún no sobreajuste: al final la pérdida de entrenamiento está {3} ({4} %) por "
        "debajo de la de validación, que no ha vuelto a subir más de un 2 % de su mínimo ({1}).",
    ),
    "fit_close": (
        "No over-fitting seen: at the end the training loss is {3} below the validation loss, less than "
        "10 % of it, and the latter has not risen again from its lowest value ({1}) by more than 2 %.",
        "No se ve sobreajuste: al final la pérdida de entrenamiento está {3} por debajo de la de validación, "
        "menos del 10 %, y esta no ha vuelto a subir más de un 2 % desde su mínimo ({1}).",
    ),
    "fit_above": (
        "No over-fitting seen: at the end the training loss is {3} above the validation loss.",
        "No se ve sobreajuste: al final la pérdida de entrenamiento está {3} por encima de la de validación.",
    ),
    "fit_above_running": (
        "No over-fitting seen: at the end the training loss, a running mean, taken with dropout where there "
        "is any and of a sample of the symbols where one is drawn, is {3} above the validation loss.",
        "No se ve sobreajuste: al final la pérdida de entrenamiento, una media móvil, con dropout donde lo "
        "hay y de una muestra de los símbolos donde se toma, está {3} por encima de la de validación.",
    ),
    "fit_rises": (
        "The validation loss rose again by {2} after its lowest value ({1}, step {0}), but so did the "
        "training loss, from {5} to {6}: this is no over-fitting but training that did not stay stable.",
        "La pérdida de validación volvió a subir {2} tras su mínimo ({1}, paso {0}), pero también la de "
        "entrenamiento, de {5} a {6}: no es sobreajuste, sino un entrenamiento inestable.",
    ),
    "fit_unknown": (
        "Whether it over-fits cannot be said: there are not two measurements on a validation part.",
        "No se puede decir si sobreajusta: no hay dos medidas en una parte de validación.",
    ),
    "running": (
        "The training loss is a running mean over the last steps, taken with dropout where there is any and "
        "of a sample of the symbols where one is drawn.",
        "La pérdida de entrenamiento es una media móvil de los últimos pasos, con dropout donde lo hay y de "
        "una muestra de los símbolos donde se toma.",
    ),
    "measured": (
        "Of the training part a sample was measured, the same each time and no larger than the validation "
        "part, with the same weights and without dropout.",
        "De la parte de entrenamiento se midió una muestra, siempre la misma y no mayor que la parte de "
        "validación, con los mismos pesos y sin dropout.",
    ),
    "in_its_place": (
        "While a model learns, the figure {0} is measured on the validation part only; the {1}, which "
        "follows from the loss, stands in its place.",
        "Durante el aprendizaje, la cifra {0} se mide solo en la parte de validación; en su lugar está la "
        "{1}, que se sigue de la pérdida.",
    ),
    "metric_gap": (
        "{0} at the end: {1} on the training part and {2} on the validation part, a gap of {3};",
        "{0} al final: {1} en la parte de entrenamiento y {2} en la de validación, una distancia de {3};",
    ),
    "metric_no_gap": (
        "{0} at the end: {1} on the training part and {2} on the validation part, where it is no worse;",
        "{0} al final: {1} en la parte de entrenamiento y {2} en la de validación, donde no es peor;",
    ),
    "metric_fell": (
        "on the latter it was best at step {0} ({1}) and got worse by {2} until the end.",
        "en la segunda fue mejor en el paso {0} ({1}) y empeoró {2} hasta el final.",
    ),
    "metric_kept": (
        "on the latter it is not worse than at its best (step {0}, {1}) by more than 2 %.",
        "en la segunda no es peor que en su mejor momento (paso {0}, {1}) por más de un 2 %.",
    ),
}

Verdict = Literal["overfits", "gap", "close", "above", "rises", "unknown"]


@dataclass(frozen=True)
class Fit:
    """How training and validation loss stand to each other at the end.

    Attributes
    ----------
    train, validation : float
        At the end.
    best, best_step : float
        The lowest validation loss, and where it was.
    train_at_best : float
        The training loss there.
    measured : bool
        Whether the training loss was measured as the validation loss was; else it is a running mean.
    """

    train: float
    validation: float
    best: float
    best_step: float
    train_at_best: float
    measured: bool = field(default=False, kw_only=True)

    @property
    def rise(self) -> float:
        """By how much the validation loss has risen again."""
        return self.validation - self.best

    @property
    def gap(self) -> float:
        """By how much the training loss is below the validation loss."""
        return self.validation - self.train

    @property
    def verdict(self) -> Verdict:
        """Say in a word what they show."""
        if not all(map(math.isfinite, (self.train, self.validation, self.best))):
            return "unknown"
        if self.rise > RISE * abs(self.best):
            by = self.train - self.train_at_best
            likewise = by >= SHARED * self.rise if self.measured else self.gap <= 0
            return "rises" if likewise and by > RISE * abs(self.train_at_best) else "overfits"
        if self.gap < 0:
            return "above"
        return "gap" if self.gap > GAP * abs(self.validation) else "close"

    def said(self, prose: Prose, form: str = ".3f") -> str:
        """Say it in a sentence that follows from the figures."""
        share = 100 * abs(self.gap) / max(abs(self.validation), 1e-300)
        values = (self.best, self.rise, abs(self.gap), self.train_at_best, self.train)
        best, rise, gap, *train = (f"{value:{form}}" for value in values)
        step = prose.number(self.best_step)
        running = "_running" if self.verdict == "above" and not self.measured else ""
        return prose(f"fit_{self.verdict}{running}", step, best, rise, gap, f"{share:.0f}", *train)


UNKNOWN = Fit(*(math.nan,) * 5)


def fit_of(curve: Curve) -> Fit:
    """Read the end of a curve, and its lowest point."""
    loss, train = curve.on_validation("loss"), curve.on_train("loss")
    known = np.flatnonzero(np.isfinite(loss) & np.isfinite(train))
    if len(known) < 2:
        return UNKNOWN
    last, lowest = known[-1], known[np.argmin(loss[known])]
    values = (train[last], loss[last], loss[lowest], curve.steps[lowest], train[lowest])
    return Fit(*map(float, values), measured=curve.is_measured)


def mean_fit(fits: Sequence[Fit]) -> Fit:
    """Average over seeds."""
    known = [fit for fit in fits if fit.verdict != "unknown"]
    if not known:
        return UNKNOWN
    *means, _ = np.mean([astuple(fit) for fit in known], axis=0)
    return Fit(*map(float, means), measured=all(fit.measured for fit in known))


@dataclass(frozen=True)
class MetricFit:
    """How the task's metric on the training sample and on the validation part stand to each other.

    Attributes
    ----------
    key : str
    train, validation : float
        At the end.
    best, best_step : float
        The best on validation, and where it was.
    """

    key: str
    train: float
    validation: float
    best: float
    best_step: float

    @property
    def gap(self) -> float:
        """How much better it is on the training part; below zero if it is not."""
        return _sign(self.key) * (self.train - self.validation)

    @property
    def lost(self) -> float:
        """How much worse it is on validation at the end than at its best."""
        return _sign(self.key) * (self.best - self.validation)

    def said(self, prose: Prose, form: str = ".3f") -> str:
        """Say it in a sentence that follows from the figures."""
        values = (self.train, self.validation, self.gap, self.best, self.lost)
        train, validation, gap, best, lost = (f"{value:{form}}" for value in values)
        gap_key = "metric_gap" if self.gap > 0 else "metric_no_gap"
        end = "metric_fell" if self.lost > RISE * abs(self.best) else "metric_kept"
        first = prose(gap_key, capitalised(prose.metric(self.key)), train, validation, gap)
        return f"{first} {prose(end, prose.number(self.best_step), best, lost)}"


def metric_fit_of(curve: Curve, key: str) -> MetricFit | None:
    """Read the end of the metric's curve, and its best point; None where it only says what the loss says."""
    if key == "loss" or not curve.is_measured:
        return None
    validation, train = curve.on_validation(key), curve.on_train(key)
    known = np.flatnonzero(np.isfinite(validation) & np.isfinite(train))
    if len(known) < 2:
        return None
    last, best = known[-1], known[np.argmax(_sign(key) * validation[known])]
    values = (train[last], validation[last], validation[best], curve.steps[best])
    return MetricFit(key, *map(float, values))


def mean_metric_fit(fits: Sequence[MetricFit | None]) -> MetricFit | None:
    """Average over seeds; None where none has any."""
    known = [astuple(fit) for fit in fits if fit is not None]
    if not known:
        return None
    return MetricFit(known[0][0], *map(float, np.mean([values for _, *values in known], axis=0)))


def _sign(key: str) -> float:
    return 1.0 if key in HIGHER_IS_BETTER else -1.0
