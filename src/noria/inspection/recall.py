"""Recall over a gap, by several cells: which of them learns it, and what its gradient looks like then."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from noria.data.builtin_tasks import builtin_data, builtin_recipe
from noria.equations import Cell
from noria.models.classify.classifier import SequenceClassifier
from noria.models.gradient_reach import THOUSANDTH, GradientThroughTime

TASK = "classify"
CHANCE = 1 / 8
CELLS = ("rnn", "gru", "lstm", "janet")
"""The last one begins with gates that are nearly shut, so that its gradient reaches far."""
TESTED = 2_000
"""Strings of the test part that accuracy is taken on."""


@dataclass(frozen=True, eq=False)
class Recalled:
    """One cell.

    Attributes
    ----------
    cell : str
    accuracy : float
        On the test part.
    before, after : GradientThroughTime
        Of the loss, averaged over strings of the test part, before and after training.
    """

    cell: str
    accuracy: float
    before: GradientThroughTime
    after: GradientThroughTime


@dataclass(frozen=True, eq=False)
class RecallDemonstration:
    """Several cells on the same strings, with the same number of updates."""

    gap: int
    steps: int
    hidden_size: int
    cells: tuple[Recalled, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {
            "gap": self.gap,
            "steps": self.steps,
            "hidden_size": self.hidden_size,
            "cells": [
                {
                    "cell": one.cell,
                    "accuracy": one.accuracy,
                    "before": one.before.to_dict(),
                    "after": one.after.to_dict(),
                }
                for one in self.cells
            ],
        }

    def words(self) -> list[str]:
        """Say who learnt it, and how much of the gradient arrives at the letter that is to be recalled."""
        said = []
        for one in self.cells:
            arrives = {layer.state: _share(layer.norms) for layer in one.after.layers}
            most = max(arrives.values())
            shares = ", ".join(f"{share:.2g} at {state}" for state, share in arrives.items())
            learnt = one.accuracy > 2 * CHANCE
            reaches = most >= THOUSANDTH
            if learnt:
                verdict = "it learnt to recall"
            elif not reaches:
                verdict = "it did not learn, and what should teach it hardly arrives"
            else:
                verdict = "it did not learn in so many steps, though a gradient arrives"
            said.append(
                f"{one.cell}: accuracy {one.accuracy:.3f} (chance {CHANCE:.3f}); of the gradient's norm at "
                f"the end {shares} is left {self.gap} steps back, at the letter to be recalled: {verdict}."
            )
        return said


def recall_demonstration(
    *,
    gap: int = 60,
    cells: Sequence[str | Cell] = CELLS,
    hidden_size: int = 32,
    steps: int = 1500,
    initialiser: str = "normal",
    strings: int = 16,
    seed: int = 0,
    engine: str = "auto",
    listener: Callable[[str], None] = lambda line: None,
) -> RecallDemonstration:
    """Train each cell on the same strings, and follow the gradient back to their first letter.

    Parameters
    ----------
    gap : int, default 60
        Letters behind the one that is to be recalled.
    cells : sequence of str or Cell
    hidden_size : int, default 32
    steps : int, default 1500
        Updates of each.
    initialiser : str, default "normal"
        How matrices start; as the option of a model. Normal ones of variance 1 / inputs are those of theory.
    strings : int, default 16
        How many of the test part the norms are averaged over.
    seed : int
    engine : {"auto", "native", "reference"}
    listener : callable
        Told which cell is trained.

    References
    ----------
    Bengio, Simard & Frasconi 1994; Hochreiter & Schmidhuber 1997; janet: van der Westhuizen & Lasenby 2018,
    with the biases of Tallec & Ollivier 2018.
    """
    name = f"recall:{gap}"
    parts = builtin_data(name, TASK, seed)
    test = tuple(part[:TESTED] for part in parts.tested)
    parts = replace(parts, test=test)
    texts, labels = (part[:strings] for part in test)
    options = {**builtin_recipe(name, TASK).options, "hidden_size": hidden_size, "seed": seed}
    options |= {"initialiser": initialiser, "engine": engine}
    del options["steps"]
    found = []
    for cell in cells:
        title = cell if isinstance(cell, str) else cell.name
        listener(title)
        gradients = []
        for updates in (0, steps):
            model = SequenceClassifier(**{**options, "cell": cell})
            model.fit(parts, steps=max(updates, 1))
            through = [
                model.gradient_through_time(text, label) for text, label in zip(texts, labels, strict=True)
            ]
            gradients.append(GradientThroughTime.average(through, f"recalling over {gap} letters"))
        accuracy = float(model.report_["test"]["accuracy"])
        found.append(Recalled(title, accuracy, *gradients))
    return RecallDemonstration(gap, steps, hidden_size, tuple(found))


def _share(norms: Any) -> float:
    return float(norms[0] / norms[-1]) if norms[-1] > 0 else 0.0
