"""Spans read from tags and compared, against cases counted by hand."""

import itertools

import pytest

from noria.training.spans import IOB2, IOBES, legal_moves, span_scores, spans_of, tag_scheme


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        ("O B-PER I-PER", IOB2),
        ("O B I", IOB2),
        ("O B-PER E-PER S-LOC", IOBES),
        ("O B-PER L-PER U-LOC", IOBES),
        ("O S-LOC", IOBES),
        ("NN DT O", None),
        ("B-PER I-PER NN O", None),
        ("O", None),
        ("O I-PER", None),
        ("B-PER I-PER", None),
    ],
)
def test_the_scheme_is_read_off_the_tags(tags, scheme):
    assert tag_scheme(tags.split()) == scheme


@pytest.mark.parametrize(
    ("tags", "lenient", "strict_iob2", "strict_iobes"),
    [
        ("B-A I-A O B-B", [(0, 2, "A"), (3, 4, "B")], [(0, 2, "A"), (3, 4, "B")], []),
        ("B-A B-A I-A", [(0, 1, "A"), (1, 3, "A")], [(0, 1, "A"), (1, 3, "A")], []),
        ("I-A I-A O", [(0, 2, "A")], [], []),
        ("O I-A B-A", [(1, 2, "A"), (2, 3, "A")], [(2, 3, "A")], []),
        ("B-A I-B I-B", [(0, 1, "A"), (1, 3, "B")], [(0, 1, "A")], []),
        ("B-A E-A S-B", [(0, 2, "A"), (2, 3, "B")], [], [(0, 2, "A"), (2, 3, "B")]),
        ("B-A I-A E-A I-A", [(0, 3, "A"), (3, 4, "A")], [], [(0, 3, "A")]),
        ("S-A I-A E-A", [(0, 1, "A"), (1, 3, "A")], [], [(0, 1, "A")]),
        ("B-A S-A E-A", [(0, 1, "A"), (1, 2, "A"), (2, 3, "A")], [(0, 1, "A")], [(1, 2, "A")]),
        ("B-A L-A U-B", [(0, 2, "A"), (2, 3, "B")], [], [(0, 2, "A"), (2, 3, "B")]),
        ("B I O I", [(0, 2, ""), (3, 4, "")], [(0, 2, "")], []),
        ("O O", [], [], []),
    ],
)
def test_spans_are_those_that_one_would_mark(tags, lenient, strict_iob2, strict_iobes):
    assert spans_of(tags.split()) == lenient
    assert spans_of(tags.split(), IOB2) == strict_iob2
    assert spans_of(tags.split(), IOBES) == strict_iobes


def test_scores_count_spans_with_both_ends_and_the_type_right():
    gold = ["B-PER I-PER O B-LOC", "O B-LOC I-LOC I-LOC", "B-PER O"]
    predicted = ["B-PER I-PER O B-PER", "O B-LOC I-LOC O", "B-PER I-LOC"]
    # right: PER 0-2 and PER 0-1 of the last; predicted 5 (PER, PER, LOC, PER, and LOC 1-2), there 4
    scores = span_scores(map(str.split, gold), map(str.split, predicted))
    assert (scores["right"], scores["predicted"], scores["gold"]) == (2, 5, 4)
    assert scores["precision"] == 2 / 5
    assert scores["recall"] == 2 / 4
    assert scores["f1"] == pytest.approx(4 / 9)
    assert scores["types"]["PER"] | {"f1": 0} == {
        "precision": 2 / 3,
        "recall": 1.0,
        "f1": 0,
        "right": 2,
        "predicted": 3,
        "gold": 2,
    }
    assert scores["types"]["LOC"]["f1"] == 0
    strict = span_scores(map(str.split, gold), map(str.split, predicted), IOB2)
    assert (strict["right"], strict["predicted"]) == (2, 4)  # what goes on where nothing began is none


def test_where_there_are_no_spans_nothing_is_divided():
    scores = span_scores([["O"]], [["O"]])
    assert (scores["precision"], scores["recall"], scores["f1"], scores["types"]) == (0.0, 0.0, 0.0, {})
    with pytest.raises(ValueError, match="zip"):
        span_scores([["O"]], [])


@pytest.mark.parametrize(
    ("tags", "scheme"),
    [
        (["O", "B-A", "I-A", "B-C", "I-C"], IOB2),
        (["O", "B-A", "I-A", "E-A", "S-A", "S-C"], IOBES),
    ],
)
def test_legal_sequences_are_those_that_read_the_same_strictly(tags, scheme):
    begins, follows, ends = legal_moves(tags, scheme)
    for ids in itertools.product(range(len(tags)), repeat=4):
        legal = begins[ids[0]] and ends[ids[-1]] and all(follows[pair] for pair in itertools.pairwise(ids))
        sequence = [tags[number] for number in ids]
        covered = sum(stop - begin for begin, stop, _ in spans_of(sequence, scheme))
        assert legal == (covered == sum(tag != "O" for tag in sequence)), sequence
