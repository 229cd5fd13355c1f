"""What is told of the symbols of a text."""

import numpy as np
import pytest

from noria.data.characters import CharacterVocabulary
from noria.data.text_features import LONGEST, RESOLUTION, text_features
from noria.data.word_vocabulary import WordVocabulary
from noria.layers import Embedding, FlatParameters, SymbolFeatures
from noria.sequences import Ragged


def counted(vocabulary, text, name):
    """Give the counts after every symbol of a text."""
    features = text_features(vocabulary, [name])
    layer = SymbolFeatures(Embedding(len(vocabulary), 1), *features)
    layer.configure(len(vocabulary))
    FlatParameters.build([layer], np.random.default_rng(0), np.float64)
    state, counts = None, []
    for symbol in vocabulary.encode(text):
        _, backward = layer(Ragged.from_sequences([[symbol]]), state=state)
        state = backward.state
        counts.append(int(state["counts"][0, 0]))
    return counts


def test_places_in_lines_and_words_are_counted():
    text = "No, Emma's\n12 é."
    vocabulary = CharacterVocabulary.of_text(text)
    assert counted(vocabulary, text, "line") == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0, 1, 2, 3, 4, 5]
    assert counted(vocabulary, text, "word") == [1, 2, 0, 0, 1, 2, 3, 4, 0, 1, 0, 1, 2, 0, 1, 0]


def test_the_end_of_a_sequence_begins_everything_and_the_unknown_nothing():
    vocabulary = CharacterVocabulary.of_text("ab", end=True)
    features = text_features(vocabulary, ["line", "word"])
    assert vocabulary.symbols == ("<unk>", "<end>", "a", "b")
    for count in features.counts:
        assert count.resets.tolist() == [False, True, False, False]


def test_shapes_of_characters_and_words():
    vocabulary = CharacterVocabulary("\n !1Ab")
    table = text_features(vocabulary, ["shape"]).table
    named = dict(zip(vocabulary.symbols, table.astype(int).tolist(), strict=True))
    assert named == {
        "<unk>": [0, 0, 0, 0, 0, 0, 0],
        "\n": [0, 0, 0, 0, 1, 0, 0],
        " ": [0, 0, 0, 0, 1, 0, 0],
        "!": [0, 0, 0, 0, 0, 1, 0],
        "1": [0, 0, 0, 1, 0, 0, 0],
        "A": [1, 1, 0, 0, 0, 0, 0],
        "b": [1, 0, 0, 0, 0, 0, 0],
    }
    words = WordVocabulary((" USA", "Emma's", " 3rd"))
    assert text_features(words, ["shape"]).table[1:].astype(int).tolist() == [
        [1, 1, 1, 0, 0, 0, 1],
        [1, 1, 0, 0, 0, 1, 0],
        [1, 0, 0, 1, 0, 0, 1],
    ]


@pytest.mark.parametrize(("name", "kinds"), [("line", 31), ("word", 21)])
def test_places_can_be_told_apart_up_to_the_longest(name, kinds):
    (count,) = text_features(CharacterVocabulary("ab"), [name]).counts
    assert len(count.table) == LONGEST[name] + 1
    np.testing.assert_allclose(count.table.sum(axis=1), 1, atol=1e-12)
    alike = (count.table[1:] == count.table[:-1]).all(axis=1)
    assert len(np.unique(count.table.round(9), axis=0)) == kinds == len(count.table) - alike.sum()
    assert (np.flatnonzero(~alike) + 1).tolist() == list(
        range(RESOLUTION[name], LONGEST[name] + 1, RESOLUTION[name])
    )


def test_nothing_is_told_where_nothing_is_asked_for():
    assert text_features(CharacterVocabulary("ab"), []) is None
