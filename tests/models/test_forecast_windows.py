"""Windows hold what was known at their origin, and forecasts from them what a loop by hand gives."""

from dataclasses import replace

import numpy as np
import pandas
import pytest

from noria.errors import DataError
from noria.layers import Mode
from noria.models.forecast.forecaster import Forecaster
from noria.models.forecast.rolling import forecast_outputs, given_of, rows_of
from noria.models.forecast.views import view_of
from noria.models.forecast.windows import Windows
from noria.models.wiring import chosen_cells

SEASON, LOOKBACK, HORIZON = 4, 3, 6


def table(steps=90, gap=True, seed=0):
    rng = np.random.default_rng(seed)
    t = np.arange(steps)
    y = np.exp(0.01 * t + 0.3 * np.sin(2 * np.pi * t / SEASON) + 0.1 * rng.normal(size=steps))
    if gap:
        y[[20, 21, 50]] = np.nan
    return pandas.DataFrame(
        {
            "ds": pandas.date_range("2001-01-01", periods=steps, freq="QS"),
            "y": y,
            "known": rng.normal(size=steps),
            "past": rng.normal(size=steps),
        }
    )


def model(**options):
    options = {
        "cell": "rnn",
        "hidden_size": 3,
        "members": 2,
        "horizon": HORIZON,
        "lookback": LOOKBACK,
    } | options
    return Forecaster(known_covariates="known", past_covariates="past", engine="reference", **options)


def prepared(made, data):
    found = made.prepare(data)
    return found, found.scoring, found.schema


def randomised(made, found):
    fitted = made._built(chosen_cells(made), found.schema, {})
    fitted.parameters.values[...] = np.random.default_rng(3).normal(
        size=fitted.parameters.values.size, scale=0.4
    )
    return fitted


@pytest.mark.parametrize("difference", ["none", "first", "season", "both"])
@pytest.mark.parametrize("log", ["on", "off"])
def test_targets_are_what_levels_undoes(difference, log):
    made = model(difference=difference, log=log)
    found, windows, schema = prepared(made, table())
    assert schema.lags == {"none": (), "first": (1,), "season": (4,), "both": (1, 4)}[difference]
    examples = found.train + found.test
    batch = windows.batch(examples)
    values = windows.values(batch.levels(batch.targets))
    y = table()["y"].to_numpy()
    expected = np.stack([y[origin + 1 : origin + 1 + HORIZON] for _, origin in examples])
    np.testing.assert_allclose(values[..., 0], expected, rtol=1e-9)
    assert np.isnan(batch.targets).sum() == np.isnan(expected).sum() > 0


def test_a_window_row_by_row():
    made = model(difference="season", log="off", calendar="on")
    found, windows, schema = prepared(made, table(gap=False))
    data = table(gap=False)
    y = data["y"].to_numpy()
    (series, origin) = found.train[7]
    batch = windows.batch([(series, origin)])
    scale = schema.memory[""].scale
    w = (y[4:] - y[:-4] - scale.mean[0]) / scale.spread[0]  # w[t - 4] is of step t
    quarter = np.arange(len(y)) % 4 / 4 * 2 * np.pi
    learnt = found.cuts[0].learnt
    past, known = (
        (data[name].to_numpy() - data[name][:learnt].mean()) / data[name][:learnt].std(ddof=0)
        for name in ("past", "known")
    )
    for place, t in enumerate(range(origin - LOOKBACK + 1, origin + 1)):
        expected = [w[t - 4], past[t], np.sin(quarter[t + 1]), np.cos(quarter[t + 1]), known[t + 1], w[t - 7]]
        np.testing.assert_allclose(batch.inputs[0, place], expected, atol=1e-9)
    lags = [1, 2, 3, 4, 5, 6]
    np.testing.assert_allclose(
        batch.lagged[0, :, 0], [w[origin + k - 4 - (4 if k <= 4 else 8)] for k in lags], atol=1e-9
    )
    np.testing.assert_allclose(batch.ahead[0, :, 2], known[origin + 1 : origin + 7], atol=1e-9)


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
@pytest.mark.parametrize("output", ["point", "quantile", "gaussian"])
def test_nothing_of_the_time_to_come_enters_a_forecast(strategy, output):
    made = model(strategy=strategy, output=output, dtype="float64")
    found, windows, schema = prepared(made, table())
    fitted = randomised(made, found)
    examples = found.test[:3]
    outputs = forecast_outputs(fitted.network, windows, examples, made._output, fitted.parameters.dtype)
    assert outputs.shape == (3, HORIZON, 1, made._output.count)
    assert np.abs(outputs).max() > 0.1
    origin = examples[0][1]
    (series,) = found.series.series
    values, past = series.values.copy(), series.past.copy()
    values[origin + 1 :], past[origin + 1 :] = 77.0, -5.0
    changed = replace(series, values=values, past=past)
    other = Windows([view_of(changed, schema, HORIZON)], schema, HORIZON)
    again = forecast_outputs(fitted.network, other, examples[:1], made._output, fitted.parameters.dtype)
    np.testing.assert_allclose(again, outputs[:1], atol=1e-12)


@pytest.mark.parametrize("difference", ["none", "first", "season", "both"])
@pytest.mark.parametrize("linear", [False, True])
def test_step_by_step_is_a_forecast_from_a_series_that_goes_on_like_that(difference, linear):
    """Feeding a forecast back is the same as reading it from a longer series.

    The state has seen a window that grows from step to step. The autoregression sees one that moves along: it
    is looked at with what the state says left out.
    """
    options = {"difference": difference, "linear": linear, "log": "off", "members": 1, "dtype": "float64"}
    made = model(strategy="recursive", **options)
    found, windows, schema = prepared(made, table())
    fitted = randomised(made, found)
    if linear:
        fitted.network.members[0].output.W.value[:, :3] = 0.0
    example = found.test[2]
    batch = windows.batch([example])
    outputs = forecast_outputs(fitted.network, windows, [example], made._output, fitted.parameters.dtype)
    rolled = batch.levels(outputs[..., 0])[0, :, 0]
    (series,) = found.series.series
    values, past = series.values.copy(), series.past.copy()
    origin = example[1]
    past[origin + 1 :] = past[origin]  # what is not known stays as it was
    for step in range(HORIZON):
        longer = replace(schema, lookback=LOOKBACK + step * (not linear))
        view = view_of(replace(series, values=values, past=past), longer, 1)
        one, at = Windows([view], longer, 1), [(0, origin + step)]
        answer = forecast_outputs(fitted.network, one, at, made._output, fitted.parameters.dtype)
        level = one.batch(at).levels(answer[..., 0])[0, 0, 0]
        np.testing.assert_allclose(rolled[step], level, rtol=1e-9)
        values[origin + 1 + step] = level


def test_a_decoder_forced_to_its_own_forecast_says_the_same():
    made = model(strategy="seq2seq", members=1, dtype="float64")
    found, windows, _ = prepared(made, table())
    fitted = randomised(made, found)
    example = found.test[:2]
    outputs = forecast_outputs(fitted.network, windows, example, made._output, fitted.parameters.dtype)
    batch = replace(windows.batch(example), targets=outputs[..., 0])
    dtype = np.dtype("float64")
    y, _ = fitted.network(rows_of(batch, dtype), given=given_of(fitted.network, batch, found.schema, dtype))
    np.testing.assert_allclose(y.to_dense()[..., None], outputs, atol=1e-12)


@pytest.mark.parametrize("strategy", ["direct", "recursive", "seq2seq"])
def test_each_member_learns_as_if_it_were_alone(strategy):
    made = model(strategy=strategy, output="gaussian", dtype="float64")
    found, _, schema = prepared(made, table())
    fitted = randomised(made, found)
    task = made._trained(fitted, found)
    examples, dtype = found.train[3:8], np.dtype("float64")
    batch = found.learning.batch(examples)
    given = given_of(fitted.network, batch, schema, dtype)
    weights = (~np.isnan(batch.targets)).astype(float)

    def losses():
        parts = [
            member(rows_of(batch, dtype), given=given)[0].to_dense().reshape(*batch.targets.shape, 2)
            for member in fitted.network.members
        ]
        return [made._output.loss(part, np.nan_to_num(batch.targets), weights)[0] for part in parts]

    values, gradients = fitted.parameters.values, fitted.parameters.gradients
    result = task.forward_backward(examples, Mode())
    assert result.loss == pytest.approx(np.mean(losses()))
    direction = np.random.default_rng(6).normal(size=values.size)
    begin, sums = values.copy(), []
    for step in (1e-6, -1e-6):
        values[...] = begin + step * direction
        sums.append(sum(losses()))
    slope = (sums[0] - sums[1]) / 2e-6
    assert gradients @ direction == pytest.approx(slope, rel=1e-6)


def test_origins_have_their_targets_in_their_part_and_a_window_behind_them():
    made = model()
    found, windows, schema = prepared(made, table())
    (cut,) = found.cuts
    assert (cut.learnt, cut.chosen, cut.end) == (63, 72, 90)
    for part, begin, end in (
        (found.train, 0, cut.learnt),
        (found.validation, cut.learnt, cut.chosen),
        (found.test, cut.chosen, cut.end),
    ):
        origins = [origin for _, origin in part]
        assert min(origins) + 1 >= begin
        assert max(origins) + HORIZON == end - 1
    assert min(origin for _, origin in found.train) == schema.warm_up + LOOKBACK - 1
    whole = windows.batch(found.train)
    assert not np.isnan(whole.inputs).any()
    assert not np.isnan(whole.base).any()


def test_what_is_fitted_knows_the_training_part_alone():
    made = model()
    data = table()
    schema = made.prepare(data).schema
    cut = made.prepare(data).cuts[0].learnt
    data.loc[cut:, "y"] = 1000.0
    data.loc[cut:, ["known", "past"]] = 55.0
    other = made.prepare(data).schema
    for name in ("log", "lags", "season", "lookback", "season_lag", "calendar"):
        assert getattr(other, name) == getattr(schema, name)
    for one, two in (
        (schema.known_scale, other.known_scale),
        (schema.past_scale, other.past_scale),
        (schema.memory[""].scale, other.memory[""].scale),
    ):
        np.testing.assert_array_equal(one.mean, two.mean)
        np.testing.assert_array_equal(one.spread, two.spread)
    np.testing.assert_array_equal(schema.memory[""].naive, other.memory[""].naive)


def test_series_lie_apart_from_each_other():
    """The last step of one series has nothing of the first of the next beside it."""
    made = Forecaster(cell="rnn", hidden_size=3, horizon=2, lookback=3, season_lag=False, engine="reference")
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=40), rng.normal(size=50)
    both = made.prepare({"a": first, "b": second})
    alone = made.prepare({"b": second})
    at = [example for example in both.test if example[0] == 1]
    together, apart = both.scoring.batch(at), alone.scoring.batch([(0, origin) for _, origin in at])
    np.testing.assert_array_equal(together.inputs, apart.inputs)
    np.testing.assert_array_equal(together.targets, apart.targets)


@pytest.mark.parametrize("difference", ["none", "first", "both"])
def test_a_series_that_was_not_trained_on_is_measured_by_what_is_known_first(difference):
    found, _, schema = prepared(model(difference=difference, log="off"), table(gap=False))
    (series,) = found.series.series
    other = replace(series, name="other", values=series.values * 10)
    values = other.values.copy()
    values[schema.reach :] *= -1000
    changed = replace(other, values=values)
    views = [view_of(one, schema, HORIZON, measured=True) for one in (other, changed)]
    assert len(views[0]) > 2 * schema.reach
    for one, two in zip(
        (views[0].scale.mean, views[0].scale.spread, views[0].naive),
        (views[1].scale.mean, views[1].scale.spread, views[1].naive),
        strict=True,
    ):
        np.testing.assert_array_equal(one, two)
    behind = [view_of(one, schema, HORIZON) for one in (other, changed)]  # all is known behind the end
    assert behind[1].scale.spread > 10 * behind[0].scale.spread
    still = replace(other, values=np.where(np.arange(90)[:, None] < schema.reach, 3.0, other.values))
    view, memory = view_of(still, schema, HORIZON, measured=True), schema.memory[""]
    np.testing.assert_array_equal(view.scale.spread, memory.scale.spread)
    np.testing.assert_array_equal(view.naive, memory.naive)


def test_no_forecast_is_made_before_a_channel_was_observed():
    rng = np.random.default_rng(4)
    values = rng.normal(size=(80, 2)).cumsum(axis=0)
    values[:30, 1] = np.nan
    data = pandas.DataFrame({"ds": np.arange(80), "p": values[:, 0], "q": values[:, 1]})
    made = Forecaster(cell="rnn", hidden_size=3, lookback=3, horizon=2, multivariate=True, difference="first")
    assert min(made.prepare(data).train) == (0, 30)
    late = data.assign(q=np.where(np.arange(80) < 70, np.nan, data["q"]))
    with pytest.raises(DataError, match=r"values of 'q' in the series in the training part, got none"):
        made.prepare(late)
