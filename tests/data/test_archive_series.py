"""The ``.ts`` files of the archives: every variant of the format is read, and every fault is placed."""

import numpy as np
import pytest
from written_files import written

from noria.data.archive_series import filled, read_ts
from noria.errors import DataError

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
GAPS = TS.replace("@timeStamps false", "@timeStamps false\n@missing true")
STAMPED = """@problemName Stamped
@timestamps true
@missing true
@univariate false
@dimension 2
@classLabel true up down
@data
(2024-01-31 12:00:00,1.5),(2024-01-31 12:00:01,-2):(2024-01-31 12:00:00,4),(2024-01-31 12:00:02,6):up
(3,1),(20,?),(21,2) : (3,7),(20,8),(21,9) :down
"""


def test_several_channels_of_different_lengths(tmp_path):
    read = read_ts(written(tmp_path / "t.ts", TS))
    first, second = read
    assert read.channels == ("channel 1", "channel 2")
    assert first.sequence.tolist() == [[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]
    assert second.sequence.tolist() == [[7.0, 8.0]]
    assert (first.target, second.target) == ("up", "down")
    assert first.target_place.endswith("t.ts, line 9, column 13")
    assert len(list(read)) == 2, "a file is read each time anew"
    with (tmp_path / "t.ts").open() as stream:
        assert [record.target for record in read_ts(stream)] == ["up", "down"]


@pytest.mark.parametrize("line", ["  @Data ", "@data # of 1998", "#\n@DATA\t# 2 cases"])
@pytest.mark.parametrize("head", ["@dimensions 2\n", ""])
def test_cases_follow_wherever_the_head_ends(tmp_path, line, head):
    read = read_ts(written(tmp_path / "t.ts", TS.replace("@data", line).replace("@dimensions 2\n", head)))
    assert [record.target for record in read] == ["up", "down"]


def test_one_channel_and_no_labels(tmp_path):
    text = "@problemName P\n@univariate true\n@classLabel false\n@data\n1,2,3\n\n# a comment\n4,5\n"
    one, other = read_ts(written(tmp_path / "t.ts", text))
    assert one.sequence.tolist() == [[1.0], [2.0], [3.0]]
    assert one.target is None
    assert len(other.sequence) == 2


def test_classes_need_not_be_listed_and_may_be_unknown(tmp_path):
    text = "@univariate true\n@classLabel true\n@data\n1,2:left\n3:?\n"
    assert [record.target for record in read_ts(written(tmp_path / "t.ts", text))] == ["left", None]


def test_numbers_to_be_told_are_read(tmp_path):
    text = "@univariate true\n@targetLabel true\n@data\n1,2:0.75\n1,2:?\n"
    assert [record.target for record in read_ts(written(tmp_path / "t.ts", text))] == [0.75, None]
    with pytest.raises(DataError, match="line 4, column 5: expected a number, got 'much'"):
        list(read_ts(written(tmp_path / "t.ts", text.replace("0.75", "much"))))


def test_channels_are_counted_where_the_head_does_not_say(tmp_path):
    path = written(tmp_path / "t.ts", TS.replace("@dimensions 2\n", ""))
    assert len(read_ts(path).channels) == 2
    with path.open() as stream:
        read = read_ts(stream)
        assert len(read.channels) == 2
        assert [record.place.rpartition(", ")[2] for record in read] == ["line 8", "line 9"]


def test_gaps_are_filled_where_the_head_says_that_there_are_some(tmp_path):
    text = GAPS.replace("1,2,3:4,5,6", "?,2,?:4,NaN,6")
    read = read_ts(written(tmp_path / "t.ts", text))
    first, _ = read
    assert first.sequence.tolist() == [[2.0, 4.0], [2.0, 4.0], [2.0, 6.0]]
    assert any("missing values are filled" in note for note in read.notes)
    assert not any("missing" in note for note in read_ts(written(tmp_path / "t.ts", TS)).notes)


def test_filling_looks_back_and_only_at_the_beginning_ahead():
    gap = np.nan
    series = np.array([[gap, 1.0, gap], [gap, gap, 5.0], [3.0, gap, gap], [gap, 2.0, 7.0], [4.0, gap, gap]])
    expected = [[3.0, 1.0, 5.0], [3.0, 1.0, 5.0], [3.0, 1.0, 5.0], [3.0, 2.0, 7.0], [4.0, 2.0, 7.0]]
    assert filled(series).tolist() == expected


def test_time_stamps_bring_channels_together(tmp_path):
    read = read_ts(written(tmp_path / "t.ts", STAMPED))
    first, second = read
    assert first.sequence.tolist() == [[1.5, 4.0], [-2.0, 4.0], [-2.0, 6.0]]
    assert second.sequence.tolist() == [[1.0, 7.0], [1.0, 8.0], [2.0, 9.0]], "20 comes behind 3"
    assert (first.target, second.target) == ("up", "down")
    assert any("time stamps give the order" in note for note in read.notes)
    counted = read_ts(written(tmp_path / "t.ts", STAMPED.replace("@dimension 2\n", "")))
    assert len(counted.channels) == 2, "colons of the time are no colons between channels"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("7:8:down", "7:8:left", "line 10, column 5: expected one of the classes up, down, got 'left'"),
        ("7:8:down", "7:8:dwn", "Did you mean 'down'"),
        ("7:8:down", "7:down", "line 10, column 6: expected 2 channels and a label .* got 2 parts"),
        ("7:8:down", "7:8,9:down", "line 10, column 3: expected 1 steps in every .*got 2 in channel 2"),
        ("2,3:4", "?,3:4", r"line 9, column 3: expected a number, got a gap, '\?'.\n.*@missing true"),
        ("2,3:4", "NaN,3:4", "line 9, column 3: expected a number, got a gap, 'NaN'"),
        ("2,3:4", "inf,3:4", "line 9, column 3: expected a finite number, got 'inf'"),
        ("4,5,6:up", "4,five,6:up", "line 9, column 9: expected a number, got 'five'"),
        ("1,2,3:", "(0,1),(1,2):", r"line 9, column 1: expected a number, got '\(0'.\n.*@timeStamps true"),
        ("@timeStamps false", "@timeStamps no", "line 3, column 1: expected @timestamps true or false, got"),
        ("@classLabel true", "@classLabel yes", "line 7, column 1: expected @classlabel true or false"),
        ("@dimensions 2", "@dimensions two", "line 5, column 1: expected @dimensions and the number .*'two'"),
        ("@univariate", "univariate", "line 4, column 1: expected an entry such as @classLabel"),
        (
            "@data",
            "@data 1:2:up",
            "line 8, column 1: expected @data on a line of its own, got '@data 1",
        ),
        ("@data\n", "", "line 8, column 1: expected an entry such as @classLabel, got '1,2,3"),
    ],
)
def test_faults_are_placed(tmp_path, old, new, message):
    assert old in TS
    with pytest.raises(DataError, match=message):
        list(read_ts(written(tmp_path / "t.ts", TS.replace(old, new, 1))))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (":01,-2)", ":00,-2)", "line 8, column 27: expected time to rise, got .*12:00:00 behind .*12:00:00"),
        ("(21,2)", "(19,2)", "line 9, column 14: expected time to rise, got 19 behind 20.0"),
        ("(21,2)", "(noon,2)", "line 9, column 14: expected time to rise, got noon behind 20.0"),
        ("(21,2)", "21,2", r"line 9, column 14: expected \(time,value\), got '21,2"),
        ("(21,2)", "(,2)", r"line 9, column 14: expected \(time,value\), got '\(,2\)"),
        ("(3,1),(20", "(nan,1),(20", "line 9, column 2: expected a finite number, got 'nan'"),
        ("(21,9)", "(inf,9)", "line 9, column 37: expected a finite number, got 'inf'"),
        ("(3,7),(20,8),(21,9)", "(2024-01-01,7)", "line 9, column 22: expected numbers as .*, got dates"),
        (",6):up", ",6):up\n(?,1):(4,2):up", "line 9, column 7: expected dates as .*, got numbers"),
        ("(21,9)", "(21,high)", "line 9, column 40: expected a number, got 'high'"),
        ("(3,1),(20,?),(21,2)", "(3,?)", "line 9, column 1: expected values in channel 1, got none"),
        ("@missing true\n", "", "line 7, column 52: expected the time stamps of channel 1 in channel 2"),
    ],
)
def test_faults_of_time_stamps_are_placed(tmp_path, old, new, message):
    assert old in STAMPED
    with pytest.raises(DataError, match=message):
        list(read_ts(written(tmp_path / "t.ts", STAMPED.replace(old, new, 1))))


def test_a_file_without_series_says_so(tmp_path):
    with pytest.raises(DataError, match=r"t\.ts, line 1: expected a line @data"):
        read_ts(written(tmp_path / "t.ts", "@univariate true\n"))
