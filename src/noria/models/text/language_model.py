"""A language model: it learns from text which symbol comes next, and writes."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from noria.data import Vocabulary, normalised, read_lines, read_text
from noria.data.augmentation import Augmentation
from noria.data.builtin_tasks import BuiltinParts
from noria.data.conditions import Conditions, as_columns
from noria.data.described_texts import DescribedTexts, read_described
from noria.data.text_features import text_features
from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import DataError, RunError
from noria.layers import Embedding, Stack, SymbolFeatures
from noria.models.description import Description
from noria.models.explaining import Subject, chosen_row
from noria.models.model import Metric
from noria.models.prepared import refuse_answers
from noria.models.saving import Fitted
from noria.models.stored import StoredModel
from noria.models.text.augmenting import TrainingReadings, beginning_of
from noria.models.text.baseline import baseline_figures
from noria.models.text.comparing import corpus_differences, thesaurus_of, vocabulary_differences
from noria.models.text.evaluating import score_texts
from noria.models.text.explaining import subject_of
from noria.models.text.network import begun_states, build_network
from noria.models.text.options import TextOptions
from noria.models.text.preparing import KINDS, PreparedText, TextOrParts, as_sequences, prepare, tested_part
from noria.models.text.sampling import Sampler
from noria.models.text.schema import CONDITIONS, TextSchema, condition_differences
from noria.models.text.task import SequenceTask, StreamTask, TextTask
from noria.models.text.writing import TextWriter
from noria.training.randomness import generator
from noria.training.run_folder import RunFolder
from noria.training.symbol_loss import SymbolLoss
from noria.training.token_options import CHARACTERS


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

    task: ClassVar[str] = "text"
    metric: ClassVar[Metric] = Metric("bpc", "bits_per_character", ".3f")
    schema_file: ClassVar[str] = "vocab.json"
    default_data: ClassVar[str] = "python"

    def prepare(
        self,
        data: TextOrParts,
        y: None = None,
        *,
        encoding: str | None = None,
        lines: bool = False,
        conditions: Any = None,
        resuming: bool = False,
    ) -> PreparedText:
        """Read a text, or separate sequences, without training; ``fit`` takes the result in place of them.

        Its ``description`` says what was understood.

        Parameters
        ----------
        data : path, several paths, folder, bytes, text, list of str, or BuiltinParts
            One text, as :func:`noria.data.read_text` reads it; or a list of strings, which are separate
            sequences; or the parts of a built-in data set.
        y : None
            There for scikit-learn's sake: a text is its own answer.
        encoding : str, optional
            The encoding of the files, of prepared data the one that they were read with. Left out: detected,
            or that of the run that is gone on with.
        lines : bool, default False
            Each line of the text is a sequence of its own; blank lines are left out.
        conditions : list, array, mapping or data frame, optional
            What is known of each sequence as a whole, a label or numbers, or columns of them by name: it
            gives the state in which the model begins the sequence (one to many), or is told at every step:
            `conditions_at`.
        resuming : bool, default False
            Whether a run is gone on with, so that no vectors have to be read.
        """
        self.validate()
        refuse_answers(self, y)
        reading: dict[str, Any] = {"lines": lines, "conditions": conditions}
        if self._is_table(data):
            data, reading["conditions"], reading["about"] = self._described(data, encoding, conditions)
            asked, encoding = encoding, None
        else:
            asked = encoding
        options = self.decided()
        reading |= {"tokens": options, "vectors": options, "resuming": resuming}
        prepared = prepare(data, options, options, encoding, **reading)
        corpus = prepared.corpus
        if augmentation := Augmentation.of_options(self, corpus.vocabulary.encode):
            prepared = prepared.noting(augmentation.described(beginning_of(corpus)))
        return replace(prepared, asked_encoding=asked)

    def _prepared(self, data: Any, y: Any, run: RunFolder | None, reading: Mapping[str, Any]) -> Any:
        others = dict(reading)
        encoding = others.pop("encoding", None)
        if run is not None and encoding is None:
            encoding = asked_encoding(run, data)
        if not isinstance(data, PreparedText):
            return super()._prepared(data, y, run, {**others, "encoding": encoding})
        read: PreparedText = super()._prepared(data, y, run, others)
        return read if encoding is None else replace(read, asked_encoding=encoding)

    def evaluate(
        self, data: TextOrParts, *, encoding: str | None = None, conditions: Any = None
    ) -> dict[str, float]:
        """Score every symbol of a text given all before it.

        Parameters
        ----------
        data, encoding
            As for :meth:`prepare`. The state is carried over the whole of a text; a text of more than 200,000
            symbols is read in several places at once, 100,000 symbols and more in each. A list of strings is
            scored one by one, and a model of sequences takes every line of a text for one. Of built-in parts
            it is the test part.
        conditions
            As for :meth:`prepare`, of a model that was fitted with some.

        Returns
        -------
        dict
            ``loss`` in nats per token, ``bits_per_character``, ``perplexity`` per token, ``accuracy`` of the
            next token, ``tokens``, ``characters``, and ``unknown``: how many symbols are not in the
            vocabulary. Of built-in parts which say what is certain to come, also ``certain_accuracy`` of
            that, the share of ``sequences_right`` in all of it, and ``right_to_length``: up to how many
            symbols all sequences are. Where there are any, ``unknown_conditions``: how many labels were not
            in the training part; nothing is told in its place.
        """
        self._need_fit("evaluate")
        vocabulary = self.vocabulary_
        determined = None
        if isinstance(data, BuiltinParts):
            determined = data.determined
            conditions = data.conditions.get("test") if conditions is None else conditions
        if self._is_table(data):
            data, conditions, _ = self._described(data, encoding, conditions)
        tested = tested_part(data)
        texts = as_sequences(tested)
        if texts is not None:
            texts = [normalised(text) for text in texts]
        elif self._separate:
            texts = read_lines(tested, encoding=encoding)
        else:
            texts = [read_text(tested, encoding=encoding).text]
        begins, unknown = None, 0
        if self._needs_conditions(conditions):
            assert self._conditions is not None
            columns = as_columns(conditions, len(texts))
            begins = self._conditions.encode(columns, strict=False)
            unknown = sum(map(len, self._conditions.unknown_in(columns).values()))
        with use_threads(self.threads):
            figures = score_texts(self.network_, vocabulary, texts, determined, begins)
        return figures | ({"unknown_conditions": unknown} if unknown else {})

    def _is_table(self, data: TextOrParts) -> bool:
        """Whether data name a table whose columns are to be read."""
        return bool(self.text_column) and isinstance(data, str | PathLike)

    def _described(self, table: Any, encoding: str | None, conditions: Any) -> DescribedTexts:
        if conditions is not None:
            raise DataError("conditions: those of a table are its columns.\n  Name them: condition_columns.")
        return read_described(table, self.text_column, self.described_by, encoding)

    def score(self, data: TextOrParts) -> float:
        """Negative cross-entropy in nats per token: higher is better, as scikit-learn wants it."""
        return -self.evaluate(data)["loss"]

    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say a loss, and what compares between characters, words and subwords."""
        bits = f"{figures['bits_per_character']:.3f} bits per character"
        is_of_words = self.vocabulary_.kind != CHARACTERS
        more = f"perplexity {figures['perplexity']:,.1f}, {bits}" if is_of_words else bits
        said = f"{figures['loss']:.3f} nats ({more})"
        if "sequences_right" in figures:
            said += f", {100 * figures['sequences_right']:.3g} % of sequences right where it is certain"
        return said

    def metric_of(self, prepared: PreparedText) -> Metric:
        """Give bits per character; of separate sequences how often the next symbol is right."""
        return Metric("acc", "accuracy", ".3f") if prepared.corpus.separate else self.metric

    def next_steps(self, run: str) -> Sequence[str]:
        """Give the commands that go on from a run."""
        sample = f"noria sample {run} --temperature 0.7"
        if self._conditions is not None:
            drawn = self._conditions.drawn(generator(self.seed, "sample"))
            known = ",".join(f"{name}={value}" for name, value in drawn.items())
            sample += f" --conditions {shlex.quote(known)}"
        return (sample, f"noria evaluate {run} FILE", f"noria info {run}")

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        text, known = data if isinstance(data, tuple) else (data, None)
        if isinstance(data, Path) and self._is_table(data):
            described = self._described(data, None, None)
            text = chosen_row(described.texts, row, str(data))
            columns = described.columns
            known = None if columns is None else {name: column[row] for name, column in columns.items()}
        elif isinstance(data, Path):
            text = read_text(data).text
            text = chosen_row(filter(None, text.split("\n")), row, str(data)) if self._separate else text
        begins = None
        if self._needs_conditions(known):
            assert self._conditions is not None
            begins = self._conditions.encode_one(known)
        return subject_of(text, self.vocabulary_, begins)

    def _network(self, cells: Sequence[Cell], schema: TextSchema) -> Stack:
        options = self.decided()
        return build_network(
            options,
            cells,
            len(schema.vocabulary),
            features=text_features(schema.vocabulary, options.text_features),
            conditions=schema.condition_size,
            frozen_embedding=self.freeze_embedding,
        )

    def _trained(self, fitted: Fitted, prepared: PreparedText) -> TextTask:
        corpus = prepared.corpus
        training = TrainingReadings(
            corpus, Augmentation.of_options(self, corpus.vocabulary.encode), self.seed
        )
        basics = fitted.network, fitted.parameters, corpus, prepared.batch_size
        write, symbols = self._sample_text, len(corpus.vocabulary)
        loss = SymbolLoss.of_options(self, symbols, corpus.target_counts)
        if corpus.separate:
            return SequenceTask(*basics, self.seed, write, loss=loss, training=training)
        return StreamTask(*basics, prepared.seq_length, write, loss=loss, training=training)

    def _baseline(self, fitted: Fitted, prepared: PreparedText, test: Mapping[str, float]) -> dict[str, Any]:
        return baseline_figures(prepared.corpus, prepared.corpus.test, test.get("loss"))

    def _initialise(self, fitted: Fitted, prepared: PreparedText) -> None:
        if prepared.vectors is not None:
            first = next(layer for _, layer in fitted.network.children())
            first = first.layer if isinstance(first, SymbolFeatures) else first
            assert isinstance(first, Embedding)  # the options say so
            first.table.value[...] = prepared.vectors.matrix

    def _about(self, prepared: PreparedText) -> dict[str, Any]:
        thesaurus = thesaurus_of(Augmentation.of_options(self))
        given = {"asked_encoding": prepared.asked_encoding, "thesaurus": thesaurus}
        return super()._about(prepared) | {name: value for name, value in given.items() if value is not None}

    def _data_differences(self, stored: StoredModel, schema: TextSchema, prepared: PreparedText) -> list[str]:
        thesaurus = thesaurus_of(Augmentation.of_options(self))
        found = corpus_differences(stored.about, schema.vocabulary, prepared.corpus, thesaurus)
        return found + condition_differences(schema.conditions, prepared.corpus.conditions)

    def _weights_differences(self, schema: TextSchema, prepared: PreparedText) -> list[str]:
        found = vocabulary_differences(schema.vocabulary, prepared.corpus.vocabulary)
        return found + condition_differences(schema.conditions, prepared.corpus.conditions)

    def _write_schema(self, run: RunFolder, schema: TextSchema) -> None:
        run.write_json(self.schema_file, schema.vocabulary.to_dict())
        if schema.conditions is not None:
            run.write_json(CONDITIONS, schema.conditions.to_dict())

    def _read_schema(self, run: RunFolder, about: Mapping[str, Any]) -> TextSchema:
        source = str(run.path / self.schema_file)
        if about["kind"] not in KINDS:
            raise RunError(
                f"{run.path / 'config.toml'}: the file is damaged: data.kind is {about['kind']!r} and none "
                f"of {', '.join(KINDS)}."
            )
        vocabulary = Vocabulary.from_dict(run.read_json(self.schema_file), source)
        conditions = None
        if (run.path / CONDITIONS).exists():
            written = run.path / CONDITIONS
            conditions = Conditions.from_dict(run.read_json(CONDITIONS), str(written))
        schema = TextSchema(vocabulary, conditions)
        self._check_fingerprint(about, schema.fingerprint(), source)
        if vocabulary.has_end != (about["kind"] == KINDS[1]):
            raise RunError(f"{source}: the file does not belong to config.toml, it is another run's.")
        return schema

    def _check_fingerprint(self, about: Mapping[str, Any], fingerprint: str, source: str) -> None:
        # Runs of the first versions have it under another name.
        known = about.get("schema", about.get("vocabulary", fingerprint))
        super()._check_fingerprint({"schema": known}, fingerprint, source)

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.vocabulary_: Vocabulary = fitted.schema.vocabulary
        self._conditions: Conditions | None = fitted.schema.conditions

    def _sample_text(self, rng: np.random.Generator) -> str:
        state, begins = None, ""
        if self._conditions is not None:
            drawn = self._conditions.drawn(rng)
            state = begun_states(self.network_, self._conditions.encode_one(drawn))
            begins = ", ".join(f"{name} {value}" for name, value in drawn.items()) + ": "
        written = self._written("", Sampler(temperature=0.8), self.sample_length, rng, state=state)
        return begins + "".join(written)

    @property
    def _separate(self) -> bool:
        return bool(self._fitted.about["kind"] == KINDS[1])


def asked_encoding(run: RunFolder, data: TextOrParts | PreparedText) -> str | None:
    """Give the encoding that was asked for when a run was made, where there are files or bytes to decode."""
    several = isinstance(data, list | tuple) and all(isinstance(item, PathLike) for item in data)
    if not several and not isinstance(data, str | bytes | bytearray | memoryview | PathLike):
        return None
    about = run.config.get("data")
    encoding = about.get("asked_encoding") if isinstance(about, dict) else None
    return encoding if isinstance(encoding, str) else None
