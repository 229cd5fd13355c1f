"""What a fit builds, takes over and checks before the first step."""

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from noria.data import Vocabulary
from noria.data.augmentation import Augmentation
from noria.equations import Cell
from noria.layers import Embedding, FlatParameters, Stack
from noria.models.text.augmenting import TrainingReadings
from noria.models.text.network import build_network, chosen_cells
from noria.models.text.options import TextOptions
from noria.models.text.preparing import Prepared, TextData
from noria.models.text.resuming import (
    check_cells,
    check_data,
    check_options,
    content_of,
    refuse_finished,
    take_over_weights,
    thesaurus_of,
)
from noria.models.text.run import VOCABULARY, about_data, damage_named, read_run, run_config
from noria.models.text.task import SequenceTask, StreamTask, TextTask
from noria.training.randomness import generator
from noria.training.report import Listener
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer
from noria.training.training_options import Budget

TASK = "text"

Run: TypeAlias = str | PathLike[str] | RunFolder
Write: TypeAlias = Callable[[np.random.Generator], str]


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit or a run folder gives a model, all of it together or nothing."""

    cells: list[Cell]
    vocabulary: Vocabulary
    about: dict[str, Any]
    network: Stack
    parameters: FlatParameters


def opened(run: Run) -> RunFolder:
    """Give a run folder that is there, by its path or as it is."""
    return run if isinstance(run, RunFolder) else RunFolder.open(Path(run))


def built(options: TextOptions, cells: list[Cell], vocabulary: Vocabulary, about: dict[str, Any]) -> Fitted:
    """Build the network and draw its parameters."""
    network = build_network(options, cells, len(vocabulary), frozen_embedding=options.freeze_embedding)
    rng = generator(options.seed, "initial")
    parameters = FlatParameters.build(network.layers, rng, np.dtype(options.dtype))
    return Fitted(cells, vocabulary, about, network, parameters)


def begin_with(fitted: Fitted, prepared: Prepared, weights: Run | None) -> None:
    """Put pretrained vectors, or the weights of another run, in the place of what was drawn."""
    if prepared.vectors is not None:
        first = fitted.network.layers[0]
        assert isinstance(first, Embedding)  # the options say so
        first.table.value[...] = prepared.vectors.matrix
    if weights is not None:
        source = opened(weights)
        take_over_weights(read_run(source, TASK), fitted.cells, fitted.vocabulary, fitted.parameters)
        fitted.about["weights"] = str(source.path)


def begin(
    options: TextOptions,
    prepared: Prepared,
    listener: Listener,
    write: Write,
    *,
    out: Run | None = None,
    weights: Run | None = None,
    encoding: str | None = None,
) -> tuple[Fitted, Trainer]:
    """Build a model and begin its run: what cannot be trained is refused before anything is written.

    Parameters
    ----------
    options : TextOptions
    prepared : Prepared
    listener : callable
        Gets the events of training.
    write : callable
        Writes a sample.
    out : path or RunFolder, optional
        The run folder to write.
    weights : path or RunFolder, optional
        The run whose weights the new one begins with.
    encoding : str, optional
        The encoding that was asked for.
    """
    corpus, augmentation = prepared.corpus, Augmentation.of_options(options)
    about = about_data(prepared.description.data)
    if out is not None:
        given = {"asked_encoding": encoding, "thesaurus": thesaurus_of(augmentation)}
        about |= {name: value for name, value in given.items() if value is not None}
        about["content"] = content_of(corpus)
    fitted = built(options, chosen_cells(options), corpus.vocabulary, about)
    begin_with(fitted, prepared, weights)
    task = task_of(options, fitted, prepared, augmentation, write)
    run = None if out is None else start_run(options, out, fitted)
    trainer = Trainer(task, options, run, listener)
    trainer.begin()
    return fitted, trainer


def go_on(
    options: TextOptions, prepared: Prepared, listener: Listener, write: Write, run: RunFolder, budget: Budget
) -> tuple[Fitted, Trainer]:
    """Build the model of a run and take the run up, unless options or data are not those of the run.

    Raises
    ------
    RunError
        Shows the difference.
    """
    corpus, augmentation = prepared.corpus, Augmentation.of_options(options)
    with damage_named(run):
        stored = read_run(run, TASK)
        made_with = type(options).from_toml_dict(stored.options).to_toml_dict()
    given = options.to_toml_dict()
    check_cells(run, stored.cells, chosen_cells(options))
    check_options(run, {**made_with, "cell": given["cell"]}, given)
    check_data(run, stored, corpus, augmentation)
    refuse_finished(run, stored.report, budget)
    fitted = built(options, stored.cells, corpus.vocabulary, stored.about)
    trainer = Trainer(task_of(options, fitted, prepared, augmentation, write), options, run, listener)
    trainer.load(budget)
    return fitted, trainer


def task_of(
    options: TextOptions,
    fitted: Fitted,
    prepared: Prepared,
    augmentation: Augmentation | None,
    write: Write,
) -> TextTask:
    """Wire the network with its data; ``write`` makes a sample."""
    corpus = prepared.corpus
    training = TrainingReadings(corpus, augmentation, options.seed)
    basics = fitted.network, fitted.parameters, corpus, prepared.batch_size
    smoothing = options.label_smoothing
    if corpus.separate:
        return SequenceTask(*basics, options.seed, write, label_smoothing=smoothing, training=training)
    return StreamTask(*basics, prepared.seq_length, write, label_smoothing=smoothing, training=training)


def start_run(options: TextOptions, out: Run, fitted: Fitted) -> RunFolder:
    """Make the run folder, with all that does not change in it."""
    config = run_config(options, fitted.cells, fitted.about, fitted.vocabulary)
    run = out if isinstance(out, RunFolder) else RunFolder.create(Path(out), task=TASK, config=config)
    with run.complete_or_removed():
        if run is out:
            run.update_config({"task": TASK, **config})
        run.write_json(VOCABULARY, fitted.vocabulary.to_dict())
    return run


def asked_encoding(run: RunFolder, data: TextData | Prepared) -> str | None:
    """Give the encoding that was asked for when a run was made, where there are files or bytes to decode."""
    several = isinstance(data, list | tuple) and all(isinstance(item, PathLike) for item in data)
    if not several and not isinstance(data, str | bytes | bytearray | memoryview | PathLike):
        return None
    about = run.config.get("data")
    encoding = about.get("asked_encoding") if isinstance(about, dict) else None
    return encoding if isinstance(encoding, str) else None
