"""How many threads: ``--threads`` and ``NORIA_THREADS`` reach the engines, and the library behind NumPy."""

import os
from collections.abc import Mapping, Sequence

from noria.errors import OptionError

OWN = "NORIA_THREADS"

# Read by the libraries that do NumPy's products when they are loaded, and never again.
OF_PRODUCTS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def set_threads(words: Sequence[str]) -> None:
    """Pass the number of threads on, before NumPy is first imported: ``--threads N``, else ``NORIA_THREADS``.

    Parameters
    ----------
    words : sequence of str
        What was typed.

    Raises
    ------
    OptionError
        If ``NORIA_THREADS`` counts and is no whole number from 0.
    """
    value = _typed(words) or os.environ.get(OWN, "").strip() or "0"
    if not (value.isascii() and value.isdecimal()):
        raise OptionError(
            f"{OWN}: expected a whole number of threads, 0 for one a core, got {value!r}.\n"
            f"  Set it to a number ({OWN}=2), remove it from the environment, or give --threads."
        )
    if int(value):
        os.environ.update(dict.fromkeys((OWN, *OF_PRODUCTS), value))


def origin(option: int, environment: Mapping[str, str] = os.environ) -> str:
    """Say where the number of threads comes from.

    Parameters
    ----------
    option : int
        The option ``threads``; 0 where it leaves the choice open.
    environment : mapping of str to str
    """
    if option:
        return "as asked for"
    from noria.engines.threads import variable_in_force

    name = variable_in_force(environment)
    return f"from {name}" if name else "one for each core"


def _typed(words: Sequence[str]) -> str:
    """Find the last ``--threads N`` among the words; empty if there is none, or no number from 1."""
    found = ""
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--threads":
            value = value or (words[place + 1] if place + 1 < len(words) else "")
            found = value if value.isascii() and value.isdecimal() and int(value) else ""
    return found
