"""Sentences that follow from the figures of a study by rule, in English and Spanish.

``Better`` and ``worse`` are said of a pair only where the interval of its paired differences leaves zero out.
"""

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from noria.studies.results import Line, Results

Say: TypeAlias = Callable[..., str]

LANGUAGES = ("en", "es")

RISE = 0.02
"""Share of its lowest value by which the validation loss has to rise again to be called over-fitting."""

SENTENCES: dict[str, tuple[str, str]] = {
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
    "better": (
        "{0} is better than {1}: {2} by {3} (interval {4} to {5}, {6} seeds).",
        "{0} es mejor que {1}: {2} por {3} (intervalo de {4} a {5}, {6} semillas).",
    ),
    "same": (
        "No difference seen between {0} and {1}: {2} {3} (interval {4} to {5}, {6} seeds).",
        "No se vio diferencia entre {0} y {1}: {2} {3} (intervalo de {4} a {5}, {6} semillas).",
    ),
    "fastest": (
        "{0} is the fastest, {1} tokens a second; {2} is the slowest, {3} times slower.",
        "{0} es la más rápida, {1} símbolos por segundo; {2} es la más lenta, {3} veces más.",
    ),
    "parameters": (
        "The variants do not have as many parameters: from {0} to {1}. --equal-parameters makes them equal.",
        "Las variantes no tienen el mismo número de parámetros: de {0} a {1}. --equal-parameters las iguala.",
    ),
    "baseline": (
        "The figure to beat ({0}) is {1}: {2} beat it.",
        "La cifra que hay que superar ({0}) es {1}: la superan {2}.",
    ),
    "none_beats": (
        "The figure to beat ({0}) is {1}: no variant beats it.",
        "La cifra que hay que superar ({0}) es {1}: ninguna variante la supera.",
    ),
    "overfits": (
        "{0} over-fits: its validation loss rose again by {1} after its lowest point, while its training "
        "loss is {2} below it.",
        "{0} sobreajusta: su pérdida de validación volvió a subir {1} tras su mínimo, y la de entrenamiento "
        "está {2} por debajo.",
    ),
    "diverged": (
        "{0} diverged with {1} of {2} seeds; its figures are of the others.",
        "{0} divergió con {1} de {2} semillas; sus cifras son de las demás.",
    ),
    "failed": (
        "{0} could not be trained with {1} of {2} seeds.",
        "{0} no pudo entrenarse con {1} de {2} semillas.",
    ),
    "seeds_en": ("{0} seeds", "{0} semillas"),
    "one_seed_en": ("one seed", "una semilla"),
}


def conclusions(results: Results, language: str = "en") -> list[str]:
    """Say what a study shows, the most important first."""

    def say(key: str, *words: object) -> str:
        return SENTENCES[key][LANGUAGES.index(language)].format(*words)

    ranked = results.ranked
    said = [say("unfinished", results.missing)] if results.missing else []
    if not ranked:
        said.append(say("nothing"))
    elif len(ranked) == 1:
        count = len(ranked[0].by_seed)
        over = say("seeds_en", count) if count > 1 else say("one_seed_en")
        said.append(say("alone", ranked[0].name, results.metric, results.said(ranked[0].figure), over))
    else:
        said += _winner(results, ranked, say)
        said += _pairs(results, say)
    return [*said, *_baseline(results, ranked, say), *_cost(ranked, say), *_trouble(results, say)]


def _winner(results: Results, ranked: Sequence[Line], say: Say) -> list[str]:
    best = ranked[0]
    if all(len(line.by_seed) < 2 for line in ranked):
        return [say("one_seed")]
    unseen = []
    for line in ranked[1:]:
        verdict = _verdict(results, best.name, line.name)
        if verdict != "better":
            unseen.append(line.name)
    words = (best.name, results.metric, results.said(best.figure))
    return [say("leads", *words, ", ".join(unseen)) if unseen else say("wins", *words)]


def _verdict(results: Results, one: str, other: str) -> str:
    """Say what the interval of a pair says of the first of them."""
    opposite = {"better": "worse", "worse": "better"}
    for difference in results.differences:
        verdict = difference.verdict(higher_is_better=results.higher_is_better)
        if (difference.one, difference.other) == (one, other):
            return verdict
        if (difference.other, difference.one) == (one, other):
            return opposite.get(verdict, verdict)
    return "no difference"


def _pairs(results: Results, say: Say) -> list[str]:
    said = []
    for one in results.differences:
        if one.seeds < 2:
            continue
        verdict = one.verdict(higher_is_better=results.higher_is_better)
        figures = [results.said(value) for value in (one.mean, one.low, one.high)]
        names = (one.one, one.other) if verdict != "worse" else (one.other, one.one)
        if verdict == "no difference":
            said.append(say("same", *names, results.metric, *figures, one.seeds))
            continue
        size = sorted((abs(one.low), abs(one.high)))
        figures = [results.said(abs(one.mean)), *(results.said(value) for value in size)]
        said.append(say("better", *names, results.metric, *figures, one.seeds))
    return said


def _baseline(results: Results, ranked: Sequence[Line], say: Say) -> list[str]:
    if not ranked or not math.isfinite(results.baseline):
        return []
    sign = 1 if results.higher_is_better else -1
    beat = [line.name for line in ranked if sign * (line.figure - results.baseline) > 0]
    words = (results.baseline_name, results.said(results.baseline))
    return [say("baseline", *words, ", ".join(beat)) if beat else say("none_beats", *words)]


def _cost(ranked: Sequence[Line], say: Say) -> list[str]:
    said = []
    timed = [line for line in ranked if math.isfinite(line.tokens_per_second) and line.tokens_per_second]
    if len(timed) > 1:
        fast = max(timed, key=lambda line: line.tokens_per_second)
        slow = min(timed, key=lambda line: line.tokens_per_second)
        times = fast.tokens_per_second / slow.tokens_per_second
        said.append(say("fastest", fast.name, f"{fast.tokens_per_second:,.0f}", slow.name, f"{times:.2f}"))
    counts = [line.parameters for line in ranked]
    if len(counts) > 1 and max(counts) > 1.02 * min(counts):
        said.append(say("parameters", f"{min(counts):,.0f}", f"{max(counts):,.0f}"))
    return said


def _trouble(results: Results, say: Say) -> list[str]:
    said = []
    for line in results.lines:
        rise = line.validation - line.best_validation
        if rise > RISE * abs(line.best_validation) and line.train < line.validation:
            below = results.said(line.validation - line.train)
            said.append(say("overfits", line.name, results.said(rise), below))
        count = len(line.done) + len(line.diverged) + len(line.failed)
        if line.diverged:
            said.append(say("diverged", line.name, len(line.diverged), count))
        if line.failed:
            said.append(say("failed", line.name, len(line.failed), count))
    return said
