"""Files of tagged sequences: what is read, what is guessed, and where a file is wrong."""

import os

import pytest

from noria.data.tagged import COLUMNS, PLAIN, SLASHED, TaggedFile, TagLayout, tagged_files
from noria.data.tagged_guess import TrainedColumns
from noria.errors import DataError


def read(tmp_path, text, layout=None, name="file.txt", **options):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    file = TaggedFile(path, layout, **options)
    return file, list(file)


def both(sequences):
    return [(list(one.tokens), None if one.tags is None else list(one.tags)) for one in sequences]


def test_columns_have_blank_lines_between_sequences_and_comments_before_them(tmp_path):
    text = "# a title\n\nThe DT B-NP\ncat NN I-NP\n\n\n#1 CD O\n# second\nit PRP O\n# SYM O\n\r\nso RB O\r\n"
    file, sequences = read(tmp_path, text)
    assert file.layout == COLUMNS
    assert both(sequences) == [
        (["The", "cat"], ["B-NP", "I-NP"]),
        (["it", "#"], ["O", "O"]),
        (["so"], ["O"]),
    ]
    assert [one.where.rpartition("/")[2] for one in sequences] == [
        "file.txt, line 3",
        "file.txt, line 9",
        "file.txt, line 12",
    ]
    assert sequences[1].place(1).endswith("file.txt, line 10")
    assert file.notes == ("words in column 1 of 3, tags in column 3", "3 comment lines left out")
    assert both(file) == both(sequences)  # once more


def test_without_a_sign_for_comments_every_line_is_a_token(tmp_path):
    _, sequences = read(tmp_path, "# SYM\n1 CD\n", TagLayout(comment=""))
    assert both(sequences) == [(["#", "1"], ["SYM", "CD"])]


def test_columns_may_be_chosen_and_others_be_features(tmp_path):
    text = "1\tDT\tThe\tx\n2\tNN\tblack cat\ty\n"
    layout = TagLayout(word_column=3, tag_column=2, feature_columns=[4, 1])
    _, sequences = read(tmp_path, text, layout)
    assert both(sequences) == [(["The", "black cat"], ["DT", "NN"])]
    assert sequences[0].features == [("x", "1"), ("y", "2")]


def test_conll_u_has_words_in_its_second_and_tags_in_its_fourth_column(tmp_path):
    rest = "_\t_\t0\troot\t_\t_"
    lines = [
        "# text = vámonos ya",
        f"1-2\tvámonos\t_\t_\t{rest}",
        f"1\tvamos\tir\tVERB\t{rest}",
        f"2\tnos\tnosotros\tPRON\t{rest}",
        f"3\tya\tya\tADV\t{rest}",
        f"3.1\t_\t_\tNOUN\t{rest}",
    ]
    _, sequences = read(tmp_path, "\n".join(lines) + "\n", name="es.conllu")
    assert both(sequences) == [(["vamos", "nos", "ya"], ["VERB", "PRON", "ADV"])]


def test_slashed_words_are_cut_at_the_last_slash_that_is_not_escaped(tmp_path):
    text = "\n\tThe/at 1/2/cd ,/, //sym\n\n and\\/or/cc a/b\\/c\n"
    file, sequences = read(tmp_path, text)
    assert file.layout == SLASHED
    assert both(sequences) == [
        (["The", "1/2", ",", "/"], ["at", "cd", ",", "sym"]),
        (["and/or", "a"], ["cc", "b/c"]),
    ]
    _, others = read(tmp_path, "a_b_DT c_NN\n", TagLayout(separator="_"))
    assert both(others) == [(["a_b", "c"], ["DT", "NN"])]


def test_where_no_tags_are_needed_none_are_read(tmp_path):
    file, sequences = read(tmp_path, "The\ncat\n\nit\n", tagged=False)
    assert both(sequences) == [(["The", "cat"], None), (["it"], None)]
    file, sequences = read(tmp_path, "The cat\nit\n", tagged=False, fallback=PLAIN)
    assert file.layout == PLAIN
    assert both(sequences) == [(["The", "cat"], None), (["it"], None)]
    _, sequences = read(tmp_path, "The/at cat/nn\n", tagged=False, fallback=PLAIN)
    assert both(sequences) == [(["The", "cat"], None)]


@pytest.fixture
def pipe():
    out, into = os.pipe()
    with os.fdopen(out, "rb") as reader, os.fdopen(into, "wb", buffering=0) as writer:
        yield reader, writer


def test_a_stream_is_read_as_it_comes(pipe):
    reader, writer = pipe
    writer.write(b"\n# title\nThe DT\ncat NN\n\n")
    sequences = iter(TaggedFile(reader))
    assert both([next(sequences)]) == [(["The", "cat"], ["DT", "NN"])]  # before the next one is there
    writer.write(b"it PRP\n")
    writer.close()
    assert both(sequences) == [(["it"], ["PRP"])]


@pytest.mark.parametrize(
    ("text", "layout", "message"),
    [
        ("a X\nb Y\nc\n", None, r"file.txt, line 3: expected 2 columns, as the first line has, got 1: 'c'"),
        ("a X\nb Y Z\n", None, r"line 2: expected 2 columns.*got 3"),
        ("a\tX\n\tY\n", None, r"line 2, column 1: expected a value, got nothing"),
        ("a\n\nb\n", None, "expected words and tags in columns of their own, got column 1 for both: 'a'"),
        ("a X\n", TagLayout(tag_column=1), "in columns of their own, got column 1 for both: 'a X'"),
        ("a X\n", TagLayout(feature_columns=[2]), "column 2 holds the tags, .* and is no feature"),
        ("a X\n", TagLayout(tag_column=3), r"expected tags in column 3, the file has 2: 'a X'"),
        ("a X\n", TagLayout(feature_columns=[4]), r"expected features in column 4"),
        ("a/X b/Y\nc/Z d\n", None, r"line 2, column 5: expected word/tag, got 'd'"),
        ("a/X\n/Y\n", None, r"line 2, column 1: expected word/tag, got '/Y'"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path, text, layout, message):
    with pytest.raises(DataError, match=message):
        read(tmp_path, text, layout)


def test_a_file_that_is_no_text_or_not_there_is_refused(tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "binary").write_bytes(b"\x00\x01\x02" * 50)
    for name in ("empty", "binary", "nowhere"):
        with pytest.raises(DataError, match=name):
            list(TaggedFile(tmp_path / name))


def test_a_folder_stands_for_its_files_in_order(tmp_path):
    for name in ("b.conll", "a.conll", "notes.md"):
        (tmp_path / name).write_text("a X\n")
    assert [file.name for file in tagged_files(tmp_path)] == ["a.conll", "b.conll"]
    assert [str(file) for file in tagged_files(["x.conll", "y.md"])] == ["x.conll", "y.md"]
    with pytest.raises(DataError, match="found none"):
        tagged_files(tmp_path, (".iob",))


TABS = TrainedColumns(2, True, ("DET", "NOUN", "."))
SPACES = TrainedColumns(2, False, ("DET", "NOUN", "."))


@pytest.mark.parametrize(
    ("text", "trained", "words"),
    [
        ("el niño rápido\n", TABS, [["el", "niño", "rápido"]]),
        ("el niño come\n\nla piña\n", TABS, [["el", "niño", "come"], ["la", "piña"]]),
        ("la NOUN\nel niño\n", TABS, [["la", "NOUN"], ["el", "niño"]]),  # no tab, no columns
        ("Hola\nel niño\n\nsí\n", TABS, [["Hola"], ["el", "niño"], ["sí"]]),
        ("Hola\n\nsí\nno\nel niño\n", TABS, [["Hola"], ["sí"], ["no"], ["el", "niño"]]),
        ("km/h y/o\nel niño\n", TABS, [["km/h", "y/o"], ["el", "niño"]]),
        ("km/h\nniño\n", TABS, [["km/h", "niño"]]),
        ("el/DET niño/NOUN\n", TABS, [["el", "niño"]]),
        ("#1 es bueno\nel niño\n", TABS, [["#1", "es", "bueno"], ["el", "niño"]]),
        ("# text = el niño\nel\nniño\n", TABS, [["el", "niño"]]),
        ("el\tX\nNueva York\tX\n\nla\tX\n", TABS, [["el", "Nueva York"], ["la"]]),
        ("el niño\nla piña\n", SPACES, [["el", "niño"], ["la", "piña"]]),
        ("el niño come .\n\nla piña\n", SPACES, [["el", "niño", "come", "."], ["la", "piña"]]),
        ("come .\nla piña\n", SPACES, [["come", "."], ["la", "piña"]]),
        ("el DET\nniño NOUN\n! .\n\nla _\n", SPACES, [["el", "niño", "!"], ["la"]]),
        ("el\nniño\n\nla\n", SPACES, [["el", "niño"], ["la"]]),
        ("el niño come\n", TrainedColumns(tags=("DET",)), [["el", "niño", "come"]]),  # of an older run
        ("el X DET\nniño Y DET\n", TrainedColumns(3, False, ("DET",)), [["el", "niño"]]),
    ],
)
@pytest.mark.parametrize("as_stream", [False, True])
def test_no_word_of_a_sentence_without_tags_is_passed_over(tmp_path, text, trained, words, as_stream):
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    with path.open("rb") as stream:
        sequences = list(TaggedFile(stream if as_stream else path, tagged=False, trained=trained))
    assert both(sequences) == [(one, None) for one in words]


@pytest.mark.parametrize(
    ("text", "trained", "message"),
    [
        ("Hola\nsí\n\nel niño\n", TABS, r"line 4: expected 1 columns.*got 2: 'el niño'.\n.*one token a line"),
        ("el DET\nel niño\n", SPACES, r"line 2: expected 2 columns with a tag of the model, got 'el niño'"),
        ("el\tDET\nla piña\n", TABS, r"line 2: expected 2 columns, .* got 1: 'la piña'.\n.*one sentence a"),
        ("el\tniño\tcome\n", TABS, "expected 2 columns, as the training file has, got 3: 'el"),
    ],
)
def test_what_is_written_in_two_ways_is_refused_and_both_are_named(tmp_path, text, trained, message):
    path = tmp_path / "file.txt"
    path.write_text(text, encoding="utf-8")
    with path.open(encoding="utf-8") as stream, pytest.raises(DataError, match=f"(?s){message}") as caught:
        list(TaggedFile(stream, tagged=False, trained=trained))
    assert "the 2 columns of the training file" in str(caught.value)


def test_a_line_that_looks_like_a_comment_is_a_sentence_where_no_columns_are(tmp_path):
    path = tmp_path / "file.txt"
    for text in ("#hola mundo\n", "#hola mundo\nsí\n"):
        path.write_text(text, encoding="utf-8")
        with path.open("rb") as stream:
            for source in (path, stream):
                sequences = list(TaggedFile(source, tagged=False, fallback=PLAIN))
                assert [" ".join(one.tokens) for one in sequences] == text.splitlines()
