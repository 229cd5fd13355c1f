"""One layer at a time: ours beside PyTorch, JAX and ONNX Runtime, on the same weights and data.

Results are compared before anything is timed. Both sides run in turn in one process, warm, and medians are
given; a ratio above 1 means that ours is faster. A process for each number of threads; every library is held
to it, and a line says so where one is busy on more cores. Beside each time stands its rate of multiply-adds,
its share of the best rate found at the start, and the time that this rate and that of copying would allow.

    python benchmarks/layers.py [--quick] [--json] [--threads 1 2] [--only NAME ...] [--points T,B,D,H ...]

``torch.compile`` unrolls a loop over time and takes about a second for each of its steps, so that its column
has one small point. ``--quick`` takes a few points and stays under a minute; names are those of ``CONTESTS``,
and ``cells`` for random ones.
"""

import argparse
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import unseen_cells
from hand_cells import OWN
from launch import launch, parser_of
from peers import side_of
from roofline import Limits, probe
from sides import TOLERANCE, Arrays, Point, Side, Subject, largest_difference
from tables import BEST, Level, Row, Table, print_verdicts
from timing import Budget, alternate

from noria.equations import Cell, cells, rewrites

GRID = tuple(
    Point(*sizes)
    for sizes in (
        (200, 1, 121, 256),
        (25, 32, 62, 256),
        (25, 3, 62, 256),
        (50, 64, 64, 64),
        (50, 128, 32, 64),
        (30, 32, 64, 128),
        (100, 32, 256, 256),
        (64, 64, 512, 512),
        (35, 20, 400, 1150),
        (22, 1, 4, 50),
        (4, 8, 1, 100),
        (784, 16, 1, 128),
    )
)
QUICK = (Point(30, 32, 64, 128), Point(22, 1, 4, 50))
ENOUGH = 16
"""Sequences from which on a step gets cheaper as they end."""

MANY = tuple(point for point in GRID if point.batch >= ENOUGH)
LARGE = (Point(100, 32, 256, 256), Point(64, 64, 512, 512))
ONE_STEP = (Point(1, 1, 64, 256),)

BUSY = 1.15
"""Cores that may be busy for each thread asked for, before a line says so."""


def named(name: str, cell: Cell) -> Cell:
    """Give a rewritten cell a name of its own."""
    return Cell.parse(cell.text, name=name)


NORMALISED = named("lstm_normalised", rewrites.layer_normalised(cells.lstm))
DROPPED = named("lstm_dropout", rewrites.recurrent_dropout(cells.lstm, 0.25))
ZONED = named("lstm_zoneout", rewrites.zoneout(cells.lstm, 0.1, 0.1))


@dataclass(frozen=True)
class Contest:
    """One table: our layer, who runs beside it, where, and what is asked for.

    ``way`` is the part of the work: the name of a method of :class:`Subject`.
    """

    name: str
    about: str
    ours: Callable[..., Subject]
    columns: tuple[str, ...]
    levels: tuple[Level, ...]
    points: tuple[Point, ...] = GRID
    way: str = "both"


def module_contest(cell: str, module: str, mean: float, each: float, *more: str) -> Contest:
    """Set our cell against the module that PyTorch has of it."""
    level = Level("nn module", mean=mean, each=each)
    return Contest(cell, f"{cell} against {module}", partial(Subject, cell), ("nn module", *more), (level,))


def hand_contest(cell: "Cell | str", about: str = "") -> Contest:
    """Set our cell against the same one written by hand."""
    name = cell if isinstance(cell, str) else cell.name
    levels = (Level("torch loop", mean=4.0), Level("JAX scan", mean=1.5))
    about = f"{name}{about} against the cell written by hand"
    return Contest(name, about, partial(Subject, cell), ("torch loop", "JAX scan", "compiled"), levels)


def rewrite_contest(cell: Cell, about: str) -> Contest:
    """Set a rewritten LSTM in training, masks given, against the plain one; drawing them is timed apart."""
    level = Level("plain", each=1.15, at_most=True)
    ours = partial(Subject, cell, masked=True)
    return Contest(
        cell.name, f"{about}, masks given, against our plain lstm", ours, ("plain", "drawing"), (level,)
    )


CONTESTS = (
    module_contest("lstm", "nn.LSTM", 1.4, 1.0, "JAX scan"),
    module_contest("gru_reset_after", "nn.GRU", 2.5, 1.1),
    module_contest("rnn", "nn.RNN", 2.0, 1.0),
    hand_contest("gru", " (reset before)"),
    hand_contest("lstm_peephole"),
    hand_contest(NORMALISED),
    hand_contest(OWN),
    rewrite_contest(DROPPED, "recurrent dropout"),
    rewrite_contest(ZONED, "zoneout"),
    Contest(
        "ragged",
        "lstm, lengths from 1 to T, against ours with all of length T (for each token) and a packed nn.LSTM",
        partial(Subject, "lstm", ragged=True),
        ("dense", "nn packed"),
        (Level("dense", each=1.15, at_most=True), Level("nn packed", mean=3.0)),
        MANY,
    ),
    Contest(
        "float64",
        "lstm in float64 against float32, both ours",
        partial(Subject, "lstm", dtype=np.float64),
        ("float32",),
        (Level("float32", mean=2.3, at_most=True),),
    ),
    Contest(
        "rate",
        "lstm, against as many multiply-adds in registers, in turn: the ratio is the share of their rate",
        partial(Subject, "lstm"),
        ("multiply-adds",),
        (Level("multiply-adds", each=0.75),),
        LARGE,
    ),
    Contest(
        "forward",
        "lstm, forward alone, against nn.LSTM in inference mode and ONNX Runtime",
        partial(Subject, "lstm"),
        ("torch infer", "ORT"),
        (Level(BEST, mean=1.2),),
        way="forward",
    ),
    Contest(
        "streaming",
        "lstm, one step after another, against nn.LSTMCell and ONNX Runtime",
        partial(Subject, "lstm"),
        ("LSTMCell", "ORT step"),
        (Level("LSTMCell", each=5.0), Level("ORT step", each=1.5)),
        ONE_STEP,
        way="stream",
    ),
)
NAMES = (*(contest.name for contest in CONTESTS), "cells")


def measure(contest: Contest, point: Point, threads: int, budget: Budget, limits: Limits) -> Row:
    """Compare the results of all sides, then time those that agree."""
    subject = contest.ours(point)
    first: Side = getattr(subject, contest.way)()
    sides: dict[str, Side] = {"noria": first}
    row: Row = {"contest": contest.name, "point": str(point), "threads": threads, "engine": subject.engine}
    notes: list[str] = []
    differences: dict[str, float] = {}
    for column in contest.columns:
        side = side_of(column, subject)
        if isinstance(side, str):
            notes += [f"{column} left out: {side}"] * bool(side)
            continue
        if side.results is not None and first.results is not None:
            ours = first.results() if contest.way != "stream" else getattr(subject, contest.way)().results()
            difference = largest_difference(side.in_its_words(ours), side.results())
            if not difference < TOLERANCE and is_chaotic(contest, point, ours, difference):
                notes.append(f"{column} differs by {difference:.1e}: float32 holds no digits of this one")
            else:
                differences[column] = difference
                if not difference < TOLERANCE:
                    notes.append(f"{column} is not timed: results differ by {difference:.1e}")
                    continue
        sides[column] = side
    found = alternate({name: side.run for name, side in sides.items()}, budget)
    for name, timing in found.items():
        if timing.busy > BUSY * threads:
            notes.append(f"{name} was busy on {timing.busy:.1f} cores")
    ms, tokens = found["noria"].ms, len(subject.x)
    operations = subject.operations(backward=contest.way == "both")
    size = subject.bytes(backward=contest.way == "both")
    gflops = operations / ms / 1e6
    row |= {
        "ms": ms,
        "samples": found["noria"].samples,
        "gflops": gflops,
        "share_of_peak": gflops / limits.peak_of(subject.dtype),
        "limit_ms": limits.ms(operations, size, subject.dtype),
        "others": {
            column: {
                "ms": found[column].ms,
                "ratio": found[column].ms / (side.tokens or tokens) / (ms / tokens),
                "difference": differences.get(column),
            }
            for column, side in sides.items()
            if column != "noria"
        },
        "difference": max(differences.values(), default=None),
        "wrong": any(not difference < TOLERANCE for difference in differences.values()),
        "notes": notes,
    }
    return row


def is_chaotic(contest: Contest, point: Point, ours: Arrays, difference: float) -> bool:
    """Whether rounding alone makes the results of a point: ours in float64 are as far away as theirs are."""
    exact = getattr(contest.ours(point, dtype=np.float64), contest.way)().results()
    own = largest_difference(ours, exact)
    return TOLERANCE < own < math.inf and difference < 10.0 * own


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Go through the contests."""
    quick = arguments.quick
    limits = probe(threads)
    print(f"\n{threads} thread(s); {limits}; 'limit' is the time in ms at these rates", flush=True)
    budget = Budget(3, 0.0, threads) if quick else Budget(7, 2.0, threads)
    rows: list[Row] = []
    verdicts: list[Row] = []
    for contest in CONTESTS:
        if arguments.only and contest.name not in arguments.only:
            continue
        columns = [c for c in contest.columns if not (quick and c == "compiled")]
        here = Contest(**{**vars(contest), "columns": tuple(columns)})
        points = _points(contest, arguments.points, quick)
        if not points:
            continue
        table = Table(f"{contest.name}: {contest.about}", columns)
        table.print_heading()
        of_contest = []
        for point in points:
            row = measure(here, point, threads, budget, limits)
            table.print_row(point, row)
            of_contest.append(row)
        found = [level.verdict(of_contest) for level in contest.levels]
        print_verdicts(found)
        verdicts += [{"contest": contest.name, **verdict} for verdict in found if verdict]
        rows += of_contest
    if "cells" in (arguments.only or NAMES) and not arguments.points:
        count = arguments.cells or (40 if quick else 1000)
        rows.append(unseen_cells.measure(count, Budget(3, 0.0), limits))
    return {"limits": asdict(limits), "rows": rows, "verdicts": verdicts}


def _points(contest: Contest, asked: Sequence[Point] | None, quick: bool) -> tuple[Point, ...]:
    if asked:
        few = 0 if contest.points != MANY else ENOUGH
        return ONE_STEP if contest.points == ONE_STEP else tuple(p for p in asked if p.batch >= few)
    if quick and contest.points not in (LARGE, ONE_STEP):
        return tuple(point for point in QUICK if point in contest.points)
    return contest.points[:1] if quick else contest.points


def _point(text: str) -> Point:
    return Point(*(int(size) for size in text.split(",")))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=", ".join(NAMES))
    parser.add_argument("--points", nargs="+", type=_point, metavar="T,B,D,H", help="instead of the grid")
    parser.add_argument("--cells", type=int, metavar="N", help="random cells (default 1000, quick 40)")
    launch(parser.parse_args(), work)


if __name__ == "__main__":
    main()
