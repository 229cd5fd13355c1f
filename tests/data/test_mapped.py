import errno
import io
import tempfile
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.data import Text, is_large, map_ids, map_text, mapped, read_text
from noria.errors import DataError
from noria.models.text.corpus import corpus_of_file, corpus_of_text
from noria.models.text.options import TextModelOptions, TextTrainingOptions
from noria.models.text.preparing import prepare
from noria.training.options import TokenOptions

TEXT = "The señor's rose\r\nis a rose\u0301 \U0001f600 is\r a rose.\n" * 40 + "Zebra ñ\n" * 9


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(mapped, "_BYTES", 13)
    monkeypatch.setattr(mapped, "_CODES", 11)


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("options", [{}, {"min_count": 41}, {"vocabulary_size": 9}])
def test_a_file_in_pieces_gives_the_corpus_of_the_same_text_in_memory(tmp_path, codec, options):
    path = tmp_path / "t.txt"
    path.write_bytes(TEXT.encode(codec))
    tokens = TokenOptions(**options)
    expected = corpus_of_text(read_text(path), 0.1, 0.05, tokens)
    corpus = corpus_of_file(map_text(path), 0.1, 0.05, tokens)
    assert corpus.vocabulary == expected.vocabulary
    assert corpus.vocabulary.spelling == expected.vocabulary.spelling
    assert corpus.encoding == expected.encoding
    for part, wanted in (
        (corpus.train, expected.train),
        (corpus.validation, expected.validation),
        (corpus.test, expected.test),
    ):
        np.testing.assert_array_equal(part.readings[0].ids, wanted.readings[0].ids)
        assert part.readings[0].lead == wanted.readings[0].lead
        assert (part.characters, part.unknown, part.unknown_count) == (
            wanted.characters, wanted.unknown, wanted.unknown_count,
        )  # fmt: skip
        assert part.spelling == pytest.approx(wanted.spelling, rel=1e-12)
    assert corpus.test.unknown_count > 0


@settings(max_examples=60)
@given(
    text=st.text(
        st.sampled_from("ab中 \r\n\u0301\u0327e\u1100\u1161\u11a8"),
        min_size=1,
        max_size=60,
    ),
    size=st.integers(1, 9),
)
def test_normalising_piece_by_piece_is_normalising_the_whole(tmp_path_factory, text, size):
    path = tmp_path_factory.mktemp("mapped") / "t.txt"
    path.write_bytes(text.encode())
    before = mapped._BYTES
    mapped._BYTES = size
    try:
        found = map_text(path)
    finally:
        mapped._BYTES = before
    clean = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    assert found.length == len(clean)
    counts = found.counts(0, found.length)
    assert {chr(code): counts[code] for code in np.flatnonzero(counts)} == {
        symbol: clean.count(symbol) for symbol in clean
    }


def test_only_large_files_are_mapped_and_the_corpus_is_the_same(tmp_path, monkeypatch):
    path = tmp_path / "t.txt"
    path.write_text(TEXT, encoding="utf-8", newline="")
    assert not is_large(path)
    monkeypatch.setattr(mapped, "LARGE", 100)
    assert is_large(path)
    assert not is_large(tmp_path)
    both = [TextModelOptions(cell="rnn", hidden_size=4), TextTrainingOptions(batch_size=2, seq_length=16)]
    large = prepare(path, *both)
    assert "read in pieces" in large.description.notes[0]
    base = large.corpus.train.readings[0].ids
    while isinstance(base.base, np.ndarray):
        base = base.base
    assert isinstance(base, np.memmap)
    monkeypatch.undo()
    small = prepare(str(path), *both)
    np.testing.assert_array_equal(large.corpus.train.readings[0].ids, small.corpus.train.readings[0].ids)
    monkeypatch.setattr(mapped, "LARGE", 100)
    assert prepare(Text(TEXT), *both).corpus.source == "text"
    words = prepare(path, *both, tokens=TokenOptions(level="words"))
    assert words.description.data.level == "words"


def test_what_cannot_be_mapped(tmp_path):
    path = tmp_path / "t.txt"
    path.write_bytes("señor".encode("latin-1"))
    assert map_text(path) is None
    assert map_text(path, "latin-1").length == 5
    with pytest.raises(DataError, match=r"t\.txt: expected ascii, got byte 0xf1"):
        map_text(path, "ascii")
    with pytest.raises(DataError, match="there is no text encoding named 'nonsense'"):
        map_text(path, "nonsense")
    path.write_bytes(b"ab\0cd")
    with pytest.raises(DataError, match="binary file"):
        map_text(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="no characters"):
        map_text(path)
    with pytest.raises(DataError, match="could not be read"):
        map_text(tmp_path / "none")


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("name", ["utf-8", "UTF8", "utf-8-sig"])
def test_a_mark_is_no_character_of_a_text_whose_encoding_is_named(tmp_path, name):
    path = tmp_path / "t.txt"
    path.write_bytes(TEXT.encode("utf-8-sig"))
    expected = corpus_of_text(read_text(path, encoding=name), 0.1, 0.05)
    corpus = corpus_of_file(map_text(path, name), 0.1, 0.05)
    assert "\ufeff" not in corpus.vocabulary.characters
    np.testing.assert_array_equal(corpus.train.readings[0].ids, expected.train.readings[0].ids)
    assert corpus.encoding == expected.encoding == name


@pytest.mark.parametrize("name", ["hex", "rot13", "undefined", "nonsense"])
def test_what_is_no_encoding_of_text_is_refused_whatever_the_size(tmp_path, name):
    path = tmp_path / "t.txt"
    path.write_bytes(TEXT.encode())
    for read in (map_text, lambda path, name: read_text(path, encoding=name)):
        with pytest.raises(DataError, match=f"there is no text encoding named '{name}'"):
            read(path, name)


@pytest.mark.parametrize("piece", ["Chinese", "中文没有空格"])
def test_a_text_without_spaces_is_read_in_pieces_too(piece):
    cut = list(mapped._cut_safely([piece] * 50))
    assert "".join(cut) == piece * 50
    assert max(map(len, cut)) <= len(piece)


def test_a_text_in_which_every_sign_may_join_the_one_before_is_held():
    piece = "\u0301" * 7
    assert list(mapped._cut_safely([piece] * 5)) == [piece * 5]
    assert list(mapped._cut_safely(["a\r", "\n", "\nb"])) == ["a", "\r\n\n", "b"]


def test_no_room_for_the_temporary_file_is_said(tmp_path, monkeypatch):
    path = tmp_path / "t.txt"
    path.write_bytes(TEXT.encode())
    monkeypatch.setenv("TMPDIR", str(tmp_path / "none"))
    with pytest.raises(DataError, match=r"t\.txt: .*temporary file, .*No such file.*\n.*TMPDIR"):
        map_text(path)

    class Full(io.FileIO):
        def write(self, data):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **where: Full(tmp_path / "full", "w+"))
    with pytest.raises(DataError, match=r"temporary file, .*No space left on device"):
        map_text(path)


def test_ids_in_pieces_become_one_mapped_array():
    pieces = [np.arange(5, dtype=np.int32), np.zeros(0, np.int32), np.arange(3, dtype=np.int64)]
    ids = map_ids(iter(pieces), "t")
    assert isinstance(ids.base, np.memmap)
    np.testing.assert_array_equal(ids, [0, 1, 2, 3, 4, 0, 1, 2])
