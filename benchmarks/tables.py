"""Tables of what was measured, beside the level that was asked for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from timing import geometric_mean

BEST = "best"
"""In the place of a column: the fastest of all peers."""

Row = dict[str, Any]


@dataclass(frozen=True)
class Level:
    """What is asked for against one column.

    The figure is their time for a token over ours; with ``at_most`` ours over theirs. ``mean`` is for its
    geometric mean, ``each`` for the worst point.
    """

    column: str
    mean: float | None = None
    each: float | None = None
    at_most: bool = False

    def figure(self, row: Row) -> float | None:
        """Give the figure of one row, or None where it was not measured."""
        ratios = {name: other["ratio"] for name, other in row["others"].items()}
        if self.column == BEST:
            return min(ratios.values(), default=None)
        if (ratio := ratios.get(self.column)) is None:
            return None
        return 1 / ratio if self.at_most else float(ratio)

    def verdict(self, rows: Iterable[Row]) -> Row | None:
        """Give mean and worst figure of the rows, and whether they reach the level; None without figures."""
        figures = [figure for row in rows if (figure := self.figure(row)) is not None]
        if not figures:
            return None
        mean, worst = geometric_mean(figures), (max if self.at_most else min)(figures)
        pairs = [(self.mean, mean), (self.each, worst)]
        reached = [found <= asked if self.at_most else found >= asked for asked, found in pairs if asked]
        return {
            "column": self.column,
            "at_most": self.at_most,
            "points": len(figures),
            "mean": mean,
            "worst": worst,
            "asked_mean": self.mean,
            "asked_each": self.each,
            "reached": all(reached) if reached else None,
        }


@dataclass(frozen=True)
class Table:
    """How a table is laid out: whose times stand beside ours, and whether the machine's limits do too.

    Times are in milliseconds; a ratio above 1 means that ours is faster.
    """

    title: str
    columns: Sequence[str]
    first: str = "T,B,D,H"
    width: int = 18
    limits: bool = True

    def print_heading(self) -> None:
        """Print the title and the heads of the columns."""
        limits = f" {'GF/s':>6} {'peak':>5} {'limit':>7}" * self.limits
        heads = "".join(f" {column:>13} {'ratio':>6}" for column in self.columns)
        print(
            f"\n{self.title}\n{self.first:<{self.width}} {'noria':>11}{limits}{heads} {'differ':>8}",
            flush=True,
        )

    def print_row(self, label: object, row: Row) -> None:
        """Print one line, and below it what there is to say about it."""
        text = f"{label!s:<{self.width}} {row['ms']:>8.3f} ms"
        if self.limits:
            rate, share, limit = row["gflops"], row["share_of_peak"], row["limit_ms"]
            text += f" {_number(rate, 6)} {share:>5.0%} {_number(limit, 7, 3)}"
        for column in self.columns:
            other = row["others"].get(column)
            text += (
                f" {other['ms']:>10.3f} ms {_number(other['ratio'], 6)}" if other else f" {'-':>13} {'-':>6}"
            )
        text += f" {'-':>8}" if row["difference"] is None else f" {row['difference']:>8.0e}"
        print(text + "  WRONG" * row["wrong"], flush=True)
        for note in row["notes"]:
            print(f"    {note}")


def print_verdicts(verdicts: Iterable[Row | None]) -> None:
    """Print means and worst points beside their levels."""
    for verdict in verdicts:
        if verdict is None:
            print("  level: not measured")
            continue
        asked = [
            f"{name} {found:.2f}" + (f" (asked {'at most ' * verdict['at_most']}{level:g})" if level else "")
            for name, found, level in (
                ("geometric mean", verdict["mean"], verdict["asked_mean"]),
                ("worst", verdict["worst"], verdict["asked_each"]),
            )
        ]
        kind = {BEST: "the best of them"}.get(verdict["column"], verdict["column"])
        word = "" if verdict["reached"] is None else ": reached" if verdict["reached"] else ": NOT reached"
        times = "times the time of " if verdict["at_most"] else "against "
        print(f"  {times}{kind}, {verdict['points']} points: {', '.join(asked)}{word}", flush=True)


def _number(value: float, width: int, digits: int = 2) -> str:
    """Write a number with as many digits as tell something."""
    return f"{value:>{width}.{0 if value >= 1000 else 1 if value >= 100 else digits}f}"
