"""Opening any run: the task in its config says which model it is."""

from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

from noria.errors import RunError
from noria.training.run_folder import RunFolder

MODELS = {
    "text": ("noria.models.text.language_model", "LanguageModel"),
    "classify": ("noria.models.classify.classifier", "SequenceClassifier"),
    "regress": ("noria.models.classify.regressor", "SequenceRegressor"),
    "tag": ("noria.models.tag.tagger", "SequenceTagger"),
    "forecast": ("noria.models.forecast.forecaster", "Forecaster"),
    "translate": ("noria.models.translate.translator", "Translator"),
}
"""The module and the class of each task; a new task is a line here."""


def model_class(task: str) -> Any:
    """Give the class of a task's model."""
    module, name = MODELS[task]
    return getattr(import_module(module), name)


def load(path: str | PathLike[str]) -> Any:
    """Open a run folder as the model that was trained in it.

    Parameters
    ----------
    path : path
        A folder that training wrote, or ``save``.

    Returns
    -------
    model
        A :class:`~noria.models.LanguageModel`, for one, with its best weights.

    Raises
    ------
    RunError
        If it is not a run, is damaged, or this version of Noria does not know its task.
    """
    run = RunFolder.open(Path(path))
    task = run.config.get("task")
    if not isinstance(task, str) or task not in MODELS:
        raise RunError(
            f"{path}: the run is of task {task!r}; this version of Noria knows {', '.join(MODELS)}."
        )
    return model_class(task).from_run(run)
