"""The data of a study, read as every model reads them: files, or a built-in set by name."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from noria.data import builtin_text
from noria.data.builtin_tasks import builtin_data, builtin_recipe
from noria.errors import DataError
from noria.models.loading import model_class
from noria.models.prepared import Prepared
from noria.studies.design import Study

BUILT_IN_TEXT = "python"


def prepared_of(study: Study, model: Any) -> Prepared:
    """Read the data of a study for a model."""
    prepared: Prepared
    if study.files:
        paths = [Path(file) for file in study.files]
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise DataError(f"{missing[0]}: there is no such file or folder.")
        prepared = model.prepare(paths[0] if len(paths) == 1 else paths)
        return prepared
    name = study.data or model.default_data
    if name == BUILT_IN_TEXT and model.task == "text":
        prepared = model.prepare(builtin_text())
    else:
        prepared = model.prepare(builtin_data(name, model.task, model.seed))
    return prepared


def known_options(task: str, files: tuple[str, ...], data: str | None) -> Mapping[str, Any]:
    """Give the options with which built-in data are learnt; none for files."""
    name = data or model_class(task).default_data
    if files or (task == "text" and name == BUILT_IN_TEXT):
        return {}
    options: Mapping[str, Any] = builtin_recipe(name, task).options
    return options
