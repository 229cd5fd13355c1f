"""What is known of whole sequences, as vectors."""

import numpy as np
import pytest

from noria.data.conditions import Conditions, as_columns
from noria.data.described_texts import read_described
from noria.errors import DataError, RunError

COLUMNS = {"country": ["it", "fi", "it", "no"], "year": [1.0, 3, 5, 700]}
LEARNT = np.array([0, 1, 2])


def test_labels_and_scales_are_those_of_the_training_part():
    conditions = Conditions.fit(COLUMNS, LEARNT)
    assert conditions.columns[0].labels == ("fi", "it")
    assert conditions.size == 3
    encoded = conditions.encode({name: values[:3] for name, values in COLUMNS.items()})
    np.testing.assert_allclose(encoded, [[0, 1, -(1.5**0.5)], [1, 0, 0], [0, 1, 1.5**0.5]])
    with pytest.raises(DataError, match="'country', sequence 3: expected one of 'fi', 'it', got 'no'"):
        conditions.encode(COLUMNS)


def test_one_sequence_is_told_of_by_names_or_in_order():
    conditions = Conditions.fit(COLUMNS, LEARNT)
    expected = conditions.encode({"country": ["fi"], "year": [5]})
    for values in ({"year": "5", "country": "fi"}, ["fi", 5], ("fi", 5.0), "year=5, country=fi"):
        np.testing.assert_array_equal(conditions.encode_one(values), expected)
    with pytest.raises(DataError, match="a value for each of 'country', 'year', got 1"):
        conditions.encode_one("fi")
    with pytest.raises(DataError, match="'year', sequence 0: expected a finite number, got 'old'"):
        conditions.encode_one(["fi", "old"])


def test_columns_come_in_many_ways():
    assert as_columns(["a", "b"], 2) == {"label": ["a", "b"]}
    assert as_columns([3, 1.5], 2) == {"number": [3, 1.5]}
    assert as_columns(np.array([[1, 2, 3], [4, 5, 6]]), 2) == {
        "number 0": [1, 4],
        "number 1": [2, 5],
        "number 2": [3, 6],
    }
    assert as_columns({"a": (1, 2)}, 2) == {"a": [1, 2]}
    pandas = pytest.importorskip("pandas")
    assert as_columns(pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]}), 2) == {"a": [1, 2], "b": ["x", "y"]}
    with pytest.raises(DataError, match="'a': expected a value for each of 3 sequences, got 2"):
        as_columns({"a": [1, 2]}, 3)
    with pytest.raises(DataError, match="expected 2 numbers for every sequence"):
        as_columns([[1, 2], [3]], 2)


def test_drawn_values_can_be_begun_with():
    conditions = Conditions.fit(COLUMNS, LEARNT)
    drawn = [conditions.drawn(np.random.default_rng(seed)) for seed in range(9)]
    assert {one["country"] for one in drawn} == {"fi", "it"}
    assert all(conditions.encode_one(one)[0, 2] == 0 for one in drawn)


def test_what_was_written_is_read_back():
    conditions = Conditions.fit(COLUMNS, LEARNT)
    assert Conditions.from_dict(conditions.to_dict(), "conditions.json") == conditions
    with pytest.raises(RunError, match=r"conditions\.json: is damaged: 'scale'"):
        Conditions.from_dict({"columns": [{"name": "a", "labels": [], "mean": 0}]}, "conditions.json")


def test_texts_of_a_table_and_what_is_known_of_them(tmp_path):
    path = tmp_path / "names.csv"
    path.write_text("name,country,year\nRossi,it,1\nVirtanen,fi,2\n", encoding="utf-8")
    read = read_described(path, "name", ["year", "country"])
    assert read.texts == ["Rossi", "Virtanen"]
    assert read.columns == {"year": [1.0, 2.0], "country": ["it", "fi"]}
    assert read_described(path, "name", []).columns is None
    with pytest.raises(DataError, match=r"names.csv: expected a column 'land' \(condition_columns\)"):
        read_described(path, "name", ["land"])
    path.write_text("name,country\nRossi,it\nVirtanen,\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"names\.csv, line 3, column 2 \('country'\): expected something"):
        read_described(path, "name", ["country"])


def test_whether_a_column_holds_labels_is_said_by_what_was_learnt_from(tmp_path):
    learnt, other = tmp_path / "learnt.csv", tmp_path / "other.csv"
    learnt.write_text("name,stars,year\na,1,1\nb,02,2\nc,3+,6\n", encoding="utf-8")
    other.write_text("name,stars,year\nd,02,3\ne,1,3\n", encoding="utf-8")
    columns = read_described(learnt, "name", ["stars", "year"]).columns
    conditions = Conditions.fit(columns, np.arange(3))
    assert [column.labels for column in conditions.columns] == [("02", "1", "3+"), ()]
    encoded = conditions.encode(read_described(other, "name", ["stars", "year"]).columns)
    np.testing.assert_array_equal(encoded, [[1, 0, 0, 0], [0, 1, 0, 0]])
    other.write_text("name,stars,year\nd,1,3\ne,4,old\n", encoding="utf-8")
    with pytest.raises(DataError, match="'stars', sequence 1: expected one of '02', '1', '3\\+', got '4'"):
        conditions.encode(read_described(other, "name", ["stars", "year"]).columns)
    other.write_text("name,stars,year\nd,1,3\ne,1,old\n", encoding="utf-8")
    with pytest.raises(DataError, match="'year', sequence 1: expected a finite number, got 'old'"):
        conditions.encode(read_described(other, "name", ["stars", "year"]).columns)


def test_one_value_that_is_no_number_is_named(tmp_path):
    table = tmp_path / "sizes.csv"
    values = ["0", "1", "2", "many", "3", "some"]
    table.write_text("name,size,kind\n" + "".join(f"n,{value},w\n" for value in values), encoding="utf-8")
    read = read_described(table, "name", ["size", "kind"])
    assert read.columns["size"] == values
    assert read.about.notes[-1] == (
        "column 'size' holds labels, not numbers: 'many' (line 5) is no number, most others are"
    )
    assert not any("'kind'" in note for note in read.about.notes)
    learnt = Conditions.fit({"size": values}, np.array([0, 1, 2, 3]))
    with pytest.raises(DataError, match=r"got '6'\.\n  'size' was read as labels, for 'many' is no number"):
        learnt.encode_one("6")
    without = Conditions.fit({"size": values}, np.array([0, 1, 2]))
    with pytest.raises(DataError, match="read as labels, for not every value of it was a number"):
        without.encode_one("6")
    with pytest.raises(DataError, match=r"got 'word'\.$"):
        learnt.encode_one("word")


def test_unknown_labels_are_counted_and_told_as_none():
    conditions = Conditions.fit(COLUMNS, LEARNT)
    encoded = conditions.encode(COLUMNS, strict=False)
    np.testing.assert_array_equal(encoded[3, :2], [0, 0])
    np.testing.assert_array_equal(encoded[:3], conditions.encode({k: v[:3] for k, v in COLUMNS.items()}))
    assert conditions.unknown_in(COLUMNS) == {"country": ["no"]}
    assert conditions.unknown_in({name: values[:3] for name, values in COLUMNS.items()}) == {}
