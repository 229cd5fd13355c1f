"""Vectors that are made of a text: counted by hand, and alike for words that stand in like places."""

import numpy as np
import pytest

from noria.data.word_vocabulary import WordVocabulary
from noria.studies.made_vectors import mutual_information, near, vectors_of


def drawn(vocabulary, size, deviation=1.0):
    values = deviation * np.random.default_rng(9).standard_normal((len(vocabulary), size))
    return values.astype(np.float32)


def test_counts_by_hand():
    # ids 1 2 3 2, the special symbol 0 between two readings; two steps lie between at most 4
    counts = near([np.array([1, 2, 3, 0, 2], dtype=np.int32), np.array([3, 1])], 1, 4)
    expected = np.zeros((3, 3))
    pairs = [(1, 2), (1, 3), (1, 2), (2, 3), (2, 2), (3, 2), (3, 1)]
    for one, other in pairs:
        expected[one - 1, other - 1] += 1
        expected[other - 1, one - 1] += 1
    np.testing.assert_array_equal(counts, expected)


def test_mutual_information_by_hand():
    counts = np.array([[3.0, 1.0], [1.0, 0.0]])
    contexts = np.array([4.0**0.75, 1.0]) / (4.0**0.75 + 1.0)
    wanted = np.log(counts[0] / (4.0 * contexts))
    found = mutual_information(counts)
    np.testing.assert_allclose(found[0], np.maximum(wanted, 0.0))
    assert found[1, 0] == pytest.approx(np.log(1.0 / contexts[0]))
    assert found[1, 1] == 0.0


def test_words_in_like_places_are_alike():
    rng = np.random.default_rng(0)
    texts = [
        f"the {rng.choice(['cat', 'dog'])} eats bread" if k % 2 else f"a {rng.choice(['pump', 'mill'])} turns"
        for k in range(200)
    ]
    vocabulary = WordVocabulary.of_text(texts, min_count=1)
    readings = [vocabulary.encode(text) for text in texts]
    like = drawn(vocabulary, 5, 0.3)
    made = vectors_of(readings, vocabulary, like, np.random.default_rng(1))
    assert made.matrix.shape == (len(vocabulary), 5)
    assert made.matrix.dtype == np.float32
    assert made.missing == ()
    rows = {
        symbol.strip(): row / np.linalg.norm(row)
        for symbol, row in zip(vocabulary.symbols, made.matrix, strict=True)
    }
    assert rows["cat"] @ rows["dog"] > 0.9
    assert rows["pump"] @ rows["mill"] > 0.9
    assert rows["cat"] @ rows["pump"] < 0.5
    assert np.mean(made.matrix[1:] ** 2) == pytest.approx(np.mean(like**2), rel=1e-5)
    again = vectors_of(readings, vocabulary, like, np.random.default_rng(1))
    np.testing.assert_array_equal(made.matrix, again.matrix)


def test_products_of_vectors_are_the_root_of_what_is_decomposed():
    ids = np.random.default_rng(3).integers(1, 6, 60)
    vocabulary = WordVocabulary.of_text("a b c d e", min_count=1)
    made = vectors_of([ids], vocabulary, drawn(vocabulary, 5), np.random.default_rng(4)).matrix
    made = made[1:].astype(np.float64)
    weights = mutual_information(near([ids], 1, 6))
    squared = (made @ made.T) @ (made @ made.T)  # U S U^T, twice
    wanted = weights @ weights.T
    np.testing.assert_allclose(squared * wanted.trace() / squared.trace(), wanted, atol=1e-5)


def test_more_dimensions_than_words_and_words_without_company():
    vocabulary = WordVocabulary.of_text("one two three", min_count=1)
    ids = vocabulary.encode("one two")
    like = drawn(vocabulary, 7)
    made = vectors_of([ids], vocabulary, like, np.random.default_rng(2))
    assert made.matrix.shape == (4, 7)
    assert [symbol.strip() for symbol in made.missing] == ["three"]
    assert made.found == 2
    (three,) = (place for place, symbol in enumerate(vocabulary.symbols) if symbol.strip() == "three")
    is_drawn = (made.matrix == like).all(axis=1)
    assert np.flatnonzero(is_drawn).tolist() == [0, three]
    assert np.mean(made.matrix[~is_drawn] ** 2) == pytest.approx(np.mean(like**2), rel=1e-5)
