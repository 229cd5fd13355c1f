"""Tables of series as people have them, and what is said of those that cannot be read."""

import gzip
import zipfile

import numpy as np
import pandas
import pytest
from written_files import written

from noria.data.builtin_tasks import builtin_data
from noria.data.series_columns import SeriesColumns
from noria.data.series_reading import read_series
from noria.errors import DataError, OptionError

LONG = """unique_id,ds,y,temperature,remark
b,2020-01-01,7,1,ok
a,2020-01-04,4,5,
a,2020-01-01,1,3,x
a,2020-01-02,2,NaN,x
b,2020-01-02,,2,
b,2020-01-03,9,2,
"""


def refused(tmp_path, text, name="table.csv", **columns):
    with pytest.raises(DataError) as caught:
        read_series(written(tmp_path / name, text), SeriesColumns(**columns))
    return str(caught.value)


def starts(found):
    return [str(series.start)[:10] for series in found.series]


def test_a_long_table_gives_a_series_for_each_name_in_order_with_gaps(tmp_path):
    found = read_series(written(tmp_path / "table.csv", LONG))
    assert [series.name for series in found.series] == ["b", "a"]
    np.testing.assert_array_equal(found.named("a").values, [[1], [2], [np.nan], [4]])
    np.testing.assert_array_equal(found.named("a").past, [[3], [np.nan], [np.nan], [5]])
    np.testing.assert_array_equal(found.named("b").values, [[7], [np.nan], [9]])
    assert (found.frequency.code, found.frequency.season, found.points) == ("D", 7, 5)
    assert (found.channels, found.known, found.past) == (("y",), (), ("temperature",))
    assert found.notes == (
        "columns: time ds; series unique_id; target y; known up to now temperature",
        "columns left out, they hold no numbers: remark",
        "frequency: daily, season 7",
        "gaps: 2 of 7 values are missing; they are not trained on, and as inputs they are filled with what "
        "was known before them, and marked",
    )


def test_a_wide_table_with_semicolons_and_decimal_commas(tmp_path):
    text = "date;north;south\n01/02/2021;1.234,5;7\n02/02/2021;-2,25;\n03/02/2021;3;8,5\n"
    found = read_series(written(tmp_path / "table.csv", text))
    assert [series.name for series in found.series] == ["north", "south"]
    np.testing.assert_array_equal(found.named("north").values[:, 0], [1234.5, -2.25, 3])
    np.testing.assert_array_equal(found.named("south").values[:, 0], [7, np.nan, 8.5])
    assert starts(found) == ["2021-02-01"] * 2
    assert "numbers are written with a decimal comma" in found.notes
    assert any("read day first, which makes the even step" in note for note in found.notes)


def test_a_decimal_point_beside_decimal_commas_is_no_sign_between_thousands(tmp_path):
    head, rows = "ds;y;x\n", "2020-01-01;1,5;2.000\n2020-01-02;2,5;3.500\n2020-01-03;3,5;{}\n"
    table = written(tmp_path / "table.csv", head + rows.format("1.200,5"))
    (one,) = read_series(table, SeriesColumns(target=("y",), past=("x",))).series
    assert one.past[:, 0].tolist() == [2000.0, 3500.0, 1200.5]
    said = refused(tmp_path, head + rows.format("4.5"), target=("y",), past=("x",))
    assert "line 4, column 'x': expected a number with a decimal comma, as other columns have them" in said
    assert "got '4.5'" in said


def test_columns_of_a_wide_table_as_channels_of_one_series(tmp_path):
    text = "date,p,q\n2021-01-01,1,2\n2021-01-02,3,\n2021-01-03,,6\n"
    found = read_series(written(tmp_path / "table.csv", text), SeriesColumns(multivariate=True))
    assert (len(found), found.channels) == (1, ("p", "q"))
    np.testing.assert_array_equal(found.series[0].values, [[1, 2], [3, np.nan], [np.nan, 6]])


def test_what_is_known_reaches_behind_the_last_value(tmp_path):
    text = "ds,y,holiday\n2020-01-01,,1\n2020-01-02,5,0\n2020-01-03,6,1\n2020-01-04,,0\n2020-01-05,,1\n"
    found = read_series(written(tmp_path / "table.csv", text), SeriesColumns(known=("holiday",)))
    (series,) = found.series
    assert str(series.start)[:10] == "2020-01-02"
    np.testing.assert_array_equal(series.values, [[5], [6]])
    np.testing.assert_array_equal(series.known, [[0], [1], [0], [1]])


@pytest.mark.parametrize(
    ("dates", "code", "start"),
    [
        (["1949-01", "1949-02", "1949-03"], "MS", "1949-01-01"),
        (["2020-01-31", "2020-02-29", "2020-03-31"], "ME", "2020-01-31"),
        (["2020-01-01", "2020-04-01", "2020-07-01"], "QS-JAN", "2020-01-01"),
        (["1990", "1991", "1993"], "YS-JAN", "1990-01-01"),
        (["2020-01-05", "2020-01-12", "2020-01-26"], "W-SUN", "2020-01-05"),
        (["2020-01-01 22:00", "2020-01-01 23:00", "2020-01-02T00:00:00"], "h", "2020-01-01"),
        (["2020-01-01 00:00", "2020-01-01 00:15", "2020-01-01 00:30"], "15min", "2020-01-01"),
        (["20200101", "20200102", "20200103"], "D", "2020-01-01"),
        (["2020/1/9", "2020/1/10", "2020/1/11"], "D", "2020-01-09"),
        (["13.01.2020 10:00", "13.01.2020 11:00", "13.01.2020 12:00"], "h", "2020-01-13"),
        (["1/13/20", "1/14/20", "1/15/20"], "D", "2020-01-13"),
        (["Jan 1949", "Feb 1949", "Mar 1949"], "MS", "1949-01-01"),
        (["2020-01-01T00:00:00+02:00", "2020-01-01T01:00:00+02:00"], "h", "2019-12-31"),
    ],
)
def test_dates_as_people_write_them(tmp_path, dates, code, start):
    text = "ds,y\n" + "".join(f"{date},{number}\n" for number, date in enumerate(dates))
    found = read_series(written(tmp_path / "table.csv", text))
    assert found.frequency.code == code
    assert starts(found) == [start]


def test_working_days_have_no_weekend_in_them(tmp_path):
    days = pandas.date_range("2024-01-01", periods=14, freq="B")
    found = read_series(pandas.DataFrame({"ds": days.delete(6), "y": np.arange(13.0)}))
    assert found.frequency.code == "B"
    assert np.flatnonzero(np.isnan(found.series[0].values[:, 0])).tolist() == [6]


def test_the_even_step_decides_between_day_and_month_and_a_format_decides_for_good(tmp_path):
    months = "ds;y\n01/02/2020;1\n01/03/2020;2\n01/04/2020;3\n01/06/2020;3\n01/07/2020;4\n"
    days = read_series(written(tmp_path / "table.csv", months), SeriesColumns(date_format="%m/%d/%Y"))
    assert (days.frequency.code, len(days.series[0])) == ("D", 6)
    assert read_series(written(tmp_path / "table.csv", months)).frequency.code in ("MS", "D")
    even = "ds;y\n01/11/2020;1\n02/11/2020;2\n03/11/2020;3\n"
    found = read_series(written(tmp_path / "table.csv", even))
    assert (found.frequency.code, starts(found)) == ("D", ["2020-11-01"])


@pytest.mark.parametrize(
    ("text", "columns", "expected"),
    [
        ("ds,y\n2020-01-01,1\n\n2020-01-0x,2\n", {}, "table.csv, line 4, column 'ds': expected a date"),
        (
            "ds,y\n2020-01-01,1\n2020-01-02,hm\n",
            {},
            "table.csv, line 3, column 'y': expected a number, got 'hm'",
        ),
        ("ds,y\n2020-01-01,inf\n2020-01-02,1\n", {}, "line 2, column 'y': expected a finite number, got inf"),
        (
            "ds,y\n2020-01-03,1\n2020-01-02,2\n2020-01-03,3\n",
            {},
            "line 4, column 'ds': expected each time once, got '2020-01-03' again (first in line 2).\n"
            "  If there are several series, name what tells them apart: 'id_column'.",
        ),
        (
            "ds,y\n2020-01-01,1\n2020-01-02,2\n2020-01-03,2\n2020-01-03 07:00,3\n2020-01-04,3\n",
            {},
            "line 5, column 'ds': expected times that are daily, got '2020-01-03 07:00'",
        ),
        ("ds,y\n2020-01-01,1\n2020-01-02,2,4\n", {}, "line 3: expected 2 cells"),
        (
            "ds,sales\n2020-01-01,1\n",
            {"target": ("sale",)},
            "column 'sale' (target), got 'ds', 'sales'. Did you",
        ),
        ("ds,y\n2020-01-01,1\n", {"known": ("holiday",)}, "expected a column 'holiday' (known_covariates)"),
        ("ds,y\n13/01/2020,1\n01/14/2020,2\n", {}, "line 3, column 'ds': expected a date with day and month"),
        (
            "ds,name\n2020-01-01,a\n",
            {},
            "expected a column of numbers to forecast, got the columns 'ds', 'name'",
        ),
        ("ds,y\n2020-01-01,\n2020-01-02,\n", {"target": ("y",)}, "expected values in series '', got none"),
        ("ds,y\n2020-01-01,3\n", {}, "expected two times or more in a series to find its step"),
        ("", {}, "expected a line of column names"),
        ("ds,y\n", {}, "expected lines of values below the column names"),
        (
            "ds,y,h\n2020-01-01,3,1\n2020-01-02,3,\n",
            {"known": ("h",)},
            "'h' to be known at every time, got 1",
        ),
    ],
)
def test_bad_tables_are_refused_by_file_line_and_column(tmp_path, text, columns, expected):
    assert expected in refused(tmp_path, text, **columns)


def test_the_second_series_may_have_the_times_of_the_first_but_not_its_own_twice(tmp_path):
    text = "unique_id,ds,y\na,2020-01-01,1\nb,2020-01-01,1\na,2020-01-02,2\nb,2020-01-01,4\n"
    assert "line 5, column 'ds': expected each time of series 'b' once" in refused(tmp_path, text)


def test_json_lines_packed_files_and_tabs(tmp_path):
    rows = '{"ds": "2020-01", "y": 1.5}\n\n{"ds": "2020-02", "y": null}\n{"ds": "2020-03", "y": 2}\n'
    found = read_series(written(tmp_path / "t.jsonl", rows))
    np.testing.assert_array_equal(found.series[0].values[:, 0], [1.5, np.nan, 2])
    assert "t.jsonl, line 2" in refused(tmp_path, '{"ds": 1}\n{oops\n', "t.jsonl")
    table = "ds\ty\n2020-01-01\t1\n2020-01-02\t2\n"
    packed = tmp_path / "t.tsv.gz"
    packed.write_bytes(gzip.compress(table.encode()))
    zipped = tmp_path / "t.zip"
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("inside.tsv", table)
    for path in (packed, zipped):
        np.testing.assert_array_equal(read_series(path).series[0].values[:, 0], [1, 2])
    (tmp_path / "bad.zip").write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"bad\.zip: could not be read"):
        read_series(tmp_path / "bad.zip")
    with pytest.raises(DataError, match="no such file"):
        read_series(tmp_path / "nowhere.csv")


def test_arrays_lists_and_mappings_are_series_of_steps():
    values = np.arange(12.0).reshape(6, 2)
    assert [series.name for series in read_series(values).series] == ["0", "1"]
    (one,) = read_series(values[:, 1]).series
    np.testing.assert_array_equal(one.values[:, 0], values[:, 1])
    several = read_series([np.arange(3.0), np.arange(5.0)])
    assert [len(series) for series in several.series] == [3, 5]
    named = read_series({"north": np.arange(4.0), "south": np.array([1, np.nan, 3, 4])})
    assert [(series.name, series.gaps) for series in named.series] == [("north", 0), ("south", 1)]
    assert named.frequency.counted
    assert named.frequency.season == 1
    with pytest.raises(DataError, match="got an array of shape"):
        read_series(np.zeros((2, 3, 4)))


def test_a_data_frame_may_have_its_dates_in_the_index():
    days = pandas.date_range("2021-03-01", periods=4, freq="D")
    frame = pandas.DataFrame({"y": [1.0, 2, 3, 4]}, index=days)
    found = read_series(frame)
    assert (found.frequency.code, starts(found)) == ("D", ["2021-03-01"])
    with pytest.raises(DataError, match=r"data frame, row 1, column 'y': expected a number, got 'x'"):
        read_series(pandas.DataFrame({"ds": days[:2], "y": ["1", "x"]}), SeriesColumns(target=("y",)))


def test_a_frequency_that_pandas_does_not_know():
    with pytest.raises(OptionError, match=r"'frequency' option must be a step as pandas writes it"):
        read_series(np.arange(5.0), SeriesColumns(frequency="fortnights"))


def test_the_built_in_series():
    airline = read_series(builtin_data("airline", "forecast", 3).train)
    values = airline.series[0].values[:, 0]
    assert (len(values), values.sum(), values[0], values[-1]) == (144, 40363, 112, 432)
    assert (airline.frequency.code, starts(airline)) == ("MS", ["1949-01-01"])
    parts = builtin_data("sines", "forecast", 3)
    noise = parts.train["y"].to_numpy() - parts.extra["signal"]["y"].to_numpy()
    assert len(noise) == 12_000
    assert 0.098 < noise.std() < 0.102
    again = builtin_data("sines", "forecast", 3).train["y"].to_numpy()
    np.testing.assert_array_equal(parts.train["y"].to_numpy(), again)
    assert not np.array_equal(again, builtin_data("sines", "forecast", 4).train["y"].to_numpy())


@pytest.mark.parametrize(("first", "step"), [(1_600_000_000, 3600), (10, 10), (7, 1)])
def test_whole_numbers_are_as_far_apart_as_most_of_them(first, step):
    kept = np.delete(np.arange(50), [20, 21])
    table = pandas.DataFrame({"ds": first + step * kept, "y": np.arange(48.0)})
    found = read_series(table)
    (series,) = found.series
    assert (len(series), series.gaps, found.frequency.stride) == (50, 2, step)
    assert found.frequency.after(series.start, 50) == first + 50 * step
    assert found.frequency.times(series.start, 2).tolist() == [first, first + step]
    title = "numbered steps" if step == 1 else f"numbered steps, {step} apart"
    assert f"frequency: {title}, season 1" in found.notes


def test_whole_numbers_off_every_grid_are_refused_and_dense_ones_are_not():
    dense = read_series(pandas.DataFrame({"ds": [0, 2, 4, 5, 8], "y": np.arange(5.0)}))
    assert (dense.frequency.stride, len(dense.series[0])) == (1, 9)
    shaken = 1_600_000_000 + 3600 * np.arange(50) + (np.arange(50) == 30)
    table = pandas.DataFrame({"ds": shaken, "y": np.arange(50.0)})
    with pytest.raises(
        DataError, match=r"expected times that are numbered steps, 3600 apart, got '1600108001'"
    ):
        read_series(table)
    assert len(read_series(table, SeriesColumns(frequency="1")).series[0]) == 49 * 3600 + 1
    with pytest.raises(DataError, match="fit the 'frequency' 'D', got whole numbers"):
        read_series(table, SeriesColumns(frequency="D"))
    days = pandas.date_range("2020-01-01", periods=5)
    with pytest.raises(DataError, match="fit the 'frequency' '10', got dates"):
        read_series(pandas.DataFrame({"ds": days, "y": np.ones(5)}), SeriesColumns(frequency="10"))
