"""What happens before the first step: pairs become parts, both vocabularies are fitted, all is described."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from noria.arrays import Array
from noria.data.builtin_tasks import BuiltinParts
from noria.data.levels import build_vocabulary
from noria.data.parallel import Pair, open_pairs
from noria.errors import DataError
from noria.models.description import DataDescription, Description
from noria.models.examples import digest
from noria.models.prepared import Prepared
from noria.models.translate.corpus import Example, encoded
from noria.models.translate.network import build_network
from noria.models.translate.options import TranslatorOptions
from noria.models.translate.schema import PairSchema
from noria.models.wiring import chosen_cells, describe_model
from noria.sequences import Batches
from noria.training.randomness import generator
from noria.training.symbol_options import sampling_note

FEWEST = 3


@dataclass(frozen=True, kw_only=True)
class PairDescription(DataDescription):
    """Pairs as they were read.

    Attributes
    ----------
    level : str
        What a symbol is: ``"characters"``, ``"words"`` or ``"subwords"``.
    source_symbols, target_symbols : int
        Sizes of the vocabularies, special symbols included.
    train, validation, test : int
        Pairs in each part.
    longest_source, longest_target : int
        Symbols in the longest of the training part.
    """

    label: ClassVar[str] = "Pairs"

    level: str
    source_symbols: int
    target_symbols: int
    train: int
    validation: int
    test: int
    longest_source: int
    longest_target: int

    def summary(self) -> str:
        """Say in one line what the data are and how they are cut."""
        return " · ".join(
            [
                self.source,
                f"{self.train:,}/{self.validation:,}/{self.test:,} pairs to train, validate, test",
                f"{self.source_symbols:,} and {self.target_symbols:,} {self.level}",
                f"up to {self.longest_source:,} and {self.longest_target:,} in a sequence",
            ]
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedPairs(Prepared):
    """Pairs that have been read for a translator.

    Attributes
    ----------
    train, validation, test : lists of Example
    """

    train: list[Example]
    validation: list[Example]
    test: list[Example]

    def content(self) -> str:
        """Give digits that two data sets do not share."""
        parts = (self.train, self.validation, self.test)
        return digest(*([text for pair in part for text in (pair.source, pair.target)] for part in parts))

    def target_counts(self) -> Array:
        """Count how often each symbol of the target is to be written in the training part, (V,)."""
        written = np.concatenate([example.written for example in self.train])
        return np.bincount(written, minlength=len(self.schema.target))


def prepare(data: Any, targets: Any, options: TranslatorOptions) -> PreparedPairs:
    """Read pairs, cut them into parts, fit the vocabularies on the training part, describe it all."""
    extra: dict[str, Any] = {}
    notes: tuple[str, ...] = ()
    if isinstance(data, BuiltinParts):
        name, extra = data.source, dict(data.extra)
        parts = [list(open_pairs(part)) if part else [] for part in (data.train, data.validation, data.test)]
        pairs = parts[0]
    else:
        opened = open_pairs(
            data,
            targets,
            source_column=options.source_column,
            target_column=options.target_column,
            encoding=options.encoding,
        )
        pairs, name, notes = list(opened), opened.name, opened.notes
        parts = []
    if len(pairs) < FEWEST:
        raise DataError(f"{name}: expected at least {FEWEST} pairs to learn from, got {len(pairs)}.")
    if not parts or not parts[2]:
        parts = _split(pairs, options)
    schema = _schema(parts[0], options)
    train, validation, test = (encoded(part, schema) for part in parts)
    batch_size = min(options.batch_size, len(train))
    notes = (*notes, *sampling_note(options, len(schema.target), f"{options.level} of the target"))
    network = build_network(options, chosen_cells(options), len(schema.source), len(schema.target))
    described = PairDescription(
        source=name,
        notes=notes,
        level=options.level,
        source_symbols=len(schema.source),
        target_symbols=len(schema.target),
        train=len(train),
        validation=len(validation),
        test=len(test),
        longest_source=max(len(example.read) for example in train),
        longest_target=schema.longest - 1,
    )
    steps = len(Batches([len(example.read) for example in train], batch_size))
    description = Description(described, describe_model(network, options), batch_size, steps, notes)
    return PreparedPairs(
        schema=schema,
        description=description,
        batch_size=batch_size,
        symbols=len(schema.target),
        extra=extra,
        train=train,
        validation=validation,
        test=test,
    )


def _split(pairs: Sequence[Pair], options: TranslatorOptions) -> list[list[Pair]]:
    """Draw validation and test pairs; each has one at least where it has a share."""
    order = generator(options.seed, "order").permutation(len(pairs))
    shares = options.valid_fraction, options.test_fraction
    counts = [max(1, round(share * len(pairs))) if share else 0 for share in shares]
    drawn = [pairs[index] for index in order]
    held_out = sum(counts)
    return [drawn[held_out:], drawn[: counts[0]], drawn[counts[0] : held_out]]


def _schema(train: Sequence[Pair], options: TranslatorOptions) -> PairSchema:
    source = build_vocabulary([pair.source for pair in train], options)
    target = build_vocabulary([pair.target for pair in train], options, end=True)
    longest = max(len(target.encode(pair.target)) for pair in train) + 1
    return PairSchema(source, target, longest)
