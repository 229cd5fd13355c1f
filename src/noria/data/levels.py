"""From options to a vocabulary: characters, words or subwords of a training part."""

from collections.abc import Iterable

from noria.data.characters import CharacterVocabulary
from noria.data.vocabulary import Vocabulary
from noria.data.word_vocabulary import WordVocabulary
from noria.errors import OptionError
from noria.training.token_options import CHARACTERS, WORDS, TokenOptions


def build_vocabulary(
    text: str | Iterable[str], options: TokenOptions | None = None, *, end: bool = False
) -> Vocabulary:
    """Make the vocabulary of a text, or of several: always of the training part alone.

    Parameters
    ----------
    text : str, or several
    options : TokenOptions, optional
        The level, how often a symbol must occur, how many there may be; left out: every character.
    end : bool, default False
        Whether there is an end symbol.

    Raises
    ------
    OptionError
        If the limit leaves no two symbols to choose between.
    DataError
        If nothing occurs often enough.
    MissingExtraError
        If a library is not installed.
    """
    options = options or TokenOptions()
    most = options.most_symbols
    if most is not None:
        most -= 2 if end else 1
        if most < 2:
            raise OptionError(
                f"The 'vocabulary_size' option must be at least {4 if end else 3}: "
                f"{'<unk>, <end>' if end else '<unk>'} and two symbols to choose between. "
                f"Got {options.vocabulary_size}."
            )
    if options.level == CHARACTERS:
        return CharacterVocabulary.of_text(text, end=end, min_count=options.least_count, most=most)
    if options.level == WORDS:
        return WordVocabulary.of_text(text, end=end, min_count=options.least_count, most=most)
    from noria.data.subwords import SubwordVocabulary

    assert most is not None
    return SubwordVocabulary.of_text(text, end=end, min_count=options.least_count, most=most)
