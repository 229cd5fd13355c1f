"""Intervals hold the share they promise, on noise that stays, drifts or jumps; and know no future."""

import json
from dataclasses import replace

import numpy as np
import pandas
import pytest

import noria
from noria.data.builtin_tasks import builtin_data
from noria.models.forecast.following import RATE, Followed, followed_from, in_force, path_of, widths_of
from noria.models.forecast.forecaster import Forecaster
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.outputs import Gaussian, Point, Quantiles
from noria.models.forecast.picture import _forecasts
from noria.models.forecast.rolling import forecast_outputs

N, LEARNT, TESTED = 4_000, 1_600, 2_000
SMALL = {"cell": "rnn", "hidden_size": 3, "members": 1, "engine": "reference", "lookback": 2}
PLAIN = {"season": 1, "difference": "none", "log": "off", "linear": False, "test_fraction": TESTED / N}


def fitted(values, steps=2, **options):
    return Forecaster(**SMALL | PLAIN | options).fit(values, steps=steps)


def found(values, **options):
    return fitted(values, **options).report_["baseline"]["evaluation"]


def noise(seed=0):
    return np.random.default_rng(seed).standard_normal(N)


def drifting(seed=1):
    """Draw how the logarithm of a spread wanders; its own spread is 0.5."""
    spread = np.zeros(N)
    for step, shock in enumerate(np.random.default_rng(seed).normal(0.0, 0.1, N - 1)):
        spread[step + 1] = 0.98 * spread[step] + shock
    return np.exp(spread)


@pytest.mark.parametrize("output", ["point", "quantile", "gaussian"])
def test_of_constant_noise_they_hold_what_they_promise(output):
    figures = found(noise(), horizon=2, output=output)
    assert figures["forecasts"] == 2 * (TESTED - 1)
    assert figures["coverage"] == pytest.approx(0.8, abs=0.015)
    shares = [step["coverage"] for step in figures["horizons"].values()]
    assert shares == pytest.approx([0.8, 0.8], abs=0.02)
    assert np.mean(shares) == pytest.approx(figures["coverage"])
    assert figures["width"] == pytest.approx(2 * 1.2816, rel=0.08)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_any_level_is_held(level):
    figures = found(noise(3), level=level)
    assert figures["coverage"] == pytest.approx(level, abs=0.02)
    assert figures["width"] == pytest.approx({0.5: 2 * 0.6745, 0.95: 2 * 1.96}[level], rel=0.1)


@pytest.mark.parametrize(("factor", "measured_alone"), [(0.5, 0.98), (2.0, 0.5)])
def test_a_spread_that_changes_behind_the_validation_part_is_followed(factor, measured_alone):
    values = noise(1)
    values[TESTED:] *= factor
    model = fitted(values, horizon=2)
    figures = model.report_["baseline"]["evaluation"]
    assert figures["coverage"] == pytest.approx(0.8, abs=0.03)
    late = model.intervals_.of_series("").mean()
    assert late == pytest.approx(factor, rel=0.25)
    high = model.intervals_.high.mean()
    held = np.mean(np.abs(values[TESTED:]) < high * values[:LEARNT].std())
    assert held == pytest.approx(measured_alone, abs=0.06)  # what there would be without following


def test_a_spread_that_drifts_is_followed():
    shares, narrow = [], []
    for seed in range(3):
        spread = drifting(seed)
        figures = found(noise(seed) * spread)
        shares.append(figures["coverage"])
        narrow.append(figures["width"] / np.mean(2 * 1.2816 * spread[TESTED:]))
    assert shares == pytest.approx([0.8] * 3, abs=0.025)
    assert np.mean(narrow) == pytest.approx(1.05, abs=0.15)


def test_errors_that_last_as_long_as_the_horizon_are_held():
    shocks = np.random.default_rng(5).standard_normal(N + 9)
    steps = found(np.convolve(shocks, np.ones(10), "valid"), horizon=10)["horizons"]
    shares = [step["coverage"] for step in steps.values()]
    assert shares == pytest.approx([0.8] * 10, abs=0.05)


def test_widths_by_hand():
    scores = np.array([[[1.0], [0.1]], [[np.nan], [2.0]], [[1.2], [0.5]]])
    path = path_of(scores, np.array([[1.0], [2.0]]), 0.8)
    up, down = np.exp(0.8 * RATE), np.exp(-0.2 * RATE)
    two_up, two_down = (np.exp(one * RATE / np.sqrt(2)) for one in (0.8, -0.2))
    # a value on the edge of its interval, the first one, is held
    np.testing.assert_allclose(path[:, 0, 0], [1, down, down, down * up], rtol=1e-14)
    np.testing.assert_allclose(path[1:, 1, 0], 2 * np.cumprod([two_down, two_up, two_down]), rtol=1e-14)


def test_at_an_origin_all_is_known_that_lies_before_it_and_nothing_else():
    rng = np.random.default_rng(0)
    scores = rng.exponential(size=(7, 3, 2))
    scores[rng.random(scores.shape) < 0.2] = np.nan
    start = rng.uniform(0.5, 2.0, (3, 2))
    got = in_force(path_of(scores, start, 0.7), np.arange(7))
    for origin, step, channel in np.ndindex(7, 3, 2):
        arrived = [one for one in range(7) if one + step + 1 <= origin]
        width = start[step, channel]
        for one in arrived:
            score = scores[one, step, channel]
            if not np.isnan(score):
                width *= np.exp(RATE / np.sqrt(step + 1) * ((score > width) - 0.3))
        assert got[origin, step, channel] == pytest.approx(width, rel=1e-13)


def test_a_value_changes_the_intervals_from_its_own_time_on():
    values = noise(2)[:300]
    model = fitted(values, horizon=3)
    changed = values.copy()
    changed[270] = 50.0

    def widths(series):
        prepared = model.prepare(series)
        windows = prepared.scoring
        origins = windows.origins(0, 240, 300)
        batch = windows.batch(origins)
        scores = model.intervals_.scores(Point(), np.zeros((*batch.targets.shape, 1)), batch.targets)
        return np.array([one for _, one in origins]), widths_of(windows, origins, scores, model.intervals_)[0]

    (origins, before), (_, after) = widths(values), widths(changed)
    differs = (before != after)[..., 0]
    for step in range(3):
        assert origins[differs[:, step]].tolist() == list(range(270, 297))


def test_an_interval_holds_a_value_just_where_its_score_says_so():
    rng = np.random.default_rng(4)
    n, widths = 40, rng.uniform(0.2, 3.0, (40, 3, 2))
    for output in (Point(), Quantiles(0.8), Gaussian()):
        low, high = -rng.uniform(-0.3, 1.0, (3, 2)), rng.uniform(-0.3, 1.0, (3, 2))
        low[2, 1] = high[2, 1] = 0.0
        intervals = Intervals(low, high, 0.8, 9)
        outputs = rng.normal(size=(n, 3, 2, output.count))
        targets = rng.normal(size=(n, 3, 2))
        targets[7, 1, 0] = np.nan
        targets[9] = output.centre(outputs)[9]
        below, above = intervals.around(output, outputs, widths)
        assert (below <= above).all()
        scores = intervals.scores(output, outputs, targets)
        assert np.isnan(scores).sum() == 1
        held = (below <= targets) & (targets <= above)
        np.testing.assert_array_equal(held, scores <= widths)
        plain, doubled = (intervals.around(output, outputs, by) for by in (1.0, 2.0))
        least = 0.3 * (plain[1] - plain[0])  # each end moves, wherever the forecast lies
        assert (least > 0).all()
        assert (plain[0] - doubled[0] > least).all()
        assert (doubled[1] - plain[1] > least).all()


def followed(intervals, targets):
    """Follow forecasts of zero one step ahead; give the share that is held, and the last interval."""
    outputs = np.zeros((len(targets), 1, 1, 1))
    targets = targets.reshape(-1, 1, 1)
    scores = intervals.scores(Point(), outputs, targets)
    path = path_of(scores, np.ones((1, 1)), intervals.level)
    low, high = intervals.around(Point(), outputs, path[:-1])
    return np.mean((low <= targets) & (targets <= high)), (low[-1].item(), high[-1].item())


@pytest.mark.parametrize("bias", [1.0, 0.4, -1.0])
def test_errors_on_one_side_are_held_when_they_come_to_lie_on_both(bias):
    rng = np.random.default_rng(8)
    learnt, met = (rng.normal(mean, 0.3, n) for mean, n in ((bias, 400), (0.0, 2_000)))
    intervals = Intervals.measured(Point(), np.zeros((400, 1, 1, 1)), learnt.reshape(-1, 1, 1), 0.9)
    share, (low, high) = followed(intervals, met)
    assert share == pytest.approx(0.9, abs=0.03)
    assert low < 0 < high
    assert high - low < 5.0  # not by an end that runs away: 1.0 is held by those that are measured anew


@pytest.mark.parametrize("error", [0.0, 0.7])
def test_intervals_that_were_measured_without_width_become_as_wide_as_they_have_to_be(error):
    once = Intervals.measured(Point(), np.zeros((1, 1, 1, 1)), np.full((1, 1, 1), error), 0.8)
    share, (low, high) = followed(once, np.random.default_rng(3).standard_normal(4_000))
    assert share == pytest.approx(0.8, abs=0.06)  # after some 200 misses, which it takes to become as wide
    assert 2.0 < high - low < 7.0


def test_one_forecast_to_validate_on_is_measured_beside_those_of_the_training_part():
    table = airline()
    model = Forecaster(**SMALL, horizon=24)
    prepared = model.prepare(table)
    assert prepared.validation == [(0, 90)]
    learnt = prepared.scoring.origins(0, 0, 91)
    assert prepared.measured == [*learnt, (0, 90)]
    assert any("too small a validation part" in note for note in prepared.description.notes)
    model.fit(table, steps=2)
    assert model.intervals_.errors == len(learnt) + 1
    assert (model.intervals_.low < model.intervals_.high).all()
    two = Forecaster(**SMALL, horizon=3).prepare(table)
    assert two.measured is two.validation
    assert not any("validation part" in note for note in two.description.notes)


def airline():
    return builtin_data("airline", "forecast", 0).train


def test_forecasts_one_by_one_are_those_that_are_measured():
    table = airline()
    model = Forecaster(**SMALL, horizon=3).fit(table, steps=3)
    figures = model.evaluate(table)
    assert figures == model.report_["baseline"]["evaluation"]
    held, spread = [], []
    for end in range(115, 142):
        rows, actual = model.predict(table[:end]), table["y"].to_numpy()[end : end + 3]
        held += list((rows["low"] <= actual) & (actual <= rows["high"]))
        spread += list(rows["high"] - rows["low"])
    assert (len(held), np.mean(held)) == (figures["forecasts"], figures["coverage"])
    assert np.mean(spread) == pytest.approx(figures["width"], rel=1e-5)


def test_measured_behind_the_end_of_a_run_they_begin_as_wide_as_it_left_them():
    table = airline()
    model = Forecaster(**SMALL, horizon=3).fit(table[:120], steps=3)
    behind = table[120 - model.schema_.reach :]
    figures, spread = model.evaluate(behind), []
    for end in range(len(behind) - 24, len(behind) - 2):
        rows = model.predict(behind[:end])
        spread += list(rows["high"] - rows["low"])
    assert len(spread) == figures["forecasts"]
    assert np.mean(spread) == pytest.approx(figures["width"], rel=1e-5)


def test_intervals_that_are_drawn_are_those_that_are_forecast():
    table = airline()
    model = Forecaster(**SMALL, horizon=3).fit(table, steps=3)
    windows, dtype = model.prepare(table).scoring, model.parameters_.dtype
    network, output, intervals = model.network_, model._output, model.intervals_
    steps, (centre, low, high) = _forecasts(network, windows, 0, output, intervals, 115, dtype)
    assert steps.tolist() == list(range(27, 144))
    for end in range(114, 144, 3):
        there, rows = (steps >= end) & (steps < end + 3), model.predict(table[:end])
        drawn = np.stack([line[there, 0] for line in (centre, low, high)], axis=1)
        np.testing.assert_allclose(drawn, rows[["forecast", "low", "high"]], rtol=1e-5)
    learnt = [(0, 26)]
    ends = intervals.around(output, forecast_outputs(network, windows, learnt, output, dtype))
    first = [windows.values(windows.batch(learnt).levels(end)).ravel() for end in ends]
    np.testing.assert_allclose([low[:3, 0], high[:3, 0]], first, rtol=1e-5)


def test_followed_step_by_step_they_are_those_of_the_whole_series(tmp_path):
    table = airline()
    model = Forecaster(**SMALL, horizon=3, dtype="float64").fit(table[:120], steps=3)
    whole = model.predict(table)
    model.save(tmp_path / "run")
    for one in (model, noria.load(tmp_path / "run")):
        state = one.start()
        for value in table["y"][120:]:
            rows, state = one.step(value, state)
        np.testing.assert_allclose(
            pandas.DataFrame(rows)[["low", "high"]], whole[["low", "high"]], rtol=1e-12
        )
    widths = model.intervals_.of_series("")
    assert (widths != 1.0).all()
    assert isinstance(state, Followed)
    assert (state.widths != widths).any()
    tail = model.predict(table[90:])  # goes on from what the run has followed
    np.testing.assert_allclose(tail[["low", "high"]], whole[["low", "high"]], rtol=1e-12)


@pytest.mark.parametrize("first", [105, 117, 118, 119])
def test_a_file_that_begins_inside_a_run_goes_on_from_its_widths(first):
    table = airline()
    model = Forecaster(**SMALL, horizon=3, dtype="float64").fit(table[:120], steps=3)
    behind = table[first + 1 - model.schema_.reach :]  # of the origins from the first on the run had 117
    windows = model._predictor.windows(model._read(behind).series, measured=True)
    chosen = windows.origins(0, 0, len(behind))
    assert chosen[0][1] == windows.first_origin
    outputs = forecast_outputs(model.network_, windows, chosen, model._output, np.dtype("float64"))
    scores = model.intervals_.scores(model._output, outputs, windows.batch(chosen).targets)
    widths, _ = widths_of(windows, chosen, scores, model.intervals_)
    alone, _ = widths_of(windows, chosen, scores, replace(model.intervals_, widths={}))
    own = widths == alone  # before the run's widths are known: those of step j at 117 + j, its last values
    for place, step in np.ndindex(3, 3):
        assert own[place, step].all() == (first + place < 117 + step)
    low, high = (
        windows.values(windows.batch(chosen).levels(end))
        for end in model.intervals_.around(model._output, outputs, widths)
    )
    for place in range(119 - first, 141 - first):
        rows = model.predict(behind[: chosen[place][1] + 1])
        drawn = np.stack([low[place, :, 0], high[place, :, 0]], axis=1)
        np.testing.assert_allclose(drawn, rows[["low", "high"]], rtol=1e-10)


def test_however_many_steps_are_new_a_step_is_a_forecast_of_all_of_them(monkeypatch):
    monkeypatch.setattr("noria.models.forecast.following.FOLLOWED_BACK", 20)
    values = noise(9)[:270]
    values[200:] *= 4.0
    model = fitted(values[:200], horizon=2, dtype="float64", test_fraction=0.3)
    other = replace(model._read(values).series[0], name="other")
    assert followed_from(other, model.schema_, model.intervals_)[0] == 269 - 20
    state = model.start()
    for value in values[200:]:
        rows, state = model.step(float(value), state)
    whole = model.predict(values)
    np.testing.assert_allclose(pandas.DataFrame(rows)[["low", "high"]], whole[["low", "high"]], rtol=1e-10)


def test_a_series_that_was_not_trained_on_is_followed_through_what_is_known_of_it():
    model = fitted({"a": noise(1), "b": noise(2)}, horizon=2)
    calm = np.concatenate([noise(6)[:600], 0.2 * noise(7)[:600]])
    early, late = (model.predict({"c": calm[:end]}) for end in (600, 1_200))
    widths = [(rows["high"] - rows["low"]).to_numpy() for rows in (early, late)]
    assert widths[0] == pytest.approx([2.56] * 2, rel=0.25)
    assert widths[1] == pytest.approx([0.2 * 2.56] * 2, rel=0.3)
    assert set(model.intervals_.widths) == {"a", "b"}


def test_a_run_of_an_earlier_version_keeps_what_it_measured(tmp_path):
    model = Forecaster(**SMALL, horizon=3).fit(airline(), steps=3)
    memory = model.schema_.memory[""]
    end = memory.end.tail(model.schema_.reach, model.schema_.frequency, model.schema_.lags)
    model.schema_ = replace(model.schema_, memory={"": replace(memory, end=end)})
    model.save(tmp_path / "run")
    report = tmp_path / "run" / "report.json"
    written = json.loads(report.read_text())
    del written["baseline"]["intervals"]["widths"]
    report.write_text(json.dumps(written))
    earlier = noria.load(tmp_path / "run")
    rows = earlier.predict()
    np.testing.assert_allclose(rows["forecast"], model.predict()["forecast"], rtol=1e-6)
    assert (earlier.intervals_.of_series("") == 1.0).all()
    assert earlier.evaluate(airline()) == model.evaluate(airline())
