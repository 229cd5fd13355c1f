"""Models: layers wired for a task, with fit, predict and score, and the baselines that they have to beat.

A model's own files hold what is its own: reading its data, wiring, decoding, scoring. Names are imported
where they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.models.classify.classifier import SequenceClassifier
    from noria.models.classify.regressor import SequenceRegressor
    from noria.models.description import Description
    from noria.models.explanation import Explanation
    from noria.models.forecast.forecaster import Forecaster
    from noria.models.gradient_reach import GradientThroughTime
    from noria.models.loading import load
    from noria.models.prepared import Prepared
    from noria.models.tag.tagger import SequenceTagger
    from noria.models.text.kneser_ney import KneserNey
    from noria.models.text.language_model import LanguageModel
    from noria.models.text.sampling import Sampler
    from noria.models.translate.translator import Translator

__all__ = [
    "Description",
    "Explanation",
    "Forecaster",
    "GradientThroughTime",
    "KneserNey",
    "LanguageModel",
    "Prepared",
    "Sampler",
    "SequenceClassifier",
    "SequenceRegressor",
    "SequenceTagger",
    "Translator",
    "load",
]

_MODULE_OF = {
    "Description": "description",
    "Explanation": "explanation",
    "Forecaster": "forecast.forecaster",
    "GradientThroughTime": "gradient_reach",
    "KneserNey": "text.kneser_ney",
    "LanguageModel": "text.language_model",
    "Prepared": "prepared",
    "Sampler": "text.sampling",
    "SequenceClassifier": "classify.classifier",
    "SequenceRegressor": "classify.regressor",
    "SequenceTagger": "tag.tagger",
    "Translator": "translate.translator",
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
