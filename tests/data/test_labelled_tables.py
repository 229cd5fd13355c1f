"""Columns of texts, labels and numbers: found by name, and said."""

import pytest

from noria.data.labelled_tables import label_column, read_labelled, text_column
from noria.data.tables import open_table
from noria.errors import DataError


def table(tmp_path, text):
    path = tmp_path / "reviews.csv"
    path.write_text(text)
    return open_table(path)


@pytest.mark.parametrize(
    ("head", "text", "label"),
    [
        ("text,label", "text", "label"),
        ("id,Review,Sentiment", "Review", "Sentiment"),
        ("class,sentence,len", "sentence", "class"),
        ("v1,text,y", "text", "y"),
        ("utterance,intent", "utterance", "intent"),  # the only column that is left
    ],
)
def test_likely_names_are_found(tmp_path, head, text, label):
    it = table(tmp_path, f"{head}\n")
    found = label_column(it, "", needed=True)
    assert found == label
    assert text_column(it, "", [found]) == text


def test_asked_columns_go_before(tmp_path):
    it = table(tmp_path, "text,title,label,source\n")
    assert text_column(it, "title") == "title"
    assert label_column(it, "source", needed=True) == "source"


def test_records_have_text_label_numbers_and_place(tmp_path):
    it = table(tmp_path, "text,label,stars\nnice  , pos ,5\ne\u0301te\u0301,neg,1\n")
    read = read_labelled(it, "text", "label", ["stars"], guessed=["text", "label"])
    first, second = read
    assert (first.sequence, first.target, first.extras) == ("nice  ", "pos", (5.0,))
    assert first.place.endswith("reviews.csv, line 2")
    assert second.sequence == "\u00e9t\u00e9", "normalised to NFC"
    assert len(list(read)) == 2, "a file is read each time anew"
    assert any("'text' holds the texts, 'label' the labels (guessed" in note for note in read.notes)


def test_what_is_not_read_is_said(tmp_path):
    read = read_labelled(table(tmp_path, "text,label,source\n"), "text", "label", guessed=["text"])
    assert any("not read: 'source'" in note for note in read.notes)


def test_refusals(tmp_path):
    it = table(tmp_path, "text,lable\na,\n")
    with pytest.raises(DataError, match="expected a column of labels, got 'text', 'lable'"):
        label_column(it, "", needed=True)
    assert label_column(it, "", needed=False) is None
    with pytest.raises(DataError, match="Did you mean 'lable'"):
        label_column(it, "label", needed=True)
    with pytest.raises(DataError, match=r"line 2, column 2 \('lable'\): expected something"):
        list(read_labelled(it, "text", "lable"))
    with pytest.raises(DataError, match="extra_columns"):
        read_labelled(it, "text", None, ["stars"])
