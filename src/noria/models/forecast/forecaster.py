"""A forecaster: it learns from series what comes next, and says how sure it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, ClassVar

import numpy as np

from noria.arrays import Array
from noria.data.series import Series, SeriesSet
from noria.data.series_reading import SeriesData
from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import DataError, RunError
from noria.layers import Layer
from noria.models.description import Description
from noria.models.explaining import Subject, chosen_row
from noria.models.forecast.continuing import (
    check_columns,
    check_reach,
    checked_steps,
    first_new_step,
    measured_origins,
)
from noria.models.forecast.evaluation import best_rule, evaluation
from noria.models.forecast.explaining import subject_of
from noria.models.forecast.following import Followed, followed_from, followed_to_end
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.network import Members, build_network
from noria.models.forecast.options import ForecastOptions
from noria.models.forecast.outputs import Output, output_of
from noria.models.forecast.picture import draw
from noria.models.forecast.preparing import (
    PreparedSeries,
    described,
    laid_out,
    measured_of,
    parts_of,
    read,
    windows_of,
)
from noria.models.forecast.rolling import forecast_outputs
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.statistical import statistical_forecasts
from noria.models.forecast.tables import forecast_rows, forecast_table, plain_row
from noria.models.forecast.task import ForecastTask
from noria.models.forecast.views import view_of
from noria.models.forecast.windows import Example, Windows, beside_size, input_size
from noria.models.model import Metric, Model
from noria.models.prepared import refuse_answers
from noria.models.saving import Fitted
from noria.models.wiring import chosen_cells, describe_model
from noria.training.option import did_you_mean
from noria.training.run_folder import RunFolder
from noria.training.training_options import Budget

EPOCHS, MOST_STEPS = 50, 3000


@dataclass(kw_only=True, repr=False, eq=False)
class Forecaster(Model, ForecastOptions):
    """Forecasts series from what came before.

    values -> logarithm, differences, scale -> window -> recurrent layers -> linear -> undone again

    What it learns is how far a series goes away from where its differences alone would lead: with differences
    of 1 and 12 from y[t-1] + y[t-12] - y[t-13]. It has learnt something only if it beats that rule, and so
    every figure stands beside those of the rules.

    All parameters are options; ``noria.training.options_of(Forecaster)`` lists them with meaning, range and
    reason.

    Attributes
    ----------
    schema_ : ForecastSchema
    intervals_ : Intervals
        How wide intervals are: measured on the validation part, and followed since.
    network_ : Members
    parameters_ : FlatParameters
    description_ : Description or None
    report_ : dict
        What training came to. ``report_["baseline"]["evaluation"]`` holds the errors of each step ahead on
        the test part, beside those of every rule.

    Examples
    --------
    >>> model = Forecaster(horizon=12).fit("passengers.csv")  # doctest: +SKIP
    >>> model.predict()  # doctest: +SKIP

    References
    ----------
    Direct and recursive strategies: Ben Taieb et al. 2012. One model for many series: Salinas et al. 2020.
    """

    task: ClassVar[str] = "forecast"
    metric: ClassVar[Metric] = Metric("RMSE", "rmse", ".4g")
    schema_class: ClassVar[type[ForecastSchema]] = ForecastSchema
    default_data: ClassVar[str] = "airline"

    def prepare(self, data: SeriesData, y: None = None, *, resuming: bool = False) -> PreparedSeries:
        """Read series and cut them in time; ``fit`` takes the result in place of the data.

        The last part of each is tested on, and the part before it chooses the weights.

        Parameters
        ----------
        data : path, data frame, array, list of arrays, mapping, BuiltinParts
            As :func:`noria.data.series_reading.read_series` takes it.
        y : None
            There for scikit-learn's sake: series are their own answers.
        resuming : bool, default False
            Nothing is read in addition.
        """
        self.validate()
        refuse_answers(self, y)
        found = read(data, self)
        schema, cuts, notes = laid_out(found, self)
        learning, scoring = windows_of(found, schema, self)
        train, validation, test = parts_of(learning, scoring, cuts)
        if not train:
            raise DataError(f"{found.source}: expected windows to train on, got only gaps.")
        batch_size = min(self.batch_size, len(train))
        network = self._network(chosen_cells(self), schema)
        measured = measured_of(scoring, cuts, validation)
        if len(measured) > len(validation):
            few = "too small a" if validation else "no"
            notes.append(f"{few} validation part: intervals come from the training part, too narrow at first")
        description = Description(
            described(found, schema, cuts, self.horizon),
            describe_model(network, self),
            batch_size,
            -(-len(train) // batch_size),
            (*found.notes, *notes),
        )
        return PreparedSeries(
            schema=schema,
            description=description,
            batch_size=batch_size,
            series=found,
            cuts=cuts,
            learning=learning,
            scoring=scoring,
            train=train,
            validation=validation,
            test=test,
            measured=measured,
        )

    def predict(self, data: SeriesData | None = None, steps: int | None = None) -> Any:
        """Forecast what comes behind the end of series.

        Parameters
        ----------
        data : path, data frame, array, ..., optional
            Series to go on from, with the columns of the training data; rows without a target tell what is
            known of the time to come. Left out: those that were trained on.
        steps : int, optional
            Steps ahead, at most the horizon; by default as many.

        Returns
        -------
        pandas.DataFrame
            A row for each series, step and channel: name and time as in the data, ``step``, ``forecast``, and
            the ends of the interval, ``low`` and ``high``.

        Raises
        ------
        DataError
            If a series is too short to look back on, or a covariate of the time to come is missing.
        """
        return forecast_table(self.forecasts(data, steps))

    def forecasts(self, data: SeriesData | None = None, steps: int | None = None) -> Iterator[dict[str, Any]]:
        """Give the rows of :meth:`predict` one by one."""
        self._need_fit("forecast")
        steps = checked_steps(steps, self.horizon)
        series = [memory.end for memory in self.schema_.memory.values()]
        if data is not None:
            series = list(self._read(data).series)
        for one in series:
            yield from self._continued(one, steps)

    def predict_rows(self, source: Any) -> Iterator[dict[str, Any]]:
        """Forecast the series of a file in their order; of none, those that were trained on."""
        for row in self.forecasts(source):
            yield plain_row(row)

    def evaluate(self, data: SeriesData) -> dict[str, Any]:
        """Measure forecasts from every origin in series (rolling origin).

        Of a series that was trained on, only what comes behind its training and validation part is forecast,
        if there is any; if there is none in any series, all is, and the figures say so (``warning``).

        Returns
        -------
        dict
            See :func:`noria.models.forecast.evaluation.evaluation`.
        """
        self._need_fit("evaluate")
        found = self._read(data)
        windows = self._windows(found.series, measured=True)
        examples, warning = measured_origins(found, windows)
        figures, _ = self._measured(self._fitted, windows, examples)
        warnings = [said for said in (warning, figures.get("warning", "")) if said]
        return figures | ({"warning": "; ".join(warnings)} if warnings else {})

    def draw(self, data: SeriesData, path: str | PathLike[str]) -> None:
        """Draw actual against predicted values, forecasts laid end to end, with shaded intervals.

        Parameters
        ----------
        data : path, data frame, array, ...
            As for :meth:`evaluate`.
        path : path
            Of the picture, ``.png`` or ``.svg``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        """
        self._need_fit("draw")
        found = self._read(data)
        tests = [first_new_step(series, self.schema_) for series in found.series]
        self._draw(path, self._windows(found.series, measured=True), tests)

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        known = [memory.end for memory in self.schema_.memory.values()]
        found = known if data is None else list(self._read(data).series)
        one: Series = chosen_row(found, row, "the series")
        windows, schema = self._windows([one]), self.schema_
        origin = len(one) - 1
        check_reach(one, windows)
        times = schema.frequency.times(one.start, len(one) + self.horizon)
        named = [str(plain_row({"time": time})["time"]) for time in times]
        rows = [plain_row(forecast) for forecast in self._continued(one, self.horizon)]
        seen, to_come = named[len(one) - schema.lookback : len(one)], named[len(one) :]
        return subject_of(windows, (0, origin), self._output, seen, to_come, rows)

    def start(self, series: str = "") -> Followed:
        """Give the end of a series that was trained on, to go on from with :meth:`step`.

        Parameters
        ----------
        series : str, default ""
            Its name; where there is one series it has none.
        """
        self._need_fit("go on")
        memory = self.schema_.memory
        if series not in memory:
            raise DataError(f"Forecaster: there is no series {series!r}.{did_you_mean(series, list(memory))}")
        return Followed(memory[series].end, self.intervals_.of_series(series))

    def step(
        self,
        values: float | Sequence[float],
        state: Followed,
        *,
        known: Sequence[Sequence[float]] = (),
        past: Sequence[float] = (),
    ) -> tuple[list[dict[str, Any]], Followed]:
        """Take one more step of a series, and forecast from there: what :meth:`predict` gives of all so far.

        Parameters
        ----------
        values : float or sequence of C floats
            What was observed; NaN where nothing was.
        state : Followed
            What :meth:`start` or the step before gave. It stays as it is.
        known : array of shape (n, K)
            What has become known of further steps to come.
        past : sequence of P floats
            Covariates of this step.

        Returns
        -------
        rows : list of dict
            Those of :meth:`predict`.
        state : Followed
        """
        self._need_fit("go on")
        schema, horizon = self.schema_, self.horizon
        further = state.series.advanced(
            values, known, past, schema.frequency, schema.reach + horizon, schema.lags
        )
        rows, widths = self._followed(further, horizon, len(further) - 1 - horizon, state.widths)
        return list(rows), Followed(further, widths)

    def score(self, data: SeriesData, y: None = None) -> float:
        """Minus the RMSE in the unit of the series: higher is better, as scikit-learn wants it."""
        return -float(self.evaluate(data)["rmse"])

    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say errors, and how many values the intervals held."""
        said = f"RMSE {figures['rmse']:.4g}, MAE {figures['mae']:.4g}"
        if figures.get("mase") is not None:
            said += f", MASE {figures['mase']:.3g}"
        if np.isfinite(figures.get("coverage") or np.nan):
            said += f", {100 * self.level:g} % intervals hold {100 * figures['coverage']:.1f} %"
        return said

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write a forecast for a reader."""
        numbers = {name: f"{row[name]:.6g}" for name in ("forecast", "low", "high") if row[name] is not None}
        cells = [str(value) for name, value in row.items() if name not in ("step", *numbers)]
        interval = f"  ({numbers['low']} to {numbers['high']})" if "low" in numbers else ""
        return "  ".join([*cells, numbers["forecast"]]) + interval

    def next_steps(self, run: str) -> Sequence[str]:
        """Give the commands that go on from a run."""
        return (f"noria predict {run}", f"noria evaluate {run} FILE", f"noria info {run}")

    def _network(self, cells: Sequence[Cell], schema: ForecastSchema) -> Members:
        return build_network(
            self,
            cells,
            inputs=input_size(schema),
            beside=beside_size(schema, self.strategy, self.horizon),
            channels=len(schema.channels),
            outputs=self._output.count,
        )

    def _trained(self, fitted: Fitted, prepared: PreparedSeries) -> ForecastTask:
        return ForecastTask(
            _members(fitted.network),
            fitted.parameters,
            prepared.learning,
            prepared.scoring,
            prepared.train,
            prepared.validation,
            prepared.test,
            self._output,
            batch_size=prepared.batch_size,
            seed=self.seed,
        )

    def _budget(self, budget: Budget, prepared: PreparedSeries) -> Budget:
        if budget.to_toml_dict():
            return budget
        updates = -(-EPOCHS * prepared.description.steps_per_epoch // self.accumulate)
        return Budget(steps=min(updates, MOST_STEPS))

    def _finish(self, prepared: PreparedSeries, run: RunFolder) -> None:
        if self.picture != "none":
            tests = [cut.chosen for cut in prepared.cuts]
            self._draw(run.path / f"forecast.{self.picture}", prepared.scoring, tests)

    def _baseline(
        self, fitted: Fitted, prepared: PreparedSeries, test: Mapping[str, float]
    ) -> dict[str, Any]:
        """Measure intervals on the validation part, and everything on the test part, rules included."""
        self.intervals_ = self._intervals(fitted, prepared)
        measured = {"intervals": self.intervals_.to_dict()}
        if not prepared.test:
            return measured
        others = {}
        if self.statistical:
            fitted_to = [cut.chosen for cut in prepared.cuts]
            others = statistical_forecasts(prepared.scoring, prepared.test, fitted_to)
        figures, widths = self._measured(fitted, prepared.scoring, prepared.test, others)
        self.intervals_ = replace(self.intervals_, widths=widths)
        measured = {"intervals": self.intervals_.to_dict()}
        best = best_rule(figures["baselines"])
        rule = figures["baselines"][best]
        return {"name": best, **rule, "beaten": figures["skill"] > 0, "evaluation": figures, **measured}

    def _intervals(self, fitted: Fitted, prepared: PreparedSeries) -> Intervals:
        windows, examples = prepared.scoring, prepared.measured
        outputs = forecast_outputs(
            _members(fitted.network), windows, examples, self._output, fitted.parameters.dtype
        )
        return Intervals.measured(self._output, outputs, windows.batch(examples).targets, self.level)

    def _measured(
        self,
        fitted: Fitted,
        windows: Windows,
        examples: Sequence[Example],
        others: Mapping[str, Array] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Array]]:
        network, dtype = _members(fitted.network), fitted.parameters.dtype
        with use_threads(self.threads):
            return evaluation(network, windows, examples, self._output, self.intervals_, dtype, others)

    def _continued(self, series: Series, steps: int) -> Iterator[dict[str, Any]]:
        rows, _ = self._followed(series, steps, *followed_from(series, self.schema_, self.intervals_))
        yield from rows

    def _followed(
        self, series: Series, steps: int, first: int, widths: Array
    ) -> tuple[Iterator[dict[str, Any]], Array]:
        """Forecast behind the end of a series that is followed from an origin with these widths."""
        windows, output, intervals = self._windows([series]), self._output, self.intervals_
        check_reach(series, windows)
        with use_threads(self.threads):
            outputs, widths, settled = followed_to_end(
                _members(self.network_), windows, output, intervals, self.parameters_.dtype, first, widths
            )
        levels = windows.batch([(0, len(series) - 1)]).levels
        ends = intervals.around(output, outputs, widths)
        found = [windows.values(levels(one))[0, :steps] for one in (output.centre(outputs), *ends)]
        return forecast_rows(series, self.schema_, *found), settled

    def _windows(self, series: Sequence[Series], *, measured: bool = False) -> Windows:
        schema, horizon = self.schema_, self.horizon
        views = [view_of(one, schema, horizon, measured=measured) for one in series]
        return Windows(views, schema, horizon)

    def _draw(self, path: str | PathLike[str], windows: Windows, tests: Sequence[int]) -> None:
        network, dtype = _members(self.network_), self.parameters_.dtype
        title = f"{self.horizon} step{'s' * (self.horizon > 1)} ahead, {100 * self.level:g} % intervals"
        draw(path, network, windows, self._output, self.intervals_, tests, dtype, title)

    def _read(self, data: SeriesData) -> SeriesSet:
        """Read series, which must have the columns and the step of those that were trained on."""
        found = read(data, self)
        check_columns(found, self.schema_)
        return found

    def _weights_differences(self, schema: ForecastSchema, prepared: PreparedSeries) -> list[str]:
        there, here = schema.wiring(), prepared.schema.wiring()
        return [
            f"{name}: {there[name]!r} in the run, {here[name]!r} here"
            for name in there
            if there[name] != here[name]
        ]

    @property
    def _output(self) -> Output:
        return output_of(self)

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.schema_: ForecastSchema = fitted.schema
        written = (report.get("baseline") or {}).get("intervals")
        if written is None:
            channels = len(self.schema_.channels)
            self.intervals_ = Intervals.unmeasured(self._output, self.horizon, channels, self.level)
        else:
            try:
                self.intervals_ = Intervals.from_dict(written)
            except (KeyError, TypeError, ValueError) as error:
                raise RunError(f"report.json: the intervals are damaged: {error}.") from None


def _members(network: Layer) -> Members:
    assert isinstance(network, Members)  # what build_network gives
    return network
