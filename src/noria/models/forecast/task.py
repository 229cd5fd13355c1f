"""What the trainer trains of a forecaster: windows of the training part, in an order drawn from the seed."""

from collections.abc import Sequence

import numpy as np

from noria.arrays import Array
from noria.layers import FlatParameters, Mode
from noria.models.examples import ExamplesTask
from noria.models.forecast.metrics import errors_of
from noria.models.forecast.network import Members
from noria.models.forecast.outputs import Output
from noria.models.forecast.rolling import SIDE_BY_SIDE, forecast_outputs, given_of, rows_of
from noria.models.forecast.windows import Batch, Example, Windows
from noria.training import StepResult


class ForecastTask(ExamplesTask[Example]):
    """Windows of series.

    Parameters
    ----------
    network : Members
    parameters : FlatParameters
    learning, scoring : Windows
        Of the steps that are learnt at a time (one, where each is forecast from the one before), and of the
        whole horizon.
    train, validation, test : sequence of Example
    output : Output
    batch_size, seed : int
    """

    measured_together = SIDE_BY_SIDE

    def __init__(
        self,
        network: Members,
        parameters: FlatParameters,
        learning: Windows,
        scoring: Windows,
        train: Sequence[Example],
        validation: Sequence[Example],
        test: Sequence[Example],
        output: Output,
        *,
        batch_size: int,
        seed: int,
    ) -> None:
        super().__init__("forecast", parameters, train, validation, test, batch_size=batch_size, seed=seed)
        self.network, self.learning, self.scoring, self.output = network, learning, scoring, output

    def forward_backward(self, examples: Sequence[Example], mode: Mode) -> StepResult:
        """Run windows through every member; their losses are averaged, and each learns from its own."""
        batch, dtype = self.learning.batch(examples), self.parameters.dtype
        given = given_of(self.network, batch, self.learning.schema, dtype)
        y, back = self.network(rows_of(batch, dtype), given=given, mode=mode)
        outputs = by_member(y.to_dense(), batch, len(self.network.members), self.output.count)
        targets = np.broadcast_to(batch.targets[:, None], outputs.shape[:-1])
        weights = (~np.isnan(targets)).astype(np.float64)
        loss, back_loss = self.output.loss(outputs, np.nan_to_num(targets), weights)
        # the mean over members divides by their number: each is to have the gradient it would have alone
        d_outputs = back_loss() * len(self.network.members)
        back(from_members(d_outputs, y.rows.shape).astype(dtype, copy=False))
        return StepResult(loss, len(examples))

    def length_of(self, example: Example) -> int:
        """Count windows: all look back as far."""
        return 1

    def figures(self, examples: Sequence[Example]) -> dict[str, float]:
        """Measure forecasts of the whole horizon: the loss, and errors in the unit of the series."""
        outputs = forecast_outputs(self.network, self.scoring, examples, self.output, self.parameters.dtype)
        batch = self.scoring.batch(examples)
        weights = (~np.isnan(batch.targets)).astype(np.float64)
        loss, _ = self.output.loss(outputs, np.nan_to_num(batch.targets), weights)
        predicted = self.scoring.values(batch.levels(self.output.centre(outputs)))
        actual = self.scoring.values(batch.levels(batch.targets))
        return {"loss": loss, **errors_of(actual, predicted)}

    def measurable(self) -> list[Example]:
        """Give the training windows whose whole horizon lies in the training part."""
        ahead = self.scoring.horizon - self.learning.horizon
        last: dict[int, int] = {}
        for series, origin in self.train:
            last[series] = max(origin, last.get(series, origin))
        return [(series, origin) for series, origin in self.train if origin + ahead <= last[series]]


def by_member(dense: Array, batch: Batch, members: int, count: int) -> Array:
    """Give (B, T, M * F) as (B, M, h, C, Q); a member's outputs stand at one step, or at each."""
    (size, horizon, channels), steps = batch.base.shape, dense.shape[1]
    parts = dense.reshape(size, steps, members, horizon // steps, channels, count)
    return parts.swapaxes(1, 2).reshape(size, members, horizon, channels, count)


def from_members(outputs: Array, shape: tuple[int, ...]) -> Array:
    """Undo :func:`by_member`, as packed rows of a shape."""
    size, members = outputs.shape[:2]
    steps = shape[0] // size
    parts = outputs.reshape(size, members, steps, -1).transpose(2, 0, 1, 3)
    return np.ascontiguousarray(parts.reshape(shape))
