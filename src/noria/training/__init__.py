"""Training: losses, optimisers, schedules, clipping, the one loop, its options and its run folder.

Everything here works on flat vectors and on a :class:`~noria.training.task.Task`; what is trained, and on
what, is the business of the models. Names are imported where they are first used: the command line reads the
option table without loading an engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from noria.training.losses import cross_entropy_rows, sequence_cross_entropy
    from noria.training.options import (
        Budget,
        ModelOptions,
        Option,
        Options,
        SamplingOptions,
        TrainingOptions,
        options_of,
    )
    from noria.training.report import Event, Listener, Result
    from noria.training.run_folder import RunFolder
    from noria.training.task import StepResult, Task
    from noria.training.trainer import Trainer

__all__ = [
    "Budget",
    "Event",
    "Listener",
    "ModelOptions",
    "Option",
    "Options",
    "Result",
    "RunFolder",
    "SamplingOptions",
    "StepResult",
    "Task",
    "Trainer",
    "TrainingOptions",
    "cross_entropy_rows",
    "options_of",
    "sequence_cross_entropy",
]

_MODULE_OF = {
    "Event": "report",
    "Listener": "report",
    "Result": "report",
    "RunFolder": "run_folder",
    "StepResult": "task",
    "Task": "task",
    "Trainer": "trainer",
    "cross_entropy_rows": "losses",
    "sequence_cross_entropy": "losses",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'noria.training' has no attribute {name!r}")
    value: object = getattr(import_module(f"noria.training.{_MODULE_OF.get(name, 'options')}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
