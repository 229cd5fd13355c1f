"""What a trained model of whole sequences does: it answers, is measured, shows what it looks at, streams."""

import io
import itertools
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from noria.arrays import Array, Float
from noria.data.records import SERIES, SYMBOLS, TEXTS, Record
from noria.engines.threads import use_threads
from noria.errors import DataError, OptionError
from noria.layers import Stack, State, Stream
from noria.layers.auxiliary import FEATURES
from noria.models.classify.explaining import subject_of
from noria.models.classify.network import EXTRAS, POOLING
from noria.models.classify.options import ATTENTION
from noria.models.classify.preparing import PreparedSequences, example_of, examples_of, step_of
from noria.models.classify.reading import read
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import Terms
from noria.models.classify.task import Example, attention_of, outputs_of
from noria.models.classify.unknown_labels import apart
from noria.models.explaining import Subject, chosen_row
from noria.models.model import Model

if TYPE_CHECKING:
    from noria.models.classify.options import SequenceOptions

    class _WithOptions(Model, SequenceOptions):
        """What the class of a task brings along."""
else:
    _WithOptions = Model

CHUNK = 256
"""Sequences that are answered together."""

LISTED = 200
"""Characters of a text that are shown beside its answer."""


class SequenceAnswers(_WithOptions):
    """Answers sequences with the network that was trained."""

    schema_: SequenceSchema
    network_: Stack

    def predict(self, data: Any) -> Array:
        """Answer every sequence, in order.

        Parameters
        ----------
        data : path, data frame, or sequences
            As for :meth:`prepare`, without what is to be told.
        """
        return np.array(self._schema("predict").targets.answers(self.outputs(data)))

    def outputs(self, data: Any) -> Float[Array, "S O"]:
        """Give what the network says of every sequence, before it is made into an answer."""
        schema = self._schema("predict")
        records = read(data, None, self, schema=schema, known=False)
        return self._outputs(examples_of(records, schema, known=False))

    def evaluate(self, data: Any, y: Any = None, *, leave_out_unknown: bool = False) -> dict[str, Any]:
        """Compare answers with what is known.

        Parameters
        ----------
        data, y
            As for :meth:`prepare`.
        leave_out_unknown : bool, default False
            Whether sequences with labels that the model was not trained on are left out. How many they are is
            then said (``left_out``), with their ``unknown_labels``, and the ``accuracy_of_all``, of which
            they are the wrong ones.

        Raises
        ------
        DataError
            If a label is not one that the model was trained on: says where, and how many there are.
        """
        schema = self._schema("evaluate")
        records = list(read(data, y, self, schema=schema, known=True))
        known, unknown = apart(records, schema.targets)
        if unknown and not (leave_out_unknown and known):
            raise unknown.error(schema.targets, len(records))
        examples = examples_of(known, schema)
        targets: Array = np.array([example.target for example in examples], dtype=schema.targets.dtype)
        figures = self._all_figures(self._outputs(examples), targets)
        return figures | unknown.figures(figures, len(records))

    def predict_rows(self, source: Path | Iterable[str] | None) -> Iterator[dict[str, Any]]:
        """Answer each sequence of a source in order, a few hundred at a time.

        Parameters
        ----------
        source : path, or open file
            As for :meth:`prepare`; of texts also a file with one on each line.

        Yields
        ------
        dict
            The answer, and what it is an answer to: of a text its beginning, else where the sequence stands.
            A row, or line, without a text has the answer None.
        """
        schema = self._schema("predict")
        if source is None:
            raise DataError("expected a file with sequences, or - for standard input, got nothing.")
        records = iter(read(source, None, self, schema=schema, known=False, blank=True))
        typed = isinstance(source, io.IOBase) and source.isatty()  # then each line is answered at once
        while chunk := list(itertools.islice(records, 1 if typed else CHUNK)):
            full = [record for record in chunk if not record.is_empty]
            answers = iter(self._answered(full))
            for record in chunk:
                yield {"prediction": None, "text": ""} if record.is_empty else next(answers)

    def _answered(self, records: Sequence[Record]) -> list[dict[str, Any]]:
        """Answer records, and say what each answer is an answer to."""
        if not records:
            return []
        examples = examples_of(records, self.schema_, known=False)
        both = zip(self._rows(self._outputs(examples)), self._shown_of(records, examples), strict=True)
        return [{**answer, **beside} for answer, beside in both]

    def attention_weights(self, data: Any) -> list[list[tuple[str, float]]]:
        """Give how much attention lies on each step of each sequence; the weights of a sequence sum to 1.

        Raises
        ------
        OptionError
            If the model does not pool by attention.
        """
        schema = self._schema("attend")
        if self.pooling != ATTENTION:
            raise OptionError(
                f"{type(self).__name__}: expected pooling='attention' to have weights, got {self.pooling!r}."
            )
        records = list(read(data, None, self, schema=schema, known=False))
        return self._attention(records, examples_of(records, schema, known=False))

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        schema, is_file = self._schema("be explained"), isinstance(data, Path)
        records: Iterable[Record] = [data]  # one that was read before has the columns that stand beside it
        if not isinstance(data, Record):
            records = read(data if is_file else [data], None, self, schema=schema, known=False)
        record = chosen_row(records, row if is_file else 0, str(data))
        target = record.target if target is None else target
        return subject_of(record, example_of(record, schema, known=False), schema, target)

    def start(self) -> State:
        """Give the state before the first step; from here on :meth:`step` has the weights of this moment.

        Raises
        ------
        OptionError
            If the model reads from both ends.
        """
        self._need_fit("be streamed")
        with use_threads(self.threads):
            self._stream: Stream = self.network_.stream()
        return self._stream.start()

    def step(self, x: Any, state: State, *, extras: Sequence[float] | None = None) -> tuple[Array, State]:
        """Read one step more of a sequence, and answer for all that came so far.

        Parameters
        ----------
        x : array of shape (C,), or a symbol
            The values of a step, or a character, word or symbol.
        state : State
            What :meth:`start` or the step before gave.
        extras : sequence of float, optional
            The further numbers of the sequence, where the model has any.

        Returns
        -------
        answer : array
            As of one sequence: probabilities of every label, or a number.
        state : State
        """
        schema = self._schema("be streamed")
        if not hasattr(self, "_stream"):
            self.start()
        sequence: Any = {TEXTS: x, SYMBOLS: [x], SERIES: [x]}[schema.inputs.kind]
        example = step_of(Record(sequence, None, "step", tuple(extras or ())), schema)
        given = None if example.extras is None else {f"{EXTRAS}.{FEATURES}": example.extras[None]}
        outputs, state = self._stream.step(example.sequence, state, given=given)
        return self._answer(outputs.astype(np.float64))[0], state

    # What differs between labels and numbers.

    def _answer(self, outputs: Float[Array, "S O"]) -> Array:
        """Give the most that can be said of each sequence."""
        return np.array(self.schema_.targets.answers(outputs))

    def _rows(self, outputs: Float[Array, "S O"]) -> list[dict[str, Any]]:
        """Give the answers as plain values."""
        return [{"prediction": answer} for answer in self.schema_.targets.answers(outputs)]

    def _all_figures(self, outputs: Float[Array, "S O"], targets: Array) -> dict[str, Any]:
        """Give every figure of answers."""
        figures = self.schema_.targets.figures(outputs, targets, self._terms())
        return {**figures, "sequences": len(targets)}

    @abstractmethod
    def _terms(self, prepared: PreparedSequences | None = None) -> Terms:
        """Give what the options say of the loss, and the data that are trained on where they are given."""

    def _schema(self, what: str) -> SequenceSchema:
        self._need_fit(what)
        return self.schema_

    def _outputs(self, examples: Sequence[Example]) -> Float[Array, "S O"]:
        if not examples:
            raise DataError("expected at least one sequence, got none.")
        with use_threads(self.threads):
            return outputs_of(self.network_, examples)

    def _attention(
        self, records: Sequence[Record], examples: Sequence[Example]
    ) -> list[list[tuple[str, float]]]:
        """Give each step of each sequence with the weight that lies on it."""
        with use_threads(self.threads):
            weights = attention_of(self.network_, examples, f"{POOLING}.weights")
        tokens = (self.schema_.inputs.tokens(record.sequence) for record in records)
        return [list(zip(*pair, strict=True)) for pair in zip(tokens, map(_floats, weights), strict=True)]

    def _shown_of(self, records: Sequence[Record], examples: Sequence[Example]) -> list[dict[str, Any]]:
        """Give what stands beside the answers."""
        if self.schema_.inputs.kind != TEXTS:
            return [{"of": record.place} for record in records]
        shown: list[dict[str, Any]] = [
            {"text": " ".join(record.sequence[:LISTED].split())} for record in records
        ]
        if self.pooling == ATTENTION:
            for row, pairs in zip(shown, self._attention(records, examples), strict=True):
                row["attention"] = [list(pair) for pair in pairs]
        return shown


def shown_beside(row: Mapping[str, Any], *, colour: bool) -> str:
    """Give what stands behind an answer for a reader; with colour as rich's markup has it."""
    text = str(row.get("text", row.get("of", "")))
    return styled(text) if colour else text


def styled(text: str, style: str = "") -> str:
    """Write a text as rich's markup has it, in a style or as it is."""
    from rich.markup import escape

    if style:
        return f"[{style}]{escape(text)}[/]"
    return escape(f"{text} ")[:-1]  # with no tag behind it a backslash at the end stays one


def _floats(weights: Float[Array, " T"]) -> list[float]:
    return [float(weight) for weight in weights]
