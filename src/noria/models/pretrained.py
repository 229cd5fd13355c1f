"""Pretrained vectors that a model's symbols begin with, as its options ask for them."""

from noria.data.vectors import Vectors, read_vectors
from noria.data.vocabulary import Vocabulary
from noria.errors import OptionError
from noria.training.randomness import generator
from noria.training.vector_options import VectorOptions


def pretrained(
    options: VectorOptions, vocabulary: Vocabulary, embedding_size: int, seed: int
) -> Vectors | None:
    """Read the vectors of symbols; None where none are asked for.

    Raises
    ------
    OptionError
        If they have another width than the embedding.
    """
    if not options.vectors:
        return None
    rng = generator(seed, "vectors")
    vectors = read_vectors(options.vectors, vocabulary, rng, words=options.vector_words or None)
    width = vectors.matrix.shape[1]
    if width != embedding_size:
        raise OptionError(
            f"The 'embedding_size' option must be the width of the vectors, {width} in {options.vectors}. "
            f"Got {embedding_size}."
        )
    return vectors
