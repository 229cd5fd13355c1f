"""Batteries to run against a cell or a layer of your own, and a source of cells that nobody wrote."""

from noria.testing.batteries import check_cell, check_layer
from noria.testing.random_cells import random_cell

__all__ = ["check_cell", "check_layer", "random_cell"]
