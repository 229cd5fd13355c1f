"""What the table of built-in data sets says of one of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from noria.data.builtin_tasks.parts import BuiltinParts
from noria.errors import OptionError


@dataclass(frozen=True)
class Number:
    """The number that may stand behind the name of a data set: the gap in ``recall:200``.

    Parameters
    ----------
    name : str
        The argument of the function that makes the data.
    default, minimum : int
    help : str
        What it counts.
    """

    name: str
    default: int
    minimum: int
    help: str


@dataclass(frozen=True)
class Recipe:
    """Options with which a data set is learnt, where the user does not say otherwise.

    Parameters
    ----------
    options : mapping
        By name, as the options of the task's model.
    reason : str
        Why they are what they are.
    up_to : int, optional
        The largest number behind the name that it is for; left out, any.
    """

    options: Mapping[str, Any]
    reason: str
    up_to: int | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the table.

    Parameters
    ----------
    name : str
        What ``--data`` takes, without a number.
    task : {"text", "classify", "regress", "tag", "forecast", "translate"}
        The verb it belongs to. A name may stand in several lines, of different tasks.
    module, function : str
        What makes the data, imported when it is asked for: ``function(seed)``, or ``function(seed, gap=20)``
        where there is a number. It returns :class:`BuiltinParts`.
    help : str
        One line for the list of data sets.
    number : Number, optional
    recipes : tuple of Recipe
        In the order of ``up_to``; the first that fits the number holds.
    """

    name: str
    task: str
    module: str
    function: str
    help: str
    number: Number | None = None
    recipes: tuple[Recipe, ...] = ()

    @property
    def usage(self) -> str:
        """What to write: ``"recall[:GAP]"``."""
        return self.name if self.number is None else f"{self.name}[:{self.number.name.upper()}]"

    def checked(self, number: int | None) -> int | None:
        """Give the number, or its default; complain of one that is too small or means nothing."""
        if self.number is None:
            if number is not None:
                raise OptionError(f"The data set {self.name!r} takes no number. Got {self.name}:{number}.")
            return None
        if number is None:
            return self.number.default
        if number < self.number.minimum:
            raise OptionError(
                f"The number behind {self.name!r} ({self.number.help}) must be at least "
                f"{self.number.minimum}. Got {number}."
            )
        return number

    def recipe(self, number: int | None = None) -> Recipe:
        """Give the recipe for a number; an empty one if there is none."""
        number = self.checked(number)
        for recipe in self.recipes:
            if recipe.up_to is None or (number is not None and number <= recipe.up_to):
                return recipe
        return Recipe({}, "")

    def make(self, seed: int, number: int | None = None) -> BuiltinParts:
        """Draw the data from a seed."""
        number = self.checked(number)
        module = import_module(f"noria.data.builtin_tasks.{self.module}")
        arguments = {} if self.number is None else {self.number.name: number}
        parts: BuiltinParts = getattr(module, self.function)(seed, **arguments)
        return parts
