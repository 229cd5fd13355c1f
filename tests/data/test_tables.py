"""Tables of every format: the same rows come out, and what does not fit is named with line and column."""

import io
import json

import numpy as np
import pytest

from noria.data.delimited import Dialect, sniff
from noria.data.lines import Lines
from noria.data.tables import open_table
from noria.errors import DataError, MissingExtraError

ROWS = [("so, so good", "pos", "3"), ('he said "no"', "neg", "-1.5"), ("two\nlines", "pos", "0")]


def written(delimiter):
    lines = [delimiter.join(["text", "label", "stars"])]
    for row in ROWS:
        quoted = ['"' + field.replace('"', '""') + '"' for field in row]
        lines.append(delimiter.join(quoted))
    return "\r\n".join(lines) + "\r\n"


def as_tuples(table):
    return [tuple(row.values[name] for name in table.columns) for row in table.rows()]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_sign_between_fields_is_found(tmp_path, delimiter):
    path = tmp_path / "reviews.csv"
    path.write_text(written(delimiter), newline="")
    table = open_table(path)
    assert table.columns == ("text", "label", "stars")
    assert as_tuples(table) == ROWS
    assert as_tuples(table) == ROWS, "a file is read each time anew"
    assert [row.place for row in table.rows()] == ["line 2", "line 3", "line 4"]


def test_lines_are_counted_as_an_editor_counts_them(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('text,label\n"a\nb\nc",x\n\nd,y\n')
    assert [row.place for row in open_table(path).rows()] == ["line 2", "line 6"]


def test_quotation_marks_that_do_not_close_are_part_of_the_text(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text('text\tlabel\n"Ha" he said\tpos\n5" high\tneg\n')
    table = open_table(path)
    assert as_tuples(table) == [('"Ha" he said', "pos"), ('5" high', "neg")]
    assert "quotation marks are part of the fields" in table.notes


def test_sniffing_prefers_what_makes_all_rows_alike():
    assert sniff(["a;b\n", "1,5;2\n", "2,5;3\n"]) == Dialect(";")
    assert sniff(["text\n", "a, b\n"]) == Dialect(",")


def test_json_parquet_frames_and_mappings_give_the_same(tmp_path):
    pandas, parquet = pytest.importorskip("pandas"), pytest.importorskip("pyarrow.parquet")
    columns = {"text": [row[0] for row in ROWS], "stars": [3.0, -1.5, 0.0]}
    frame = pandas.DataFrame(columns)
    frame.to_parquet(tmp_path / "t.parquet")
    assert parquet.ParquetFile(tmp_path / "t.parquet").metadata.num_rows == 3
    lines = [json.dumps({"text": t, "stars": s}) for t, s in zip(*columns.values(), strict=True)]
    (tmp_path / "t.jsonl").write_text("\n".join(lines))
    for source in (tmp_path / "t.parquet", tmp_path / "t.jsonl", frame, columns):
        table = open_table(source)
        assert table.columns == ("text", "stars")
        assert as_tuples(table) == list(zip(*columns.values(), strict=True))
        assert [row.number("stars") for row in table.rows()] == [3.0, -1.5, 0.0]


def test_a_stream_is_read_once_line_by_line():
    taken = []

    def lines():
        for line in ["text,label\n", "a,x\n", "b,y\n"]:
            taken.append(line)
            yield line.encode()

    class Pipe(io.RawIOBase):
        name, mode = "pipe", "rb"

        def __init__(self):
            self.left = lines()

        def readable(self):
            return True

        def readinto(self, buffer):
            line = next(self.left, b"")
            buffer[: len(line)] = line
            return len(line)

    table = open_table(io.BufferedReader(Pipe()))
    rows = table.rows()
    assert next(rows).values == {"text": "a", "label": "x"}
    assert len(taken) == 2, "no line is waited for that is not needed"
    assert [row.values["text"] for row in rows] == ["b"]
    assert [row.values for row in open_table(io.StringIO("a,b\n1,2\n")).rows()] == [{"a": "1", "b": "2"}]


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_a_file_is_open_only_while_it_is_read(tmp_path, monkeypatch, name):
    opened, really = [], Lines._opened
    monkeypatch.setattr(Lines, "_opened", lambda lines: opened.append(really(lines)) or opened[-1])
    rows = {"t.csv": "a,b\n1,2\n3,4\n5,6\n", "t.jsonl": '{"a": 1, "b": 2}\n' * 3}
    (tmp_path / name).write_text(rows[name])
    table = open_table(tmp_path / name)
    assert opened
    assert all(file.closed for file in opened), "its columns are known"
    for _ in range(2):
        reading = table.rows()
        next(reading)
        assert [file.closed for file in opened].count(False) == 1
        assert len(list(reading)) == 2
        assert all(file.closed for file in opened)


def test_a_parquet_file_is_open_only_while_it_is_read(tmp_path, monkeypatch):
    parquet = pytest.importorskip("pyarrow.parquet")
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"a": [1, 2, 3]}).to_parquet(tmp_path / "t.parquet")
    opened, really = [], parquet.ParquetFile
    monkeypatch.setattr(parquet, "ParquetFile", lambda path: opened.append(really(path)) or opened[-1])
    table = open_table(tmp_path / "t.parquet")
    assert [file.closed for file in opened] == [True]
    assert [[row.values["a"] for row in table.rows()] for _ in range(2)] == [[1, 2, 3]] * 2
    assert [file.closed for file in opened] == [True] * 3


@pytest.mark.parametrize("name", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_encoding_is_found(tmp_path, name):
    path = tmp_path / "t.csv"
    text = "text,label\n" + "déjà vu à la fête,x\n" * 50
    path.write_bytes(text.encode(name))
    assert next(open_table(path).rows()).values["text"] == "déjà vu à la fête"
    if name == "cp1252":
        assert "guess" in " ".join(open_table(path).notes)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("t.csv", "text,label\na,x\nb\n", "line 3, column 2: expected 2 fields"),
        ("t.csv", "text,label\na,x\nb,y,z\n", "line 3, column 3: .* got 3: 'z' is one too many"),
        ("t.csv", 'text,label\na,x\n"b,y\n', "line 3: the fields of this row cannot be told apart"),
        ("t.csv", "text,text\na,x\n", "line 1, column 2: expected each column once, got 'text' again"),
        ("t.csv", "\n\n", "expected a first line with the names of columns"),
        ("t.csv", "", "empty file"),
        ("t.csv", "a,b\0\n", "binary"),
        ("t.jsonl", '{"a": 1}\n{"a": }\n', "line 2, column 7: expected a JSON object"),
        ("t.jsonl", '{"a": 1}\n[1]\n', "line 2, column 1: expected a JSON object, got '\\[1\\]'"),
        ("t.jsonl", "\n", "expected one JSON object in each line, got nothing"),
        ("t.parquet", "PAR1 no", "expected a Parquet file"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, text, message):
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError, match=message):
        list(open_table(tmp_path / name).rows())


def test_values_say_where_they_stand(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,stars\n ,4\nb,many\nc,nan\n")
    first, second, third = open_table(path).rows()
    with pytest.raises(DataError, match=r"t.csv, line 2, column 1 \('text'\): expected something"):
        first.text("text")
    with pytest.raises(DataError, match=r"line 3, column 2 \('stars'\): expected a number, got 'many'"):
        second.number("stars")
    with pytest.raises(DataError, match="finite"):
        third.number("stars")
    assert first.number("stars") == 4.0


def test_a_frame_has_gaps_where_a_file_has_empty_fields():
    *_, last = open_table({"text": ["a", "b"], "stars": [2.0, np.nan]}).rows()
    with pytest.raises(DataError, match=r"data frame, row 2, column 2 \('stars'\): expected something"):
        last.number("stars")


def test_a_frame_may_have_gaps_of_pandas_and_arrays():
    pandas = pytest.importorskip("pandas")
    texts = pandas.Series(["a", None, " ", "d"], dtype="string")
    stars = pandas.Series([7, None, 5, 2], dtype="Int64")
    rows = list(open_table({"text": texts, "stars": stars, "x": [np.zeros(n) for n in range(4)]}).rows())
    assert [row.has("text") for row in rows] == [True, False, False, True]
    assert [row.has("stars") for row in rows] == [True, False, True, True]
    assert rows[3].has("x")
    with pytest.raises(DataError, match=r"row 2, column 1 \('text'\): expected something"):
        rows[1].text("text")


def test_columns_that_are_something_else_are_not_guessed(tmp_path):
    table = open_table({"Name ": ["a"], "Review": ["b"]})
    assert table.guessed(["name", "review"]) == "Name "
    assert table.guessed(["name", "review"], ["Name "]) == "Review"


def test_a_column_that_is_not_there_has_a_nearest_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Review,label\na,x\n")
    table = open_table(path)
    with pytest.raises(DataError, match=r"expected a column 'lable' \(label_column\).*Did you mean 'label'"):
        table.column("lable", "label_column")
    assert table.guessed(["text", "review"]) == "Review"
    assert table.guessed(["text"]) is None


def test_a_file_that_is_not_there_has_a_nearest_one(tmp_path):
    (tmp_path / "reviews.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"no such file.*Did you mean .*reviews.csv"):
        open_table(tmp_path / "review.csv")


def test_long_fields_are_no_trouble(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "word " * 60_000 + ",x\n")
    assert len(next(open_table(path).rows()).text("text")) == 300_000


def test_a_missing_library_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"noria\[parquet\]"):
        open_table(tmp_path / "t.parquet")


def test_bytes_that_do_not_fit_are_placed(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"text\n" + "é".encode("cp1252") + b"\n")
    with pytest.raises(DataError, match=r"expected utf-8, got byte 0xe9"):
        list(Lines(path, encoding="utf-8"))


@pytest.mark.parametrize("make", [str, lambda path: open_stream(path)])
@pytest.mark.parametrize(
    ("name", "text", "rows"),
    [
        ("t.csv", "\ntext\na\n\nb\n\n", ["a", "", "b", ""]),
        ("t.csv", "text,n\na,1\n\nb,2\n", ["a", "", "b"]),
        ("t.jsonl", '{"text": "a"}\n\n{"text": "b"}\n', ["a", None, "b"]),
        ("t.jsonl", '{}\n\n{"text": "a"}\n', [None, None, "a"]),
    ],
)
def test_blank_lines_are_rows_where_that_is_asked_for(tmp_path, make, name, text, rows):
    (tmp_path / name).write_text(text)
    full = [row.values.get("text") for row in open_table(make(tmp_path / name)).rows()]
    assert full == [row for row in rows if row] or full[0] is None, "{} is a row"
    found = list(open_table(make(tmp_path / name)).rows(blank=True))
    assert [row.values.get("text") for row in found] == rows
    assert [row.has("text") for row in found] == [bool(row) for row in rows]


def open_stream(path):
    return io.StringIO(path.read_text())


@pytest.mark.parametrize(
    ("delimiter", "written", "numbers"),
    [
        (";", ["1", "3,14", "-0,5", "1,234"], [1.0, 3.14, -0.5, 1.234]),
        ("\t", ["1", "3,14", "1,234", ",5"], [1.0, 3.14, 1.234, 0.5]),
        (",", ["3,14", "2,5e3", "7"], [3.14, 2500.0, 7.0]),
        (";", ["3.14", "1e-3", "2"], [3.14, 0.001, 2.0]),
    ],
)
def test_decimals_stand_behind_one_sign_in_a_column(tmp_path, delimiter, written, numbers):
    path = tmp_path / "t.csv"
    lines = [f'{number}{delimiter}"{text}"\n' for number, text in enumerate(written)]
    path.write_text(f"place{delimiter}n\n" + "".join(lines))
    table = open_table(path)
    comma = any("," in text for text in written)
    assert table.comma_notes(["place", "n"]) == (("numbers with a decimal comma: n",) if comma else ())
    assert [row.number("n") for row in table.rows()] == numbers
    stream = open_table(io.StringIO(path.read_text()))
    assert [row.number("n") for row in stream.rows()] == numbers


@pytest.mark.parametrize(
    ("delimiter", "written", "message"),
    [
        (";", ["1", "3,14", "2.5"], "line 4, .*expected a decimal comma as in line 3, got '2.5'"),
        (";", ["3.14", "1", "2,5"], "line 4, .*expected a decimal point as in line 2, got '2,5'"),
        ("\t", ["1", "1,234"], "line 3, .*got '1,234', which may be read in two ways.\n.*thousands"),
        (";", ["1.234,5"], "line 2, .*expected a number, got '1.234,5'"),
        (";", ["1,234,567"], "got '1,234,567'.\n  Write it without signs between thousands"),
    ],
)
def test_decimals_behind_both_signs_are_placed(tmp_path, delimiter, written, message):
    path = tmp_path / "t.csv"
    path.write_text(f"n{delimiter}m\n" + "".join(f"{text}{delimiter}0\n" for text in written))
    table = open_table(path)
    assert table.comma_notes(["n"]) in ((), ("numbers with a decimal comma: n",))
    for _ in range(2):
        with pytest.raises(DataError, match=message):
            [row.number("n") for row in table.rows()]
