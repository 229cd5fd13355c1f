"""Looking inside: whether a gradient is right, how far it reaches, and what a cell and a network do.

What a model records is asked of the model (``model.explain``, ``model.gradient_through_time``); pictures of
it are made here. Names that need a model are imported where they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from noria.inspection.gradient_check import GradientReport, GradientRow, check_gradients
from noria.inspection.own_check import check_own_code
from noria.inspection.own_report import OwnReport, OwnRow

if TYPE_CHECKING:
    from noria.inspection.album import draw_album
    from noria.inspection.costs import layer_costs
    from noria.inspection.gradient_pictures import draw_gradients
    from noria.inspection.recall import recall_demonstration
    from noria.inspection.spectral import spectral_demonstration
    from noria.inspection.unrolled_picture import draw_unrolled
    from noria.inspection.unrolling import unrolled

__all__ = [
    "GradientReport",
    "GradientRow",
    "OwnReport",
    "OwnRow",
    "check_gradients",
    "check_own_code",
    "draw_album",
    "draw_gradients",
    "draw_unrolled",
    "layer_costs",
    "recall_demonstration",
    "spectral_demonstration",
    "unrolled",
]

_MODULE_OF = {
    "draw_album": "album",
    "draw_gradients": "gradient_pictures",
    "draw_unrolled": "unrolled_picture",
    "layer_costs": "costs",
    "recall_demonstration": "recall",
    "spectral_demonstration": "spectral",
    "unrolled": "unrolling",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'noria.inspection' has no attribute {name!r}")
    return getattr(import_module(f"noria.inspection.{_MODULE_OF[name]}"), name)
