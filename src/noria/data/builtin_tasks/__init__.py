"""Data sets that need no file, by the names that ``--data`` takes.

The convention:

- ``NAME`` or ``NAME:NUMBER``, ``recall`` or ``recall:200``; what the number is stands in the table
  (:mod:`noria.data.builtin_tasks.table`), a line for each data set: name, task, where it is made, what it is.
- A data set is a file beside this one with a function ``function(seed)``, or ``function(seed, gap=20)`` if
  its line has a number of that name. It is imported when it is asked for, and returns :class:`BuiltinParts`:
  training, validation and test part, or one set that the model splits.
- Every part is drawn from a generator of its own, ``drawing(seed, "test")``. Where examples could be drawn
  twice, the function sees to it that a test part shares none with what is trained on.
- A line may have recipes: options with which the data set is learnt, used where the user does not say
  otherwise. They were chosen on seeds of their own, never on a test part that is reported.
"""

from noria.data.builtin_tasks.disjoint import THREE
from noria.data.builtin_tasks.entry import Entry, Number, Recipe
from noria.data.builtin_tasks.parts import BuiltinParts, Data, Determined, drawing
from noria.data.builtin_tasks.registry import builtin_data, builtin_entry, builtin_recipe, builtin_tasks

__all__ = [
    "THREE",
    "BuiltinParts",
    "Data",
    "Determined",
    "Entry",
    "Number",
    "Recipe",
    "builtin_data",
    "builtin_entry",
    "builtin_recipe",
    "builtin_tasks",
    "drawing",
]
