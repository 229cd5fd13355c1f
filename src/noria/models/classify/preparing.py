"""What happens before the first step: records are read, dealt out to parts, and turned into examples."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from noria.arrays import Array
from noria.data.builtin_tasks import BuiltinParts
from noria.data.records import TEXTS, Record, Records
from noria.data.split import split_sequences
from noria.data.stratified import split_stratified
from noria.data.vectors import Vectors
from noria.errors import DataError, OptionError
from noria.models.classify.inputs import TextInputs, fitted_inputs
from noria.models.classify.network import build_network
from noria.models.classify.options import SequenceOptions
from noria.models.classify.reading import read
from noria.models.classify.scaling import Scales
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import LabelTargets, NumberTargets, Targets
from noria.models.classify.task import Balanced, Example
from noria.models.description import DataDescription, Description
from noria.models.examples import digest
from noria.models.prepared import Prepared
from noria.models.pretrained import pretrained
from noria.models.wiring import chosen_cells, describe_model
from noria.training.randomness import generator

SHOWN = 8


@dataclass(frozen=True, eq=False)
class SequencePart:
    """One part of the data: what was read, and what the network has of it."""

    records: Sequence[Record]
    examples: Sequence[Example]


@dataclass(frozen=True, kw_only=True)
class SequenceDescription(DataDescription):
    """Sequences with one target each.

    Attributes
    ----------
    kind : {"texts", "symbols", "series"}
    unit : str
        What one step is called.
    size : int
        Symbols, or channels.
    lengths : tuple of int
        Steps of the shortest, the median and the longest training sequence.
    counts : mapping
        How many training examples have each label; of numbers, their mean and spread.
    train, validation, test : int
        Sequences in each part.
    """

    label: ClassVar[str] = "Data"

    kind: str
    unit: str
    size: int
    lengths: tuple[int, int, int]
    counts: dict[str, float]
    train: int
    validation: int
    test: int

    def summary(self) -> str:
        """Say what the sequences are, what is told of them, and how they are dealt out."""
        shortest, median, longest = self.lengths
        steps = f"{shortest} to {longest} {self.unit}s, half up to {median}"
        if shortest == longest:
            steps = f"{longest} {self.unit}s each"
        what = "channels" if self.unit == "step" else "symbols"
        shares = f"train/validation/test {self.train:,}/{self.validation:,}/{self.test:,}"
        return f"{self.source} · {steps} · {self.size:,} {what} · {self._told()} · {shares}"

    def _told(self) -> str:
        if set(self.counts) == {"mean", "spread"}:
            return f"numbers around {self.counts['mean']:.4g}, spread {self.counts['spread']:.4g}"
        shown = [f"{label} {count / self.train:.0%}" for label, count in self.counts.items()]
        more = ", ..." if len(shown) > SHOWN else ""
        return f"{len(shown)} classes: {', '.join(shown[:SHOWN])}{more}"


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedSequences(Prepared):
    """Sequences that have been read for a model, in three parts."""

    train: SequencePart
    validation: SequencePart
    test: SequencePart
    vectors: Vectors | None = None

    def content(self) -> str:
        """Give digits that two data sets do not share."""
        examples = [example for part in (self.train, self.validation, self.test) for example in part.examples]
        extras = (example.extras for example in examples)
        return digest((one.sequence for one in examples), (one.target for one in examples), extras)


def prepare(
    data: Any,
    targets: Any,
    options: SequenceOptions,
    kind: type[Targets],
    *,
    resampling: str = "none",
    resuming: bool = False,
) -> PreparedSequences:
    """Read data, deal them out, fit what turns them into numbers, and describe what will be trained.

    Parameters
    ----------
    data : path, paths, frame, sequences, or BuiltinParts
    targets : sequence or None
    options : SequenceOptions
    kind : type of Targets
        What is to be told.
    resampling : {"none", "over", "under"}
    resuming : bool, default False
        Whether a run is gone on with, so that no vectors have to be read.
    """
    read_, parts = _parts(data, targets, options, kind)
    train = parts[0]
    told = kind.fitted(train, read_.source)
    inputs = fitted_inputs(read_, train, options)
    extras = None
    if read_.extra_names:
        extras = Scales.of_rows(np.array([record.extras for record in train]), read_.extra_names)
    schema = SequenceSchema(inputs, told, extras, read_.columns, read_.recordings)
    made = [SequencePart(part, examples_of(part, schema)) for part in parts]
    vectors, width = None, dict[str, int]()
    if isinstance(inputs, TextInputs):  # of others vectors were refused
        vectors, width = pretrained(options, inputs.vocabulary, options.seed, resuming=resuming)
    options = options.decided(**width)
    batch_size = min(options.batch_size, len(train))
    balanced = None if resampling == "none" else Balanced(made[0].examples, over=resampling == "over")
    count = len(train) if balanced is None else len(balanced)
    about = _described(read_, schema, made)
    network = build_network(options, chosen_cells(options), schema)
    said = (*about.notes, *(() if vectors is None else vectors.notes))
    description = Description(
        about, describe_model(network, options), batch_size, -(-count // batch_size), said
    )
    return PreparedSequences(
        schema=schema,
        description=description,
        batch_size=batch_size,
        extra=data.extra if isinstance(data, BuiltinParts) else {},
        train=made[0],
        validation=made[1],
        test=made[2],
        vectors=vectors,
        decided=width,
    )


def examples_of(records: Iterable[Record], schema: SequenceSchema, *, known: bool = True) -> list[Example]:
    """Turn records into what the network has.

    Raises
    ------
    DataError
        If one does not fit: says where it stands.
    """
    return [example_of(record, schema, known=known) for record in records]


def example_of(record: Record, schema: SequenceSchema, *, known: bool) -> Example:
    """Turn one record into what the network has."""
    extras = _extras_of(record, schema)
    target = schema.targets.encode(record.target, record.target_place) if known else 0
    return Example(schema.inputs.encode(record.sequence, record.place), target, extras)


def step_of(record: Record, schema: SequenceSchema) -> Example:
    """Turn one step of a sequence into what the network has.

    Raises
    ------
    DataError
        If it does not fit, or is more than one step.
    """
    sequence = schema.inputs.encode_step(record.sequence, record.place)
    if len(sequence) != 1:
        raise DataError(f"{record.place}: expected one {schema.inputs.unit}, got {len(sequence)}.")
    return Example(sequence, 0, _extras_of(record, schema))


def _extras_of(record: Record, schema: SequenceSchema) -> Array | None:
    if schema.extras is None:
        return None
    if len(record.extras) != len(schema.extras.names):
        raise DataError(f"{record.place}: expected the columns {', '.join(schema.extras.names)} beside it.")
    scaled: Array = schema.extras.scaled(np.array([record.extras]))[0]
    return scaled


def _parts(
    data: Any, targets: Any, options: SequenceOptions, kind: type[Targets]
) -> tuple[Records, list[list[Record]]]:
    """Give what was read, and the records of the training, validation and test part."""
    numbers = kind is NumberTargets
    if isinstance(data, BuiltinParts):
        read_ = replace(read(data.train, None, options, known=True), source=data.source)
        if data.is_split:
            if options.test_file:
                raise OptionError(
                    f"The 'test_file' option is for data that have no test part of their own. {data.source} "
                    f"has one. Got {options.test_file!r}.\n"
                    "  Leave test_file out, and evaluate the trained model on that file."
                )
            others = [list(read(part, None, options, known=True)) for part in (data.validation, data.test)]
            return read_, [list(read_), *others]
    else:
        read_ = read(data, targets, options, known=True, numbers=numbers)
    records = list(read_)
    if not records:
        raise DataError(f"{read_.source}: expected at least one sequence, got none.")
    test_share = options.test_fraction
    tested: list[Record] = []
    if options.test_file:
        path, columns = Path(options.test_file), read_.columns
        tested = list(read(path, None, options, columns=columns, known=True, numbers=numbers))
        test_share = 0.0
    rng = generator(options.seed, "order")
    if kind is LabelTargets:
        labels = [record.target for record in records]
        split = split_stratified(labels, rng, options.valid_fraction, test_share)
    else:
        split = split_sequences(len(records), rng, options.valid_fraction, test_share)
    parts = [[records[index] for index in part] for part in (split.train, split.validation, split.test)]
    return read_, [*parts[:2], tested or parts[2]]


def _described(read_: Records, schema: SequenceSchema, parts: Sequence[SequencePart]) -> SequenceDescription:
    train, validation, test = parts
    lengths = sorted(len(example.sequence) for example in train.examples)
    notes = list(read_.notes)
    targets = schema.targets
    if isinstance(targets, LabelTargets):
        found = Counter(example.target for example in train.examples)
        counts: dict[str, float] = {str(label): found[number] for number, label in enumerate(targets.labels)}
        rare = [label for label, count in counts.items() if count < 2]
        if rare:
            notes.append(f"one training example only of {', '.join(map(repr, rare[:SHOWN]))}")
    else:
        numbers = np.array([float(record.target) for record in train.records])
        counts = {"mean": float(numbers.mean()), "spread": float(numbers.std())}
    if read_.kind == TEXTS:
        unknown = [sum(int((one.sequence == 0).sum()) for one in part.examples) for part in parts]
        steps = [sum(len(one.sequence) for one in part.examples) for part in parts]
        shares = ", ".join(
            f"{name} {100 * count / total:.2g} %"
            for name, count, total in zip(("training", "validation", "test"), unknown, steps, strict=True)
            if count
        )
        if shares:
            notes.append(f"{schema.inputs.unit}s that are <unk>: {shares}")
    return SequenceDescription(
        source=read_.source,
        notes=tuple(notes),
        kind=read_.kind,
        unit=schema.inputs.unit,
        size=schema.inputs.size,
        lengths=(lengths[0], lengths[len(lengths) // 2], lengths[-1]),
        counts=counts,
        train=len(train.records),
        validation=len(validation.records),
        test=len(test.records),
    )
