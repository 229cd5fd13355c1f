"""Finding a built-in data set by its name."""

import difflib

from noria.data.builtin_tasks.entry import Entry, Recipe
from noria.data.builtin_tasks.parts import BuiltinParts
from noria.data.builtin_tasks.table import TABLE
from noria.errors import OptionError, UnknownNameError


def builtin_tasks(task: str | None = None) -> tuple[Entry, ...]:
    """List the built-in data sets, of one task or of all."""
    return tuple(entry for entry in TABLE if task in (None, entry.task))


def builtin_data(name: str, task: str, seed: int) -> BuiltinParts:
    """Make the data of a built-in data set.

    Parameters
    ----------
    name : str
        As ``--data`` takes it: ``"recall"`` or, with a number, ``"recall:200"``.
    task : {"text", "classify", "regress", "tag", "forecast", "translate"}
    seed : int
        The same seed gives the same data.

    Raises
    ------
    UnknownNameError
        If the task has no data set of that name: names the nearest one and lists those of the task.
    OptionError
        If the number is none, too small, or means nothing.
    MissingExtraError
        If the data need a library that is not installed.
    """
    entry, number = builtin_entry(name, task)
    return entry.make(seed, number)


def builtin_recipe(name: str, task: str) -> Recipe:
    """Give the options with which a data set is learnt; takes and raises what :func:`builtin_data` does."""
    entry, number = builtin_entry(name, task)
    return entry.recipe(number)


def builtin_entry(name: str, task: str) -> tuple[Entry, int | None]:
    """Give the line of the table that a name means, and the number behind it."""
    base, colon, digits = name.partition(":")
    found = next((entry for entry in builtin_tasks(task) if entry.name == base), None)
    if found is None:
        raise UnknownNameError(_unknown(base, task))
    if not colon:
        return found, None
    if not (digits.isascii() and digits.isdigit()):
        raise OptionError(f"The data set {name!r}: expected a whole number behind the colon, {found.usage}.")
    found.checked(int(digits))
    return found, int(digits)


def _unknown(name: str, task: str) -> str:
    own = [entry.name for entry in builtin_tasks(task)]
    elsewhere = [entry.task for entry in builtin_tasks() if entry.name == name]
    near = difflib.get_close_matches(name, own, n=1)
    hint = ""
    if elsewhere:
        hint = f" It belongs to {' and '.join(repr(other) for other in elsewhere)}."
    elif near:
        hint = f" Did you mean {near[0]!r}?"
    return (
        f"There is no built-in data set {name!r} for {task!r}.{hint}\n"
        f"  There are: {', '.join(entry.usage for entry in builtin_tasks(task)) or 'none'}."
    )
