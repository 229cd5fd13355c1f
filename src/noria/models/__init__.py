"""Models: layers wired for a task, with fit, predict and score, and the baselines that they have to beat.

A model's own files hold what is its own: reading its data, wiring, decoding, scoring. Names are imported
where they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.models.description import Description
    from noria.models.loading import load
    from noria.models.prepared import Prepared
    from noria.models.text.kneser_ney import KneserNey
    from noria.models.text.language_model import LanguageModel
    from noria.models.text.sampling import Sampler

__all__ = ["Description", "KneserNey", "LanguageModel", "Prepared", "Sampler", "load"]

_MODULE_OF = {
    "Description": "description",
    "KneserNey": "text.kneser_ney",
    "LanguageModel": "text.language_model",
    "Prepared": "prepared",
    "Sampler": "text.sampling",
    "load": "loading",
}


def __getattr__(name: str) -> object:
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'noria.models' has no attribute {name!r}")
    value: object = getattr(import_module(f"noria.models.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
