"""Long tables: ragged, with one channel or several, and every fault placed."""

import numpy as np
import pytest
from written_files import written

from noria.data.numeric_sequences import read_long_table
from noria.data.tables import open_table
from noria.errors import DataError

LONG = "id,time,x,y,label\na,1,0.5,1,up\na,2,1.5,2,up\nb,1,2.5,3,down\n"


def long_table(path, **more):
    return read_long_table(open_table(path), "id", "label", time="time", **more)


def test_each_sequence_has_its_rows(tmp_path):
    read = long_table(written(tmp_path / "long.csv", LONG))
    first, second = read
    assert read.channels == ("x", "y")
    assert first.sequence.dtype == np.float32
    assert first.sequence.tolist() == [[0.5, 1.0], [1.5, 2.0]]
    assert second.sequence.tolist() == [[2.5, 3.0]]
    assert (first.target, second.target) == ("up", "down")
    assert second.place.endswith("long.csv, line 4")


def test_columns_may_be_chosen_and_joined_to_the_sequence(tmp_path):
    path = written(tmp_path / "long.csv", LONG)
    read = long_table(path, features=["y"], extras=["x"])
    assert [record.sequence.tolist() for record in read] == [[[1.0], [2.0]], [[3.0]]]
    assert [record.extras for record in read] == [(0.5,), (2.5,)]
    unlabelled = read_long_table(open_table(path), "id", None, features=["x"])
    assert [record.target for record in unlabelled] == [None, None]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("b,1,2.5", "b,1,", r"line 4, column 3 \('x'\): expected something, got an empty field"),
        ("b,1,2.5", "b,1,nan", r"line 4, column 3 \('x'\): expected a finite number, got 'nan'"),
        ("b,1,2.5", "b,1,high", r"line 4, column 3 \('x'\): expected a number, got 'high'"),
        ("a,2,", "a,1,", r"line 3, column 2 \('time'\): expected time to rise .* got 1.0 behind 1.0"),
        ("1.5,2,up", "1.5,2,down", r"line 3, column 5 \('label'\): expected one label .* 'down' behind 'up'"),
        (
            "3,down\n",
            "3,down\na,3,1,1,up\n",
            r"line 5, column 1 \('id'\): .* got 'a' again, which ended in line 3",
        ),
    ],
)
def test_faults_of_long_tables_are_placed(tmp_path, old, new, message):
    path = written(tmp_path / "long.csv", LONG.replace(old, new))
    with pytest.raises(DataError, match=message):
        list(long_table(path))


def test_dates_rise_too(tmp_path):
    text = "id,time,x,label\na,2024-01-02,1,up\na,2024-01-10,2,up\na,2024-01-09,3,up\n"
    with pytest.raises(DataError, match="got 2024-01-09 behind 2024-01-10"):
        list(long_table(written(tmp_path / "long.csv", text)))


def test_a_table_without_numbers_is_refused(tmp_path):
    path = written(tmp_path / "long.csv", "id,time,label\na,1,up\n")
    with pytest.raises(DataError, match="expected columns of numbers beside 'id'"):
        long_table(path)


def test_decimal_commas_are_understood_and_said(tmp_path):
    text = "id;x;y;label\na;0,5;1;up\na;-1,25;2;up\nb;2;3;down\n"
    read = read_long_table(open_table(written(tmp_path / "long.csv", text)), "id", "label")
    first, second = read
    assert first.sequence.tolist() == [[0.5, 1.0], [-1.25, 2.0]]
    assert second.sequence.tolist() == [[2.0, 3.0]]
    assert "numbers with a decimal comma: x" in read.notes
    mixed = written(tmp_path / "mixed.csv", text.replace("b;2;", "b;2.5;"))
    read = read_long_table(open_table(mixed), "id", "label")
    expected = r"mixed.csv, line 4, column 2 \('x'\): expected a decimal comma as in line 2, got '2.5'"
    for _ in range(2):  # also when it is read again
        with pytest.raises(DataError, match=expected):
            list(read)


def test_numbers_that_are_to_be_told_stand_in_a_column_too(tmp_path):
    path = written(tmp_path / "long.csv", LONG.replace("up", "0.5").replace("down", "-2"))
    read = long_table(path, numbers=True)
    assert [record.target for record in read] == [0.5, -2.0]
    assert "numbers to be told in 'label'" in " ".join(read.notes)
    bad = written(tmp_path / "bad.csv", LONG.replace("up", "0.5"))
    with pytest.raises(DataError, match=r"line 4, column 5 \('label'\): expected a number, got 'down'"):
        list(long_table(bad, numbers=True))
    assert [record.target for record in long_table(bad, numbers=True, known=False)] == [0.5, None]
