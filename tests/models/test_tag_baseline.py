"""The baseline of the tagger, counted by hand."""

import numpy as np

from noria.models.tag.baseline import most_frequent_tags
from noria.models.tag.lexicon import Example


def example(words, tags):
    return Example(np.array(words), np.array(tags), None)


def test_a_word_has_its_most_frequent_tag_and_an_unknown_one_the_most_frequent_of_all():
    train = [example([0, 1, 0], [2, 1, 2]), example([0, 1, 1], [0, 0, 1]), example([3, 3, 1], [1, 0, 1])]
    test = [example([1, 0, 2], [0, 0, 0]), example([3], [2])]
    predicted = most_frequent_tags(train, test, 4, 3)
    # word 0: tag 2 twice; 1: tag 1 three times; 3: tags 0 and 1 once each; of all: tag 1 four times
    assert [ids.tolist() for ids in predicted] == [[1, 2, 1], [0]]
