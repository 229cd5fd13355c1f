"""The first screen of the report of a study: what won, by how much, beyond the spread, at what cost."""

import math

from noria.reports.run_words import baseline_name
from noria.studies.conclusions import beaten, counted, difference_of, seeds_of, unseen
from noria.studies.lines import Line
from noria.studies.told import Told


def facts(told: Told) -> list[tuple[str, str]]:
    """Give what one wants to know first, and the answers."""
    say, results, ranked = told.say, told.results, told.results.ranked
    if not ranked:
        return []
    best = ranked[0]
    direction = say("higher" if results.higher_is_better else "lower")
    over, mean = seeds_of(best, say), results.said(best.figure)
    is_best = say("best_is", best.name, told.metric, mean, over, direction)
    rows = [told.data, (say("best"), is_best)]
    if len(ranked) > 1:
        rows += [(say("by"), _by(told, best, ranked[1])), (say("spread"), _exceeds(told, best))]
    if math.isfinite(results.baseline):
        name = baseline_name(results.baseline_name, say.language)
        words = (name, results.said(results.baseline), beaten(results, say))
        rows.append((say("baseline"), say("baseline_is", *words)))
    return [*rows, (say("cost"), _costs(told, best))]


def _by(told: Told, best: Line, next_: Line) -> str:
    say, results = told.say, told.results
    found = difference_of(results, best.name, next_.name)
    if found is None or not found.has_spread:
        return say("by_plain", results.said(abs(best.figure - next_.figure)), next_.name)
    sign = 1 if results.higher_is_better else -1
    low, high = sorted((sign * found.low, sign * found.high))
    values = (results.said(value) for value in (low, high))
    return say("by_is", results.said(sign * found.mean), next_.name, *values)


def _exceeds(told: Told, best: Line) -> str:
    say, results = told.say, told.results
    if not results.judged:
        return say("unknown")
    alike, spread = unseen(results), results.said(best.deviation)
    if alike:
        return say("no", counted(alike, len(results.ranked), say), spread, best.name)
    return say("yes", spread, best.name)


def _costs(told: Told, best: Line) -> str:
    say, lines = told.say, told.results.lines
    runs = sum(len(line.done) for line in lines)
    total = sum(line.seconds * len(line.done) for line in lines if math.isfinite(line.seconds))
    return say(
        "costs",
        best.name,
        say.duration(best.seconds),
        say.number(best.peak_bytes / 1e6),
        say.number(best.tokens_per_second),
        say.number(best.parameters),
        runs,
        say.duration(total),
    )
