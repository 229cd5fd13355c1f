"""The figures of the report of a study: figures of all seeds, curves, gradients, gates."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from noria.errors import DataError
from noria.models.explanation import Explanation
from noria.reports.curves import Curve
from noria.reports.document import Block, Figure, Items, Paragraph
from noria.reports.gates import gate_figures
from noria.reports.prose import capitalised
from noria.studies.conclusions import fits, metric_fits, steps_back
from noria.studies.figures import draw_curves, draw_figures, draw_reach
from noria.studies.report_tables import ends
from noria.studies.told import Told

MOST_GATES = 6
"""Variants whose gates are drawn, at most: those with the best means."""


def points(told: Told) -> Iterator[Figure]:
    """Give the metric of every seed on the test part."""
    say, results = told.say, told.results
    if not results.ranked:
        return
    means = ", ".join(f"{one.name} {results.said(one.figure)}" for one in results.lines if one.by_seed)
    words = {"metric": say("on_test", told.metric)}
    yield Figure(
        "figures",
        capitalised(say("points_caption", told.metric)),
        say("points_alt", means),
        partial(draw_figures, results=results, words=words),
    )


def learning(told: Told) -> list[Block]:
    """Give the learning curves of both parts, where they end, and what that says of over-fitting."""
    say, results = told.say, told.results
    found = {name: fit for name, fit in fits(results).items() if fit.verdict != "unknown"}
    if not found:
        return []
    last = ", ".join(f"{name} {fit.validation:.3f}" for name, fit in found.items())
    words = {key: say(key) for key in ("step", "loss", "train", "validation", "unmeasured")}
    words["metric"] = say.metric(results.drawn_metric)
    said = {name: [fit.said(say)] for name, fit in found.items()}
    for name, fit in metric_fits(results).items():
        said.setdefault(name, []).append(fit.said(say, results.form))
    return [
        Figure(
            "curves",
            _caption(told),
            say("curves_alt", len(found), last),
            partial(draw_curves, results=results, words=words),
        ),
        ends(told),
        Items(tuple(f"{name}: {' '.join(both)}" for name, both in said.items())),
    ]


def _caption(told: Told) -> str:
    say, results = told.say, told.results
    curves = [Curve.of_points(one) for many in results.curves.values() for one in many]
    key = results.drawn_metric
    names = say.listed(list(dict.fromkeys((say("loss"), say.metric(key)))))
    how = "measured" if all(curve.is_measured for curve in curves) else "running"
    said = [capitalised(say("curves_caption", names)), say(how)]
    if key not in (results.metric, "loss"):
        said.append(say("in_its_place", told.metric, say.metric(key)))
    return " ".join(said)


def gradients(told: Told) -> Iterator[Figure]:
    """Give how far gradients reach."""
    say = told.say
    known = [line for line in told.results.lines if line.gradient is not None]
    if not known:
        return
    far = ", ".join(f"{line.name} {steps_back(line.reaches('tenth'), say)}" for line in known)
    words = {key: say(key) for key in ("back", "norm", "tenth", "thousandth")}
    draw = partial(draw_reach, results=told.results, words=words)
    yield Figure("reach", say("reach_caption"), say("reach_alt", far), draw)


def kept_gates(told: Told) -> tuple[dict[str, Explanation], list[str]]:
    """Read what the gates of each variant did; give that, and of what is damaged a sentence."""
    found, damaged = {}, []
    for name, place in told.results.gates.items():
        if Path(place).is_dir():
            try:
                found[name] = Explanation.load(place)
            except DataError as error:
                damaged.append(told.say("gates_damaged", name, error))
    return found, damaged


def gates(told: Told, known: Mapping[str, Explanation]) -> Iterator[Block]:
    """Give what gates and states of each variant do while they read an input that was held out."""
    say = told.say
    if not known:
        return
    yield Paragraph(say("gates_note"))
    ranked = [line.name for line in told.results.ranked if line.name in known]
    by_mean = len(known) > MOST_GATES <= len(ranked)
    shown = (ranked if by_mean else list(known))[:MOST_GATES]
    if len(shown) < len(known):
        yield Paragraph(say("gates_some" if by_mean else "gates_first", len(shown), len(known)))
    for name in shown:
        suffix = f"-{list(known).index(name)}"
        yield from gate_figures(known[name].layer(), say, whose=name, suffix=suffix)
