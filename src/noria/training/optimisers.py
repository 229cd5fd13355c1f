"""Optimisers: one update rule per class, in place on the flat vectors of parameters and gradients.

A step is one pass over values, gradients and state; what clipping shortens the gradient by is applied on the
way.
"""

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np

from noria.arrays import Array, Inexact, Shaped
from noria.engines import fused
from noria.errors import RunError, UnknownNameError
from noria.layers import Group
from noria.training.ranges import trainable_chunks
from noria.training.training_options import TrainingOptions


class Optimiser(ABC):
    """What all update rules share: their state as named flat arrays, the step counter, the walk over ranges.

    Parameters
    ----------
    values : array of shape (P,)
        The parameters, for their number and precision; they are not kept.
    slots : sequence of str
        Names of the flat arrays of state, each as long as the parameters and zero at the start.
    """

    def __init__(self, values: Inexact[Array, " P"], slots: Sequence[str] = ()) -> None:
        self.steps = 0
        self._slots = {name: np.zeros_like(values) for name in slots}

    @classmethod
    @abstractmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":
        """Make the optimiser that the options describe."""

    def update(
        self,
        values: Inexact[Array, " P"],
        gradients: Inexact[Array, " P"],
        lr: float,
        groups: Sequence[Group] | None = None,
        *,
        scale: float = 1.0,
    ) -> None:
        """Take one step, changing ``values`` in place.

        Parameters
        ----------
        values, gradients : arrays of shape (P,)
        lr : float
            The learning rate of this step.
        groups : sequence of ranges, optional
            Frozen ones stay as they are. By default, all values are trained.
        scale : float
            What the gradients are multiplied by on the way, as clipping says; they stay as they are.
        """
        self.steps += 1
        for part in trainable_chunks(values.size, groups, max(1, values.size)):
            state = [slot[part] for slot in self._slots.values()]
            self._update(values[part], gradients[part], lr, scale, *state)

    @abstractmethod
    def _update(self, values: Array, gradients: Array, lr: float, scale: float, *state: Array) -> None:
        """Apply the rule to one range; ``state`` are the ranges of the slots, in their order."""

    def state(self) -> dict[str, Shaped[Array, "..."]]:
        """Give all that the next step depends on besides values and gradients; not copied."""
        return {**self._slots, "steps": np.array(self.steps, dtype=np.int64)}

    def load_state(self, state: Mapping[str, Shaped[Array, "..."]]) -> None:
        """Go on from a state that :meth:`state` gave.

        Raises
        ------
        RunError
            If the names or the shapes are not those of this optimiser and this model.
        """
        mine = self.state()
        shapes = {name: array.shape for name, array in mine.items()}
        given = {name: array.shape for name, array in state.items()}
        if shapes != given:
            raise RunError(
                f"The saved state is not that of {type(self).__name__} for this model: expected {shapes}, "
                f"got {given}.\n  Go on with the optimiser and the sizes that the run was made with."
            )
        for name, slot in self._slots.items():
            slot[...] = state[name]
        self.steps = int(state["steps"])


class SGD(Optimiser):
    """Gradient descent with momentum (Polyak 1964), on wish in Nesterov's form (Sutskever et al. 2013).

    velocity' = momentum * velocity + gradient;  values' = values - lr * velocity'
    (Nesterov: values' = values - lr * (gradient + momentum * velocity'))
    """

    def __init__(
        self, values: Inexact[Array, " P"], *, momentum: float = 0.0, nesterov: bool = False
    ) -> None:
        self.momentum = momentum
        self.nesterov = nesterov
        super().__init__(values, slots=("velocity",) if momentum else ())

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":  # noqa: D102
        return cls(values, momentum=options.momentum)

    def _update(self, values: Array, gradients: Array, lr: float, scale: float, *state: Array) -> None:
        momentum, nesterov = self.momentum, self.nesterov
        fused.sgd(values, gradients, *state, rate=lr, momentum=momentum, nesterov=nesterov, scale=scale)


class AdaGrad(Optimiser):
    """Each parameter's rate shrinks with the squares of its gradients so far (Duchi, Hazan & Singer 2011).

    squares' = squares + gradient**2;  values' = values - lr * gradient / (sqrt(squares') + epsilon)
    """

    def __init__(self, values: Inexact[Array, " P"], *, epsilon: float = 1e-10) -> None:
        self.epsilon = epsilon
        super().__init__(values, slots=("squares",))

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":  # noqa: D102
        return cls(values)

    def _update(self, values: Array, gradients: Array, lr: float, scale: float, *state: Array) -> None:
        (squares,) = state
        fused.adagrad(values, gradients, squares, rate=lr, epsilon=self.epsilon, scale=scale)


class Adam(Optimiser):
    """Running means of gradient and squared gradient, corrected for their start at zero (Kingma & Ba 2015).

    m' = beta1 * m + (1 - beta1) * gradient;  v' = beta2 * v + (1 - beta2) * gradient**2
    values' = values - lr / (1 - beta1**t) * m' / (sqrt(v' / (1 - beta2**t)) + epsilon)
    """

    def __init__(
        self, values: Inexact[Array, " P"], *, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8
    ) -> None:
        self.beta1 = beta1
        self.beta2 = beta2
        self.epsilon = epsilon
        super().__init__(values, slots=("mean", "mean_square"))

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":  # noqa: D102
        return cls(values)

    def _update(self, values: Array, gradients: Array, lr: float, scale: float, *state: Array) -> None:
        mean, mean_square = state
        fused.adam(
            values,
            gradients,
            mean,
            mean_square,
            rate=lr / (1.0 - self.beta1**self.steps),
            beta1=self.beta1,
            beta2=self.beta2,
            correction=1.0 / math.sqrt(1.0 - self.beta2**self.steps),
            epsilon=self.epsilon,
            scale=scale,
        )


OPTIMISERS: dict[str, type[Optimiser]] = {"adam": Adam, "sgd": SGD, "adagrad": AdaGrad}


def make_optimiser(options: TrainingOptions, values: Inexact[Array, " P"]) -> Optimiser:
    """Make the optimiser that the options name, for these parameters.

    Raises
    ------
    UnknownNameError
        If there is none of that name.
    """
    if options.optimizer not in OPTIMISERS:
        near = difflib.get_close_matches(options.optimizer, OPTIMISERS, n=1)
        hint = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(OPTIMISERS)}."
        raise UnknownNameError(f"There is no optimiser {options.optimizer!r}. {hint}")
    return OPTIMISERS[options.optimizer].from_options(options, values)
