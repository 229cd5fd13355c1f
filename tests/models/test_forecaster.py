"""A forecaster from a file to its forecasts: fitted, saved, gone on with, measured."""

import io
import json
from dataclasses import replace

import numpy as np
import pandas
import pytest

import noria
from noria.data.builtin_tasks import builtin_data
from noria.errors import DataError, NotFittedError, OptionError, RunError
from noria.models.forecast.continuing import first_new_step
from noria.models.forecast.forecaster import Forecaster
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.metrics import coverage, errors_of, naive_error, scaled_error
from noria.models.forecast.outputs import Gaussian, Point, Quantiles
from noria.training.training_options import Budget

SMALL = {"cell": "rnn", "hidden_size": 4, "members": 2, "engine": "reference"}  # nothing to compile


def airline():
    return builtin_data("airline", "forecast", 0)


def small(steps=12, data=None, **options):
    return Forecaster(**SMALL | options).fit(airline() if data is None else data, steps=steps)


@pytest.fixture(scope="module")
def fitted():
    return small(horizon=3)


def test_the_rules_stand_beside_and_are_those_of_the_literature(fitted):
    one = small(steps=1).report_["baseline"]["evaluation"]["baselines"]
    assert {name: round(rule["rmse"], 2) for name, rule in one.items()} == {
        "persistence": 52.49,
        "drift": 52.87,
        "seasonal naive": 46.08,
        "y[t-1] + y[t-12] - y[t-13]": 18.56,
    }
    figures = fitted.report_["baseline"]["evaluation"]
    assert list(figures["horizons"]) == ["1", "2", "3"]
    y = airline().train["y"].to_numpy()
    steps = np.arange(115, 144)
    drift = [y[t - 3] + 3 * (y[t - 3] - y[0]) / (t - 3) - y[t] for t in steps[2:]]
    assert figures["horizons"]["3"]["drift"] == pytest.approx(np.sqrt(np.mean(np.square(drift))))
    late = [y[t - 12] - y[t] for t in steps[1:-1]]
    assert figures["horizons"]["2"]["seasonal naive"] == pytest.approx(np.sqrt(np.mean(np.square(late))))
    one_ahead, unit = one["seasonal naive"]["mae"], np.abs(y[12:101] - y[:89]).mean()
    assert one["seasonal naive"]["mase"] == pytest.approx(one_ahead / unit)


def test_a_forecast_is_a_row_for_each_step(fitted):
    rows = fitted.predict()
    assert list(rows.columns) == ["ds", "step", "forecast", "low", "high"]
    assert [str(day)[:10] for day in rows["ds"]] == ["1961-01-01", "1961-02-01", "1961-03-01"]
    assert (rows["low"] < rows["high"]).all()
    assert rows["forecast"].between(300, 600).all()
    pandas.testing.assert_frame_equal(fitted.predict(airline()), rows)
    assert len(fitted.predict(steps=2)) == 2
    plain = list(fitted.predict_rows(None))
    assert plain[0]["ds"] == "1961-01-01"
    assert json.loads(json.dumps(plain)) == plain
    assert fitted.shown(plain[0]).startswith("1961-01-01  4")
    written = io.StringIO(airline().train.to_csv(index=False))
    assert [row["ds"] for row in fitted.predict_rows(written)] == [row["ds"] for row in plain]
    with pytest.raises(DataError, match="expected 1 to 3 steps"):
        fitted.predict(steps=4)


def test_a_step_is_a_forecast_of_all_so_far(fitted):
    table = airline().train
    model = small(horizon=3, data=table[:142])
    state = model.start()
    for value in table["y"][142:]:
        rows, state = model.step(value, state)
    whole = model.predict(table)
    np.testing.assert_allclose([row["forecast"] for row in rows], whole["forecast"], rtol=1e-6)
    assert [row["ds"] for row in rows] == list(whole["ds"].to_numpy("datetime64[s]"))
    rows, _ = fitted.step(np.nan, fitted.start())
    assert str(rows[0]["ds"])[:7] == "1961-02"
    with pytest.raises(DataError, match="there is no series 'x'"):
        fitted.start("x")


def test_a_memory_that_begins_in_a_gap_forecasts_as_the_whole_series(tmp_path):
    y = np.random.default_rng(6).normal(size=90).cumsum()
    data = pandas.DataFrame({"ds": np.arange(90), "y": y, "past": np.cos(y)})
    data.loc[80:84, ["y", "past"]] = np.nan
    for difference in ("none", "first"):
        options = {"lookback": 8, "difference": difference, "past_covariates": "past", "dtype": "float64"}
        model = small(steps=2, data=data, members=1, **options)
        said = model.predict(data)
        pandas.testing.assert_frame_equal(model.predict(), said, rtol=1e-12)
        model.save(tmp_path / difference)
        pandas.testing.assert_frame_equal(noria.load(tmp_path / difference).predict(), said, rtol=1e-12)
        rows, state = model.step(1.5, model.start(), past=[np.nan])
        rows, _ = model.step(1.0, state, past=[np.nan])
        more = pandas.DataFrame({"ds": [90, 91], "y": [1.5, 1.0], "past": np.nan})
        again = model.predict(pandas.concat([data, more]))
        assert rows[0]["forecast"] == pytest.approx(again["forecast"][0], rel=1e-12)


def test_figures_of_steps_that_were_learnt_from_say_so(fitted):
    whole = small(steps=1, test_fraction=0, horizon=2)
    said = "measured on steps that the model may have learnt from"
    assert said in whole.evaluate(airline())["warning"]
    assert said not in fitted.evaluate(airline()).get("warning", "")
    table = airline().train
    assert said in fitted.evaluate(table[:110])["warning"]
    later = table.assign(ds=table["ds"] + pandas.DateOffset(years=30))
    assert said not in fitted.evaluate(later).get("warning", "")
    assert first_new_step(fitted._read(table[:110]).series[0], fitted.schema_) == 110


def test_a_series_that_was_not_trained_on_is_not_measured_by_its_own_end():
    t = np.arange(80.0)
    model = small(steps=1, data={"a": np.sin(t), "b": np.cos(t)}, lookback=4, difference="first")
    changed = np.where(t < 60, np.sin(t / 2), 1000 * np.sin(t))
    first, second = (model.evaluate({"c": y[:61]}) for y in (changed, np.append(changed[:60], 9e9)))
    assert first["forecasts"] == second["forecasts"]
    unit = np.abs(np.diff(changed[:5])).mean()
    for figures in (first, second):
        assert figures["mae"] / figures["mase"] == pytest.approx(unit)


def test_the_default_budget_is_fifty_epochs_of_updates():
    for accumulate in (1, 4):
        model = Forecaster(**SMALL, accumulate=accumulate, batch_size=16)
        prepared = model.prepare(airline())
        assert model._budget(Budget(), prepared).steps == -(
            -50 * prepared.description.steps_per_epoch // accumulate
        )


def test_saved_and_loaded_it_says_the_same(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    again = noria.load(tmp_path / "run")
    pandas.testing.assert_frame_equal(again.predict(), fitted.predict())
    measured, before = again.evaluate(airline()), fitted.evaluate(airline())
    assert measured == before
    assert measured["rmse"] == pytest.approx(fitted.report_["test"]["rmse"])
    assert again.score(airline()) == -measured["rmse"]
    schema = tmp_path / "run" / "schema.json"
    schema.write_text(schema.read_text().replace('"lookback"', '"look"'))
    with pytest.raises(RunError):
        noria.load(tmp_path / "run")


def test_cut_off_and_gone_on_with_it_ends_in_the_same_bytes(tmp_path):
    table = airline().train
    whole = Forecaster(**SMALL).fit(table, steps=14, out=tmp_path / "whole")
    Forecaster(**SMALL, stop_after=6).fit(table, steps=14, out=tmp_path / "cut")
    resumed = Forecaster.resume(tmp_path / "cut", table)
    np.testing.assert_array_equal(resumed.parameters_.values, whole.parameters_.values)
    assert resumed.report_["baseline"] == whole.report_["baseline"]
    table.loc[140, "y"] += 1
    Forecaster(**SMALL, stop_after=6).fit(table, steps=14, out=tmp_path / "other")
    with pytest.raises(RunError, match="data"):
        Forecaster.resume(tmp_path / "other", airline().train)


def test_a_run_that_keeps_less_of_the_ends_of_its_series_is_gone_on_with(tmp_path):
    table = airline().train
    whole = small(steps=8, data=table)
    cut = small(steps=8, data=table, stop_after=3)
    memory = cut.schema_.memory[""]
    end = memory.end.tail(cut.schema_.reach, cut.schema_.frequency, cut.schema_.lags)
    assert len(end) < len(memory.end)
    earlier = replace(cut.schema_, memory={"": replace(memory, end=end)})
    assert earlier.differences(cut.schema_) == []
    later = replace(memory, until=memory.until + np.timedelta64(1, "D"))
    assert len(earlier.differences(replace(cut.schema_, memory={"": later}))) == 1
    assert earlier.differences(replace(cut.schema_, memory={"other": memory}))
    Forecaster(**SMALL, stop_after=3).fit(table, steps=8, out=tmp_path / "run")
    schema, about = tmp_path / "run" / "schema.json", tmp_path / "run" / "config.toml"
    text = about.read_text().replace(cut.schema_.fingerprint(), earlier.fingerprint())
    assert earlier.fingerprint() in text
    about.write_text(text)
    schema.write_text(json.dumps(earlier.to_dict()))
    resumed = Forecaster.resume(tmp_path / "run", table)
    np.testing.assert_array_equal(resumed.parameters_.values, whole.parameters_.values)
    pandas.testing.assert_frame_equal(noria.load(tmp_path / "run").predict(), whole.predict())


def test_weights_serve_other_series_that_are_shown_in_the_same_way(fitted, tmp_path):
    fitted.save(tmp_path / "run")
    twice = airline().train.assign(y=lambda table: 2 * table.y)
    assert (
        Forecaster(**SMALL, horizon=3).fit(twice, steps=1, init_from=tmp_path / "run").schema_.lookback == 25
    )
    with pytest.raises(RunError, match="lookback: 25 in the run, 20 here"):
        Forecaster(**SMALL, horizon=3, lookback=20).fit(twice, steps=1, init_from=tmp_path / "run")


def test_several_series_with_gaps_and_covariates(tmp_path):
    rng = np.random.default_rng(2)
    days = pandas.date_range("2022-01-01", periods=130, freq="D")
    parts = []
    for name, level in (("a", 10.0), ("b", 1000.0)):
        holiday = (rng.random(130) < 0.2).astype(float)
        y = level * (1 + 0.1 * np.sin(np.arange(130) * 2 * np.pi / 7) + 0.2 * holiday)
        frame = {"unique_id": name, "ds": days, "y": y, "holiday": holiday, "noise": rng.random(130)}
        parts.append(pandas.DataFrame(frame))
    table = pandas.concat(parts).drop(index=[40, 41]).sample(frac=1, random_state=0)
    path = tmp_path / "long.csv"
    table.to_csv(path, index=False)
    model = Forecaster(**SMALL, horizon=2, known_covariates="holiday").fit(path, steps=3)
    summary = model.description_.data.summary()
    assert "2 series" in summary
    assert "daily, season 7" in summary
    assert model.schema_.past == ("noise",)
    assert sum(memory.end.gaps for memory in model.schema_.memory.values()) == 0
    assert model.description_.data.gaps == 4
    with pytest.raises(DataError, match=r"series '[ab]': expected holiday of 2 steps to come, got 0"):
        model.predict()
    future = pandas.DataFrame(
        {"unique_id": ["a", "a", "b", "b"], "ds": ["2022-05-11", "2022-05-12"] * 2, "holiday": [0.0, 1, 1, 0]}
    ).assign(ds=lambda frame: pandas.to_datetime(frame["ds"]))
    rows = model.predict(pandas.concat([table.sort_values(["unique_id", "ds"]), future]))
    assert list(rows["unique_id"]) == ["a", "a", "b", "b"]
    assert rows["forecast"][:2].between(5, 20).all()
    assert rows["forecast"][2:].between(500, 2000).all()


def test_channels_are_forecast_together():
    rng = np.random.default_rng(0)
    walk = rng.normal(size=(80, 2)).cumsum(axis=0)
    frame = pandas.DataFrame({"ds": np.arange(80), "p": walk[:, 0], "q": walk[:, 1]})
    for strategy in ("direct", "recursive", "seq2seq"):
        model = small(steps=2, data=frame, multivariate=True, horizon=2, strategy=strategy, lookback=4)
        rows = model.predict()
        assert list(rows["channel"]) == ["p", "q"] * 2
        assert list(rows["ds"]) == [80, 80, 81, 81]


@pytest.mark.parametrize(
    ("data", "options", "expected"),
    [
        (np.arange(30.0), {"lookback": 40}, r"at least 41 steps to train on in the series \(lookback 40 \+ "),
        (
            {"a": np.arange(90.0), "b": np.arange(9.0)},
            {"horizon": 7},
            r"in series 'b' \(lookback \d+ \+ horizon 7",
        ),
        (np.full(60, np.nan), {}, "expected values in series"),
        (np.arange(-5.0, 60), {"log": "on"}, "expected positive values"),
    ],
)
def test_series_that_cannot_be_learnt_are_refused(data, options, expected):
    with pytest.raises(DataError, match=expected):
        Forecaster(**SMALL | options).fit(data, steps=1)


def test_other_refusals(fitted):
    with pytest.raises(NotFittedError):
        Forecaster().predict()
    with pytest.raises(OptionError, match="'seq2seq' for several steps"):
        Forecaster(strategy="seq2seq").fit(airline(), steps=1)
    days = pandas.date_range("2020-01-01", periods=60, freq="D")
    with pytest.raises(DataError, match="expected the step monthly of the run, got daily"):
        fitted.predict(pandas.DataFrame({"ds": days, "y": np.ones(60)}))
    with pytest.raises(DataError, match="at least 38 steps to look back on"):
        fitted.predict(airline().train[:20])
    with pytest.raises(DataError, match="expected series of at least 41 steps"):
        fitted.evaluate(airline().train[:30])


def test_no_skill_is_said():
    walk = np.random.default_rng(1).normal(size=300).cumsum()
    figures = small(steps=2, data=walk, lr=1.0, warmup=0).report_["baseline"]["evaluation"]
    best = min(figures["baselines"].values(), key=lambda rule: rule["rmse"])
    assert figures["skill"] == pytest.approx(1 - figures["rmse"] / best["rmse"])
    assert figures["skill"] < 0
    assert figures["warning"].startswith("no skill: ")


def test_a_picture_is_drawn(tmp_path):
    Forecaster(**SMALL, picture="svg", horizon=2).fit(airline(), steps=2, out=tmp_path / "run")
    assert (tmp_path / "run" / "forecast.svg").read_text().count("<path") > 20
    noria.load(tmp_path / "run").draw(airline(), tmp_path / "again.png")
    assert (tmp_path / "again.png").stat().st_size > 10_000


def test_options_are_those_of_scikit_learn():
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV

    model = Forecaster(**SMALL, horizon=2)
    assert clone(model).get_params() == model.get_params()
    search = GridSearchCV(Forecaster(**SMALL, lookback=3), {"hidden_size": [2, 3]}, cv=2)
    series = [np.sin(np.arange(40) / (3 + k)) for k in range(4)]
    search.fit(series, steps=1)
    assert search.best_params_["hidden_size"] in (2, 3)


def test_intervals_hold_what_they_promise():
    rng = np.random.default_rng(0)
    targets = rng.standard_t(4, size=(4000, 2, 1)) * np.array([1.0, 3.0])[:, None]
    targets[5, 1, 0] = np.nan
    for output, outputs in (
        (Point(), np.zeros((4000, 2, 1, 1))),
        (Quantiles(0.8), np.broadcast_to([-0.5, 0.0, 0.7], (4000, 2, 1, 3))),
        (Gaussian(), np.zeros((4000, 2, 1, 2))),
    ):
        intervals = Intervals.measured(output, outputs[:2000], targets[:2000], 0.8)
        low, high = intervals.around(output, outputs[2000:])
        assert coverage(targets[2000:], low, high) == pytest.approx(0.8, abs=0.02)
        assert (intervals.high[1] > 2 * intervals.high[0]).all()
        assert Intervals.from_dict(json.loads(json.dumps(intervals.to_dict()))).high.tolist() == (
            intervals.high.tolist()
        )
    few = Intervals.measured(Point(), np.zeros((3, 1, 1, 1)), np.array([-1.0, 0, 2]).reshape(3, 1, 1), 0.8)
    assert (few.low.item(), few.high.item()) == (-1, 2)
    believed = Intervals.unmeasured(Gaussian(), 1, 1, 0.8)
    assert believed.high.item() == pytest.approx(1.2815515)


def test_metrics_by_hand():
    actual = np.array([1.0, 2, np.nan, 4]).reshape(4, 1, 1)
    predicted = np.array([2.0, 2, 5, 1]).reshape(4, 1, 1)
    found = errors_of(actual, predicted)
    assert found["rmse"] == pytest.approx(np.sqrt(10 / 3))
    assert found["mae"] == pytest.approx(4 / 3)
    assert found["smape"] == pytest.approx(100 * (2 / 3 + 0 + 6 / 5) / 3)
    assert scaled_error(actual, predicted, np.full((4, 1, 1), 2.0)) == pytest.approx(2 / 3)
    assert naive_error(np.array([[1.0], [3], [np.nan], [7], [8]]), 1).item() == pytest.approx(1.5)
    assert naive_error(np.ones((5, 1)), 1).item() == 1


def test_members_together():
    two = np.array([[[1.0, np.log(4)], [3.0, np.log(2)]]])  # one window, two members: mean, log variance
    mean, log_variance = Gaussian().combined(two[:, :, None, None])[0, 0, 0]
    assert mean == 2
    assert np.exp(log_variance) == pytest.approx((4 + 1 + 2 + 9) / 2 - 4)


def test_the_window_covers_the_season_or_is_shown_it():
    assert Forecaster(**SMALL).prepare(airline()).schema.season_lag == 0
    schema = Forecaster(**SMALL, lookback=6).prepare(airline()).schema
    assert (schema.season_lag, schema.warm_up, schema.reach) == (12, 24, 30)
    assert Forecaster(**SMALL, lookback=6, season_lag=False).prepare(airline()).schema.season_lag == 0


def test_statistical_models_are_fitted_to_all_before_the_test_part(monkeypatch):
    seen = []

    def forecasts(windows, examples, fitted_to):
        seen.extend(fitted_to)
        return {}

    monkeypatch.setattr("noria.models.forecast.forecaster.statistical_forecasts", forecasts)
    model = small(steps=1, statistical=True)
    (cut,) = model.prepare(airline()).cuts
    assert seen == [cut.chosen]
    assert cut.learnt < cut.chosen < cut.end


def test_statistical_models_stand_beside():
    pytest.importorskip("statsmodels")
    table = airline().train[-72:]
    model = Forecaster(**SMALL, statistical=True, horizon=2, season=1, log="on", difference="first")
    steps = model.fit(table, steps=1).report_["baseline"]["evaluation"]["horizons"]
    for name in ("ETS", "ARIMA"):
        assert steps["1"][name] < 1.1 * steps["1"]["persistence"]
        assert steps["1"][name] < steps["2"][name]
