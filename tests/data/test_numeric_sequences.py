"""Long tables and the files of the archives: ragged, with one channel or several, and every fault placed."""

import numpy as np
import pytest

from noria.data.numeric_sequences import read_long_table, read_ts
from noria.data.tables import open_table
from noria.errors import DataError

LONG = "id,time,x,y,label\na,1,0.5,1,up\na,2,1.5,2,up\nb,1,2.5,3,down\n"
TS = """# made up
@problemName Steps
@timeStamps false
@univariate false
@dimensions 2
@equalLength false
@classLabel true up down
@data
1,2,3:4,5,6:up
7:8:down
"""


def written(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    return tmp_path / name


def long_table(path, **more):
    return read_long_table(open_table(path), "id", "label", time="time", **more)


def test_each_sequence_has_its_rows(tmp_path):
    read = long_table(written(tmp_path, "long.csv", LONG))
    first, second = read
    assert read.channels == ("x", "y")
    assert first.sequence.dtype == np.float32
    assert first.sequence.tolist() == [[0.5, 1.0], [1.5, 2.0]]
    assert second.sequence.tolist() == [[2.5, 3.0]]
    assert (first.target, second.target) == ("up", "down")
    assert second.place.endswith("long.csv, line 4")


def test_columns_may_be_chosen_and_joined_to_the_sequence(tmp_path):
    path = written(tmp_path, "long.csv", LONG)
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
    path = written(tmp_path, "long.csv", LONG.replace(old, new))
    with pytest.raises(DataError, match=message):
        list(long_table(path))


def test_dates_rise_too(tmp_path):
    text = "id,time,x,label\na,2024-01-02,1,up\na,2024-01-10,2,up\na,2024-01-09,3,up\n"
    with pytest.raises(DataError, match="got 2024-01-09 behind 2024-01-10"):
        list(long_table(written(tmp_path, "long.csv", text)))


def test_a_table_without_numbers_is_refused(tmp_path):
    path = written(tmp_path, "long.csv", "id,time,label\na,1,up\n")
    with pytest.raises(DataError, match="expected columns of numbers beside 'id'"):
        long_table(path)


def test_several_channels_of_different_lengths(tmp_path):
    read = read_ts(written(tmp_path, "t.ts", TS))
    first, second = read
    assert read.channels == ("channel 1", "channel 2")
    assert first.sequence.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert second.sequence.tolist() == [[7.0, 8.0]]
    assert (first.target, second.target) == ("up", "down")
    assert len(list(read)) == 2, "a file is read each time anew"
    with (tmp_path / "t.ts").open() as stream:
        assert [record.target for record in read_ts(stream)] == ["up", "down"]


def test_one_channel_and_no_labels(tmp_path):
    text = "@problemName P\n@univariate true\n@classLabel false\n@data\n1,2,3\n4,5\n"
    one, other = read_ts(written(tmp_path, "t.ts", text))
    assert one.sequence.tolist() == [[1.0], [2.0], [3.0]]
    assert one.target is None
    assert len(other.sequence) == 2


def test_numbers_to_be_told_are_read(tmp_path):
    text = "@univariate true\n@targetLabel true\n@data\n1,2:0.75\n"
    (record,) = read_ts(written(tmp_path, "t.ts", text))
    assert record.target == "0.75"


def test_channels_are_counted_where_the_head_does_not_say(tmp_path):
    read = read_ts(written(tmp_path, "t.ts", TS.replace("@dimensions 2\n", "")))
    assert len(read.channels) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("7:8:down", "7:8:left", "line 10, column 5: expected one of the classes up, down, got 'left'"),
        ("7:8:down", "7:8:dwn", "Did you mean 'down'"),
        ("7:8:down", "7:down", "line 10, column 6: expected 2 channels and a label .* got 2 parts"),
        ("7:8:down", "7:8,9:down", "line 10, .*expected 1 steps in every channel, got 2 in channel 2"),
        ("2,3:4", "?,3:4", "line 9, column 3: expected a number, got a gap"),
        ("4,5,6:up", "4,five,6:up", "line 9, column 9: expected a number, got 'five'"),
        ("2,3:4", "NaN,3:4", "line 9, step 2, channel 1: expected a finite number, got nan"),
        ("@timeStamps false", "@timeStamps true", "time stamps are not read"),
        ("@data\n", "", "expected an entry such as @classLabel|expected a line @data"),
    ],
)
def test_faults_of_archive_files_are_placed(tmp_path, old, new, message):
    with pytest.raises(DataError, match=message):
        list(read_ts(written(tmp_path, "t.ts", TS.replace(old, new, 1))))
