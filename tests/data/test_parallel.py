"""Pairs from files, tables and lists: what is read, in which order, and what is said of what does not fit."""

import io
import json

import pandas as pd
import pytest
from written_files import written

from noria.data.parallel import open_pairs, read_sources
from noria.errors import DataError


def texts(pairs):
    return [(pair.source, pair.target) for pair in pairs]


def test_two_files_line_by_line(tmp_path):
    a = written(tmp_path / "a.txt", "uno\r\ndos \nvein\u0074iu\u0301n\n")
    b = written(tmp_path / "b.txt", "one\ntwo\ntwenty-one")
    pairs = open_pairs([a, b])
    assert texts(pairs) == [("uno", "one"), ("dos ", "two"), ("veintiún", "twenty-one")]
    assert texts(pairs) == texts(pairs), "files are read again each time"
    assert list(pairs)[1].place.endswith("a.txt, line 2")
    assert pairs.name.endswith("a.txt and b.txt")


@pytest.mark.parametrize(("left", "right", "line"), [("1\n2\n3\n", "1\n", 2), ("1\n", "1\n2\n3\n4\n5\n", 2)])
def test_unequal_files_are_refused_with_both_counts(tmp_path, left, right, line):
    a, b = written(tmp_path / "a.txt", left), written(tmp_path / "b.txt", right)
    counts = left.count("\n"), right.count("\n")
    with pytest.raises(
        DataError, match=rf"a\.txt, line {line}: .*b\.txt, which has {counts[1]}, got {counts[0]}"
    ):
        list(open_pairs([a, b]))


@pytest.mark.parametrize(
    ("left", "right", "name"), [("1\n \n3\n", "1\n2\n3\n", "a"), ("1\n2\n", "1\n\n", "b")]
)
def test_an_empty_line_is_refused_where_it_stands(tmp_path, left, right, name):
    a, b = written(tmp_path / "a.txt", left), written(tmp_path / "b.txt", right)
    with pytest.raises(DataError, match=rf"{name}\.txt, line 2, column 1: expected a sentence"):
        list(open_pairs([a, b]))


def test_the_encoding_is_found_or_taken(tmp_path):
    a = written(tmp_path / "a.txt", "años\n", "latin-1")
    b = written(tmp_path / "b.txt", "years\n", "utf-16")
    assert texts(open_pairs([a, b])) == [("años", "years")]
    with pytest.raises(DataError, match="after line 0"):
        list(open_pairs([a, b], encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("t.csv", 'nr,source,target\n1,"a, b",x\n2,c,y\n'),
        ("t.tsv", "nr\ttgt\tsrc\n1\tx\ta, b\n2\ty\tc\n"),
        ("t.jsonl", '{"en": "x", "es": "a, b"}\n{"en": "y", "es": "c"}\n'),
        ("t.csv", 'left;english\n"a, b";x\nc;y\n'),
        ("t.tsv", "nl\tda\na, b\tx\nc\ty\n"),
        ("t.tsv", "sentence_nl\tsentence_da\na, b\tx\nc\ty\n"),
        ("t.jsonl", '{"left": "a, b", "right": "x"}\n{"left": "c", "right": "y"}\n'),
    ],
)
def test_two_columns_are_guessed_and_said(tmp_path, name, content):
    pairs = open_pairs(written(tmp_path / name, content))
    assert texts(pairs) == [("a, b", "x"), ("c", "y")]
    assert any("holds the sources" in note for note in pairs.notes)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        (
            "t.tsv",
            "tres tres tres\tthree three three\nuno\tone\n",
            [("tres tres tres", "three three three"), ("uno", "one")],
        ),
        ("t.csv", '"uno, dos",one\ntres,three\n', [("uno, dos", "one"), ("tres", "three")]),
        ("t.txt", "no;no\nsi;yes\n", [("no", "no"), ("si", "yes")]),
        ("t.tsv", "si\tyes\nno\tno\n", [("si", "yes"), ("no", "no")]),
    ],
)
def test_the_first_line_is_a_pair_where_it_names_no_columns(tmp_path, name, content, expected):
    path = written(tmp_path / name, content)
    for data in (path, str(path), [path]):
        pairs = open_pairs(data)
        assert texts(pairs) == expected
        assert texts(pairs) == expected, "files are read again each time"
        assert any("no header: the first line is a pair" in note for note in pairs.notes)
        assert not any("guessed" in note for note in pairs.notes)
    assert next(iter(pairs)).place.endswith("line 1")


def test_names_that_are_asked_for_are_those_of_the_first_line(tmp_path):
    path = written(tmp_path / "t.tsv", "left\tright\na\tx\n")
    for asked in ({"source_column": "left"}, {"target_column": "right"}):
        assert texts(open_pairs(path, **asked)) == [("a", "x")]
    assert list(read_sources(path, "left")) == ["a"]


def test_what_is_wrong_without_a_header_is_said_where_it_is(tmp_path):
    path = written(tmp_path / "t.tsv", "a b\tx z\nc d\tu\tw\n")
    with pytest.raises(
        DataError, match=r"t\.tsv, line 2, column 3: expected 2 fields, as the first line has"
    ):
        list(open_pairs(path))
    with pytest.raises(DataError, match=r"t\.csv, line 1, column 2 \('target'\)"):
        list(open_pairs(written(tmp_path / "t.csv", "uno,\ndos,two\n")))


@pytest.mark.parametrize("content", ["uno dos\tone two\ntres\tthree\n", "uno dos\ntres\n"])
def test_sources_of_a_table_without_a_header_keep_their_number(tmp_path, content):
    assert list(read_sources(written(tmp_path / "t.tsv", content))) == ["uno dos", "tres"]


def test_a_folder_is_refused_as_one(tmp_path):
    a, folder = written(tmp_path / "a.es", "uno\n"), tmp_path / "adir"
    folder.mkdir()
    with pytest.raises(
        DataError, match=r"(?s)adir: expected a file with a sentence .*got a folder.*no file in it"
    ):
        open_pairs([a, folder])
    written(folder / "a.en", "one\n")
    for data in ([a, folder], [folder, a], [folder], folder, str(folder)):
        with pytest.raises(DataError, match=r"(?s)adir: expected a .*got a folder.*adir.a\.en"):
            open_pairs(data)
    with pytest.raises(DataError, match=r"(?s)expected a file with a source .*got a folder"):
        list(read_sources(folder))


def test_columns_by_name_and_frames(tmp_path):
    table = {"en": ["one", "two"], "es": ["uno", "dos"], "fr": ["un", "deux"]}
    path = written(tmp_path / "t.csv", pd.DataFrame(table).to_csv(index=False))
    for data in (path, str(path), [path], pd.DataFrame(table), table):
        pairs = open_pairs(data, source_column="fr", target_column="es")
        assert texts(pairs) == [("un", "uno"), ("deux", "dos")]
        assert not any("guessed" in note for note in pairs.notes)


def test_what_is_wrong_with_a_table_is_said_where_it_is(tmp_path):
    path = written(tmp_path / "t.csv", "a,b,c\n1,2,3\n")
    with pytest.raises(DataError, match="Name them: source_column and target_column"):
        open_pairs(path)
    with pytest.raises(DataError, match=r"column 'sorce' \(source_column\)"):
        open_pairs(path, source_column="sorce", target_column="a")
    empty = written(tmp_path / "e.csv", "source,target\na,x\nb,\n")
    with pytest.raises(DataError, match=r"e\.csv, line 3, column 2 \('target'\)"):
        list(open_pairs(empty))


def test_lists():
    expected = [("a", "x"), ("b", "y")]
    assert texts(open_pairs(["a", "b"], ["x", "y"])) == expected
    assert texts(open_pairs((["a", "b"], ["x", "y"]))) == expected
    assert texts(open_pairs([("a", "x"), ["b", "y"]])) == expected
    assert texts(open_pairs(pd.Series(["a", "b"]), pd.Series(["x", "y"]))) == expected


@pytest.mark.parametrize(
    ("data", "targets", "message"),
    [
        (["a", "b"], ["x"], "2 sources and 1 targets"),
        (["a", " "], ["x", "y"], "source 1: expected a string that is not empty"),
        (["a", "b"], ["x", 3], "target 1: expected a string that is not empty, got int"),
        (["a", "b"], None, "got list of str"),
        ([], None, "got nothing"),
        (7, None, "got int"),
    ],
)
def test_lists_that_do_not_fit(data, targets, message):
    with pytest.raises(DataError, match=message):
        open_pairs(data, targets)


def test_three_files_are_refused(tmp_path):
    paths = [written(tmp_path / name, "1\n") for name in "abc"]
    with pytest.raises(DataError, match="got 3 files"):
        open_pairs(paths)


def test_sources_come_one_by_one_and_keep_their_number(tmp_path):
    lines = written(tmp_path / "s.txt", "uno\n\ndos\n")
    assert list(read_sources(lines)) == ["uno", "", "dos"]
    assert list(read_sources(io.StringIO("uno\n\ndos"))) == ["uno", "", "dos"]
    table = written(
        tmp_path / "s.jsonl", "".join(json.dumps(row) + "\n" for row in [{"es": "uno"}, {"es": ""}])
    )
    assert list(read_sources(table)) == ["uno", ""]
    with pytest.raises(DataError, match="source_column"):
        list(read_sources(table, "en"))

    def endless():
        while True:
            yield "uno\n"

    first = read_sources(endless())
    assert [next(first) for _ in range(3)] == ["uno"] * 3
