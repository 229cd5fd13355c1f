"""What classifier and regressor share: everything but what is told of a sequence."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from noria.arrays import Array, Float
from noria.data.augmentation import Augmentation
from noria.data.records import TEXTS, Record
from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import DataError, OptionError
from noria.layers import Embedding, Stack, State, Stream
from noria.layers.auxiliary import FEATURES
from noria.models.classify.baseline import baseline_figures
from noria.models.classify.explaining import subject_of
from noria.models.classify.network import EXTRAS, INPUT, POOLING, build_network
from noria.models.classify.options import ATTENTION
from noria.models.classify.preparing import PreparedSequences, example_of, examples_of, prepare
from noria.models.classify.reading import read
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import Targets
from noria.models.classify.task import Example, SequenceTask, attention_of, outputs_of
from noria.models.description import Description
from noria.models.explaining import Subject, chosen_row
from noria.models.model import Fitted, Model, Run, opened
from noria.training.randomness import generator
from noria.training.report import Listener, silent
from noria.training.training_options import Budget

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


class SequenceModel(_WithOptions):
    """Reads a sequence from end to end and gives one answer.

    steps -> embedding -> recurrent layers (or convolutions) -> pooling -> linear
    """

    schema_class: ClassVar[type[SequenceSchema]] = SequenceSchema
    targets_class: ClassVar[type[Targets]]

    schema_: SequenceSchema
    network_: Stack

    def prepare(self, data: Any, y: Any = None, *, resuming: bool = False) -> PreparedSequences:
        """Read data and deal them out without training; ``fit`` takes the result in place of the data.

        Parameters
        ----------
        data, y
            As for :meth:`fit`.
        resuming : bool, default False
            Whether a run is gone on with, so that no vectors have to be read.
        """
        self.validate()
        kind = self.targets_class
        return prepare(data, y, self, kind, resampling=self._resampling, resuming=resuming)

    def fit(
        self,
        data: Any,
        y: Any = None,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        out: Run | None = None,
        resume: Run | None = None,
        init_from: Run | None = None,
        listener: Listener = silent,
    ) -> Self:
        """Train on sequences and what is to be told of each.

        Parameters
        ----------
        data : path, several paths, data frame, sequences, BuiltinParts, or PreparedSequences
            A table with texts and labels (csv, tsv, jsonl, parquet), a long table of numbers, a ``.ts`` file,
            a folder of recordings for each class. In memory: a list of strings, of arrays (T, C) or (T,), or
            of lists of symbols.
        y : sequence, optional
            The label or number of each sequence in memory.
        minutes, epochs, steps : number, optional
            The budget, one of the three; without one it is two minutes.
        out : path or RunFolder, optional
            The run folder to write. Left out, nothing is written.
        resume : path or RunFolder, optional
            The run folder to go on with, in place of `out`; see :meth:`resume`.
        init_from : path or RunFolder, optional
            A run whose best weights this one begins with. Cell, sizes, symbols and labels are the same there.
        listener : callable
            Gets the events of training.

        Returns
        -------
        self
            With the weights that did best on the validation part.

        Raises
        ------
        OptionError
            If an option is outside its range, or two contradict each other.
        DataError
            If the data cannot be read, or hold too little to be trained on.
        DivergenceError
            If training diverges; says where, and what to try.
        RunError
            If the run folder is there already, or cannot be written.
        """
        budget = self._check_fit(
            minutes=minutes, epochs=epochs, steps=steps, out=out, resume=resume, init_from=init_from
        )
        if isinstance(data, PreparedSequences):
            prepared = data
        else:
            prepared = self.prepare(data, y, resuming=resume is not None)
        self._train(prepared, budget=budget, out=out, resume=resume, init_from=init_from, listener=listener)
        self._report_details(prepared, resume if out is None else out)
        return self

    @classmethod
    def resume(
        cls,
        run: Run,
        data: Any,
        y: Any = None,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        listener: Listener = silent,
    ) -> Self:
        """Go on with a run that was cut off, with its own options but ``stop_after``, which is off.

        Parameters
        ----------
        run : path or RunFolder
        data, y
            The same as the run was made with; files may have moved.
        minutes, epochs, steps, listener
            As for :meth:`fit`; without a budget the run is gone on with as it was planned.

        Raises
        ------
        RunError
            If there is no such run, it is finished, or its data are others: shows the difference.
        """
        folder = opened(run)
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps).to_toml_dict()
        model = cls.from_run(folder).set_params(stop_after=0)
        return model.fit(data, y, **budget, resume=folder, listener=listener)

    def predict(self, data: Any) -> Array:
        """Answer every sequence, in order.

        Parameters
        ----------
        data : path, data frame, or sequences
            As for :meth:`fit`, without what is to be told.
        """
        return np.array(self._schema("predict").targets.answers(self.outputs(data)))

    def outputs(self, data: Any) -> Float[Array, "S O"]:
        """Give what the network says of every sequence, before it is made into an answer."""
        schema = self._schema("predict")
        records = read(data, None, self, schema=schema, known=False)
        return self._outputs(examples_of(records, schema, known=False))

    def evaluate(self, data: Any, y: Any = None) -> dict[str, Any]:
        """Compare answers with what is known.

        Parameters
        ----------
        data, y
            As for :meth:`fit`.

        Raises
        ------
        DataError
            If a label is not one that the model was trained on: says where.
        """
        schema = self._schema("evaluate")
        examples = examples_of(read(data, y, self, schema=schema, known=True), schema)
        targets: Array = np.array([example.target for example in examples], dtype=schema.targets.dtype)
        return self._all_figures(self._outputs(examples), targets)

    def predict_rows(self, source: Path | Iterable[str] | None) -> Iterator[dict[str, Any]]:
        """Answer each sequence of a source in order, a few hundred at a time.

        Parameters
        ----------
        source : path, or open file
            As for :meth:`fit`; of texts also a file with one on each line.

        Yields
        ------
        dict
            The answer, and what it is an answer to: of a text its beginning, else where the sequence stands.
        """
        schema = self._schema("predict")
        if source is None:
            raise DataError("expected a file with sequences, or - for standard input, got nothing.")
        records = iter(read(source, None, self, schema=schema, known=False))
        while chunk := list(itertools.islice(records, CHUNK)):
            examples = examples_of(chunk, schema, known=False)
            answers = self._rows(self._outputs(examples))
            for answer, beside in zip(answers, self._shown_of(chunk, examples), strict=True):
                yield {**answer, **beside}

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
        records = read(data if is_file else [data], None, self, schema=schema, known=False)
        record = chosen_row(records, row if is_file else 0, str(data))
        target = record.target if target is None else target
        return subject_of(record, example_of(record, schema, known=False), schema, target)

    def start(self, batch_size: int = 1) -> State:
        """Give the state before the first step; from here on :meth:`step` has the weights of this moment.

        Raises
        ------
        OptionError
            If the model reads from both ends.
        """
        self._need_fit("be streamed")
        with use_threads(self.threads):
            self._stream: Stream = self.network_.stream(batch_size)
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
        record = Record(x if schema.inputs.channels == () else np.asarray(x)[None], None, "step")
        if schema.inputs.kind != TEXTS and not schema.inputs.channels:
            record = Record([x], None, "step")
        example = example_of(Record(record.sequence, None, "step", tuple(extras or ())), schema, known=False)
        if len(example.sequence) != 1:
            raise DataError(f"step: expected one {schema.inputs.unit}, got {len(example.sequence)}.")
        given = None if example.extras is None else {f"{EXTRAS}.{FEATURES}": example.extras[None]}
        outputs, state = self._stream.step(example.sequence, state, given=given)
        return self._answer(outputs.astype(np.float64))[0], state

    def _report_details(self, prepared: PreparedSequences, run: Run | None) -> None:
        """Add to the report what more there is to say of the test part."""
        details = self._details(prepared) if self.report_["steps"] and prepared.test.examples else {}
        self.report_ |= details
        if details and run is not None:
            opened(run).update_report(self.report_)

    # What differs between labels and numbers.

    def _details(self, prepared: PreparedSequences) -> dict[str, Any]:
        """Give what more there is to say of the test part."""
        return {}

    def _answer(self, outputs: Float[Array, "S O"]) -> Array:
        """Give the most that can be said of each sequence."""
        return np.array(self.schema_.targets.answers(outputs))

    def _rows(self, outputs: Float[Array, "S O"]) -> list[dict[str, Any]]:
        """Give the answers as plain values."""
        return [{"prediction": answer} for answer in self.schema_.targets.answers(outputs)]

    def _all_figures(self, outputs: Float[Array, "S O"], targets: Array) -> dict[str, Any]:
        """Give every figure of answers."""
        return {**self.schema_.targets.figures(outputs, targets), "sequences": len(targets)}

    @property
    def _resampling(self) -> str:
        return "none"

    def _class_weights(self, prepared: PreparedSequences) -> Float[Array, " C"] | None:
        return None

    # What every model fills in.

    def _network(self, cells: Sequence[Cell], schema: SequenceSchema) -> Stack:
        return build_network(self, cells, schema)

    def _trained(self, fitted: Fitted, prepared: PreparedSequences) -> SequenceTask:
        assert isinstance(fitted.network, Stack)
        return SequenceTask(
            self.task,
            fitted.network,
            fitted.parameters,
            prepared.schema.targets,
            prepared.train.examples,
            prepared.validation.examples,
            prepared.test.examples,
            batch_size=prepared.batch_size,
            seed=self.seed,
            label_smoothing=self.label_smoothing,
            class_weights=self._class_weights(prepared),
            resampling=self._resampling,
            augmented=self._augmented(prepared),
        )

    def _augmented(self, prepared: PreparedSequences) -> Callable[[int], Sequence[Example]] | None:
        """Give the training examples of an epoch, changed anew; None: they are always the same."""
        augmentation = Augmentation.of_options(self)
        if augmentation is None:
            return None
        schema, records, seed = prepared.schema, prepared.train.records, self.seed

        def of_epoch(epoch: int) -> list[Example]:
            rng = generator(seed, "augmentation", epoch)
            changed = [augmentation(record.sequence, rng) for record in records]
            return examples_of(
                (
                    Record(
                        text if text.strip() else record.sequence, record.target, record.place, record.extras
                    )
                    for text, record in zip(changed, records, strict=True)
                ),
                schema,
            )

        return of_epoch

    def _initialise(self, fitted: Fitted, prepared: PreparedSequences) -> None:
        if prepared.vectors is not None:
            first = dict(fitted.network.children())[INPUT]
            assert isinstance(first, Embedding)  # the options say so
            first.table.value[...] = prepared.vectors.matrix

    def _baseline(
        self, fitted: Fitted, prepared: PreparedSequences, test: Mapping[str, float]
    ) -> dict[str, Any]:
        figures = baseline_figures(prepared)
        key = self.metric.key
        if figures and key in test:
            better = test[key] >= figures[key] if self._higher_is_better else test[key] <= figures[key]
            figures["beaten"] = bool(better)
        return figures

    _higher_is_better: ClassVar[bool]

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        super()._adopt(fitted, description, report)
        self.schema_ = fitted.schema
        self.__dict__.pop("_stream", None)

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


def _floats(weights: Float[Array, " T"]) -> list[float]:
    return [float(weight) for weight in weights]
