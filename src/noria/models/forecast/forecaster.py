"""A forecaster: it learns from series what comes next, and says how sure it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any, ClassVar

from noria.data.series import Series, SeriesSet
from noria.data.series_reading import SeriesData
from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import DataError
from noria.layers import Layer
from noria.models.description import Description
from noria.models.explaining import Subject, chosen_row
from noria.models.forecast.continuing import check_columns, checked_steps, first_new_step, measured_origins
from noria.models.forecast.evaluation import best_rule, headline
from noria.models.forecast.explaining import subject_of
from noria.models.forecast.following import Followed
from noria.models.forecast.intervals import Intervals, stored_intervals
from noria.models.forecast.network import Members, build_network
from noria.models.forecast.options import ForecastOptions
from noria.models.forecast.outputs import Output, output_of
from noria.models.forecast.predicting import Predictor
from noria.models.forecast.preparing import PreparedSeries, prepare, read
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.statistical import statistical_forecasts
from noria.models.forecast.tables import forecast_table, in_words, plain_row
from noria.models.forecast.task import ForecastTask
from noria.models.model import Metric, Model
from noria.models.prepared import refuse_answers
from noria.models.saving import Fitted
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
        return prepare(data, self)

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
            with use_threads(self.threads):
                rows = self._predictor.behind(one, steps)
            yield from rows

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
        windows = self._predictor.windows(found.series, measured=True)
        examples, warning = measured_origins(found, windows)
        with use_threads(self.threads):
            figures, _ = self._predictor.evaluation(windows, examples)
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
        self._predictor.draw(path, self._predictor.windows(found.series, measured=True), tests)

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        known = [memory.end for memory in self.schema_.memory.values()]
        found = known if data is None else list(self._read(data).series)
        one: Series = chosen_row(found, row, "the series")
        with use_threads(self.threads):
            return subject_of(self._predictor, one)

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
        origin = len(further) - 1 - horizon
        with use_threads(self.threads):
            rows, widths = self._predictor.followed(further, horizon, origin, state.widths)
        return list(rows), Followed(further, widths)

    def score(self, data: SeriesData, y: None = None) -> float:
        """Minus the RMSE in the unit of the series: higher is better, as scikit-learn wants it."""
        return -float(self.evaluate(data)["rmse"])

    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say errors, and how many values the intervals held."""
        return headline(figures, self.level)

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write a forecast for a reader."""
        return in_words(row)

    def next_steps(self, run: str) -> Sequence[str]:
        """Give the commands that go on from a run."""
        return (f"noria predict {run}", f"noria evaluate {run} FILE", f"noria info {run}")

    def _network(self, cells: Sequence[Cell], schema: ForecastSchema) -> Members:
        return build_network(self, cells, schema)

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
            self._predictor.draw(run.path / f"forecast.{self.picture}", prepared.scoring, tests)

    def _baseline(
        self, fitted: Fitted, prepared: PreparedSeries, test: Mapping[str, float]
    ) -> dict[str, Any]:
        """Measure intervals on the validation part, and everything on the test part, rules included."""
        self.intervals_ = self._predictor.measured_intervals(prepared.scoring, prepared.measured, self.level)
        measured = {"intervals": self.intervals_.to_dict()}
        if not prepared.test:
            return measured
        others = {}
        if self.statistical:
            fitted_to = [cut.chosen for cut in prepared.cuts]
            others = statistical_forecasts(prepared.scoring, prepared.test, fitted_to)
        figures, widths = self._predictor.evaluation(prepared.scoring, prepared.test, others)
        self.intervals_ = replace(self.intervals_, widths=widths)
        measured = {"intervals": self.intervals_.to_dict()}
        best = best_rule(figures["baselines"])
        rule = figures["baselines"][best]
        return {"name": best, **rule, "beaten": figures["skill"] > 0, "evaluation": figures, **measured}

    def _read(self, data: SeriesData) -> SeriesSet:
        """Read series, which must have the columns and the step of those that were trained on."""
        found = read(data, self)
        check_columns(found, self.schema_)
        return found

    def _weights_differences(self, schema: ForecastSchema, prepared: PreparedSeries) -> list[str]:
        return schema.wiring_differences(prepared.schema)

    @property
    def _output(self) -> Output:
        return output_of(self)

    @property
    def _predictor(self) -> Predictor:
        network, dtype = _members(self.network_), self.parameters_.dtype
        return Predictor(network, self.schema_, self.horizon, self._output, self.intervals_, dtype)

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.schema_: ForecastSchema = fitted.schema
        channels = len(self.schema_.channels)
        unmeasured = Intervals.unmeasured(self._output, self.horizon, channels, self.level)
        self.intervals_ = stored_intervals(report, unmeasured)


def _members(network: Layer) -> Members:
    assert isinstance(network, Members)  # what build_network gives
    return network
