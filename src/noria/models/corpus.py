"""What a language model learns from and is tested on: one long text, or separate sequences, as ids."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array
from noria.data import Text, Vocabulary, describe_symbols, normalised, split_sequences, split_text
from noria.errors import DataError
from noria.models.reading import MEMORY, Reading


@dataclass(frozen=True)
class Part:
    """One part of the data.

    Attributes
    ----------
    readings : list of Reading
        One for the one text, or one for each sequence.
    characters : int
        Characters in the part.
    unknown : str
        The characters in it that the training part does not have, each once.
    unknown_count : int
        How often they occur.
    """

    readings: list[Reading]
    characters: int
    unknown: str = ""
    unknown_count: int = 0

    @property
    def tokens(self) -> int:
        """Predictions that are made on the part; with separate sequences each end is one too."""
        return sum(reading.predictions for reading in self.readings)


@dataclass(frozen=True)
class Corpus:
    """Data ready to train on.

    Attributes
    ----------
    separate : bool
        Whether it is separate sequences, each closed by the end symbol, and not one text.
    vocabulary : Vocabulary
        Of the training part alone.
    train, validation, test : Part
        Of one text in its order; of sequences by a seeded shuffle.
    source, encoding : str
        Where the data come from.
    notes : tuple of str
        What was done to them, and what a user should know.
    """

    separate: bool
    vocabulary: Vocabulary
    train: Part
    validation: Part
    test: Part
    source: str
    encoding: str
    notes: tuple[str, ...]

    @property
    def characters(self) -> int:
        """Characters in all parts together."""
        return self.train.characters + self.validation.characters + self.test.characters


def corpus_of_text(text: Text, valid_fraction: float, test_fraction: float) -> Corpus:
    """Cut one text in its order and encode it with the symbols of its training part."""
    split = split_text(text.text, valid_fraction, test_fraction)
    vocabulary = Vocabulary.of_text(split.train)
    _check_variety(vocabulary, text.source)
    ids = begun(text.text, vocabulary)  # the parts are views of it
    first, second = 1 + len(split.train), 1 + len(split.train) + len(split.validation)
    train = Part([Reading(ids[:first])], len(split.train))
    validation = _held_out(_after(ids, first, second), split.validation, vocabulary)
    test = _held_out(_after(ids, second, len(ids)), split.test, vocabulary)
    notes = (*text.notes, *_unknown_notes(validation, test))
    return Corpus(False, vocabulary, train, validation, test, text.source, text.encoding, notes)


def corpus_of_sequences(
    sequences: Sequence[str],
    valid_fraction: float,
    test_fraction: float,
    rng: np.random.Generator,
    text: Text | None = None,
) -> Corpus:
    """Deal separate sequences out to the parts and encode them, each between a start and an end.

    Where they are the lines of a `text`, its source, encoding and notes are those of the corpus.
    """
    text = text or Text("", f"{len(sequences):,} sequences")
    clean = [_normal(sequence, index) for index, sequence in enumerate(sequences)]
    split = split_sequences(len(clean), rng, valid_fraction, test_fraction)
    trained, chosen, tested = (
        [clean[index] for index in part] for part in (split.train, split.validation, split.test)
    )
    vocabulary = Vocabulary.of_text(trained, end=True)
    _check_variety(vocabulary, text.source)
    train = Part(enclosed(trained, vocabulary), sum(len(sequence) for sequence in trained))
    validation, test = (
        _held_out(enclosed(part, vocabulary), "".join(part), vocabulary) for part in (chosen, tested)
    )
    changed = sum(before != after for before, after in zip(sequences, clean, strict=True))
    notes = list(text.notes)
    if changed:
        notes.append(f"{changed:,} sequences were normalised to NFC with \\n at the ends of lines")
    notes += _unknown_notes(validation, test)
    return Corpus(True, vocabulary, train, validation, test, text.source, text.encoding, tuple(notes))


def start_id(vocabulary: Vocabulary) -> int:
    """Give the symbol that a model reads before the first one.

    The end symbol where sequences end; in one text a newline, or the known character of the lowest code
    point.
    """
    if vocabulary.end_id is not None:
        return vocabulary.end_id
    return int(vocabulary.encode("\n")[0]) or 1


def begun(text: str, vocabulary: Vocabulary) -> Array:
    """Encode the beginning of a text or sequence, behind the symbol that stands before everything."""
    return np.concatenate([np.array([start_id(vocabulary)], dtype=np.int32), vocabulary.encode(text)])


def enclosed(sequences: Sequence[str], vocabulary: Vocabulary) -> list[Reading]:
    """Encode sequences, each between the end symbol as its start and the end symbol as its end."""
    return [
        Reading(np.append(begun(sequence, vocabulary), np.int32(start_id(vocabulary))))
        for sequence in sequences
    ]


def _after(ids: Array, begin: int, end: int) -> list[Reading]:
    """Read ids[begin:end] after what stands before them."""
    lead = min(begin, MEMORY)
    return [Reading(ids[begin - lead : end], lead)] if end > begin else []


def _held_out(readings: list[Reading], text: str, vocabulary: Vocabulary) -> Part:
    unknown = "".join(vocabulary.unknown_in(text))
    return Part(readings, len(text), unknown, sum(text.count(symbol) for symbol in unknown))


def _unknown_notes(validation: Part, test: Part) -> list[str]:
    return [
        f"{_counted(part.unknown_count, name)} unknown to the training part, so <unk>: "
        f"{describe_symbols(part.unknown)}"
        for name, part in (("validation", validation), ("test", test))
        if part.unknown
    ]


def _counted(count: int, part: str) -> str:
    return (
        f"1 character of the {part} part is" if count == 1 else f"{count:,} characters of the {part} part are"
    )


def _check_variety(vocabulary: Vocabulary, source: str) -> None:
    if len(vocabulary.characters) < 2 and not (vocabulary.has_end and vocabulary.characters):
        got = describe_symbols(vocabulary.characters) or "none"
        raise DataError(
            f"{source}: expected at least two different symbols to train on, got {got}.\n"
            "  With one symbol there is nothing to predict."
        )


def _normal(sequence: object, index: int) -> str:
    if not isinstance(sequence, str):
        raise DataError(f"sequence {index}: expected a string, got {type(sequence).__name__}.")
    return normalised(sequence)
