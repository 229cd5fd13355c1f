"""Sentences that follow from the figures of a study by rule, in English and Spanish.

``Better`` and ``worse`` are said of a pair only where the interval of its paired differences leaves zero out,
and that a variant beats the figure to beat only where the interval around its mean leaves that out.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

from noria.reports.curves import Curve
from noria.reports.fit import Fit, MetricFit, fit_of, mean_fit, mean_metric_fit, metric_fit_of
from noria.reports.prose import Prose, Sentences
from noria.reports.run_words import baseline_name
from noria.studies.lines import Line
from noria.studies.results import Results
from noria.studies.statistics import Difference
from noria.studies.study_words import BOTH

FEW = 4
"""Variants, at most, every pair of which is told; of more those with the best one are."""
ALIKE = 1.02
"""Speeds, or numbers of parameters, whose ratio is no larger are taken for the same."""

SENTENCES: Sentences = {
    "nothing": ("No run has ended well: there is nothing to compare.", "Ninguna ejecución terminó bien."),
    "unfinished": (
        "{0} runs have not ended: these are figures of a part of the study.",
        "Faltan {0} ejecuciones: estas cifras son de una parte del estudio.",
    ),
    "alone": ("{0}: {1} {2}, over {3}.", "{0}: {1} {2}, sobre {3}."),
    "wins": (
        "{0} is better than every other variant ({1} {2}), and the difference exceeds the spread.",
        "{0} es mejor que todas las demás variantes ({1} {2}), y la diferencia supera la dispersión.",
    ),
    "leads": (
        "{0} has the best mean ({1} {2}), but no difference was seen between it and {3}.",
        "{0} tiene la mejor media ({1} {2}), pero no se vio diferencia entre ella y {3}.",
    ),
    "one_seed": (
        "With a single seed there is no spread to judge by: no difference is claimed. Give --seeds 5.",
        "Con una sola semilla no hay dispersión con que juzgar: no se afirma ninguna diferencia. "
        "Use --seeds 5.",
    ),
    "no_spread": (
        "The differences are the same with every seed, so that there is no spread to judge by: none is "
        "claimed. Give more --seeds.",
        "Las diferencias son las mismas con cada semilla y no hay dispersión con que juzgar: no se afirma "
        "ninguna. Use más --seeds.",
    ),
    "shared": (
        "The variants are compared over the seeds with which all of them ended well: {0}.",
        "Las variantes se comparan sobre las semillas con que todas terminaron bien: {0}.",
    ),
    "apart": (
        "{0} is not compared: too few seeds ended well both with it and with the others.",
        "{0} no se compara: muy pocas semillas terminaron bien tanto con ella como con las demás.",
    ),
    "better": (
        "{0} is better than {1}: {2} by {3} (interval {4} to {5}, {6} seeds).",
        "{0} es mejor que {1}: {2} por {3} (intervalo de {4} a {5}, {6} semillas).",
    ),
    "same": (
        "No difference seen between {0} and {1}: {2} {3} (interval {4} to {5}, {6} seeds).",
        "No se vio diferencia entre {0} y {1}: {2} {3} (intervalo de {4} a {5}, {6} semillas).",
    ),
    "other_pairs": (
        "Of the {0} other pairs, {1} differ; the table has them all.",
        "De los otros {0} pares difieren {1}; la tabla los tiene todos.",
    ),
    "fastest": (
        "{0} is the fastest, {1} tokens a second; {2} is the slowest, {3} times slower.",
        "{0} es la más rápida, {1} símbolos por segundo; {2} es la más lenta, {3} veces más.",
    ),
    "parameters": (
        "The variants do not have as many parameters: from {0} to {1}. --equal-parameters makes them equal.",
        "Las variantes no tienen el mismo número de parámetros: de {0} a {1}. --equal-parameters las iguala.",
    ),
    "reach": (
        "The gradient reaches furthest in {0}, {1} until a tenth of it is left, and least far in {2}, {3}.",
        "El gradiente llega más lejos en {0}, {1} hasta quedar un décimo, y menos lejos en {2}, {3}.",
    ),
    "reach_same": (
        "The gradient reaches as far in all variants: {0} until a tenth of it is left.",
        "El gradiente llega igual de lejos en todas las variantes: {0} hasta quedar un décimo.",
    ),
    "baseline": (
        "The figure to beat ({0}) is {1}; {2}.",
        "La cifra que hay que superar ({0}) es {1}; {2}.",
    ),
    "overfits": ("{0} over-fits.", "{0} sobreajusta."),
    "diverged": (
        "{0} diverged with {1} of {2} seeds; its figures are of the others.",
        "{0} divergió con {1} de {2} semillas; sus cifras son de las demás.",
    ),
    "failed": (
        "{0} could not be trained with {1} of {2} seeds.",
        "{0} no pudo entrenarse con {1} de {2} semillas.",
    ),
}


def conclusions(results: Results, language: str = "en") -> list[str]:
    """Say what a study shows, the most important first."""
    return list(_told(results, Prose(language, SENTENCES, BOTH)))


def _told(results: Results, say: Prose) -> Iterator[str]:
    ranked = results.ranked
    if results.missing:
        yield say("unfinished", results.missing)
    if not ranked:
        yield say("nothing")
    elif len(ranked) == 1:
        only = ranked[0]
        words = (only.name, say.metric(results.metric), results.said(only.figure))
        yield say("alone", *words, seeds_of(only, say))
    else:
        yield _winner(results, ranked, say)
    yield from _compared(results, ranked, say)
    if len(ranked) > 1:
        yield from _pairs(results, ranked[0].name, say)
    if math.isfinite(results.baseline) and ranked:
        name = baseline_name(results.baseline_name, say.language)
        yield say("baseline", name, results.said(results.baseline), beaten(results, say))
    yield from _reach(results, say)
    yield from _cost(ranked, say)
    yield from _trouble(results, say)


def fits(results: Results) -> Mapping[str, Fit]:
    """Give how training and validation loss of each variant stand to each other, mean over the seeds."""
    return {
        name: mean_fit([fit_of(Curve.of_points(curve)) for curve in curves])
        for name, curves in results.curves.items()
    }


def metric_fits(results: Results) -> Mapping[str, MetricFit]:
    """Give how the metric of each variant stands on both parts, where it was measured; means over seeds."""
    found = {
        name: mean_metric_fit([metric_fit_of(Curve.of_points(curve), results.metric) for curve in curves])
        for name, curves in results.curves.items()
    }
    return {name: fit for name, fit in found.items() if fit is not None}


def difference_of(results: Results, one: str, other: str) -> Difference | None:
    """Give what one variant's figures are less another's; None where no seed has both."""
    for found in results.differences:
        if (found.one, found.other) == (one, other):
            return found
        if (found.other, found.one) == (one, other):
            return Difference(one, other, -found.mean, -found.high, -found.low, found.seeds, found.level)
    return None


def unseen(results: Results) -> list[str]:
    """Name the variants from which no difference to the one with the best mean was seen."""
    best, *others = results.ranked
    names = []
    for line in others:
        found = difference_of(results, best.name, line.name)
        if found is None or found.verdict(higher_is_better=results.higher_is_better) != "better":
            names.append(line.name)
    return names


def _winner(results: Results, ranked: Sequence[Line], say: Prose) -> str:
    best = ranked[0]
    if not results.judged:
        return say("one_seed" if len(best.by_seed) < 2 else "no_spread")
    words = (best.name, say.metric(results.metric), results.said(best.figure))
    alike = unseen(results)
    return say("leads", *words, counted(alike, len(ranked), say)) if alike else say("wins", *words)


def _compared(results: Results, ranked: Sequence[Line], say: Prose) -> Iterator[str]:
    """Say over which seeds variants are compared where these are not all, and which variants are not."""
    names = {line.name for line in ranked}
    known = [line for line in results.lines if line.by_seed]
    if len(ranked) > 1:
        shared = ranked[0].by_seed
        if any(len(line.by_seed) > len(shared) for line in known if line.name in names):
            yield say("shared", ", ".join(map(str, shared)))
    for line in known:
        if line.name not in names:
            yield say("apart", line.name)


def _pairs(results: Results, best: str, say: Prose) -> Iterator[str]:
    metric = say.metric(results.metric)
    known = [one for one in results.differences if one.has_spread]
    few = len(results.lines) <= FEW
    told = [one for one in known if few or best in (one.one, one.other)]
    for one in told:
        verdict = one.verdict(higher_is_better=results.higher_is_better)
        names = (one.one, one.other) if verdict != "worse" else (one.other, one.one)
        if verdict == "no difference":
            figures = [results.said(value) for value in (one.mean, one.low, one.high)]
            yield say("same", *names, metric, *figures, one.seeds)
        else:
            size = sorted((abs(one.low), abs(one.high)))
            figures = [results.said(value) for value in (abs(one.mean), *size)]
            yield say("better", *names, metric, *figures, one.seeds)
    if others := [one for one in known if one not in told]:
        yield say("other_pairs", len(others), sum(one.excludes_zero for one in others))


def beaten(results: Results, say: Prose) -> str:
    """Say which variants beat the figure to beat: the interval around the mean has to leave it out."""
    sign = 1 if results.higher_is_better else -1
    found: dict[str, list[str]] = {"beaten": [], "beaten_within": [], "beaten_unjudged": []}
    for line in results.lines:
        by = sign * (line.figure - results.baseline)
        if by > 0:
            judged = "beaten" if by > line.half_width else "beaten_within"
            found[judged if math.isfinite(line.half_width) else "beaten_unjudged"].append(line.name)
    parts = [say(key, counted(names, len(results.lines), say)) for key, names in found.items() if names]
    return "; ".join(parts) or say("unbeaten")


def seeds_of(line: Line, say: Prose) -> str:
    """Say over how many seeds a mean is."""
    count = len(line.by_seed)
    return say("over_seeds", count) if count > 1 else say("over_one")


def steps_back(reach: str, say: Prose) -> str:
    """Say how far a gradient reaches, as :meth:`Line.reaches` gives it."""
    return say("back_one") if reach == "1" else say("back_many", reach)


def counted(names: list[str], of: int, say: Prose) -> str:
    """Name variants, or say how many they are where a reader would not read all their names."""
    return say.listed(names) if len(names) < FEW else say("so_many", len(names), of)


def _reach(results: Results, say: Prose) -> Iterator[str]:
    """Compare how far gradients reach; a variant whose gradient outlasts the input reaches furthest."""
    found = [line for line in results.lines if line.gradient is not None]
    if len(found) < 2:
        return

    def steps(line: Line) -> float:
        tenth = line.gradient["tenth"] if line.gradient else None
        return math.inf if tenth is None else float(tenth)

    def tenth(lines: Sequence[Line]) -> str:  # where it is beyond what was looked at: of all of them
        return min((line.reaches("tenth") for line in lines), key=lambda reach: int(reach.lstrip(">")))

    far, near = (
        [line for line in found if steps(line) == extreme]
        for extreme in (max(map(steps, found)), min(map(steps, found)))
    )
    if len(far) == len(found):
        yield say("reach_same", steps_back(tenth(far), say))
    else:
        names = [counted([line.name for line in lines], len(found), say) for lines in (far, near)]
        yield say("reach", names[0], steps_back(tenth(far), say), names[1], tenth(near))


def _cost(ranked: Sequence[Line], say: Prose) -> Iterator[str]:
    timed = [line for line in ranked if math.isfinite(line.tokens_per_second) and line.tokens_per_second]
    if len(timed) > 1:
        fast = max(timed, key=lambda line: line.tokens_per_second)
        slow = min(timed, key=lambda line: line.tokens_per_second)
        times = fast.tokens_per_second / slow.tokens_per_second
        if times > ALIKE:
            yield say("fastest", fast.name, say.number(fast.tokens_per_second), slow.name, f"{times:.2f}")
    counts = [line.parameters for line in ranked]
    if len(counts) > 1 and max(counts) > ALIKE * min(counts):
        yield say("parameters", say.number(min(counts)), say.number(max(counts)))


def _trouble(results: Results, say: Prose) -> Iterator[str]:
    over = [name for name, fit in fits(results).items() if fit.verdict == "overfits"]
    for line in results.lines:
        if line.name in over:
            yield say("overfits", line.name)
        count = len(line.done) + len(line.diverged) + len(line.failed)
        if line.diverged:
            yield say("diverged", line.name, len(line.diverged), count)
        if line.failed:
            yield say("failed", line.name, len(line.failed), count)
