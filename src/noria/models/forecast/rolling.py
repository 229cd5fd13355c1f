"""Forecasting from many origins at once: all steps together, each from the one before, or by the decoder."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.data.series_transforms import continued
from noria.layers import INFERENCE, Layer
from noria.models.forecast.network import BESIDE, FORCED, DecoderNetwork, DirectNetwork, Members
from noria.models.forecast.outputs import Output
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.windows import Batch, Example, Windows, lagged_size
from noria.sequences import Ragged

SIDE_BY_SIDE = 256
"""Origins that are forecast in one batch."""

Precision = np.dtype[Any]


def forecast_outputs(
    network: Members, windows: Windows, examples: Sequence[Example], output: Output, dtype: Precision
) -> Float[Array, "n h C Q"]:
    """Forecast from some origins, fed with nothing that comes behind them.

    Returns
    -------
    array of shape (n, h, C, Q)
        What the members say together, in the units of :class:`~noria.models.forecast.windows.Batch`.
    """
    parts = []
    for begin in range(0, len(examples), SIDE_BY_SIDE):
        batch = windows.batch(examples[begin : begin + SIDE_BY_SIDE])
        answers = [
            _answer(member, batch, windows.schema, windows.horizon, output, dtype)
            for member in network.members
        ]
        parts.append(output.combined(np.stack(answers, axis=1)))
    return np.concatenate(parts)


def rows_of(batch: Batch, dtype: Precision) -> Ragged:
    """Give the windows as rows of equally long sequences."""
    return Ragged.from_dense(np.ascontiguousarray(batch.inputs.swapaxes(0, 1), dtype).swapaxes(0, 1))


def beside_steps(batch: Batch) -> Float[Array, "B h E"]:
    """Give what stands beside each step of a decoder."""
    return np.concatenate([batch.ahead, batch.lagged], axis=2)


def beside_window(batch: Batch, schema: ForecastSchema) -> Float[Array, "B E"]:
    """Give what stands beside the last state.

    The values of the window, where there is an autoregression; and where several steps are forecast at once,
    of each of them the known covariates and the season before.
    """
    size, steps, channels = batch.base.shape
    window = batch.inputs[:, :, : channels if schema.linear else 0].reshape(size, -1)
    if steps == 1:
        return window
    covariates = batch.ahead[:, :, batch.ahead.shape[2] - len(schema.known) :]
    return np.concatenate(
        [window, np.concatenate([covariates, batch.lagged], axis=2).reshape(size, -1)], axis=1
    )


def forced(batch: Batch) -> Float[Array, "B h C"]:
    """Give the truth before each step that is forecast; where it is missing, what the rule says (zero)."""
    came_before = np.zeros_like(batch.targets)
    came_before[:, 1:] = np.nan_to_num(batch.targets[:, :-1])
    return came_before


def given_of(network: Members, batch: Batch, schema: ForecastSchema, dtype: Precision) -> dict[str, Array]:
    """Give the auxiliary inputs with which a network is trained."""
    first = network.members[0]
    if isinstance(first, DecoderNetwork):
        return {FORCED: forced(batch).astype(dtype), BESIDE: beside_steps(batch).astype(dtype)}
    assert isinstance(first, DirectNetwork)
    return {BESIDE: beside_window(batch, schema).astype(dtype)} if first.beside else {}


def _answer(
    member: Layer, batch: Batch, schema: ForecastSchema, horizon: int, output: Output, dtype: Precision
) -> Float[Array, "B h C Q"]:
    if isinstance(member, DecoderNetwork):
        return _decoded(member, batch, output, dtype)
    assert isinstance(member, DirectNetwork)
    if horizon > 1 and member.size == len(schema.channels) * output.count:
        return _step_by_step(member, batch, schema, horizon, output, dtype)
    given = {BESIDE: beside_window(batch, schema).astype(dtype)} if member.beside else {}
    y, _ = member(rows_of(batch, dtype), given=given, mode=INFERENCE)
    return y.rows.astype(np.float64).reshape(len(batch.base), horizon, -1, output.count)


def _decoded(member: DecoderNetwork, batch: Batch, output: Output, dtype: Precision) -> Array:
    """Let the decoder go on from its own forecast."""
    _, back = member.encoder(rows_of(batch, dtype), mode=INFERENCE)
    state, beside = back.state, beside_steps(batch)
    came_before = np.zeros(batch.base.shape[::2])  # (B, C)
    steps = []
    for step in range(batch.base.shape[1]):
        row = np.concatenate([came_before, beside[:, step]], axis=1).astype(dtype)
        y, back = member.decoder(Ragged.from_dense(row[:, None]), state=state, mode=INFERENCE)
        state = back.state
        answer, _ = member.output(y, mode=INFERENCE)
        steps.append(answer.rows.astype(np.float64).reshape(len(row), -1, output.count))
        came_before = output.centre(steps[-1])
    return np.stack(steps, axis=1)


def _step_by_step(
    member: DirectNetwork,
    batch: Batch,
    schema: ForecastSchema,
    horizon: int,
    output: Output,
    dtype: Precision,
) -> Array:
    """Feed each forecast back as if it had been observed."""
    channels, ahead = len(schema.channels), batch.ahead.shape[2]
    x, state = rows_of(batch, dtype), None
    path, differences = batch.history, batch.inputs[:, :, :channels]
    row = batch.inputs[:, -1].copy()
    steps = []
    for step in range(horizon):
        seen, back = member.recurrent(x, state=state, mode=INFERENCE)
        state = back.state
        window = differences[:, step:] if schema.linear else differences[:, :0]
        last = np.concatenate([seen.last(), window.reshape(len(row), -1).astype(dtype)], axis=1)
        y, _ = member.output(Ragged.from_dense(last[:, None]), mode=INFERENCE)
        answer = y.rows.astype(np.float64).reshape(len(row), channels, output.count)
        one = output.centre(answer)[:, None]
        level = continued(path, schema.lags, 1) + batch.centre + batch.spread * one
        path = np.concatenate([path, level], axis=1)
        reached = (level - batch.base[:, step : step + 1] - batch.centre) / batch.spread
        steps.append(output.moved(answer, (reached - one)[:, 0]))
        difference = one + (batch.centre - batch.mean) / batch.spread
        differences = np.concatenate([differences, difference], axis=1)
        if step + 1 < horizon:
            row[:, :channels] = difference[:, 0]
            if schema.marks_gaps:
                row[:, channels : 2 * channels] = 1.0
            width = row.shape[1] - lagged_size(schema)
            row[:, width - ahead : width] = batch.ahead[:, step + 1]
            if schema.season_lag:
                of_season = differences[:, schema.lookback + step + 1 - schema.season_lag]
                row[:, width:] = of_season if step + 1 >= schema.season_lag else batch.lagged[:, step + 1]
            x = Ragged.from_dense(row.astype(dtype)[:, None])
    return np.stack(steps, axis=1)
