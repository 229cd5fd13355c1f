"""What happens before the first step: data become a corpus, sizes are fitted to it, both are described."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from noria.data import Text, TextSource, is_large, map_text, read_lines, read_text
from noria.data.builtin_tasks import BuiltinParts
from noria.data.conditions import Columns, as_columns
from noria.data.text import is_no_path
from noria.data.text_features import text_features
from noria.data.vectors import Vectors
from noria.errors import DataError, OptionError
from noria.models.description import Description
from noria.models.prepared import Prepared
from noria.models.pretrained import pretrained
from noria.models.text.comparing import content_of
from noria.models.text.corpus import (
    Corpus,
    Part,
    corpus_of_builtin,
    corpus_of_file,
    corpus_of_sequences,
    corpus_of_text,
)
from noria.models.text.description import TextDescription
from noria.models.text.network import build_network
from noria.models.text.options import START, TextModelOptions, TextTrainingOptions
from noria.models.text.schema import TextSchema
from noria.models.text.task import fitting_sizes
from noria.models.wiring import chosen_cells, describe_model, parameters_of_symbol
from noria.sequences import Batches, Streams
from noria.training.randomness import generator
from noria.training.symbol_options import sampling_note
from noria.training.token_options import CHARACTERS, TokenOptions
from noria.training.vector_options import VectorOptions

TextData: TypeAlias = TextSource | Iterable[str]
"""What a language model is trained on: one text, or a list of strings that are separate sequences."""

TextOrParts: TypeAlias = TextData | BuiltinParts
"""The same, or a built-in data set that may say itself which part is which."""


KINDS = ("text", "sequences")

HELD_OUT = ("valid_fraction", "test_fraction")
SHARE = 0.05
MOST_HELD_OUT = 500_000
"""Characters of one text: where its shares are left open, a part that is held out has no more."""


@dataclass(frozen=True, eq=False, kw_only=True)
class PreparedText(Prepared):
    """Text that has been read for a model, and the sizes it will be trained with; its schema: the vocabulary.

    Attributes
    ----------
    corpus : Corpus
    seq_length : int
    vectors : Vectors or None
        Pretrained ones of the symbols.
    asked_encoding : str or None
        The encoding that was asked for.
    """

    corpus: Corpus
    seq_length: int
    vectors: Vectors | None = None
    asked_encoding: str | None = None

    def content(self) -> str:
        """Give digits that two corpora do not share."""
        return content_of(self.corpus)

    def about(self) -> dict[str, Any]:
        """Give what config.toml says of the data."""
        data = self.description.data
        assert isinstance(data, TextDescription)
        return {
            **super().about(),
            "kind": data.kind,
            "encoding": data.encoding,
            "characters": data.characters,
        }


def as_sequences(data: TextData) -> list[str] | None:
    """Give separate sequences as a list, or None where data are one text and no iterable of strings."""
    if isinstance(data, str | bytes | bytearray | memoryview | os.PathLike | Text):
        return None
    if not isinstance(data, Iterable):
        raise DataError(
            f"expected a text, a path, several paths or a list of strings, got {type(data).__name__}."
        )
    if isinstance(data, Mapping) or hasattr(data, "columns"):
        raise DataError(
            f"expected a text or a list of strings, got {type(data).__name__}, which has several columns.\n"
            "  Pass the one that holds the text: data['text'], for one."
        )
    items: list[object] = list(data)
    if items and all(isinstance(item, os.PathLike) for item in items):
        return None
    sequences = [item for item in items if isinstance(item, str)]
    if len(sequences) < len(items):
        place = next(place for place, item in enumerate(items) if not isinstance(item, str))
        raise DataError(f"sequence {place}: expected a string, got {type(items[place]).__name__}.")
    if sequences and all(os.path.isfile(sequence) for sequence in sequences):
        raise DataError(
            f"expected a list of sequences, got the names of {len(sequences):,} files, "
            f"{sequences[0]!r} for one.\n"
            "  To read the files, pass pathlib.Path objects: a list of strings is a list of sequences."
        )
    return sequences


def prepare(
    data: TextOrParts,
    model: TextModelOptions,
    training: TextTrainingOptions,
    encoding: str | None = None,
    *,
    lines: bool = False,
    tokens: TokenOptions | None = None,
    vectors: VectorOptions | None = None,
    resuming: bool = False,
    conditions: Any = None,
    about: Text | None = None,
) -> PreparedText:
    """Read data, fit batch and window to them, and describe what will be trained."""
    corpus = _read(data, training, tokens or TokenOptions(), encoding, lines, conditions, about)
    read, width = None, dict[str, int]()
    if vectors is not None:
        read, width = pretrained(vectors, corpus.vocabulary, training.seed, resuming=resuming)
        model = model.decided(**width)
    notes: list[str] = []
    batch_size, window = training.batch_size, training.seq_length
    if corpus.separate:
        batch_size = min(batch_size, len(corpus.train.readings))
        if window != TextTrainingOptions.seq_length:
            notes.append(f"seq_length {window} means nothing here: every sequence is read whole")
        per_epoch = len(Batches([reading.predictions for reading in corpus.train.readings], batch_size))
    else:
        batch_size, window, notes = fitting_sizes(
            corpus.train.tokens, batch_size, window, corpus.source, corpus.vocabulary.kind
        )
        per_epoch = len(Streams(corpus.train.readings[0].ids, batch_size, window))
    features = text_features(corpus.vocabulary, model.text_features)
    schema = TextSchema(corpus.vocabulary, corpus.conditions)
    if model.conditions_at != START and not schema.condition_size:
        raise OptionError(
            f"The 'conditions_at' option of {type(model).__name__} belongs to sequences of which something "
            f"is known. Got conditions_at={model.conditions_at!r} without conditions.\n"
            "  Name columns (condition_columns), or leave it out."
        )
    network = build_network(
        model,
        chosen_cells(model),
        len(corpus.vocabulary),
        features=features,
        conditions=schema.condition_size,
    )
    notes += sampling_note(model, len(corpus.vocabulary), corpus.vocabulary.kind)
    decided = _decided(training, corpus)
    open_shares = {name: share for name, share in decided.items() if vars(training)[name] is None}
    if small := [f"{name} became {share:.2g}" for name, share in open_shares.items() if share < SHARE]:
        notes.append(f"{', '.join(small)}: {MOST_HELD_OUT:,} characters tell enough")
    said = (*corpus.notes, *notes, *(() if read is None else read.notes))
    description = Description(
        _of_data(corpus),
        describe_model(network, model),
        batch_size,
        per_epoch,
        said,
        None if corpus.separate else window,
    )
    return PreparedText(
        schema=schema,
        description=description,
        batch_size=batch_size,
        tokens=corpus.train.tokens,
        corpus=corpus,
        seq_length=window,
        extra=_extra(data),
        vectors=read,
        symbols=len(corpus.vocabulary),
        symbol_size=parameters_of_symbol(network, len(corpus.vocabulary)),
        decided=decided | width,
        asked_encoding=encoding,
    )


def _read(
    data: TextOrParts,
    options: TextTrainingOptions,
    tokens: TokenOptions,
    encoding: str | None,
    lines: bool,
    conditions: Any = None,
    about: Text | None = None,
) -> Corpus:
    """Read data and cut them into training, validation and test."""
    if conditions is not None and isinstance(data, BuiltinParts):
        raise DataError("conditions: expected a list of strings that begin with them, got built-in data.")
    if isinstance(data, BuiltinParts):
        if data.is_split:
            return corpus_of_builtin(data, tokens)
        whole: TextData = data.train
        return _read(whole, options, tokens, encoding, lines)
    sequences = as_sequences(data)
    shares = shares_of(options)
    rng = generator(options.seed, "order")
    if sequences is None:
        if conditions is not None and not lines:
            raise DataError(
                "conditions: expected separate sequences that begin with them, got one text.\n"
                "  Give a list of strings, or say that each line is a sequence (lines)."
            )
        if tokens.level == CHARACTERS and not lines and isinstance(data, str | os.PathLike) and _large(data):
            mapped = map_text(data, encoding)
            if mapped is not None:
                return corpus_of_file(mapped, *shares_of(options, mapped.length), tokens)
        text = read_text(data, encoding=encoding)
        if not lines:
            return corpus_of_text(text, *shares_of(options, len(text)), tokens)
        sequences = read_lines(text)
        return corpus_of_sequences(
            sequences, *shares, rng, text, tokens, columns_of(conditions, len(sequences))
        )
    if lines:
        raise DataError("lines: expected one text to take the lines of, got a list of strings.")
    if encoding is not None:
        raise DataError("encoding: expected files or bytes to decode, got a list of strings.")
    columns = columns_of(conditions, len(sequences))
    return corpus_of_sequences(sequences, *shares, rng, about, tokens, columns)


def shares_of(options: TextTrainingOptions, characters: int = 0) -> tuple[float, float]:
    """Give the shares of validation and test, of one text of so many characters."""
    usual = min(SHARE, MOST_HELD_OUT / max(characters, 1))
    asked: tuple[float | None, ...] = options.valid_fraction, options.test_fraction
    validation, test = (usual if share is None else share for share in asked)
    return validation, test


def _decided(options: TextTrainingOptions, corpus: Corpus) -> dict[str, float]:
    """Give the shares by which data were cut, those that were left open as they became."""
    shares = shares_of(options, 0 if corpus.separate else corpus.characters)
    return dict(zip(HELD_OUT, shares, strict=True))


def columns_of(conditions: Any, count: int) -> Columns | None:
    """Bring what is known of so many sequences into columns; None where nothing is."""
    return None if conditions is None else as_columns(conditions, count)


def tested_part(data: TextOrParts) -> TextData:
    """Give what is to be measured of a built-in data set; other data as they are."""
    if not isinstance(data, BuiltinParts):
        return data
    tested: TextData = data.tested
    return tested


def _extra(data: TextOrParts) -> dict[str, BuiltinParts]:
    """Give the further test parts of a built-in data set, each as ``evaluate`` takes it."""
    if not isinstance(data, BuiltinParts):
        return {}
    return {name: replace(data, test=part) for name, part in data.extra.items()}


def _large(source: str | os.PathLike[str]) -> bool:
    """Whether a path, and no text, names a file that is read in pieces."""
    return not (isinstance(source, str) and is_no_path(source)) and is_large(source)


def _of_data(corpus: Corpus) -> TextDescription:
    parts: list[Part] = [corpus.train, corpus.validation, corpus.test]
    return TextDescription(
        source=corpus.source,
        encoding=corpus.encoding,
        kind=KINDS[corpus.separate],
        level=corpus.vocabulary.kind,
        characters=corpus.characters,
        symbols=len(corpus.vocabulary),
        train=corpus.train.tokens,
        validation=corpus.validation.tokens,
        test=corpus.test.tokens,
        sequences=tuple(len(part.readings) for part in parts) if corpus.separate else (),
        notes=corpus.notes,
    )
