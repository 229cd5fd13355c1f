"""Rewrites take a cell and give a cell: they compose in any order and run in the same kernels."""

from noria.equations.rewrites.dropout import recurrent_dropout
from noria.equations.rewrites.normalising import layer_normalised
from noria.equations.rewrites.replacing import replace
from noria.equations.rewrites.zoneout import zoneout

__all__ = ["layer_normalised", "recurrent_dropout", "replace", "zoneout"]
