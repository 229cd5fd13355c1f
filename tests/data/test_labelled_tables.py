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


def test_no_column_is_two_things(tmp_path):
    rows = "".join(f"so {n},{n},{'pq'[n % 2]}\n" for n in range(8))
    it = table(tmp_path, f"text,rating,verdict\n{rows}")
    assert label_column(it, "", needed=True) == "rating"
    assert label_column(it, "", needed=True, taken=["rating"]) == "verdict"
    with pytest.raises(DataError, match="labels in a column of their own, got 'rating', which is read as"):
        label_column(it, "rating", needed=True, taken=["rating"])
    assert label_column(it, "rating", needed=False, taken=["rating"]) == "rating", "runs of before answer"
    it = table(tmp_path, "Name,Remark\n" + "".join(f"{'pq'[n % 2]},so {n}\n" for n in range(8)))
    assert text_column(it, "", ["Name"]) == "Remark"
    read = read_labelled(it, "Remark", "Name", guessed=["Remark"])
    assert "guessed from the names and contents" in read.notes[-1]


def test_a_column_of_labels_may_be_called_as_sequences_or_moments_are(tmp_path):
    it = table(tmp_path, "case,utterance,n\n" + "".join(f"{'pq'[n % 2]},so {n} on,{n}\n" for n in range(8)))
    assert text_column(it, "", ["case"]) == "utterance"


def test_labels_of_frames_are_looked_at_where_sequences_have_no_name():
    pandas = pytest.importorskip("pandas")
    ids = pandas.Series(["a", "a", None, None, "b", "b"], dtype="string")
    it = open_table({"id": ids, "x": [1.5, 2.5, 3.5, 4.5, 5.5, 6.5], "mood": list("ppqqpp")})
    assert label_column(it, "", needed=True) == "mood"
