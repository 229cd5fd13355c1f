"""The options of tokens: what one symbol of a text is, and which symbols a model knows."""

from dataclasses import dataclass
from typing import Annotated

from noria.errors import OptionError
from noria.training.option import Option
from noria.training.optioned import Options

CHARACTERS, WORDS, SUBWORDS = "characters", "words", "subwords"
DEFAULT_MIN_COUNT = {CHARACTERS: 1, WORDS: 2, SUBWORDS: 2}
DEFAULT_SIZE = {CHARACTERS: None, WORDS: 30_000, SUBWORDS: 4096}
LEAST_SYMBOLS = 3
SHAPE, IN_LINE, IN_WORD = "shape", "line", "word"
TEXT_FEATURES = (SHAPE, IN_LINE, IN_WORD)
AUTO, NO_FEATURES = "auto", "none"


@dataclass(kw_only=True)
class TokenOptions(Options):
    """What a text is cut into."""

    level: Annotated[
        str,
        Option(
            help="What a symbol is: a character, a word (or punctuation), or a piece of a word.",
            group="Data",
            choices=(CHARACTERS, WORDS, SUBWORDS),
            reason="Characters need no vocabulary to be chosen, know every word, and suit small texts.",
        ),
    ] = CHARACTERS
    min_count: Annotated[
        int,
        Option(
            help="How often a symbol must occur in the training part, or a pair that becomes a subword; "
            "0: 1 for characters, 2 for words and subwords.",
            group="Data",
            minimum=0,
            reason="Words that occur once are what <unk> is learnt from.",
        ),
    ] = 0
    vocabulary_size: Annotated[
        int,
        Option(
            help="How many symbols a model knows at most: the most frequent ones, <unk> and <end> included; "
            "0: all characters, 30,000 words, 4,096 subwords.",
            group="Data",
            minimum=0,
            reason="Rare words are hardly learnt, and a step that scores 30,000 takes 15 to 22 times as long "
            "as one of 64: see softmax_samples.",
        ),
    ] = 0

    @property
    def least_count(self) -> int:
        """``min_count``, or the default of the level."""
        return self.min_count or DEFAULT_MIN_COUNT[self.level]

    @property
    def most_symbols(self) -> int | None:
        """``vocabulary_size``, or the default of the level; None: no limit."""
        return self.vocabulary_size or DEFAULT_SIZE[self.level]

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if 0 < self.vocabulary_size < LEAST_SYMBOLS:
            raise OptionError(
                f"The 'vocabulary_size' option of {owner} must be 0 or an int of at least {LEAST_SYMBOLS}: "
                f"<unk>, and two symbols to choose between. Got {self.vocabulary_size}."
            )
