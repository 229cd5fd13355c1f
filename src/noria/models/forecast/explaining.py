"""What a forecaster is looked at with: the last window of a series, and what it says of the time to come."""

from typing import Any

import numpy as np

from noria.arrays import Array
from noria.data.series import Series
from noria.layers import Backward, Layer, Mode
from noria.models.explaining import Loss, Subject, network_dtype
from noria.models.forecast.network import BESIDE, FORCED, DecoderNetwork, Members
from noria.models.forecast.outputs import Output
from noria.models.forecast.predicting import Predictor
from noria.models.forecast.rolling import beside_steps, given_of, rows_of
from noria.models.forecast.tables import plain_row
from noria.models.forecast.windows import Batch
from noria.sequences import Ragged


def subject_of(predictor: Predictor, series: Series) -> Subject:
    """Read the window that ends a series, and forecast from there.

    Raises
    ------
    DataError
        If the series is too short to look back on, or too little is known of the time to come.
    """
    windows, schema, output = predictor.windows([series]), predictor.schema, predictor.output
    rows = [plain_row(row) for row in predictor.behind(series, predictor.horizon)]
    times = schema.frequency.times(series.start, len(series) + predictor.horizon)
    named = [str(plain_row({"time": time})["time"]) for time in times]
    steps, to_come = named[len(series) - schema.lookback : len(series)], named[len(series) :]
    batch = windows.batch([(0, len(series) - 1)])

    def forward(network: Layer, mode: Mode) -> tuple[Ragged, Backward]:
        assert isinstance(network, Members)
        dtype = network_dtype(network)
        given = given_of(network, batch, schema, dtype)
        if isinstance(network.members[0], DecoderNetwork):
            given = {FORCED: _own(network, batch, output), BESIDE: beside_steps(batch).astype(dtype)}
        return network(rows_of(batch, dtype), given=given, mode=mode)

    def answers(y: Ragged) -> list[dict[str, Any]]:
        return [
            {"step": to_come[row["step"] - 1], "value": row["forecast"]}
            | {name: row[name] for name in ("channel", "low", "high") if row.get(name) is not None}
            for row in rows
        ]

    def loss(y: Ragged, at: int | None) -> Loss:
        return Loss(float(y.rows.sum()), np.ones_like(y.rows), "what the network gives, summed up")

    labels = {"": list(steps)}
    labels |= {f"{number}.decoder": list(to_come) for number in range(64)}
    return Subject(f"window of {len(steps):,} steps", labels, forward, answers, loss)


def _own(network: Members, batch: Batch, output: Output) -> Array:
    """Give what a decoder reads when it goes on from its own forecasts: those of all members together."""
    dtype = network_dtype(network)
    before = np.zeros(batch.targets.shape, dtype)
    given = {FORCED: before, BESIDE: beside_steps(batch).astype(dtype)}
    size, horizon, channels = before.shape
    for step in range(horizon - 1):
        y, _ = network(rows_of(batch, dtype), given=given, mode=Mode(save=False))
        dense = y.to_dense().astype(np.float64)
        parts = dense.reshape(size, horizon, len(network.members), channels, output.count)
        combined = output.combined(parts.swapaxes(1, 2))
        before[:, step + 1] = output.centre(combined)[:, step]
    return before
