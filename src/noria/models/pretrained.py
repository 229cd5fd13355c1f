"""Pretrained vectors that a model's symbols begin with, as its options ask for them."""

from noria.data.vectors import Vectors, read_vectors
from noria.data.vocabulary import Vocabulary
from noria.errors import OptionError
from noria.training.randomness import generator
from noria.training.vector_options import VectorOptions


def pretrained(
    options: VectorOptions, vocabulary: Vocabulary, seed: int, *, resuming: bool = False
) -> tuple[Vectors | None, dict[str, int]]:
    """Read the vectors of symbols, and say what follows from them.

    Parameters
    ----------
    options : VectorOptions
    vocabulary : Vocabulary
    seed : int
        Of the rows of symbols that have no vector.
    resuming : bool, default False
        Whether a run is gone on with, which began with them: they are read only if their width is not known.

    Returns
    -------
    vectors : Vectors or None
        None where none are asked for, or needed.
    decided : dict
        Options that follow from them: ``embedding_size``.

    Raises
    ------
    OptionError
        If they have another width than the embedding, or one that contradicts another option.
    """
    given: int | None = options.embedding_size
    if not options.vectors or (resuming and given is not None):
        return None, {}
    rng = generator(seed, "vectors")
    vectors = read_vectors(options.vectors, vocabulary, rng, words=options.vector_words or None)
    width = vectors.matrix.shape[1]
    if given not in (None, width):
        raise OptionError(
            f"The 'embedding_size' option must be the width of the vectors, {width} in {options.vectors}. "
            f"Got {given}."
        )
    decided = {"embedding_size": width}
    options.decided(**decided).validate()
    return vectors, decided
