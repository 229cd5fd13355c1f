"""The one table of options: Python arguments, flags, TOML keys and documentation are all read from here.

A class of options is a dataclass whose fields carry an :class:`Option`. Models inherit from the classes that
concern them and so have the options as their arguments.
"""

from noria.training.model_options import ModelOptions
from noria.training.optimiser_options import DEFAULT_LR
from noria.training.option import Option, OptionInfo, did_you_mean
from noria.training.optioned import Default, Options, defaults, options_of, unknown_option
from noria.training.sampling_options import SamplingOptions
from noria.training.token_options import TokenOptions
from noria.training.training_options import DEFAULT_MINUTES, Budget, TrainingOptions

__all__ = [
    "DEFAULT_LR",
    "DEFAULT_MINUTES",
    "Budget",
    "Default",
    "ModelOptions",
    "Option",
    "OptionInfo",
    "Options",
    "SamplingOptions",
    "TokenOptions",
    "TrainingOptions",
    "defaults",
    "did_you_mean",
    "options_of",
    "unknown_option",
]
