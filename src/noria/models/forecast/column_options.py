"""The options of reading series: which column of a table is what."""

from dataclasses import dataclass
from typing import Annotated

from noria.training.option import Option
from noria.training.optioned import Options


@dataclass(kw_only=True)
class ColumnOptions(Options):
    """Which column is what, where it is not to be guessed."""

    time_column: Annotated[
        str,
        Option(
            help="The column of dates, or of the numbers of steps; empty: guessed by its name.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    id_column: Annotated[
        str,
        Option(
            help="The column that tells the series of a long table apart; empty: guessed by its name.",
            group="Data",
            reason="Most tables name it, and what was guessed is said.",
        ),
    ] = ""
    target: Annotated[
        str | list[str] | None,
        Option(
            help="What is to be forecast; none: 'y', 'value' or 'target', or every column of numbers, each a "
            "series of its own.",
            group="Data",
            reason="Most tables name it, and what was taken is said.",
        ),
    ] = None
    known_covariates: Annotated[
        str | list[str] | None,
        Option(
            help="Columns that are known beforehand, as holidays are; rows without a target tell what is "
            "known of the time to come.",
            group="Data",
            reason="Of most series nothing is known beforehand.",
        ),
    ] = None
    past_covariates: Annotated[
        str | list[str] | None,
        Option(
            help="Columns that are known up to now only; none: the other columns of numbers beside a target "
            "('off': no column).",
            group="Data",
            reason="What stands beside a series was put there to help.",
        ),
    ] = None
    multivariate: Annotated[
        bool,
        Option(
            help="Forecast several targets together, as channels of one series.",
            group="Data",
            reason="Series of one kind teach one model more as examples of the same than as channels.",
        ),
    ] = False
    date_format: Annotated[
        str,
        Option(
            help="How dates are written, '%d/%m/%Y' for one; empty: guessed from all of them.",
            group="Data",
            reason="The dates of a column together can mostly be read in one way alone.",
        ),
    ] = ""
    frequency: Annotated[
        str,
        Option(
            help="The step of the series as pandas writes it ('h', 'D', 'MS'), or '10' where whole numbers "
            "stand 10 apart; empty: found from the times.",
            group="Data",
            reason="The times tell it.",
        ),
    ] = ""

    @staticmethod
    def _listed(value: str | list[str] | None) -> tuple[str, ...]:
        """Give the names of one or several columns."""
        if value is None or value == "":
            return ()
        return (value,) if isinstance(value, str) else tuple(value)
