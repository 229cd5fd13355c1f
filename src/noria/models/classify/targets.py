"""What is to be told of a sequence, a label or a number; how the network has it, and how it is judged."""

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Self

import numpy as np

from noria.arrays import Array, Float
from noria.data.records import Record
from noria.errors import DataError
from noria.models.classify.scaling import Scales
from noria.models.schema import entry
from noria.training.losses import cross_entropy_rows, sequence_cross_entropy
from noria.training.option import did_you_mean
from noria.training.regression_losses import ERRORS

LossAndBackward = tuple[float, Callable[..., Array]]
SHOWN = 12


@dataclass(frozen=True, eq=False)
class Terms:
    """What options say of a loss.

    Attributes
    ----------
    label_smoothing : float
        Of labels.
    class_weights : array of shape (C,), optional
        What each label counts.
    errors : {"mse", "mae", "huber"}
        By what errors numbers are learnt.
    """

    label_smoothing: float = 0.0
    class_weights: Array | None = None
    errors: str = "mse"


PLAIN = Terms()


class Targets(ABC):
    """Turns targets into numbers and outputs of the network into answers.

    Attributes
    ----------
    kind : {"labels", "numbers"}
    size : int
        Outputs of the network for a sequence.
    dtype : type
        Of encoded targets.
    """

    kind: ClassVar[str]
    dtype: ClassVar[type]

    @classmethod
    @abstractmethod
    def fitted(cls, records: Sequence[Record], source: str) -> Self:
        """Learn what there is to be told from training records.

        Raises
        ------
        DataError
            If there is nothing to learn.
        """

    @property
    @abstractmethod
    def size(self) -> int:
        """Outputs of the network for a sequence."""

    @abstractmethod
    def encode(self, target: Any, place: str) -> int | float:
        """Give the number of a target.

        Raises
        ------
        DataError
            If there is none: says where it stands.
        """

    @abstractmethod
    def loss(self, outputs: Float[Array, "B O"], targets: Array, terms: Terms = PLAIN) -> LossAndBackward:
        """Give the mean loss of a batch, and its backward."""

    @abstractmethod
    def figures(self, outputs: Float[Array, "S O"], targets: Array, terms: Terms = PLAIN) -> dict[str, float]:
        """Measure outputs: ``"loss"`` among the figures, lower is better; nothing is smoothed or weighted."""

    @abstractmethod
    def answers(self, outputs: Float[Array, "S O"]) -> list[Any]:
        """Give what the outputs say, as targets were given."""

    @abstractmethod
    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""

    @classmethod
    @abstractmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""


@dataclass(frozen=True)
class LabelTargets(Targets):
    """One of several labels, which stand in sorted order; whole numbers in that of their size."""

    kind: ClassVar[str] = "labels"
    dtype: ClassVar[type] = np.int64

    labels: tuple[Any, ...]

    @classmethod
    def fitted(cls, records: Sequence[Record], source: str) -> Self:
        """Gather the labels; there are at least two."""
        labels = sorted_labels(record.target for record in records)
        if len(labels) < 2:
            raise DataError(
                f"{source}: expected at least two classes to tell apart, got "
                f"{f'one, {labels[0]!r}' if labels else 'none'}.\n"
                "  Is it the right column of labels?"
            )
        return cls(labels)

    @property
    def size(self) -> int:
        """Number of classes."""
        return len(self.labels)

    def encode(self, target: Any, place: str) -> int:
        """Give the place of a label among all."""
        number = self._numbers.get(target)
        if number is None:
            known = [str(label) for label in self.labels]
            more = ", ..." if len(known) > SHOWN else ""
            raise DataError(
                f"{place}: expected one of the labels {', '.join(known[:SHOWN])}{more}, got {target!r}, "
                f"which the model was not trained on.{did_you_mean(str(target), known)}"
            )
        return number

    def loss(self, outputs: Float[Array, "B O"], targets: Array, terms: Terms = PLAIN) -> LossAndBackward:
        """Give the cross-entropy, in nats."""
        smoothing, weights = terms.label_smoothing, terms.class_weights
        return sequence_cross_entropy(outputs, targets, label_smoothing=smoothing, class_weights=weights)

    def figures(self, outputs: Float[Array, "S O"], targets: Array, terms: Terms = PLAIN) -> dict[str, float]:
        """Give loss in nats, accuracy, and the mean F1 of the classes, in which each counts the same."""
        loss, answers = float(cross_entropy_rows(outputs, targets).mean()), outputs.argmax(axis=1)
        right, told, there = (
            np.bincount(some, minlength=self.size) for some in (targets[answers == targets], answers, targets)
        )
        f1 = 2 * right / np.maximum(told + there, 1)
        return {"loss": loss, "accuracy": float((answers == targets).mean()), "macro_f1": float(f1.mean())}

    def answers(self, outputs: Float[Array, "S O"]) -> list[Any]:
        """Give the likeliest label of each."""
        return [self.labels[number] for number in outputs.argmax(axis=1)]

    def probabilities(self, outputs: Float[Array, "S O"]) -> Float[Array, "S O"]:
        """Give the probability of every label, in double precision."""
        powers = np.exp(outputs.astype(np.float64) - outputs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"kind": self.kind, "labels": list(self.labels)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(tuple(entry(data, "labels", list, source)))

    @cached_property
    def _numbers(self) -> dict[Any, int]:
        return {label: number for number, label in enumerate(self.labels)}


@dataclass(frozen=True)
class NumberTargets(Targets):
    """A number, which the network has with mean 0 and variance 1 over the training part."""

    kind: ClassVar[str] = "numbers"
    dtype: ClassVar[type] = np.float32

    scales: Scales

    @classmethod
    def fitted(cls, records: Sequence[Record], source: str) -> Self:
        """Take the scale of the numbers; they are not all the same."""
        numbers = np.array([[_number(record.target, f"{source}, {record.place}")] for record in records])
        if np.ptp(numbers) == 0:
            raise DataError(
                f"{source}: expected different numbers to tell, got {numbers[0, 0]:g} throughout."
            )
        return cls(Scales.of_rows(numbers, ("target",)))

    @property
    def size(self) -> int:
        """One."""
        return 1

    def encode(self, target: Any, place: str) -> float:
        """Give a scaled number."""
        return float(self.scales.scaled(np.array([[_number(target, place)]]))[0, 0])

    def loss(self, outputs: Float[Array, "B O"], targets: Array, terms: Terms = PLAIN) -> LossAndBackward:
        """Give the mean of squared, absolute or Huber's errors of scaled numbers."""
        return ERRORS[terms.errors](outputs, targets.astype(outputs.dtype)[:, None])

    def figures(self, outputs: Float[Array, "S O"], targets: Array, terms: Terms = PLAIN) -> dict[str, float]:
        """Give the loss, errors in the unit of the targets, and the share of the variance that is told."""
        exact = outputs.astype(np.float64)
        errors = exact[:, 0] - targets
        spread, squared, variance = self.scales.spreads[0], float((errors**2).mean()), float(np.var(targets))
        return {
            "loss": self.loss(exact, targets, terms)[0],
            "mse": squared * spread**2,
            "mae": float(np.abs(errors).mean()) * spread,
            "r2": 1.0 - squared / variance if variance else 0.0,
        }

    def answers(self, outputs: Float[Array, "S O"]) -> list[Any]:
        """Give numbers in the unit of the targets."""
        numbers = outputs[:, 0].astype(np.float64) * self.scales.spreads[0] + self.scales.means[0]
        return [float(number) for number in numbers]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {"kind": self.kind, "scales": self.scales.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> Self:
        """Undo :meth:`to_dict`."""
        return cls(Scales.from_dict(entry(data, "scales", dict, source), source))


TARGETS: dict[str, type[Targets]] = {targets.kind: targets for targets in (LabelTargets, NumberTargets)}


def sorted_labels(targets: Any) -> tuple[Any, ...]:
    """Give different labels in order: by their text, or by size where all are whole numbers."""
    found = dict.fromkeys(targets)
    written = [str(label) for label in found]
    if all(re.fullmatch("-?[0-9]+", text) for text in written):
        return tuple(sorted(found, key=lambda label: (int(label), str(label))))
    return tuple(sorted(found, key=lambda label: (str(label), type(label).__name__)))


def _number(target: Any, place: str) -> float:
    try:
        number = float(target)
    except (TypeError, ValueError):
        raise DataError(f"{place}: expected a number to be told, got {target!r}.") from None
    if not np.isfinite(number):
        raise DataError(f"{place}: expected a finite number to be told, got {target!r}.")
    return number
