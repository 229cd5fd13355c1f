"""Tags for sequences that have none: several side by side, long ones in overlapping pieces."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.data.tagged_sequence import TaggedSequence
from noria.layers import Stack
from noria.models.tag.lexicon import Example, Lexicon
from noria.models.tag.output import output_of, scored
from noria.models.tag.schema import TagSchema
from noria.sequences import Ragged

LONGEST, PIECE, CONTEXT = 6_000, 4_000, 1_000
"""Tokens of a sequence that is read whole; of a piece of a longer one; and read beyond both of its ends."""
TOGETHER = 256
"""Sequences that are held at a time while rows come in."""
BLOCK = 16 * PIECE
"""Characters that are held at a time while lines come in."""


class Predictor:
    """Tags sequences with a network.

    Parameters
    ----------
    network : Stack
    schema : TagSchema
    """

    def __init__(self, network: Stack, schema: TagSchema) -> None:
        self._network, self._schema = network, schema
        self._output = output_of(network, schema)

    def tags(self, sequences: Sequence[TaggedSequence]) -> list[list[str]]:
        """Give the best tags of each sequence."""
        names = self._schema.tags
        return [[names[number] for number in ids] for ids in self._read(sequences, self._output.best)]

    def probabilities(self, sequences: Sequence[TaggedSequence]) -> list[Float[Array, "T K"]]:
        """Give the probability of each tag at each token, (T, K), in the order of the schema's tags."""
        return self._read(sequences, self._output.probabilities)

    def rows(self, sequences: Iterable[TaggedSequence]) -> Iterator[dict[str, Any]]:
        """Tag sequences in order as they come, a few at a time; one without tokens has no tags."""
        coming = iter(sequences)
        while some := list(islice(coming, TOGETHER)):
            full = [sequence for sequence in some if sequence.tokens]
            tags = iter(self.tags(full) if full else [])
            for sequence in some:
                yield {"tokens": list(sequence.tokens), "tags": next(tags) if sequence.tokens else []}

    def lines(self, lines: Iterable[str]) -> Iterator[dict[str, Any]]:
        """Tag the characters of a text, line by line as they come; what stands around a line is read, too."""
        before = ""
        for block, after in _with_next(_blocks(lines)):
            text = "\n".join([*block, ""])
            whole = before + text + "\n".join(after)[:CONTEXT]
            (tags,) = self.tags([TaggedSequence(whole)])
            place = len(before)
            for line in block:
                yield {"text": line, "tags": tags[place : place + len(line)]}
                place += len(line) + 1
            before = (before + text)[-CONTEXT:]

    def _read(self, sequences: Sequence[TaggedSequence], answer: Callable[[Ragged], Array]) -> list[Array]:
        lexicon = Lexicon.of(self._schema, sequences)
        pieces: list[Example] = []
        owners: list[tuple[int, slice]] = []
        for index, sequence in enumerate(sequences):
            example = lexicon.example(sequence, tagged=False)
            for seen, kept in _pieces(len(example.words)):
                features = None if example.features is None else example.features[seen]
                pieces.append(Example(example.words[seen], None, features))
                owners.append((index, kept))
        answers: list[Array] = [np.zeros(0)] * len(pieces)
        for indices, scores, _ in scored(self._network, lexicon, pieces):
            found = scores.with_rows(answer(scores)).to_sequences()
            for index, rows in zip(indices, found, strict=True):
                answers[index] = rows[owners[index][1]]
        whole: list[list[Array]] = [[] for _ in sequences]
        for (index, _), rows in zip(owners, answers, strict=True):
            whole[index].append(rows)
        return [np.concatenate(parts) for parts in whole]


def _pieces(length: int) -> Iterator[tuple[slice, slice]]:
    """Cut a sequence into pieces: what is read for each, and the part of that which is the piece itself."""
    if length <= LONGEST:
        yield slice(0, length), slice(0, length)
        return
    for begin in range(0, length, PIECE):
        stop, first = min(begin + PIECE, length), max(begin - CONTEXT, 0)
        yield slice(first, min(stop + CONTEXT, length)), slice(begin - first, stop - first)


def _blocks(lines: Iterable[str]) -> Iterator[list[str]]:
    """Gather lines, without their ends, to blocks of some characters."""
    block: list[str] = []
    size = 0
    for line in lines:
        block.append(line.rstrip("\r\n"))
        size += len(line)
        if size >= BLOCK:
            yield block
            block, size = [], 0
    if block:
        yield block


def _with_next(blocks: Iterable[list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    """Give each block with the one behind it, which is empty behind the last."""
    last: list[str] | None = None
    for block in blocks:
        if last is not None:
            yield last, block
        last = block
    if last is not None:
        yield last, []
