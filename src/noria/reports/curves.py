"""Learning curves, and what the gap between training and validation says."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Literal

import numpy as np

from noria.arrays import Array, Float
from noria.reports.prose import Prose, Sentences

RISE = 0.02
"""Share of its lowest value by which the validation loss has to rise again to be called over-fitting."""
GAP = 0.1
"""Share of the validation loss by which the training loss has to be below it to be called a gap."""
SAME = 1e-6
"""How constant the ratio of a figure to the loss has to be for the one to be the other in another unit."""
UNITS = {"bits_per_character": 1.0 / math.log(2.0)}
"""Ratios to the loss that do not depend on the part: of words and of names, a part has its own."""

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
        "No over-fitting seen: at the end the training loss, a running mean, taken with dropout where there "
        "is any, is {3} above the validation loss.",
        "No se ve sobreajuste: al final la pérdida de entrenamiento, una media móvil, con dropout donde lo "
        "hay, está {3} por encima de la de validación.",
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
}


@dataclass(frozen=True, eq=False)
class Curve:
    """What was measured while a model learnt.

    Attributes
    ----------
    steps : array of shape (K,)
    train : array of shape (K,)
        The training loss: a running mean over the last steps.
    validation : mapping of arrays of shape (K,)
        Figures on the validation part, ``"loss"`` among them; not a number where there is none.
    """

    steps: Float[Array, " K"]
    train: Float[Array, " K"]
    validation: Mapping[str, Float[Array, " K"]]

    @classmethod
    def of_points(cls, points: Sequence[Mapping[str, Any]]) -> "Curve":
        """Make it of points with ``step``, ``train`` and ``validation``, as a study keeps them."""
        keys = dict.fromkeys(key for point in points for key in point["validation"])
        return cls(
            np.array([float(point["step"]) for point in points]),
            np.array([number(point["train"]) for point in points]),
            {key: np.array([number(point["validation"].get(key)) for point in points]) for key in keys},
        )

    @classmethod
    def of_log(cls, events: Iterable[Mapping[str, Any]]) -> "Curve":
        """Make it of the events of a run's log."""
        return cls.of_points(
            [
                {"step": event["step"], "train": event["loss"], "validation": event["metrics"]}
                for event in events
                if event.get("event") == "Evaluated"
            ]
        )

    def on_validation(self, key: str) -> Float[Array, " K"]:
        """Give a figure on the validation part."""
        return self.validation.get(key, np.full(len(self.steps), math.nan))

    def on_train(self, key: str) -> Float[Array, " K"]:
        """Give a figure on the training part, where it can be told from the loss.

        While a model trains only its loss is measured there. Figures that are the loss in another unit (bits
        per character, perplexity, squared errors of what was scaled) follow from it; there are no others.
        Bits per character do so where each prediction is one character: of words, a part has its own number
        of characters for each.
        """
        loss, figure = self.on_validation("loss"), self.on_validation(key)
        if key == "loss":
            return self.train
        known = np.isfinite(loss) & np.isfinite(figure) & (loss != 0)
        if known.sum() >= 2:
            ratio = figure[known] / loss[known]
            if np.ptp(ratio) <= SAME * abs(ratio.mean()):
                unit = UNITS.get(key, float(ratio.mean()))
                is_unit = abs(ratio.mean() - unit) <= SAME * abs(unit)
                return np.asarray(self.train * (unit if is_unit else math.nan))
            if np.allclose(np.log(np.maximum(figure[known], 1e-300)), loss[known], rtol=SAME, atol=SAME):
                return np.asarray(np.exp(self.train))
        return np.full(len(self.steps), math.nan)


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
    """

    train: float
    validation: float
    best: float
    best_step: float
    train_at_best: float

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
            rose = self.train - self.train_at_best > RISE * abs(self.train_at_best)
            return "rises" if rose and self.gap <= 0 else "overfits"
        if self.gap < 0:
            return "above"
        return "gap" if self.gap > GAP * abs(self.validation) else "close"

    def said(self, prose: Prose, form: str = ".3f") -> str:
        """Say it in a sentence that follows from the figures."""
        share = 100 * abs(self.gap) / max(abs(self.validation), 1e-300)
        values = (self.best, self.rise, abs(self.gap), self.train_at_best, self.train)
        best, rise, gap, *train = (f"{value:{form}}" for value in values)
        step = prose.number(self.best_step)
        return prose(f"fit_{self.verdict}", step, best, rise, gap, f"{share:.0f}", *train)


UNKNOWN = Fit(*(math.nan,) * 5)


def fit_of(curve: Curve) -> Fit:
    """Read the end of a curve, and its lowest point."""
    loss, train = curve.on_validation("loss"), curve.train
    known = np.flatnonzero(np.isfinite(loss) & np.isfinite(train))
    if len(known) < 2:
        return UNKNOWN
    last, lowest = known[-1], known[np.argmin(loss[known])]
    values = (train[last], loss[last], loss[lowest], curve.steps[lowest], train[lowest])
    return Fit(*map(float, values))


def mean_fit(fits: Sequence[Fit]) -> Fit:
    """Average over seeds."""
    known = [fit for fit in fits if fit.verdict != "unknown"]
    return Fit(*map(float, np.mean([astuple(fit) for fit in known], axis=0))) if known else UNKNOWN


def number(value: Any) -> float:
    """Give a number; what is missing is not one."""
    return float(value) if isinstance(value, int | float) else math.nan
