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
    """Pass the number of threads on, before NumPy is first imported.

    ``--threads N`` goes before whatever the environment says; ``NORIA_THREADS`` fills in what the environment
    does not say of NumPy's products.

    Parameters
    ----------
    words : sequence of str
        What was typed.

    Raises
    ------
    OptionError
        If ``NORIA_THREADS`` counts and is no whole number from 0.
    """
    if typed := _typed(words):
        os.environ.update(dict.fromkeys((OWN, *OF_PRODUCTS), str(typed)))
        return
    value = os.environ.get(OWN, "").strip()
    if not value:
        return
    if not (value.isascii() and value.isdecimal()):
        raise OptionError(
            f"{OWN}: expected a whole number of threads, 0 for one a core, got {value!r}.\n"
            f"  Set it to a number ({OWN}=2), remove it from the environment, or give --threads."
        )
    if int(value):
        for name in OF_PRODUCTS:
            os.environ.setdefault(name, value)


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
    for name in (OWN, OF_PRODUCTS[0]):
        value = environment.get(name, "").strip()
        if value.isdecimal() and int(value):
            return f"from {name}"
    return "one for each core"


def _typed(words: Sequence[str]) -> int:
    """Find the last ``--threads N`` among the words; 0 if there is none, or no number."""
    found = 0
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--threads":
            value = value or (words[place + 1] if place + 1 < len(words) else "")
            found = int(value) if value.isdecimal() else 0
    return found
