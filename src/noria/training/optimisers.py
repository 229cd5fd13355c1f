"""Optimisers: one update rule per class, in place on the flat vectors of parameters and gradients.

A step is one pass over values, gradients and state; what clipping shortens the gradient by is applied on the
way.
"""

import difflib
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from noria.arrays import Array, Inexact, Shaped
from noria.engines import updates
from noria.errors import UnknownNameError
from noria.layers import Group
from noria.training.ranges import trainable_chunks, trainable_ranges
from noria.training.states import check_state
from noria.training.training_options import TrainingOptions


class Optimiser(ABC):
    """What all update rules share: their state as named flat arrays, the step counter, the walk over ranges.

    Parameters
    ----------
    values : array of shape (P,)
        The parameters, for their number and precision; they are not kept.
    slots : sequence of str
        Names of the flat arrays of state, each as long as the parameters and zero at the start.
    weight_decay : float
        How strongly parameters are pulled to zero, by default as an L2 penalty: ``gradient + weight_decay *
        value`` takes the place of the gradient. Groups say which are; biases and gains are not, as if PyTorch
        had them in a parameter group with ``weight_decay=0``.
    """

    def __init__(
        self, values: Inexact[Array, " P"], slots: Sequence[str] = (), *, weight_decay: float = 0.0
    ) -> None:
        self.steps = 0
        self.weight_decay = weight_decay
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
            Frozen ones stay as they are, and those without decay are not decayed. By default, all values are
            trained, and decayed.
        scale : float
            What the gradients are multiplied by on the way, as clipping says; they stay as they are. The
            decay is not clipped.
        """
        self.steps += 1
        for part, decay in self._ranges(values.size, groups):
            state = [slot[part] for slot in self._slots.values()]
            self._update(values[part], gradients[part], lr, scale, decay, *state)

    def _ranges(self, size: int, groups: Sequence[Group] | None) -> Iterator[tuple[slice, float]]:
        if not self.weight_decay:
            yield from ((part, 0.0) for part in trainable_chunks(size, groups, max(1, size)))
            return
        for part, decays in trainable_ranges(size, groups):
            yield part, self.weight_decay if decays else 0.0

    @abstractmethod
    def _update(
        self, values: Array, gradients: Array, lr: float, scale: float, decay: float, *state: Array
    ) -> None:
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
        check_state(type(self).__name__, self.state(), state, "optimiser and the sizes")
        for name, slot in self._slots.items():
            slot[...] = state[name]
        self.steps = int(state["steps"])


class SGD(Optimiser):
    """Gradient descent with momentum (Polyak 1964), on wish in Nesterov's form (Sutskever et al. 2013).

    velocity' = momentum * velocity + gradient;  values' = values - lr * velocity'
    (Nesterov: values' = values - lr * (gradient + momentum * velocity'))
    """

    def __init__(
        self,
        values: Inexact[Array, " P"],
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        self.momentum, self.nesterov = momentum, nesterov
        super().__init__(values, slots=("velocity",) if momentum else (), weight_decay=weight_decay)

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":  # noqa: D102
        decay = options.full_weight_decay
        return cls(values, momentum=float(options.momentum), nesterov=options.nesterov, weight_decay=decay)

    def _update(
        self, values: Array, gradients: Array, lr: float, scale: float, decay: float, *state: Array
    ) -> None:
        updates.sgd(
            values,
            gradients,
            *state,
            rate=lr,
            momentum=self.momentum,
            nesterov=self.nesterov,
            scale=scale,
            l2=decay,
        )


class AdaGrad(Optimiser):
    """Each parameter's rate shrinks with the squares of its gradients so far (Duchi, Hazan & Singer 2011).

    squares' = squares + gradient**2;  values' = values - lr * gradient / (sqrt(squares') + epsilon)
    """

    def __init__(
        self, values: Inexact[Array, " P"], *, epsilon: float = 1e-10, weight_decay: float = 0.0
    ) -> None:
        self.epsilon = epsilon
        super().__init__(values, slots=("squares",), weight_decay=weight_decay)

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":  # noqa: D102
        return cls(values, epsilon=options.full_epsilon, weight_decay=options.full_weight_decay)

    def _update(
        self, values: Array, gradients: Array, lr: float, scale: float, decay: float, *state: Array
    ) -> None:
        (squares,) = state
        updates.adagrad(values, gradients, squares, rate=lr, epsilon=self.epsilon, scale=scale, l2=decay)


class RMSProp(Optimiser):
    """The gradient divided by the root of its mean square (Tieleman & Hinton 2012), on wish with momentum.

    s' = alpha * s + (1 - alpha) * gradient**2
    velocity' = momentum * velocity + gradient / (sqrt(s') + epsilon);  values' = values - lr * velocity'
    """

    def __init__(
        self,
        values: Inexact[Array, " P"],
        *,
        alpha: float = 0.99,
        epsilon: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        self.alpha, self.epsilon, self.momentum = alpha, epsilon, momentum
        slots = ("mean_square", "velocity") if momentum else ("mean_square",)
        super().__init__(values, slots, weight_decay=weight_decay)

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":  # noqa: D102
        return cls(
            values,
            alpha=float(options.alpha),
            epsilon=options.full_epsilon,
            momentum=float(options.momentum),
            weight_decay=options.full_weight_decay,
        )

    def _update(
        self, values: Array, gradients: Array, lr: float, scale: float, decay: float, *state: Array
    ) -> None:
        updates.rmsprop(
            values,
            gradients,
            *state,
            rate=lr,
            alpha=self.alpha,
            epsilon=self.epsilon,
            momentum=self.momentum,
            scale=scale,
            l2=decay,
        )


class Adam(Optimiser):
    """Running means of gradient and squared gradient, corrected for their start at zero (Kingma & Ba 2015).

    m' = beta1 * m + (1 - beta1) * gradient;  v' = beta2 * v + (1 - beta2) * gradient**2
    values' = values - lr / (1 - beta1**t) * m' / (sqrt(v' / (1 - beta2**t)) + epsilon)
    """

    decoupled = False
    """Whether weight decay acts on the values themselves, not through the gradient."""

    def __init__(
        self,
        values: Inexact[Array, " P"],
        *,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon
        super().__init__(values, slots=("mean", "mean_square"), weight_decay=weight_decay)

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Optimiser":  # noqa: D102
        return cls(
            values,
            beta1=float(options.beta1),
            beta2=float(options.beta2),
            epsilon=options.full_epsilon,
            weight_decay=options.full_weight_decay,
        )

    def _update(
        self, values: Array, gradients: Array, lr: float, scale: float, decay: float, *state: Array
    ) -> None:
        mean, mean_square = state
        updates.adam(
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
            keep=1.0 - lr * decay if self.decoupled else 1.0,
            l2=0.0 if self.decoupled else decay,
        )


class AdamW(Adam):
    """Adam whose weight decay does not pass through the running means (Loshchilov & Hutter 2019).

    values' = (1 - lr * weight_decay) * values - the step of Adam
    """

    decoupled = True


OPTIMISERS: dict[str, type[Optimiser]] = {
    "adam": Adam,
    "adamw": AdamW,
    "sgd": SGD,
    "rmsprop": RMSProp,
    "adagrad": AdaGrad,
}


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
