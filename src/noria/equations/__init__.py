"""What a cell is: the language, the :class:`Cell`, the library of cells, and rewrites from cell to cell."""

from noria.equations.cell import Cell, Parameter
from noria.equations.draft import Equation, Given, Initial
from noria.equations.latex import latex
from noria.equations.library import cells
from noria.equations.recurrence import recurrent_columns
from noria.equations.rewrites import layer_normalised, recurrent_dropout, replace, zoneout

__all__ = [
    "Cell",
    "Equation",
    "Given",
    "Initial",
    "Parameter",
    "cells",
    "latex",
    "layer_normalised",
    "recurrent_columns",
    "recurrent_dropout",
    "replace",
    "zoneout",
]
