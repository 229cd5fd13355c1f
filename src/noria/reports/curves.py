"""Learning curves: what was measured on the training and on the validation part while a model learnt."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from noria.arrays import Array, Float

SAME = 1e-6
"""How constant the ratio of a figure to the loss has to be for the one to be the other in another unit."""
UNITS = {"bits_per_character": 1.0 / math.log(2.0)}
"""Ratios to the loss that do not depend on the part: of words and of names, a part has its own."""
IN_ITS_PLACE = "perplexity"
"""What follows from the loss on any part, and is drawn where the metric does not."""

Figures = Mapping[str, Float[Array, " K"]]


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
    measured : mapping of arrays of shape (K,)
        The same figures on a fixed sample of the training part; empty where that was not measured.
    """

    steps: Float[Array, " K"]
    train: Float[Array, " K"]
    validation: Figures
    measured: Figures = field(default_factory=dict)

    @classmethod
    def of_points(cls, points: Sequence[Mapping[str, Any]]) -> "Curve":
        """Make it of points with ``step``, ``train``, ``validation`` and ``measured``, as a study keeps them.

        Those of earlier versions have no ``measured``.
        """
        return cls(
            np.array([float(point["step"]) for point in points]),
            np.array([number(point["train"]) for point in points]),
            _gathered([point["validation"] for point in points]),
            _gathered([point.get("measured") or {} for point in points]),
        )

    @classmethod
    def of_log(cls, events: Iterable[Mapping[str, Any]]) -> "Curve":
        """Make it of the events of a run's log."""
        return cls.of_points(
            [
                {
                    "step": event["step"],
                    "train": event["loss"],
                    "validation": event["metrics"],
                    "measured": event.get("train"),
                }
                for event in events
                if event.get("event") == "Evaluated"
            ]
        )

    @property
    def is_measured(self) -> bool:
        """Whether the training part was measured wherever validation was; else its loss was averaged.

        A run that was gone on with by a version that measures has running means only of its beginning.
        """
        found = np.isfinite(self.measured.get("loss", self._nothing))
        return bool(found.any() and found[np.isfinite(self.on_validation("loss"))].all())

    @property
    def _nothing(self) -> Float[Array, " K"]:
        return np.full(len(self.steps), math.nan)

    def on_validation(self, key: str) -> Float[Array, " K"]:
        """Give a figure on the validation part."""
        return self.validation.get(key, self._nothing)

    def on_train(self, key: str) -> Float[Array, " K"]:
        """Give a figure on the training part: of its sample or, where that is not whole, what its loss tells.

        Figures that are the loss in another unit (bits per character, perplexity, squared errors of what was
        scaled) follow from it; there are no others. Bits per character do so where each prediction is one
        character: of words, a part has its own number of characters for each.
        """
        found = self.measured.get(key, self._nothing)
        if self.is_measured and _is_known(found):
            return found
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
        return found


def drawn_metric(curves: Sequence[Curve], key: str) -> str:
    """Choose what is drawn beside the loss.

    The metric; where it is not known of the training part, perplexity, if that is; and the loss alone where
    the metric was not measured at all.
    """

    def is_on_train(name: str) -> bool:
        return any(_is_known(curve.on_train(name)) for curve in curves)

    if not is_on_train(key) and is_on_train(IN_ITS_PLACE):
        return IN_ITS_PLACE
    return key if any(_is_known(curve.on_validation(key)) for curve in curves) else "loss"


def _gathered(figures: Sequence[Mapping[str, Any]]) -> dict[str, Float[Array, " K"]]:
    """Give figures of several points by name."""
    keys = dict.fromkeys(key for one in figures for key in one)
    return {key: np.array([number(one.get(key)) for one in figures]) for key in keys}


def _is_known(values: Array) -> bool:
    return bool(np.isfinite(values).any())


def number(value: Any) -> float:
    """Give a number; what is missing is not one."""
    return float(value) if isinstance(value, int | float) else math.nan
