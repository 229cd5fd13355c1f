"""How far a gradient reaches back: the norm of the loss gradient with respect to the state at each step."""

from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from noria.arrays import Array, Float, Int
from noria.errors import DataError

TENTH, THOUSANDTH = 0.1, 0.001


@dataclass(frozen=True, eq=False)
class LayerGradient:
    """The gradient of one state of one layer.

    Attributes
    ----------
    path : str
        Of the layer.
    cell, state : str
    steps : tuple of str
        What was read at each step.
    norms : array of shape (T,)
        Euclidean norm of ``dL / d state_t``, the state after step t with all that follows from it, in the
        order of the steps.
    reversed : bool
        Whether the layer read from the last step to the first.
    """

    path: str
    cell: str
    state: str
    steps: tuple[str, ...]
    norms: Float[Array, " T"]
    reversed: bool = False

    @property
    def is_zero(self) -> bool:
        """Whether nothing at all arrives."""
        return not bool(np.any(self.norms > 0))

    @property
    def distances(self) -> Int[Array, " T"]:
        """How many steps of reading lie between each step and the last one that matters for the loss."""
        order = np.arange(len(self.norms))[:: -1 if self.reversed else 1]
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        arrived = np.flatnonzero(self.norms > 0)
        last = place[arrived].max() if arrived.size else len(order) - 1
        return np.asarray(last - place)

    def decay(self) -> tuple[Int[Array, " K"], Float[Array, " K"]]:
        """Give the distances 0, 1, 2, ..., and the norm at each."""
        distances = self.distances
        order = np.argsort(distances, kind="stable")
        order = order[distances[order] >= 0]
        return distances[order], self.norms[order]

    def reach(self, fraction: float) -> int | None:
        """Give the distance from which on the norm stays below this share of that at distance 0.

        None where it is above as far back as the input goes; 0 where nothing arrives at all.
        """
        if self.is_zero:
            return 0
        distances, norms = self.decay()
        above = np.flatnonzero(norms >= fraction * norms[0])
        return int(distances[above[-1]]) + 1 if above[-1] + 1 < len(norms) else None

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {
            "path": self.path,
            "cell": self.cell,
            "state": self.state,
            "steps": list(self.steps),
            "norms": self.norms.tolist(),
            "reversed": self.reversed,
            "below_a_tenth": self.reach(TENTH),
            "below_a_thousandth": self.reach(THOUSANDTH),
        }


@dataclass(frozen=True, eq=False)
class GradientThroughTime:
    """The gradient of a loss on its way back through an input.

    Attributes
    ----------
    loss : float
    loss_of : str
        What the loss is of, in words.
    layers : tuple of LayerGradient
        A line for each state of each recurrent layer, from the input upwards.
    inputs : int
        Over how many inputs the norms were averaged.
    """

    loss: float
    loss_of: str
    layers: tuple[LayerGradient, ...]
    inputs: int = 1

    @classmethod
    def average(cls, many: "list[GradientThroughTime]", loss_of: str) -> Self:
        """Average the norms over inputs of the same length.

        Raises
        ------
        DataError
            If there are none, or their lengths differ.
        """
        if not many:
            raise DataError("expected gradients of at least one input, got none.")
        shapes = [[len(layer.norms) for layer in one.layers] for one in many]
        if any(shape != shapes[0] for shape in shapes):
            raise DataError("gradients are averaged over inputs of one length, got several lengths.")
        layers = []
        for number, first in enumerate(many[0].layers):
            norms = np.mean([one.layers[number].norms for one in many], axis=0)
            steps = tuple(str(step) for step in range(1, len(norms) + 1))
            layers.append(replace(first, norms=norms, steps=steps))
        return cls(float(np.mean([one.loss for one in many])), loss_of, tuple(layers), len(many))

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {
            "loss": self.loss,
            "loss_of": self.loss_of,
            "inputs": self.inputs,
            "layers": [layer.to_dict() for layer in self.layers],
        }

    def words(self) -> list[str]:
        """Say how far each gradient reaches, a sentence for each state of each layer."""
        return [f"{one.path} ({one.cell}), {one.state}: {_sentence(one)}" for one in self.layers]


def _sentence(one: LayerGradient) -> str:
    if one.is_zero:
        return "no gradient arrives."
    distances, norms = one.decay()
    far = int(distances[-1])
    if far == 0:
        return "one step only, so there is no way back to look at."
    tenth, thousandth = one.reach(TENTH), one.reach(THOUSANDTH)
    share = norms[-1] / norms[0]
    if tenth is None:
        return f"{share:.2g} of the norm is left {_steps(far)} back, a tenth and more."
    said = f"below a tenth from {_steps(tenth)} back on"
    if thousandth is None:
        return f"{said}; {share:.2g} of the norm is left {_steps(far)} back, a thousandth and more."
    return f"{said}, below a thousandth from {_steps(thousandth)}; {share:.2g} is left {_steps(far)} back."


def _steps(count: int) -> str:
    return f"{count} step{'s' * (count != 1)}"
