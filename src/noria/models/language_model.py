"""A language model: it learns from text which symbol comes next, and writes."""

from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np

from noria.data import Vocabulary, normalised, read_lines, read_text
from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import DataError, OptionError
from noria.layers import FlatParameters, Stack
from noria.models.baseline import baseline_figures
from noria.models.corpus import begun, enclosed
from noria.models.description import Description, ModelDescription
from noria.models.network import build_network, chosen_cells
from noria.models.preparing import Prepared, TextData, as_sequences, describe_model, prepare
from noria.models.reading import Reading, long_reading
from noria.models.sampling import Sampler
from noria.models.scoring import score_readings
from noria.models.text_run import VOCABULARY, about_data, damage_named, read_run, run_config
from noria.models.text_task import SequenceTask, StreamTask, TextTask
from noria.models.writing import TextWriter
from noria.training.model_options import ModelOptions
from noria.training.option import Option
from noria.training.randomness import generator
from noria.training.report import Listener, silent
from noria.training.run_folder import RunFolder
from noria.training.trainer import Trainer
from noria.training.training_options import Budget, TrainingOptions

TASK = "text"


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit or a run folder gives a model, all of it together or nothing."""

    cells: list[Cell]
    vocabulary: Vocabulary
    about: dict[str, Any]
    network: Stack
    parameters: FlatParameters


@dataclass(kw_only=True, repr=False, eq=False)
class LanguageModel(TextWriter, ModelOptions, TrainingOptions):
    """Predicts the next character of a text from all that came before.

    symbols -> one-hot or embedding -> recurrent layers -> linear -> softmax

    Trained on one text, it reads it in parallel streams, window by window, and carries the state over the
    windows. Trained on a list of strings, it takes each for a sequence of its own, which begins with the
    initial state and closes with an end symbol.

    All parameters are options; ``noria.training.options_of(LanguageModel)`` lists them with meaning, range
    and reason.

    Attributes
    ----------
    vocabulary_ : Vocabulary
        The symbols of the training part.
    network_ : Stack
    parameters_ : FlatParameters
    description_ : Description or None
        What was understood of data and network before training; None of a model that was loaded.
    report_ : dict
        What training came to: figures on ``validation`` and ``test``, the ``baseline`` on the same test part,
        ``steps``, ``best_step``, ``parameters``, ``seconds``.

    Examples
    --------
    >>> model = LanguageModel(cell="gru", hidden_size=64).fit("some.txt", minutes=2)  # doctest: +SKIP
    >>> model.sample("The ", temperature=0.7)  # doctest: +SKIP

    References
    ----------
    Mikolov et al. 2010; Graves 2013.
    """

    bidirectional: Annotated[
        bool,
        Option(help="Refused: a language model may not read from the end.", group="Model", hidden=True),
    ] = False

    def prepare(self, data: TextData, *, encoding: str | None = None, lines: bool = False) -> Prepared:
        """Read data and fit sizes to them without training; ``fit`` takes the result in place of the data.

        Parameters
        ----------
        data, encoding, lines
            As for :meth:`fit`.

        Returns
        -------
        Prepared
            Its ``description`` says what was understood.
        """
        self.validate()
        return prepare(data, self, self, encoding, lines=lines)

    def fit(
        self,
        data: TextData | Prepared,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        out: str | PathLike[str] | RunFolder | None = None,
        listener: Listener = silent,
        encoding: str | None = None,
        lines: bool = False,
    ) -> Self:
        """Train on a text, or on separate sequences.

        What cannot be trained is refused before anything is written or forgotten: a model that was fitted
        before keeps its weights then.

        Parameters
        ----------
        data : path, several paths, folder, bytes, text, list of str, or Prepared
            One text, as :func:`noria.data.read_text` reads it; or a list of strings, which are separate
            sequences.
        minutes, epochs, steps : number, optional
            The budget, one of the three; without one it is two minutes.
        out : path or RunFolder, optional
            The run folder to write. Left out, nothing is written.
        listener : callable
            Gets the events of training.
        encoding : str, optional
            The encoding of the files; detected if left out.
        lines : bool, default False
            Each line of the text is a sequence of its own; blank lines are left out.

        Returns
        -------
        self
            With the weights that did best on the validation part.

        Raises
        ------
        OptionError
            If an option is outside its range, or two contradict each other.
        DataError
            If there is not enough to train on, or the data cannot be read.
        DivergenceError
            If training diverges; says where, and what to try.
        RunError
            If the run folder is there already, or cannot be written.
        """
        self.validate()
        Budget(minutes=minutes, epochs=epochs, steps=steps).validate("fit")
        if isinstance(data, Prepared):
            prepared = data
        else:
            prepared = self.prepare(data, encoding=encoding, lines=lines)
        corpus = prepared.corpus
        fitted = self._built(chosen_cells(self), corpus.vocabulary, about_data(prepared.description.data))
        task = self._task(fitted, prepared)
        run = None if out is None else self._start_run(out, fitted)
        trainer = Trainer(task, self, run, listener)
        trainer.begin()
        self._adopt(fitted, prepared.description, {})
        with use_threads(self.threads):
            result = trainer.fit(minutes=minutes, epochs=epochs, steps=steps)
        baseline = baseline_figures(corpus, corpus.test, result.test.get("loss")) if result.steps else {}
        self.report_: dict[str, Any] = {
            **asdict(result),
            "baseline": baseline,
            "parameters": task.parameters.count,
        }
        if run is not None:
            run.update_report(self.report_)
        return self

    @property
    def summary(self) -> ModelDescription:
        """The layers, their sizes and the number of their parameters."""
        self._need_fit("be summed up")
        return describe_model(self.network_, self)

    def evaluate(self, data: TextData, *, encoding: str | None = None) -> dict[str, float]:
        """Score every symbol of a text given all before it.

        Parameters
        ----------
        data, encoding
            As for :meth:`fit`. The state is carried over the whole of a text; a text of more than 200,000
            symbols is read in several places at once, 100,000 symbols and more in each. A list of strings is
            scored one by one, and a model of sequences takes every line of a text for one.

        Returns
        -------
        dict
            ``loss`` in nats per token, ``bits_per_character``, ``perplexity`` per token, ``accuracy`` of the
            next token, ``tokens``, ``characters``, and ``unknown``: how many characters are not in the
            vocabulary.
        """
        self._need_fit("evaluate")
        vocabulary = self.vocabulary_
        texts = as_sequences(data)
        if texts is not None:
            texts = [normalised(text) for text in texts]
        elif self._separate:
            texts = read_lines(data, encoding=encoding)
        else:
            texts = [read_text(data, encoding=encoding).text]
        if self._separate:
            readings = enclosed(texts, vocabulary)
        else:
            readings = [Reading(begun(text, vocabulary)) for text in texts if text]
        if not readings:
            raise DataError("evaluate: expected at least one character to score, got none.")
        if len(readings) == 1:
            readings = long_reading(readings[0])
        with use_threads(self.threads):
            figures = score_readings(self.network_, readings, end=vocabulary.end_id).figures()
        return {**figures, "unknown": sum(len(text) for text in texts) - _known(texts, vocabulary)}

    def score(self, data: TextData) -> float:
        """Negative cross-entropy in nats per token: higher is better, as scikit-learn wants it."""
        return -self.evaluate(data)["loss"]

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as a run folder, which ``noria.load`` opens.

        Raises
        ------
        RunError
            If the folder is there already, or cannot be written.
        """
        self._need_fit("be saved")
        run = self._start_run(path, self._fitted)
        with run.complete_or_removed():
            run.write_arrays("best", self.parameters_.state_dict())
            run.update_report(self.report_)
        run.is_complete()

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Open a run folder.

        Raises
        ------
        RunError
            If it is not the run of a language model, or is damaged: says what of it.
        """
        return cls.from_run(RunFolder.open(Path(path)))

    @classmethod
    def from_run(cls, run: RunFolder) -> Self:
        """Make the model of an open run folder."""
        with damage_named(run):
            stored = read_run(run, TASK)
            model = cls.from_toml_dict(stored.options)
            model.cell = stored.cell_option
            fitted = model._built(stored.cells, stored.vocabulary, stored.about)
            stored.fill(fitted.parameters)
            model._adopt(fitted, None, stored.report)
        return model

    def _built(self, cells: list[Cell], vocabulary: Vocabulary, about: dict[str, Any]) -> Fitted:
        network = build_network(self, cells, len(vocabulary))
        rng = generator(self.seed, "initial")
        parameters = FlatParameters.build(network.layers, rng, np.dtype(self.dtype))
        return Fitted(cells, vocabulary, about, network, parameters)

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        self._fitted = fitted
        self.vocabulary_ = fitted.vocabulary
        self.network_: Stack = fitted.network
        self.parameters_ = fitted.parameters
        self.description_: Description | None = description
        self.report_ = report

    def _task(self, fitted: Fitted, prepared: Prepared) -> TextTask:
        def write(rng: np.random.Generator) -> str:
            return "".join(self._written("", Sampler(temperature=0.8), self.sample_length, rng))

        basics = fitted.network, fitted.parameters, prepared.corpus, prepared.batch_size
        if prepared.corpus.separate:
            return SequenceTask(*basics, self.seed, write)
        return StreamTask(*basics, prepared.seq_length, write)

    def _start_run(self, out: str | PathLike[str] | RunFolder, fitted: Fitted) -> RunFolder:
        config = run_config(self, fitted.cells, fitted.about, fitted.vocabulary)
        run = out if isinstance(out, RunFolder) else RunFolder.create(Path(out), task=TASK, config=config)
        with run.complete_or_removed():
            if run is out:
                run.update_config({"task": TASK, **config})
            run.write_json(VOCABULARY, fitted.vocabulary.to_dict())
        return run

    @property
    def _separate(self) -> bool:
        """Whether it was trained on separate sequences."""
        return bool(self._fitted.about["kind"] == "sequences")

    def _is_fitted(self) -> bool:
        return hasattr(self, "parameters_")

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.bidirectional:
            raise OptionError(
                f"The 'bidirectional' option of {owner} must be False. Got True: what reads from the end has "
                "seen the next symbol, which is what a language model is to predict."
            )


def _known(texts: list[str], vocabulary: Vocabulary) -> int:
    return sum(int(np.count_nonzero(vocabulary.encode(text))) for text in texts)
