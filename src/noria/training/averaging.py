"""Averages of the parameters over the steps: smoother than the last ones, and often better on new data."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np

from noria.arrays import Array, Inexact, Shaped
from noria.engines import updates
from noria.layers import FlatParameters
from noria.training.states import check_state
from noria.training.training_options import TrainingOptions


class Averaging:
    """A running average of the parameters, put in their place for evaluations and for what is kept.

    The average over n values is ``average' = average + weight * (values - average)``:

    * ``"ema"``: ``weight = (1 - decay) / (1 - decay**n)``, the exponential moving average with the weights of
      all n values summing to 1, as Adam corrects its means; nothing of the start is left in it.
    * ``"asgd"``: ``weight = 1 / n``, the plain mean of all values after a number of updates (Polyak &
      Juditsky 1992).
    * ``"nt-asgd"``: the same mean, begun once the validation loss is above the best of all but the last
      ``patience`` evaluations (Merity, Keskar & Socher 2018, algorithm 1).

    Parameters
    ----------
    kind : {"none", "ema", "asgd", "nt-asgd"}
    values : array of shape (P,)
        The parameters, for their number and precision; they are not kept.
    decay : float
        Of ema, in [0, 1).
    start : int
        Updates before asgd begins.
    patience : int
        Evaluations without a new best that nt-asgd bears; at least 1.

    References
    ----------
    Polyak & Juditsky 1992, "Acceleration of stochastic approximation by averaging"; Merity, Keskar & Socher
    2018, "Regularizing and optimizing LSTM language models".
    """

    def __init__(
        self,
        kind: str,
        values: Inexact[Array, " P"],
        *,
        decay: float = 0.999,
        start: int = 0,
        patience: int = 5,
    ) -> None:
        self.kind = kind
        self.decay = decay
        self.start = start
        self._average = np.zeros_like(values[:0] if kind == "none" else values)
        self._updates = 0
        self._averaged = 0
        self._triggered = False
        self._latest = np.full(patience if kind == "nt-asgd" else 0, np.inf)
        self._best_before = np.inf

    @classmethod
    def from_options(cls, options: TrainingOptions, values: Inexact[Array, " P"]) -> "Averaging":
        """Make the averaging of the options; its ``start`` is 0 until the length of the run is known."""
        return cls(
            options.averaging,
            values,
            decay=float(options.averaging_decay),
            patience=int(options.averaging_patience),
        )

    @property
    def is_active(self) -> bool:
        """Whether there is an average by now: if so, it is what evaluations and kept weights should be of."""
        return self._averaged > 0 and self._is_due()

    def update(self, values: Inexact[Array, " P"]) -> None:
        """Take the parameters in after an update.

        Parameters
        ----------
        values : array of shape (P,)
        """
        self._updates += 1
        if not self._is_due():
            self._averaged = 0  # a run that was extended begins its mean anew
            return
        self._averaged += 1
        count = self._averaged
        weight = (1.0 - self.decay) / (1.0 - self.decay**count) if self.kind == "ema" else 1.0 / count
        updates.towards(self._average, values, weight=weight)

    def _is_due(self) -> bool:
        if self.kind == "nt-asgd":
            return self._triggered
        return self.kind == "ema" or (self.kind == "asgd" and self._updates > self.start)

    def observe(self, validation_loss: float) -> bool:
        """Hear of an evaluation; only nt-asgd minds.

        Returns
        -------
        bool
            Whether averaging begins with the next update because of it.
        """
        if self.kind != "nt-asgd" or self._triggered:
            return False
        self._triggered = bool(validation_loss > self._best_before)
        self._best_before = min(self._best_before, float(self._latest[0]))
        self._latest = np.append(self._latest[1:], validation_loss)
        return self._triggered

    @contextmanager
    def in_place(self, parameters: FlatParameters) -> Iterator[None]:
        """Let the average stand in for the parameters; afterwards they are as before, to the bit.

        Without an average nothing changes. Running statistics of normalising layers are not parameters: they
        stay those of the trained ones, which the average is near.

        Parameters
        ----------
        parameters : FlatParameters
        """
        if not self.is_active:
            yield
            return
        trained = parameters.values.copy()
        try:
            parameters.values[...] = self._average
            yield
        finally:
            parameters.values[...] = trained

    def state(self) -> dict[str, Shaped[Array, "..."]]:
        """Give all that the next updates depend on; not copied."""
        return {
            "average": self._average,
            "updates": np.array(self._updates, dtype=np.int64),
            "averaged": np.array(self._averaged, dtype=np.int64),
            "triggered": np.array(self._triggered, dtype=np.int64),
            "latest": self._latest,
            "best_before": np.array(self._best_before, dtype=np.float64),
        }

    def load_state(self, state: Mapping[str, Shaped[Array, "..."]]) -> None:
        """Go on from a state that :meth:`state` gave.

        Raises
        ------
        RunError
            If the names or the shapes are not those of this averaging and this model.
        """
        check_state(f"averaging={self.kind!r}", self.state(), state, "averaging and the sizes")
        self._average[...] = state["average"]
        self._updates = int(state["updates"])
        self._averaged = int(state["averaged"])
        self._triggered = bool(state["triggered"])
        self._latest = np.array(state["latest"], dtype=np.float64)
        self._best_before = float(state["best_before"])
