"""Sentences of reports in English and Spanish, and how numbers stand in them."""

import math
from collections.abc import Mapping
from typing import TypeAlias

LANGUAGES = ("en", "es")

Sentences: TypeAlias = Mapping[str, tuple[str, str]]
"""By key, the same in each language; ``{0}``, ``{1}``, ... are names and numbers."""

MISSING = "–"

METRICS: dict[str, tuple[str, str]] = {
    "loss": ("loss", "pérdida"),
    "bits_per_character": ("bits per character", "bits por carácter"),
    "perplexity": ("perplexity", "perplejidad"),
    "accuracy": ("accuracy", "exactitud"),
    "macro_f1": ("mean F1 of the classes", "F1 media de las clases"),
    "f1": ("F1 of spans", "F1 de segmentos"),
    "mse": ("mean squared error", "error cuadrático medio"),
    "mae": ("mean absolute error", "error absoluto medio"),
    "rmse": ("RMSE", "RMSE"),
    "mase": ("MASE", "MASE"),
    "smape": ("sMAPE", "sMAPE"),
    "r2": ("R²", "R²"),
    "coverage": ("values inside their intervals", "valores dentro de sus intervalos"),
    "exact_match": ("exact answers", "respuestas exactas"),
    "exact_match_short": ("exact, shortest third", "exactas, tercio más corto"),
    "exact_match_middle": ("exact, middle third", "exactas, tercio medio"),
    "exact_match_long": ("exact, longest third", "exactas, tercio más largo"),
    "bleu": ("BLEU", "BLEU"),
    "tokens": ("tokens", "símbolos"),
    "characters": ("characters", "caracteres"),
}
"""Figures of models by their names in an evaluation."""

HIGHER_IS_BETTER = frozenset({"accuracy", "exact_match", "f1", "macro_f1", "bleu", "r2"})
"""Figures of which more is better; of all others less is."""


def in_reports(form: str) -> str:
    """Give how a report writes a figure: a column of a table in a terminal has less room."""
    return ".4g" if form.endswith("g") else form


def capitalised(text: str) -> str:
    """Write the first letter large, and leave the others as they are."""
    return text[:1].upper() + text[1:]


class Prose:
    """Sentences in one language.

    Parameters
    ----------
    language : str
        One of ``LANGUAGES``.
    *tables : mapping
        Where the sentences stand.
    """

    def __init__(self, language: str, *tables: Sentences) -> None:
        self.language = language
        self._place = LANGUAGES.index(language)
        self._sentences: dict[str, tuple[str, str]] = {}
        for table in tables:
            assert not self._sentences.keys() & table.keys(), "a key stands in two tables"
            self._sentences |= table

    def __call__(self, key: str, *words: object) -> str:
        """Write a sentence."""
        return self._sentences[key][self._place].format(*words)

    def metric(self, key: str) -> str:
        """Name a figure of a model."""
        both = METRICS.get(key)
        return both[self._place] if both else key.replace("_", " ")

    def number(self, value: float, form: str = ",.0f") -> str:
        """Write a number, thousands set apart as the language does; what is not finite is a dash."""
        if not math.isfinite(value):
            return MISSING
        written = format(value, form)
        return written if self.language == "en" else written.replace(",", "\u202f")

    def listed(self, names: list[str]) -> str:
        """Write names as a list: a, b and c."""
        joint = (" and ", " y ")[self._place]
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])}{joint}{names[-1]}"

    def duration(self, seconds: float) -> str:
        """Write how long something took."""
        if not math.isfinite(seconds):
            return MISSING
        if seconds < 100:
            return f"{seconds:.1f} s"
        minutes = seconds / 60
        return f"{minutes:.1f} min" if minutes < 100 else f"{minutes / 60:.1f} h"
