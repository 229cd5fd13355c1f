"""A little language of thirty words: is what is said good or bad, where ``not`` turns the next word round."""

import numpy as np

from noria.data.builtin_tasks.disjoint import disjoint_parts
from noria.data.builtin_tasks.parts import BuiltinParts

GOOD = ("good", "great", "lovely", "brilliant", "funny", "moving", "clever", "fresh", "superb")
BAD = ("bad", "awful", "boring", "dull", "weak", "clumsy", "stale", "terrible", "tedious")
PLAIN = ("the", "film", "plot", "cast", "was", "and", "with", "ending", "music", "scene", "very")
NOT = "not"
WORDS = (*GOOD, *BAD, *PLAIN, NOT)
SHORTEST, LONGEST = 5, 15
COUNTS = 20_000, 1_000, 10_000
RARE = 10


def sentiment(seed: int) -> BuiltinParts:
    """Make sentences of 5 to 15 words, drawn evenly, that are more good than bad or the other way round.

    Each good word counts 1, each bad one -1, and the other way round directly behind ``not``. Sentences that
    come to nothing are left out. No sentence stands in two parts.
    """
    train, validation, test = map(_labelled, disjoint_parts(seed, _draw, COUNTS))
    source = f"sentiment: {len(WORDS)} words, {SHORTEST} to {LONGEST} in a sentence"
    return BuiltinParts(train, source, validation, test)


def sentiment_rare(seed: int) -> BuiltinParts:
    """Make the same with one negative sentence for each ten that are positive, about, in every part."""
    parts = sentiment(seed)

    def thinned(part: tuple[list[str], list[str]]) -> tuple[list[str], list[str]]:
        kept, bad = [], 0
        for sentence, label in zip(*part, strict=True):
            bad += label == "negative"
            if label == "positive" or bad % RARE == 0:
                kept.append((sentence, label))
        return [sentence for sentence, _ in kept], [label for _, label in kept]

    source = f"sentiment-rare: as sentiment, one negative sentence in {RARE} kept"
    train, validation, test = map(thinned, (parts.train, parts.validation, parts.test))
    return BuiltinParts(train, source, validation, test)


def balance(sentence: str) -> int:
    """Give how many more words of a sentence are good than bad, those behind ``not`` turned round."""
    words = sentence.split()
    total = 0
    for before, word in zip(["", *words], words, strict=False):
        value = (word in GOOD) - (word in BAD)
        total += -value if before == NOT else value
    return total


def _draw(rng: np.random.Generator, count: int) -> list[str]:
    lengths = rng.integers(SHORTEST, LONGEST + 1, count)
    drawn = (" ".join(WORDS[word] for word in rng.integers(0, len(WORDS), length)) for length in lengths)
    return [sentence for sentence in drawn if balance(sentence)]


def _labelled(sentences: list[str]) -> tuple[list[str], list[str]]:
    return sentences, ["positive" if balance(sentence) > 0 else "negative" for sentence in sentences]
