"""What it costs to spell a word that a vocabulary does not have: a small model of characters.

A model that answers ``<unk>`` has not said what comes next. To compare it with one that has a symbol for
everything, the spelling of each unknown word is charged to its bits per character.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from noria.errors import RunError

# Noncharacters, which Unicode keeps out of texts that are exchanged.
BEGIN, END = "\U0010fffe", "\U0010ffff"
SCALARS = 0x110000 - 0x800
"""How many characters there can be: all code points without the surrogates."""
ORDER = 3


@dataclass(frozen=True)
class Spelling:
    """An interpolated Witten-Bell model of the characters in a word, fitted on each different word once.

    P(word) = prod_i P_k(c_i | the k - 1 characters before), the last c_i being the end of the word, with
    P_k(c | u) = (n(u c) + N(u .) P_{k-1}(c | u')) / (n(u .) + N(u .)), where n counts grams, N(u .) is the
    number of different characters after u and u' is u without its first character. P_0 is uniform over the
    1,112,064 characters of Unicode and the end, so that every word has a probability and all words together
    have at most 1. What is charged is -log P(word): an upper bound, since the words that the vocabulary has
    keep their share here.

    Attributes
    ----------
    counts : mapping of str to int
        The longest grams and how often they occur.
    order : int, default 3
        Characters in the longest grams.
    ends : bool, default True
        False where words are single characters, and the end of them goes without saying.

    References
    ----------
    Witten & Bell 1991; as interpolation: Chen & Goodman 1999, section 2.5.
    """

    counts: Mapping[str, int]
    order: int = ORDER
    ends: bool = True

    @classmethod
    def of_words(cls, words: Iterable[str], order: int = ORDER) -> "Spelling":
        """Count the grams of words, each given once."""
        counts: Counter[str] = Counter()
        for word in words:
            padded = BEGIN * (order - 1) + word + END
            counts.update(padded[end - order : end] for end in range(order, len(padded) + 1))
        return cls(dict(sorted(counts.items())), order)

    @classmethod
    def of_characters(cls, characters: Iterable[str]) -> "Spelling":
        """Count single characters, each given once."""
        return cls(dict.fromkeys(sorted(characters), 1), 1, ends=False)

    def nats(self, word: str) -> float:
        """Give -log P(word), in nats."""
        padded = BEGIN * (self.order - 1) + word + (END if self.ends else "")
        return -sum(
            math.log(self._probability(padded[end - self.order : end]))
            for end in range(self.order, len(padded) + 1)
        )

    def total_nats(self, words: Mapping[str, int]) -> float:
        """Give -log P of many words, each as often as its count says."""
        return math.fsum(count * self.nats(word) for word, count in sorted(words.items()))

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"order": self.order, "ends": self.ends, "counts": dict(self.counts)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str = "vocab.json") -> "Spelling":
        """Read what :meth:`to_dict` gave.

        Raises
        ------
        RunError
            If it is damaged.
        """
        try:
            counts, order, ends = data["counts"], data["order"], data["ends"]
            sound = all(len(gram) == order and count > 0 for gram, count in counts.items())
        except (KeyError, TypeError, AttributeError) as error:
            raise RunError(f"{source}: the spelling is damaged: {error!r}.") from None
        if not sound or order < 1:
            raise RunError(f"{source}: the spelling is damaged: expected grams of {order} characters.")
        return cls(dict(counts), int(order), bool(ends))

    def _probability(self, gram: str) -> float:
        grams, totals, kinds = self._tables
        probability = 1.0 / (SCALARS + self.ends)
        for length in range(1, self.order + 1):
            part = gram[-length:]
            context = part[:-1]
            total = totals.get(context, 0)
            if not total:
                break
            several = kinds[context]
            probability = (grams.get(part, 0) + several * probability) / (total + several)
        return probability

    @cached_property
    def _tables(self) -> tuple[Counter[str], Counter[str], Counter[str]]:
        """Counts of grams of every length; for each context what follows, and how much of it differs."""
        grams: Counter[str] = Counter()
        for gram, count in self.counts.items():
            for begin in range(self.order):
                grams[gram[begin:]] += count
        totals: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        for gram, count in grams.items():
            totals[gram[:-1]] += count
            kinds[gram[:-1]] += 1
        return grams, totals, kinds
