"""What happens before the first step: sequences are cut into parts, and the training part is looked over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

from noria.arrays import Array
from noria.data.builtin_tasks import BuiltinParts
from noria.data.split import split_sequences
from noria.data.vectors import Vectors
from noria.errors import DataError
from noria.models.description import DataDescription, Description
from noria.models.examples import digest
from noria.models.prepared import Prepared
from noria.models.pretrained import pretrained
from noria.models.tag.lexicon import Example, Lexicon
from noria.models.tag.network import build_network
from noria.models.tag.options import TaggerOptions
from noria.models.tag.reading import TagData, TaggedData, read_tagged
from noria.models.tag.schema import TagSchema
from noria.models.wiring import chosen_cells, describe_model
from noria.sequences import Batches
from noria.training.randomness import generator

Parts = tuple[list[Example], list[Example], list[Example]]


@dataclass(frozen=True, kw_only=True)
class TagDescription(DataDescription):
    """Tagged sequences as they were read.

    Attributes
    ----------
    level : str
        What a token is: ``"words"`` or ``"characters"``.
    sequences, tokens : tuple of int
        How many each part has.
    symbols : int
        Tokens that are known by themselves.
    tags : int
    """

    level: str
    sequences: tuple[int, ...]
    tokens: tuple[int, ...]
    symbols: int
    tags: int

    def summary(self) -> str:
        """Say in one line what the data are and how they are cut."""
        shares = "/".join(f"{100 * part / sum(self.tokens):.3g}" for part in self.tokens)
        return " · ".join(
            [
                self.source,
                f"{sum(self.sequences):,} sequences",
                f"{sum(self.tokens):,} {self.level}, {self.symbols:,} with vectors of their own",
                f"{self.tags} tags",
                f"train/validation/test {shares}",
            ]
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedTags(Prepared):
    """Tagged sequences in three parts, as numbers.

    Attributes
    ----------
    lexicon : Lexicon
        The words of all parts.
    parts : three lists of Example
        Training, validation and test.
    vectors : Vectors or None
        Pretrained ones of the words.
    """

    lexicon: Lexicon
    parts: Parts
    vectors: Vectors | None = None

    def content(self) -> str:
        """Give digits that two data sets do not share."""
        return digest(self.lexicon.words, *map(_arrays, self.parts))


def prepare(data: TagData, tags: TagData, options: TaggerOptions, *, resuming: bool) -> PreparedTags:
    """Read data, cut them into parts, look the training part over, and describe what will be trained."""
    read = _parts(data, tags, options)
    train, validation, test = (part.sequences for part in read)
    schema = TagSchema.of(train, options, read[0].layout, read[0].columns)
    notes = list(read[0].notes)
    elsewhere = sorted({tag for one in chain(validation, test) for tag in one.tags or ()} - set(schema.tags))
    if elsewhere:  # it is never learnt, and always an error; without a number it could not be counted as one
        notes.append(f"only in the validation or test part: {', '.join(elsewhere)}")
        schema = replace(schema, tags=tuple(sorted({*schema.tags, *elsewhere})))
    if len(schema.tags) < 2:
        raise DataError(
            f"{read[0].source}: expected at least two different tags, got {schema.tags[0]!r} only."
        )
    lexicon = Lexicon.of(schema, chain(train, validation, test))
    parts: Any = tuple([lexicon.example(one) for one in part] for part in (train, validation, test))
    batch_size = min(options.batch_size, len(train))
    if batch_size < options.batch_size:
        notes.append(f"batch_size {options.batch_size} became {batch_size}: there are no more sequences")
    vectors, width = pretrained(options, schema.vocabulary, options.seed, resuming=resuming)
    options = options.decided(**width)
    if vectors is not None:
        notes += vectors.notes
    description = TagDescription(
        source=read[0].source,
        notes=tuple(notes),
        level=schema.level,
        sequences=tuple(map(len, parts)),
        tokens=tuple(sum(len(example.words) for example in part) for part in parts),
        symbols=len(schema.words),
        tags=len(schema.tags),
    )
    network = build_network(options, chosen_cells(options), schema)
    return PreparedTags(
        schema=schema,
        description=Description(
            description,
            describe_model(network, options),
            batch_size,
            len(Batches([len(example.words) for example in parts[0]], batch_size)),
            tuple(notes),
        ),
        batch_size=batch_size,
        extra=data.extra if isinstance(data, BuiltinParts) else {},
        lexicon=lexicon,
        parts=parts,
        vectors=vectors,
        decided=width,
    )


def _parts(data: TagData, tags: TagData, options: TaggerOptions) -> list[TaggedData]:
    """Read data and cut them into training, validation and test."""
    if isinstance(data, BuiltinParts) and data.is_split:
        return [
            replace(read_tagged(part, None, options), source=data.source)
            for part in (data.train, data.validation, data.test)
        ]
    source = data.source if isinstance(data, BuiltinParts) else ""
    read = read_tagged(data.train if source else data, tags, options)
    shares = options.valid_fraction, options.test_fraction
    split = split_sequences(len(read.groups), generator(options.seed, "order"), *shares)
    return [
        replace(read, groups=[read.groups[index] for index in part], source=source or read.source)
        for part in (split.train, split.validation, split.test)
    ]


def _arrays(part: Sequence[Example]) -> list[Array]:
    return [array for one in part for array in (one.words, one.tags, one.features) if array is not None]
