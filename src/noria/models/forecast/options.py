"""All options of a forecaster."""

from dataclasses import dataclass
from typing import Annotated

from noria.data.series_columns import SeriesColumns
from noria.errors import OptionError
from noria.models.forecast.column_options import ColumnOptions
from noria.training.model_options import ModelOptions
from noria.training.option import Option
from noria.training.optioned import Default, defaults
from noria.training.training_options import TrainingOptions

DIRECT, RECURSIVE, SEQ2SEQ = "direct", "recursive", "seq2seq"
POINT, QUANTILE, GAUSSIAN = "point", "quantile", "gaussian"
AUTO, ON, OFF = "auto", "on", "off"


@dataclass(kw_only=True)
class ForecastModelOptions(ModelOptions):
    """What the network is, and what it forecasts."""

    horizon: Annotated[
        int,
        Option(
            help="Steps ahead that are forecast.",
            group="Forecast",
            minimum=1,
            reason="One step ahead is what textbooks measure.",
        ),
    ] = 1
    lookback: Annotated[
        int,
        Option(
            help="Steps that a forecast looks back on; 0: two seasons and a step, or 32 where there is none.",
            group="Forecast",
            minimum=0,
            aliases=("window", "input_size"),
            reason="What one season does by chance is told by the one before it.",
        ),
    ] = 0
    season: Annotated[
        int,
        Option(
            help="Steps after which things repeat; 0: guessed from the dates (12 for months, 24 for hours).",
            group="Forecast",
            minimum=0,
            aliases=("season_length",),
            reason="The dates tell it.",
        ),
    ] = 0
    strategy: Annotated[
        str,
        Option(
            help="How several steps are forecast: all at once, each from the forecast before it, or by a "
            "decoder.",
            group="Forecast",
            choices=(DIRECT, RECURSIVE, SEQ2SEQ),
            reason="All at once, no error is fed back.",
        ),
    ] = DIRECT
    output: Annotated[
        str,
        Option(
            help="What is learnt of the time to come: its mean, its quantiles, or mean and variance.",
            group="Forecast",
            choices=(POINT, QUANTILE, GAUSSIAN),
            reason="Intervals come from errors in any case, of the validation part and of what follows.",
        ),
    ] = POINT
    level: Annotated[
        float,
        Option(
            help="The share of values that an interval is to hold.",
            group="Forecast",
            minimum=0,
            maximum=1,
            closed="neither",
            reason="Four times out of five is what forecasts are commonly drawn with.",
        ),
    ] = 0.8
    loss: Annotated[
        str,
        Option(
            help="What a mean is learnt by: squared or absolute errors, or Huber's mix of them.",
            group="Forecast",
            choices=("mse", "mae", "huber"),
            only_with=("output", (POINT,)),
            reason="Squared errors are least for the mean, which is what most figures are of.",
        ),
    ] = "mse"
    log: Annotated[
        str,
        Option(
            help="Learn logarithms; auto: where the spread grows with the level.",
            group="Forecast",
            choices=(AUTO, ON, OFF),
            reason="A network sees the same swings at every level then.",
        ),
    ] = AUTO
    difference: Annotated[
        str,
        Option(
            help="Learn differences: from step to step, over a season, both; auto: what makes the training "
            "part stationary.",
            group="Forecast",
            choices=(AUTO, "none", "first", "season", "both"),
            reason="A level that was never trained on is nothing new to differences.",
        ),
    ] = AUTO
    season_lag: Annotated[
        bool,
        Option(
            help="Show beside each step what came a season before the next one, where the window is shorter "
            "than a season.",
            group="Forecast",
            reason="What came a season before is the best that is known of many series.",
        ),
    ] = True
    calendar: Annotated[
        str,
        Option(
            help="Show where each step stands in its day, week and year; auto: unless a difference over a "
            "season has taken that out.",
            group="Forecast",
            choices=(AUTO, ON, OFF),
            reason="A network cannot know the hour from the values alone, and learns a short series by its "
            "dates.",
        ),
    ] = AUTO
    linear: Annotated[
        bool,
        Option(
            help="Let a linear autoregression over the window stand beside the network (Lai et al. 2018).",
            group="Forecast",
            only_with=("strategy", (DIRECT, RECURSIVE)),
            reason="What is linear is learnt at once, and the network has the rest to itself.",
        ),
    ] = True
    members: Annotated[
        int,
        Option(
            help="Networks from different initial weights whose mean is the forecast.",
            group="Forecast",
            minimum=1,
            aliases=("ensemble",),
            reason="Most of what a small network errs beyond the noise is chance of its first weights.",
        ),
    ] = 3


@dataclass(kw_only=True)
@defaults(
    hidden_size=Default(
        value=32,
        help="Values in the hidden state, for all layers or for each ('64,32').",
        reason="Series are short: a wide state learns their noise.",
    ),
    dropout=Default(value=0.0, reason="It blurs numbers that are to be met exactly."),
    valid_fraction=Default(
        value=0.1,
        help="Share of each series, before its test part, on which the best weights are chosen and "
        "intervals are measured; 0: the last weights are kept.",
        reason="Intervals need some hundred errors, or the most of them that there are.",
    ),
    test_fraction=Default(
        value=0.2,
        help="Share of each series, its last part, on which the final figure is taken, and nothing else.",
        reason="Seasons have to be seen several times to be judged by.",
    ),
)
class ForecastOptions(ForecastModelOptions, TrainingOptions, ColumnOptions):
    """All options of a forecaster."""

    statistical: Annotated[
        bool,
        Option(
            help="Measure ETS and ARIMA models beside it on the test part, fitted by statsmodels.",
            group="Reporting",
            reason="Fitting them takes longer than training some networks.",
        ),
    ] = False
    picture: Annotated[
        str,
        Option(
            help="Draw actual against predicted values into the run folder.",
            group="Reporting",
            choices=("none", "png", "svg"),
            reason="Drawing takes longer than some trainings.",
        ),
    ] = "none"

    @property
    def columns(self) -> SeriesColumns:
        """What is said of the columns of a table."""
        return SeriesColumns(
            time=self.time_column,
            id=self.id_column,
            target=self._listed(self.target),
            known=self._listed(self.known_covariates),
            past=self._listed(self.past_covariates),
            multivariate=self.multivariate,
            date_format=self.date_format,
            frequency=self.frequency,
        )

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.horizon == 1 and self.strategy == SEQ2SEQ:
            raise OptionError(
                f"The 'strategy' option of {owner} is 'seq2seq' for several steps ahead. Got horizon=1.\n"
                "  Set horizon, or leave strategy out."
            )
