"""The tables of the report of a study: quality, cost, the ends of the curves, and every pair."""

import math

from noria.reports.document import Table
from noria.reports.prose import MISSING, capitalised
from noria.studies.conclusions import unseen
from noria.studies.lines import Line
from noria.studies.told import Told

QUALITY = ("variant", "mean", "deviation", "interval", "runs")
COST = ("variant", "parameters", "steps", "time", "speed", "peak", "tenth_of", "thousandth_of")
PAIRS = ("pair", "difference", "pair_interval", "seeds", "verdict")


def quality(told: Told) -> Table:
    """Give the metric of each variant on the test part."""
    say = told.say
    rows = tuple(_quality(told, line) for line in told.results.lines)
    caption = capitalised(say("quality_caption", told.metric))
    return Table(caption, (tuple(map(say, QUALITY)), *rows), _marked(told))


def _quality(told: Told, line: Line) -> tuple[str, ...]:
    said, count = told.results.said, len(line.done) + len(line.diverged) + len(line.failed)
    ends = (line.figure - line.half_width, line.figure + line.half_width)
    known = math.isfinite(line.half_width)
    return (
        line.name,
        said(line.figure),
        said(line.deviation),
        f"{said(ends[0])} … {said(ends[1])}" if known else MISSING,
        f"{len(line.done)}/{count}",
    )


def cost(told: Told) -> Table:
    """Give what the runs of each variant took, and how far its gradient reaches."""
    say = told.say
    rows = tuple(_cost(told, line) for line in told.results.lines)
    return Table(say("cost_caption"), (tuple(map(say, COST)), *rows), _marked(told))


def _cost(told: Told, line: Line) -> tuple[str, ...]:
    say = told.say
    return (
        line.name,
        say.number(line.parameters),
        say.number(line.steps),
        say.duration(line.seconds),
        say.number(line.tokens_per_second),
        say.number(line.peak_bytes / 1e6),
        *(line.reaches(share) or MISSING for share in ("tenth", "thousandth")),
    )


def ends(told: Told) -> Table:
    """Give loss and metric of each variant at the end of its curves, on both parts."""
    say, results = told.say, told.results
    head = [say("variant"), say("train_loss"), say("validation_loss")]
    rows = [
        [line.name, say.number(line.train, ".3f"), say.number(line.validation, ".3f")]
        for line in results.lines
    ]
    if results.metric != "loss" and any(math.isfinite(line.validation_figure) for line in results.lines):
        head += [say(part, told.metric) for part in ("train_metric", "validation_metric")]
        for row, line in zip(rows, results.lines, strict=True):
            row += [results.said(line.train_figure), results.said(line.validation_figure)]
    return Table(say("ends_caption"), (tuple(head), *map(tuple, rows)))


def pairs(told: Told) -> list[Table]:
    """Give the differences of every pair that is compared."""
    say, results = told.say, told.results
    rows = []
    for one in results.differences:
        verdict = say(one.verdict(higher_is_better=results.higher_is_better))
        interval = f"{results.said(one.low)} … {results.said(one.high)}" if one.has_spread else MISSING
        pair = f"{one.one} – {one.other}"
        rows.append((pair, results.said(one.mean), interval, str(one.seeds), verdict))
    caption = say("pairs_caption", told.metric)
    return [Table(caption, (tuple(map(say, PAIRS)), *rows), note=say("pairs_note"))] if rows else []


def _marked(told: Told) -> tuple[int, ...]:
    """Mark the variant that won, where one did."""
    results, ranked = told.results, told.results.ranked
    best = ranked[0].name if len(ranked) > 1 and not unseen(results) else None
    return tuple(place for place, line in enumerate(results.lines) if line.name == best)
