"""A tagger: it learns from tagged sequences which tag each word or character has."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, TextIO

import numpy as np

from noria.arrays import Array
from noria.data.builtin_tasks import BuiltinParts
from noria.data.lines import Lines
from noria.data.tag_layout import AUTO, COLUMNS, PLAIN
from noria.data.tagged import TaggedFile
from noria.data.tagged_guess import TrainedColumns
from noria.data.tagged_sequence import TaggedSequence
from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import DataError, OptionError
from noria.layers import Embedding, Stack, Stream
from noria.layers.state import State
from noria.models.description import Description
from noria.models.explaining import Subject, chosen_row
from noria.models.model import Metric, Model
from noria.models.saving import Fitted
from noria.models.tag.baseline import NAME, most_frequent_tags
from noria.models.tag.explaining import subject_of
from noria.models.tag.figures import agreement, full_figures, headline
from noria.models.tag.lexicon import Lexicon
from noria.models.tag.network import CRF, INPUT, build_network
from noria.models.tag.options import TaggerOptions
from noria.models.tag.predicting import Predictor
from noria.models.tag.preparing import PreparedTags, prepare
from noria.models.tag.reading import TagData, read_tagged, sequences_of
from noria.models.tag.schema import CHARACTERS, TagSchema
from noria.models.tag.showing import in_colour, in_columns
from noria.models.tag.task import TagTask
from noria.models.tag.unknown_tags import apart


@dataclass(kw_only=True, repr=False, eq=False)
class SequenceTagger(Model, TaggerOptions):
    """Gives a tag to each token of a sequence: the part of speech of words, the kind of characters, spans.

    words -> vectors, beside them their spelling, shape and further columns -> recurrent layers, by default in
    both directions -> linear -> softmax, or a conditional random field

    All parameters are options; ``noria.training.options_of(SequenceTagger)`` lists them with meaning, range
    and reason.

    Attributes
    ----------
    classes_ : array of str, (K,)
        The tags, in sorted order.
    schema_ : TagSchema
    network_ : Stack
    parameters_ : FlatParameters
    description_ : Description or None
    report_ : dict

    Examples
    --------
    >>> model = SequenceTagger().fit([["the", "cat"]], [["DT", "NN"]])  # doctest: +SKIP
    >>> model.predict([["a", "cat"]])  # doctest: +SKIP

    References
    ----------
    Graves & Schmidhuber 2005; Huang, Xu & Yu 2015; Lample et al. 2016.
    """

    task: ClassVar[str] = "tag"
    metric: ClassVar[Metric] = Metric("acc", "accuracy", ".4f")
    schema_class: ClassVar[type[TagSchema]] = TagSchema
    default_data: ClassVar[str] = "code-tokens"

    def prepare(self, data: TagData, y: TagData = None, *, resuming: bool = False) -> PreparedTags:
        """Read data and fit sizes to them without training; ``fit`` takes the result in place of the data.

        Its ``description`` says what was understood.

        Parameters
        ----------
        data : list of lists of words, list of strings, list of TaggedSequence, path, list of paths, folder, \
or BuiltinParts
            Sequences of words; strings are sequences of characters. A string alone, or paths, are files: see
            :mod:`noria.data.tagged`; files of Python are sequences of characters.
        y : list of lists of str, optional
            A tag for each token.
        resuming : bool, default False
            Whether a run is gone on with, so that no vectors have to be read.
        """
        self.validate()
        return prepare(data, y, self, resuming=resuming)

    def predict(self, X: TagData) -> list[list[str]]:
        """Give the tags of each sequence.

        Parameters
        ----------
        X : list of lists of words, list of strings, or list of TaggedSequence
            As it was fitted on. A sequence of more than 6,000 tokens is read in overlapping pieces.
        """
        self._need_fit("predict")
        with use_threads(self.threads):
            return self._predictor.tags(self._sequences(X))

    def predict_proba(self, X: TagData) -> list[Array]:
        """Give the probability of each tag at each token, an array (T, K) for each sequence.

        The order is that of ``classes_``. With a conditional random field these are its marginals.
        """
        self._need_fit("predict")
        with use_threads(self.threads):
            return self._predictor.probabilities(self._sequences(X))

    def score(self, X: TagData, y: TagData = None) -> float:
        """Give the share of tokens whose tag is right."""
        return float(self.evaluate(X, y)["accuracy"])

    def evaluate(
        self, data: TagData, y: TagData = None, *, leave_out_unknown: bool = False
    ) -> dict[str, Any]:
        """Measure the model on tagged sequences.

        Parameters
        ----------
        data, y
            As for :meth:`prepare`.
        leave_out_unknown : bool, default False
            Whether sequences with tags that the model was not trained on are left out. How many they are is
            then said (``left_out``), and their ``unknown_tags``.

        Returns
        -------
        dict
            ``loss`` in nats per token, ``accuracy`` and number of ``tokens``; how many are ``unknown``, and
            the accuracy of those; for each of ``classes`` precision, recall, F1 and count. Where the tags
            write spans (IOB2, IOBES) also their ``f1`` and, for each type, ``spans``, read leniently, and
            ``strict_spans``.

        Raises
        ------
        DataError
            If a tag is none of those that were trained on: says where, and how many there are.
        """
        self._need_fit("be measured")
        schema = self.schema_
        if isinstance(data, BuiltinParts):
            data = data.train if data.test is None else data.test
        sequences = read_tagged(data, y, self).sequences
        self._check_level(sequences)
        known, unknown = apart(sequences, schema)
        if unknown and not (leave_out_unknown and known):
            raise unknown.error(schema, sequences)
        lexicon = Lexicon.of(schema, known)
        with use_threads(self.threads):
            figures = full_figures(self._network_, schema, lexicon, [lexicon.example(one) for one in known])
        return figures | unknown.figures()

    def predict_rows(self, source: Path | TextIO | None) -> Iterator[dict[str, Any]]:
        """Tag the sequences of a file, or the lines of a text, in order as they come.

        Parameters
        ----------
        source : path or text stream
            For a model of words, a file like the one it was trained on, with tags or without, or one of
            words with spaces between, a sequence on each line. For a model that was trained on columns a line
            of several words is such a sequence if tabs stood between these columns and none stands in it, or
            if it has another number of fields, or no tag of the model where tags stood. The first lines
            decide for all of a file. For a model of characters, any text.

        Raises
        ------
        DataError
            If a line is written in another way than those before it: says where, and how it may be written.

        Yields
        ------
        dict
            ``tokens`` and ``tags`` of each sequence, or ``text`` and ``tags`` of each line.
        """
        self._need_fit("predict")
        if source is None:
            raise DataError("expected a file to tag, or - for standard input, got none.")
        if self.schema_.level == CHARACTERS:
            yield from self._predictor.lines(Lines(source))
            return
        fallback = COLUMNS if self.schema_.layout == COLUMNS else PLAIN
        layout = replace(self.tag_layout, layout=AUTO)  # one without tags is laid out in another way
        schema = self.schema_
        trained = TrainedColumns(schema.file_columns, schema.by_tab, schema.tags)
        file = TaggedFile(
            source,
            layout,
            tagged=False,
            fallback=fallback,
            trained=trained if fallback == COLUMNS else None,
        )
        yield from self._predictor.rows(file)

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write a row in columns, or in colour as rich's markup has it."""
        return in_colour(row, self.schema_.tags) if colour else in_columns(row)

    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say the accuracy of tokens, and the F1 of spans."""
        return headline(figures)

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        if isinstance(data, Path):
            one = chosen_row(read_tagged(data, None, self).sequences, row, str(data))
            target = one.tags if target is None else target
        else:
            is_line = isinstance(data, str) and self.schema_.level != CHARACTERS
            (one,) = sequences_of([data.split() if is_line else data], tagged=False)
        self._check_level([one])
        return subject_of(self._network_, one, self.schema_, target)

    def start(self) -> State:
        """Give the state before the first token of a sequence, for :meth:`step`."""
        self._need_fit("be streamed")
        return self._streamed().start()

    def step(self, token: str, state: State = None) -> tuple[str, State]:
        """Tag the next token of a sequence, from those before it alone.

        Parameters
        ----------
        token : str
            A word, or a character.
        state : State, optional
            What :meth:`start` or the step before gave.

        Returns
        -------
        tag : str
        state : State
            After the token; it stays as it is, and may be gone on from more than once.

        Raises
        ------
        OptionError
            If the model reads from both ends, or its tags depend on later ones.
        """
        self._need_fit("be streamed")
        stream = self._streamed()
        (one,) = sequences_of([token if self.schema_.level == CHARACTERS else [token]], tagged=False)
        lexicon = Lexicon.of(self.schema_, [one])
        batch = lexicon.batch([lexicon.example(one, tagged=False)])
        scores, after = stream.step(batch.ids.rows, state, given=batch.given)
        return self.schema_.tags[int(scores[0].argmax())], after

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.schema_: TagSchema = fitted.schema
        self.classes_ = np.array(fitted.schema.tags)
        self._stream: Stream | None = None  # made when it is asked for

    def _streamed(self) -> Stream:
        network = self._network_
        if CRF in dict(network.children()):
            raise OptionError(
                "SequenceTagger: the best tags of a conditional random field are known at the end of a "
                "sequence only.\n  Stream a model with crf=False and bidirectional=False."
            )
        if self._stream is None:
            self._stream = network.stream()
        return self._stream

    def _sequences(self, X: TagData) -> list[TaggedSequence]:
        sequences = sequences_of(X, tagged=False)
        self._check_level(sequences)
        return sequences

    def _check_level(self, sequences: Sequence[TaggedSequence]) -> None:
        level = self.schema_.level
        for sequence in sequences:
            if isinstance(sequence.tokens, str) != (level == CHARACTERS):
                wanted = "a string of characters" if level == CHARACTERS else "a list of words"
                raise DataError(
                    f"{sequence.where}: expected {wanted}, as the model was trained on, got "
                    f"{type(sequence.tokens).__name__}."
                )

    @property
    def _network_(self) -> Stack:
        assert isinstance(self.network_, Stack)
        return self.network_

    @property
    def _predictor(self) -> Predictor:
        return Predictor(self._network_, self.schema_)

    def _network(self, cells: Sequence[Cell], schema: TagSchema) -> Stack:
        return build_network(self, cells, schema)

    def _trained(self, fitted: Fitted, prepared: PreparedTags) -> TagTask:
        assert isinstance(fitted.network, Stack)
        return TagTask(
            fitted.network,
            fitted.parameters,
            prepared.schema,
            prepared.lexicon,
            prepared.parts,
            batch_size=prepared.batch_size,
            seed=self.seed,
            label_smoothing=self.label_smoothing,
        )

    def _baseline(self, fitted: Fitted, prepared: PreparedTags, test: Mapping[str, float]) -> dict[str, Any]:
        train, _, tested = prepared.parts
        if not tested:
            return {}
        schema: TagSchema = prepared.schema
        predicted = most_frequent_tags(train, tested, len(prepared.lexicon), len(schema.tags))
        figures = agreement(schema, tested, predicted)
        judged = "f1" if "f1" in figures else "accuracy"
        better = test[judged] > figures[judged] or test[judged] == 1.0  # more than all there is none
        return {"name": NAME, **figures, "beaten": bool(better)}

    def _initialise(self, fitted: Fitted, prepared: PreparedTags) -> None:
        if prepared.vectors is not None:
            first = dict(fitted.network.children())[INPUT]
            assert isinstance(first, Embedding)  # the options say so
            first.table.value[...] = prepared.vectors.matrix
