"""What happens before the first step: data become a corpus, sizes are fitted to it, both are described."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from noria.data import Text, TextSource, Vocabulary, is_large, map_text, read_lines, read_text
from noria.data.text import LONGEST_PATH
from noria.data.vectors import Vectors, read_vectors
from noria.engines import why_not_native
from noria.engines.native.host import processor
from noria.engines.threads import thread_count
from noria.equations import Cell
from noria.errors import DataError, OptionError
from noria.layers import Layer, Stack
from noria.models.description import DataDescription, Description, LayerDescription, ModelDescription
from noria.models.text.corpus import Corpus, Part, corpus_of_file, corpus_of_sequences, corpus_of_text
from noria.models.text.network import build_network, chosen_cells, engines_of, recurrent_layers
from noria.models.text.task import fitting_sizes
from noria.sequences import Batches, Streams
from noria.training.model_options import ModelOptions
from noria.training.randomness import generator
from noria.training.token_options import CHARACTERS, TokenOptions
from noria.training.training_options import TrainingOptions
from noria.training.vector_options import VectorOptions

NATIVE = "native"

TextData: TypeAlias = TextSource | Iterable[str]
"""What a language model is trained on: one text, or a list of strings that are separate sequences."""


@dataclass(frozen=True)
class Prepared:
    """Data that have been read for a model, and the sizes it will be trained with; ``fit`` takes it.

    Attributes
    ----------
    corpus : Corpus
    batch_size, seq_length : int
    description : Description
    vectors : Vectors or None
        Pretrained ones of the symbols.
    """

    corpus: Corpus
    batch_size: int
    seq_length: int
    description: Description
    vectors: Vectors | None = None


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
    data: TextData,
    model: ModelOptions,
    training: TrainingOptions,
    encoding: str | None = None,
    *,
    lines: bool = False,
    tokens: TokenOptions | None = None,
    vectors: VectorOptions | None = None,
) -> Prepared:
    """Read data, fit batch and window to them, and describe what will be trained."""
    corpus = _read(data, training, tokens or TokenOptions(), encoding, lines)
    read = None if vectors is None else _vectors(vectors, corpus.vocabulary, model, training.seed)
    notes: list[str] = []
    batch_size, window = training.batch_size, training.seq_length
    if corpus.separate:
        batch_size = min(batch_size, len(corpus.train.readings))
        if window != TrainingOptions.seq_length:
            notes.append(f"seq_length {window} means nothing here: every sequence is read whole")
        per_epoch = len(Batches([reading.predictions for reading in corpus.train.readings], batch_size))
    else:
        batch_size, window, notes = fitting_sizes(
            corpus.train.tokens, batch_size, window, corpus.source, corpus.vocabulary.kind
        )
        per_epoch = len(Streams(corpus.train.readings[0].ids, batch_size, window))
    network = build_network(model, chosen_cells(model), len(corpus.vocabulary))
    said = (*corpus.notes, *notes, *(() if read is None else read.notes))
    description = Description(
        _of_data(corpus), describe_model(network, model), batch_size, window, per_epoch, said
    )
    return Prepared(corpus, batch_size, window, description, read)


def _vectors(
    options: VectorOptions, vocabulary: Vocabulary, model: ModelOptions, seed: int
) -> Vectors | None:
    """Read pretrained vectors, and refuse those of another width than the embedding's."""
    if not options.vectors:
        return None
    rng = generator(seed, "vectors")
    vectors = read_vectors(options.vectors, vocabulary, rng, words=options.vector_words or None)
    width = vectors.matrix.shape[1]
    if width != model.embedding_size:
        raise OptionError(
            f"The 'embedding_size' option must be the width of the vectors, {width} in {options.vectors}. "
            f"Got {model.embedding_size}."
        )
    return vectors


def _read(
    data: TextData, options: TrainingOptions, tokens: TokenOptions, encoding: str | None, lines: bool
) -> Corpus:
    """Read data and cut them into training, validation and test."""
    sequences = as_sequences(data)
    shares = options.valid_fraction, options.test_fraction
    rng = generator(options.seed, "order")
    if sequences is None:
        if tokens.level == CHARACTERS and not lines and isinstance(data, str | os.PathLike) and _large(data):
            mapped = map_text(data, encoding)
            if mapped is not None:
                return corpus_of_file(mapped, *shares, tokens)
        text = read_text(data, encoding=encoding)
        if not lines:
            return corpus_of_text(text, *shares, tokens)
        return corpus_of_sequences(read_lines(text), *shares, rng, text, tokens)
    if lines:
        raise DataError("lines: expected one text to take the lines of, got a list of strings.")
    if encoding is not None:
        raise DataError("encoding: expected files or bytes to decode, got a list of strings.")
    return corpus_of_sequences(sequences, *shares, rng, tokens=tokens)


def _large(source: str | os.PathLike[str]) -> bool:
    """Whether a path, and no text, names a file that is read in pieces."""
    return not (isinstance(source, str) and ("\n" in source or len(source) > LONGEST_PATH)) and is_large(
        source
    )


def describe_model(network: Stack, options: ModelOptions) -> ModelDescription:
    """Describe a configured network; its parameters need no values yet."""
    layers = tuple(_layers(network, set()))
    cells: list[Cell] = [layer.cell for layer in recurrent_layers(network)]
    engines = tuple(engines_of(network, options.dtype))
    return ModelDescription(
        cells=tuple(cell.name for cell in cells),
        hidden_sizes=tuple(layer.hidden_size for layer in recurrent_layers(network)),
        layers=layers,
        parameters=sum(parameter.size for parameter in network.parameters()),
        engines=engines,
        dtype=options.dtype,
        processor=processor(options.dtype) if NATIVE in engines else "",
        why_not_native=_why_not_native(engines, options),
        threads=options.threads or thread_count(),
    )


def _why_not_native(engines: tuple[str, ...], options: ModelOptions) -> str:
    if set(engines) == {NATIVE}:
        return ""
    return why_not_native(options.dtype) or f"the 'engine' option is '{options.engine}'."


def _layers(layer: Layer, counted: set[int], path: str = "") -> list[LayerDescription]:
    """Describe the layers that have parameters, in the order in which data pass through them.

    A parameter that stands in two layers is counted in the first.
    """
    own = sum(parameter.size for parameter in layer.own_parameters() if id(parameter) not in counted)
    counted.update(id(parameter) for parameter in layer.own_parameters())
    below = [
        found
        for key, child in layer.children()
        for found in _layers(child, counted, f"{path}.{key}".strip("."))
    ]
    return [LayerDescription(path, layer.kind, layer.output_size, own), *below] if own else below


def _of_data(corpus: Corpus) -> DataDescription:
    parts: list[Part] = [corpus.train, corpus.validation, corpus.test]
    return DataDescription(
        source=corpus.source,
        encoding=corpus.encoding,
        kind="sequences" if corpus.separate else "text",
        level=corpus.vocabulary.kind,
        characters=corpus.characters,
        symbols=len(corpus.vocabulary),
        train=corpus.train.tokens,
        validation=corpus.validation.tokens,
        test=corpus.test.tokens,
        sequences=tuple(len(part.readings) for part in parts) if corpus.separate else (),
        notes=corpus.notes,
    )
