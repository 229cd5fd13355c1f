"""What a fitted forecaster says of series: behind their end, from every origin in them, and as a picture."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any

from noria.arrays import Array, Float
from noria.data.series import Series
from noria.models.forecast.continuing import check_reach
from noria.models.forecast.evaluation import evaluation
from noria.models.forecast.following import followed_from, followed_to_end
from noria.models.forecast.intervals import Intervals
from noria.models.forecast.network import Members
from noria.models.forecast.outputs import Output
from noria.models.forecast.picture import draw
from noria.models.forecast.rolling import Precision, forecast_outputs
from noria.models.forecast.schema import ForecastSchema
from noria.models.forecast.tables import forecast_rows
from noria.models.forecast.views import view_of
from noria.models.forecast.windows import Example, Windows


@dataclass(frozen=True, eq=False)
class Predictor:
    """A network, and how its answers are read.

    Attributes
    ----------
    network : Members
    schema : ForecastSchema
    horizon : int
    output : Output
    intervals : Intervals
    dtype : numpy.dtype
        Of the parameters.
    """

    network: Members
    schema: ForecastSchema
    horizon: int
    output: Output
    intervals: Intervals
    dtype: Precision

    def windows(self, series: Sequence[Series], *, measured: bool = False) -> Windows:
        """Lay series out as windows; `measured` as :func:`~noria.models.forecast.views.view_of` takes it."""
        views = [view_of(one, self.schema, self.horizon, measured=measured) for one in series]
        return Windows(views, self.schema, self.horizon)

    def behind(self, series: Series, steps: int) -> Iterator[dict[str, Any]]:
        """Forecast so many steps behind the end of a series; they are computed at once."""
        rows, _ = self.followed(series, steps, *followed_from(series, self.schema, self.intervals))
        return rows

    def followed(
        self, series: Series, steps: int, first: int, widths: Float[Array, "h C"]
    ) -> tuple[Iterator[dict[str, Any]], Float[Array, "h C"]]:
        """Forecast behind the end of a series whose intervals follow it from an origin.

        Parameters
        ----------
        series : Series
        steps : int
        first, widths
            As :func:`~noria.models.forecast.following.followed_from` gives them.

        Returns
        -------
        rows : iterator of dict
            One for each step and channel.
        settled : array of shape (h, C)
            Those of :class:`~noria.models.forecast.following.Followed`.

        Raises
        ------
        DataError
            If the series is too short to look back on, or too little is known of the time to come.
        """
        windows, output, intervals = self.windows([series]), self.output, self.intervals
        check_reach(series, windows)
        outputs, widths, settled = followed_to_end(
            self.network, windows, output, intervals, self.dtype, first, widths
        )
        levels = windows.batch([(0, len(series) - 1)]).levels
        ends = intervals.around(output, outputs, widths)
        found = [windows.values(levels(one))[0, :steps] for one in (output.centre(outputs), *ends)]
        return forecast_rows(series, self.schema, *found), settled

    def measured_intervals(self, windows: Windows, examples: Sequence[Example], level: float) -> Intervals:
        """Measure intervals by the errors at some origins."""
        outputs = forecast_outputs(self.network, windows, examples, self.output, self.dtype)
        return Intervals.measured(self.output, outputs, windows.batch(examples).targets, level)

    def evaluation(
        self,
        windows: Windows,
        examples: Sequence[Example],
        others: Mapping[str, Float[Array, "n h C"]] | None = None,
    ) -> tuple[dict[str, Any], dict[str, Float[Array, "h C"]]]:
        """Measure forecasts from some origins; see :func:`noria.models.forecast.evaluation.evaluation`."""
        return evaluation(self.network, windows, examples, self.output, self.intervals, self.dtype, others)

    def draw(self, path: str | PathLike[str], windows: Windows, tests: Sequence[int]) -> None:
        """Draw forecasts over series, as :func:`noria.models.forecast.picture.draw` does."""
        level = f"{100 * self.intervals.level:g} % intervals"
        title = f"{self.horizon} step{'s' * (self.horizon > 1)} ahead, {level}"
        draw(path, self.network, windows, self.output, self.intervals, tests, self.dtype, title)
