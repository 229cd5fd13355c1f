"""Dates as people write them in twenty languages, to be written as ISO 8601 has them: ``2031-05-17``."""

import datetime

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts
from noria.data.text import normalised
from noria.errors import MissingExtraError

COUNTS = 30_000, 1_000, 2_000
FIRST, LAST = datetime.date(1950, 1, 1), datetime.date(2049, 12, 31)
LANGUAGES = (
    *("cs", "da", "de", "el", "en_GB", "es", "fi", "fr", "hu", "it"),
    *("nb", "nl", "pl", "pt", "ro", "ru", "sv", "tr", "uk", "vi"),
)
FORMS = "medium", "long", "full"
"""Those of the Unicode locale data; the short ones do not say which is the month."""


def dates(seed: int) -> BuiltinParts:
    """Make pairs of a date in some language and form, and the same in ISO 8601; no date as written twice.

    Raises
    ------
    MissingExtraError
        If babel is not installed.
    """
    try:
        from babel.dates import format_date
    except ImportError:
        raise MissingExtraError(
            "dates: dates in many languages are written by babel, which is not installed.\n"
            "  pip install 'noria[text]'"
        ) from None

    def draw(rng: np.random.Generator, count: int) -> list[tuple[str, str]]:
        days = rng.integers(0, (LAST - FIRST).days + 1, count)
        languages, forms = rng.integers(0, len(LANGUAGES), count), rng.integers(0, len(FORMS), count)
        pairs = []
        for day, language, form in zip(days.tolist(), languages.tolist(), forms.tolist(), strict=True):
            date = FIRST + datetime.timedelta(days=day)
            written = format_date(date, FORMS[form], locale=LANGUAGES[language])
            pairs.append((normalised(written), date.isoformat()))
        return pairs

    train, validation, test = (
        ([written for written, _ in part], [iso for _, iso in part])
        for part in disjoint_parts(seed, draw, COUNTS)
    )
    return BuiltinParts(train, f"dates in {len(LANGUAGES)} languages, to ISO 8601", validation, test)
