"""What a forecaster's series are and how they are cut, in a line."""

from dataclasses import dataclass
from typing import ClassVar

from noria.models.description import DataDescription


@dataclass(frozen=True, kw_only=True)
class SeriesDescription(DataDescription):
    """Series as they were read.

    Attributes
    ----------
    series, values, gaps : int
        How many series, values observed and values missing.
    channels : tuple of str
    frequency : str
    season : int
    parts : tuple of int
        Steps to train on, to choose on and to test on, in all series together.
    log : bool
    lags : tuple of int
        Of the differences.
    lookback, horizon : int
    """

    label: ClassVar[str] = "Series"

    series: int
    values: int
    gaps: int
    channels: tuple[str, ...]
    frequency: str
    season: int
    parts: tuple[int, int, int]
    log: bool
    lags: tuple[int, ...]
    lookback: int
    horizon: int

    def summary(self) -> str:
        """Say where they are from, how they are cut, and what is learnt of them."""
        count = f"{self.series:,} series" if self.series > 1 else "one series"
        if len(self.channels) > 1:
            count += f" of {len(self.channels)} channels"
        season = f", season {self.season}" if self.season > 1 else ""
        parts = "/".join(f"{part:,}" for part in self.parts)
        learnt = [*["log"] * self.log, *(f"difference {lag}" for lag in self.lags)]
        learnt.append(f"{self.horizon} ahead from {self.lookback} back")
        return " · ".join(
            [
                self.source,
                count,
                f"{self.values:,} values",
                self.frequency + season,
                f"train/validation/test {parts}, in order",
                ", ".join(learnt),
            ]
        )
