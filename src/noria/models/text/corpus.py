"""What a language model learns from and is tested on: one long text, or separate sequences, as ids."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from noria.arrays import Array
from noria.data import (
    CharacterVocabulary,
    MappedText,
    Text,
    Vocabulary,
    build_vocabulary,
    cut_places,
    describe_symbols,
    normalised,
    split_sequences,
    split_text,
)
from noria.data.builtin_tasks import THREE, BuiltinParts, Determined
from noria.data.conditions import Columns, Conditions, unknown_notes
from noria.errors import DataError
from noria.models.text.reading import MEMORY, Reading
from noria.training.token_options import CHARACTERS, WORDS, TokenOptions

TOGETHER, COUNTED = 1 << 12, 1 << 22
"""Sequences, and ids, that are counted at once."""


@dataclass(frozen=True)
class Part:
    """One part of the data.

    Attributes
    ----------
    readings : list of Reading
        One for the one text, or one for each sequence.
    characters : int
        Characters in the part.
    unknown : tuple of str
        The characters or words in it that the vocabulary does not have, each once; of the training part none
        are listed.
    unknown_count : int
        How often they occur.
    spelling : float
        What spelling them costs, in nats: charged to bits per character.
    """

    readings: list[Reading]
    characters: int
    unknown: tuple[str, ...] = ()
    unknown_count: int = 0
    spelling: float = 0.0

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
    conditions : Conditions or None
        What is known of separate sequences, which their readings begin with.
    """

    separate: bool
    vocabulary: Vocabulary
    train: Part
    validation: Part
    test: Part
    source: str
    encoding: str
    notes: tuple[str, ...]
    conditions: Conditions | None = None

    @property
    def characters(self) -> int:
        """Characters in all parts together."""
        return self.train.characters + self.validation.characters + self.test.characters

    def target_counts(self) -> Array:
        """Count how often each symbol is to be predicted in the training part, (V,)."""
        counts = np.zeros(len(self.vocabulary), np.int64)
        readings = self.train.readings
        for begin in range(0, len(readings), TOGETHER):
            scored = [reading.ids[reading.lead :] for reading in readings[begin : begin + TOGETHER]]
            ids = scored[0] if len(scored) == 1 else np.concatenate(scored)
            for piece in range(0, len(ids), COUNTED):  # for they may lie in a file
                counts += np.bincount(ids[piece : piece + COUNTED], minlength=len(counts))
        return counts


def corpus_of_text(
    text: Text, valid_fraction: float, test_fraction: float, tokens: TokenOptions | None = None
) -> Corpus:
    """Cut one text in its order and encode it with the symbols of its training part.

    Words and subwords are not cut in two where there is a line end or a space near: the parts begin with what
    comes behind it.
    """
    tokens = tokens or TokenOptions()
    split = split_text(text.text, valid_fraction, test_fraction, between_words=tokens.level != CHARACTERS)
    vocabulary = build_vocabulary(split.train, tokens)
    _check_variety(vocabulary, text.source)
    start = np.array([start_id(vocabulary)], dtype=np.int32)
    encoded = [vocabulary.encode(part) for part in (split.train, split.validation, split.test)]
    ids = np.concatenate([start, *encoded])  # the parts are views of it
    first = 1 + len(encoded[0])
    second = first + len(encoded[1])
    train = Part([Reading(ids[:first])], len(split.train), unknown_count=_unknown_in(encoded[0]))
    validation = _held_out(_after(ids, first, second), split.validation, vocabulary)
    test = _held_out(_after(ids, second, len(ids)), split.test, vocabulary)
    notes = (*text.notes, *_unknown_notes(vocabulary, train, validation, test))
    return Corpus(False, vocabulary, train, validation, test, text.source, text.encoding, notes)


def corpus_of_file(
    text: MappedText, valid_fraction: float, test_fraction: float, tokens: TokenOptions | None = None
) -> Corpus:
    """Do as :func:`corpus_of_text` does with the characters of a text that lies in a file."""
    tokens = tokens or TokenOptions()
    first, second = cut_places(text.length, valid_fraction, test_fraction)
    most = None if tokens.most_symbols is None else tokens.most_symbols - 1
    counts = _by_character(text.counts(0, first))
    vocabulary = CharacterVocabulary.of_counts(counts, min_count=tokens.least_count, most=most)
    _check_variety(vocabulary, text.source)
    unknown = [
        Counter({symbol: count for symbol, count in part.items() if not vocabulary.encode(symbol)[0]})
        for part in (
            counts,
            _by_character(text.counts(first, second)),
            _by_character(text.counts(second, text.length)),
        )
    ]
    ids = text.encoded(vocabulary, start_id(vocabulary))
    train = Part([Reading(ids[: 1 + first])], first, unknown_count=unknown[0].total())
    validation, test = (
        Part(
            _after(ids, 1 + begin, 1 + end),
            end - begin,
            tuple(sorted(found)),
            found.total(),
            vocabulary.spelling.total_nats(found),
        )
        for begin, end, found in ((first, second, unknown[1]), (second, text.length, unknown[2]))
    )
    notes = (*text.notes, *_unknown_notes(vocabulary, train, validation, test))
    return Corpus(False, vocabulary, train, validation, test, text.source, text.encoding, notes)


def corpus_of_sequences(
    sequences: Sequence[str],
    valid_fraction: float,
    test_fraction: float,
    rng: np.random.Generator,
    text: Text | None = None,
    tokens: TokenOptions | None = None,
    columns: Columns | None = None,
) -> Corpus:
    """Deal separate sequences out to the parts and encode them, each between a start and an end.

    Where they are the lines of a `text`, its source, encoding and notes are those of the corpus. Labels and
    scales of `columns`, of what is known of each sequence, are those of the training part.
    """
    text = Text("", f"{len(sequences):,} sequences") if text is None else text
    clean = [_normal(sequence, index) for index, sequence in enumerate(sequences)]
    split = split_sequences(len(clean), rng, valid_fraction, test_fraction)
    of_parts = split.train, split.validation, split.test
    parts = [[clean[index] for index in part] for part in of_parts]
    changed = sum(before != after for before, after in zip(sequences, clean, strict=True))
    if changed:
        note = f"{changed:,} sequences were normalised to NFC with \\n at the ends of lines"
        text = replace(text, notes=(*text.notes, note))
    corpus = _corpus_of_parts(parts, text, tokens)
    return corpus if columns is None else _with_conditions(corpus, columns, of_parts)


def corpus_of_builtin(parts: BuiltinParts, tokens: TokenOptions | None = None) -> Corpus:
    """Encode the sequences of a built-in data set that says itself which are learnt from."""
    of_all = [parts.train, parts.validation, parts.test]
    corpus = _corpus_of_parts(of_all, Text("", parts.source), tokens, parts.determined)
    if not parts.conditions:
        return corpus
    known = [parts.conditions[part] for part in THREE]
    columns = {name: [value for part in known for value in part[name]] for name in known[0]}
    rows = np.split(np.arange(sum(map(len, of_all))), np.cumsum([len(part) for part in of_all[:2]]))
    return _with_conditions(corpus, columns, rows)


def _corpus_of_parts(
    parts: Sequence[Sequence[str]],
    text: Text,
    tokens: TokenOptions | None,
    determined: Determined | None = None,
) -> Corpus:
    """Encode training, validation and test sequences with the vocabulary of the training part."""
    vocabulary = build_vocabulary(parts[0], tokens, end=True)
    _check_variety(vocabulary, text.source)
    learnt = enclosed(parts[0], vocabulary)
    left_out = sum(_unknown_in(reading.ids) for reading in learnt)
    train = Part(learnt, sum(map(len, parts[0])), unknown_count=left_out)
    validation, test = (
        _held_out(enclosed(part, vocabulary, determined), part, vocabulary) for part in parts[1:]
    )
    notes = (*text.notes, *_unknown_notes(vocabulary, train, validation, test))
    return Corpus(True, vocabulary, train, validation, test, text.source, text.encoding, notes)


def _with_conditions(corpus: Corpus, columns: Columns, of_parts: Sequence[Array]) -> Corpus:
    """Let each reading begin with what is known of its sequence; unknown labels have no feature."""
    conditions = Conditions.fit(columns, of_parts[0])
    begins = conditions.encode(columns, strict=False)
    parts = [
        replace(part, readings=begun_with(part.readings, begins[rows]))
        for part, rows in zip((corpus.train, corpus.validation, corpus.test), of_parts, strict=True)
    ]
    train, validation, test = parts
    unknown = [
        note
        for name, rows in zip(("validation", "test"), of_parts[1:], strict=True)
        for note in unknown_notes(conditions, columns, name, rows)
    ]
    notes = (*corpus.notes, *unknown)
    return replace(corpus, train=train, validation=validation, test=test, notes=notes, conditions=conditions)


def start_id(vocabulary: Vocabulary) -> int:
    """Give the symbol that a model reads before the first one.

    The end symbol where sequences end; in one text a newline or, where that is not known, the first symbol of
    the vocabulary.
    """
    if vocabulary.end_id is not None:
        return vocabulary.end_id
    return int(vocabulary.encode("\n")[0]) or 1


def begun(text: str, vocabulary: Vocabulary) -> Array:
    """Encode the beginning of a text or sequence, behind the symbol that stands before everything."""
    return np.concatenate([np.array([start_id(vocabulary)], dtype=np.int32), vocabulary.encode(text)])


def enclosed(
    sequences: Sequence[str], vocabulary: Vocabulary, determined: Determined | None = None
) -> list[Reading]:
    """Encode sequences, each between the end symbol as its start and the end symbol as its end.

    Where `determined` says which symbols are certain, and symbols are characters, so do the readings.
    """
    end = np.int32(start_id(vocabulary))
    readings = [Reading(np.append(begun(sequence, vocabulary), end)) for sequence in sequences]
    if determined is None or vocabulary.kind != CHARACTERS:
        return readings
    flags = (np.array(determined(sequence), dtype=bool) for sequence in sequences)
    return [replace(reading, certain=certain) for reading, certain in zip(readings, flags, strict=True)]


def begun_with(readings: Sequence[Reading], begins: Iterable[Array | None]) -> list[Reading]:
    """Let readings begin with features of their sequences."""
    return [replace(reading, begins=row) for reading, row in zip(readings, begins, strict=True)]


def _after(ids: Array, begin: int, end: int) -> list[Reading]:
    """Read ids[begin:end] after what stands before them."""
    lead = min(begin, MEMORY)
    return [Reading(ids[begin - lead : end], lead)] if end > begin else []


def unknown_counts(texts: Iterable[str], vocabulary: Vocabulary) -> Counter[str]:
    """Give what of several texts becomes ``<unk>``, and how often."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(vocabulary.unknown_counts(text))
    return counts


def _held_out(readings: list[Reading], text: str | Sequence[str], vocabulary: Vocabulary) -> Part:
    texts = [text] if isinstance(text, str) else text
    if vocabulary.kind == CHARACTERS:  # one pass over everything, not one for each short sequence
        texts = ["".join(texts)]
    unknown = unknown_counts(texts, vocabulary)
    return Part(
        readings,
        sum(map(len, texts)),
        tuple(sorted(unknown)),
        unknown.total(),
        vocabulary.spelling.total_nats(unknown),
    )


def _unknown_in(ids: Array) -> int:
    return len(ids) - int(np.count_nonzero(ids))


def _by_character(counts: Array) -> dict[str, int]:
    return {chr(code): int(counts[code]) for code in np.flatnonzero(counts)}


def _unknown_notes(vocabulary: Vocabulary, train: Part, validation: Part, test: Part) -> list[str]:
    unit = vocabulary.unit
    left_out = train.unknown_count
    notes = []
    if left_out:
        notes.append(
            f"{_counted(left_out, 'training', unit)} too rare, so <unk>: "
            f"{100 * left_out / train.tokens:.2g} % of it"
        )
    whose = "vocabulary" if left_out else "training part"
    notes += [
        f"{_counted(part.unknown_count, name, unit)} unknown to the {whose}, so <unk>: "
        f"{describe_symbols(part.unknown)}"
        for name, part in (("validation", validation), ("test", test))
        if part.unknown
    ]
    if vocabulary.kind == WORDS and not left_out and (validation.unknown or test.unknown):
        notes.append("the training part has no <unk> to learn from: a min_count of 2 would give it some")
    return notes


def _counted(count: int, part: str, unit: str) -> str:
    return f"1 {unit} of the {part} part is" if count == 1 else f"{count:,} {unit}s of the {part} part are"


def _check_variety(vocabulary: Vocabulary, source: str) -> None:
    if vocabulary.known < 2 and not (vocabulary.has_end and vocabulary.known):
        got = describe_symbols(vocabulary.symbols[vocabulary.first_id :]) or "none"
        raise DataError(
            f"{source}: expected at least two different symbols to train on, got {got}.\n"
            "  With one symbol there is nothing to predict."
        )


def _normal(sequence: object, index: int) -> str:
    if not isinstance(sequence, str):
        raise DataError(f"sequence {index}: expected a string, got {type(sequence).__name__}.")
    return normalised(sequence)
