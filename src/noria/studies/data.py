"""The data of a study, read as every model reads them: files, or a built-in set by name."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from noria.data import builtin_text
from noria.data.builtin_tasks import builtin_data, builtin_recipe
from noria.errors import DataError, OptionError
from noria.models.choosing import holding
from noria.models.loading import model_class
from noria.models.prepared import Prepared
from noria.models.wiring import chosen_cells
from noria.studies.design import WHO, Study
from noria.studies.made_vectors import OF_TRAINING, RANDOM, vectors_of
from noria.training.randomness import generator

BUILT_IN_TEXT = "python"


def prepared_of(study: Study, model: Any) -> Prepared:
    """Read the data of a study for a model; its vectors are made here where the study says so."""
    named = getattr(model, "vectors", "")
    if named not in (OF_TRAINING, RANDOM):
        return _read(study, model)
    frozen = model.freeze_embedding
    try:
        prepared = _read(study, model.set_params(vectors="", freeze_embedding=False))
    finally:
        model.set_params(vectors=named, freeze_embedding=frozen)
    return prepared if named == RANDOM else _with_vectors(prepared, model)


def _read(study: Study, model: Any) -> Prepared:
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


def _with_vectors(prepared: Any, model: Any) -> Prepared:
    """Make vectors of the training part for the symbols that the model knows."""
    if model.task == "text":
        vocabulary = prepared.corpus.vocabulary
        readings = [reading.ids for reading in prepared.corpus.train.readings]
    else:
        vocabulary = getattr(prepared.schema.inputs, "vocabulary", None)
        if vocabulary is None:
            raise OptionError(f"{WHO}: vectors are for the symbols of texts, and these data are none.")
        readings = [example.sequence for example in prepared.train.examples]
    with holding(model, model.by_level()):
        drawn = next(model._built(chosen_cells(model), prepared.schema, {}).network.parameters()).value
    vectors = vectors_of(readings, vocabulary, drawn, generator(model.seed, "vectors"))
    made: Prepared = replace(prepared, vectors=vectors)
    return made


def known_options(task: str, files: tuple[str, ...], data: str | None) -> Mapping[str, Any]:
    """Give the options with which built-in data are learnt; none for files."""
    name = data or model_class(task).default_data
    if files or (task == "text" and name == BUILT_IN_TEXT):
        return {}
    options: Mapping[str, Any] = builtin_recipe(name, task).options
    return options
