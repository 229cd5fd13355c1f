"""Recurrent neural networks from their equations.

>>> import noria
>>> cell = noria.Cell.parse("h' = tanh(W @ x + U @ h + b)")
>>> model = noria.LanguageModel(cell="gru").fit("some.txt", minutes=2)  # doctest: +SKIP
>>> model.sample("The ", temperature=0.7)  # doctest: +SKIP

Importing this package costs next to nothing: each name is imported where it is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from noria.equations import Cell, cells, rewrites
    from noria.models import (
        Forecaster,
        LanguageModel,
        SequenceClassifier,
        SequenceRegressor,
        SequenceTagger,
        Translator,
        load,
    )

__version__ = "0.1.0"

__all__ = [
    "Cell",
    "Forecaster",
    "LanguageModel",
    "SequenceClassifier",
    "SequenceRegressor",
    "SequenceTagger",
    "Translator",
    "__version__",
    "cells",
    "load",
    "rewrites",
]

_ROOM_OF = {
    "Cell": "noria.equations",
    "Forecaster": "noria.models",
    "LanguageModel": "noria.models",
    "SequenceClassifier": "noria.models",
    "SequenceRegressor": "noria.models",
    "SequenceTagger": "noria.models",
    "Translator": "noria.models",
    "cells": "noria.equations",
    "load": "noria.models",
    "rewrites": "noria.equations",
}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'noria' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_ROOM_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
