"""A language model: it learns from text which symbol comes next, and writes."""

from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Self

import numpy as np

from noria.data import normalised, read_lines, read_text
from noria.engines.threads import use_threads
from noria.errors import OptionError
from noria.layers import Stack
from noria.models.description import Description, ModelDescription
from noria.models.text.baseline import baseline_figures
from noria.models.text.evaluating import score_texts
from noria.models.text.fitting import (
    TASK,
    Fitted,
    Run,
    asked_encoding,
    begin,
    built,
    go_on,
    opened,
    start_run,
)
from noria.models.text.options import TextOptions
from noria.models.text.preparing import Prepared, TextData, as_sequences, describe_model, prepare
from noria.models.text.run import damage_named, read_run
from noria.models.text.sampling import Sampler
from noria.models.text.writing import TextWriter
from noria.training.report import Listener, silent
from noria.training.run_folder import RunFolder
from noria.training.training_options import Budget


@dataclass(kw_only=True, repr=False, eq=False)
class LanguageModel(TextWriter, TextOptions):
    """Predicts the next symbol of a text from all that came before.

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

    def prepare(
        self, data: TextData, *, encoding: str | None = None, lines: bool = False, resuming: bool = False
    ) -> Prepared:
        """Read data and fit sizes to them without training; ``fit`` takes the result in place of the data.

        Its ``description`` says what was understood.

        Parameters
        ----------
        data, encoding, lines
            As for :meth:`fit`.
        resuming : bool, default False
            Whether a run is gone on with, so that no vectors have to be read.
        """
        self.validate()
        vectors = None if resuming else self
        return prepare(data, self, self, encoding, lines=lines, tokens=self, vectors=vectors)

    def fit(
        self,
        data: TextData | Prepared,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        out: Run | None = None,
        resume: Run | None = None,
        init_from: Run | None = None,
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
        resume : path or RunFolder, optional
            The run folder to go on with, in place of `out`; see :meth:`resume`.
        init_from : path or RunFolder, optional
            A run whose best weights this one begins with. Cell, sizes and vocabulary have to be the same.
        listener : callable
            Gets the events of training.
        encoding : str, optional
            The encoding of the files, of prepared data the one that they were read with. Left out: detected,
            or that of the run that is gone on with.
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
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps)
        budget.validate("fit")
        if resume is not None and (out is not None or init_from is not None):
            raise OptionError("resume: a run that is gone on with takes no 'out' and no 'init_from'.")
        run = None if resume is None else opened(resume)
        if run is not None and encoding is None:
            encoding = asked_encoding(run, data)
        if isinstance(data, Prepared):
            prepared = data
        else:
            prepared = self.prepare(data, encoding=encoding, lines=lines, resuming=run is not None)
        common = self, prepared, listener, self._sample_text
        if run is None:
            fitted, trainer = begin(*common, out=out, weights=init_from, encoding=encoding)
        else:
            fitted, trainer = go_on(*common, run, budget)
        self._adopt(fitted, prepared.description, {})
        with use_threads(self.threads):
            train = trainer.fit if run is None else trainer.resume
            result = train(minutes=minutes, epochs=epochs, steps=steps)
        corpus = prepared.corpus
        baseline = baseline_figures(corpus, corpus.test, result.test.get("loss")) if result.steps else {}
        report = {**asdict(result), "baseline": baseline, "parameters": fitted.parameters.count}
        self.report_: dict[str, Any] = report
        if trainer.run_folder is not None:
            trainer.run_folder.update_report(self.report_)
        return self

    @classmethod
    def resume(
        cls,
        run: Run,
        data: TextData,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        listener: Listener = silent,
        encoding: str | None = None,
        lines: bool = False,
    ) -> Self:
        """Go on with a run that was cut off, with its own options but ``stop_after``, which is off.

        Without a budget it is gone on with as it was planned, and ends in the same bytes as if it had never
        been interrupted. A budget gives it a new plan, as does one for a run that is finished: steps and
        epochs count from its start, minutes from now, and the learning rate goes on as in a run of the new
        length.

        Parameters
        ----------
        run : path or RunFolder
        data : path, several paths, folder, bytes, text, or list of str
            The same as the run was made with; the files may have moved.
        minutes, epochs, steps, listener, encoding, lines
            As for :meth:`fit`.

        Raises
        ------
        RunError
            If there is no such run, it is finished, or its data or vocabulary are others: shows the
            difference.
        """
        folder = opened(run)
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps).to_toml_dict()
        model = cls.from_run(folder).set_params(stop_after=0)
        return model.fit(data, **budget, resume=folder, listener=listener, encoding=encoding, lines=lines)

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
            next token, ``tokens``, ``characters``, and ``unknown``: how many symbols are not in the
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
        with use_threads(self.threads):
            return score_texts(self.network_, vocabulary, texts)

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
        run = start_run(self, path, self._fitted)
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
            fitted = built(model, stored.cells, stored.vocabulary, stored.about)
            stored.fill(fitted.parameters)
            model._adopt(fitted, None, stored.report)
        return model

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        self._fitted = fitted
        self.vocabulary_ = fitted.vocabulary
        self.network_: Stack = fitted.network
        self.parameters_ = fitted.parameters
        self.description_: Description | None = description
        self.report_ = report

    def _sample_text(self, rng: np.random.Generator) -> str:
        return "".join(self._written("", Sampler(temperature=0.8), self.sample_length, rng))

    @property
    def _separate(self) -> bool:
        return bool(self._fitted.about["kind"] == "sequences")

    def _is_fitted(self) -> bool:
        return hasattr(self, "parameters_")
