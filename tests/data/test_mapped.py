import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.data import Text, is_large, map_text, mapped, read_text
from noria.errors import DataError
from noria.models.corpus import corpus_of_file, corpus_of_text
from noria.models.preparing import prepare
from noria.training.options import ModelOptions, TokenOptions, TrainingOptions

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
        st.sampled_from("ab \r\n\u0301\u0327e\u1100\u1161\u11a8"),
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
    both = [ModelOptions(cell="rnn", hidden_size=4), TrainingOptions(batch_size=2, seq_length=16)]
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
    with pytest.raises(DataError, match="there is no encoding 'nonsense'"):
        map_text(path, "nonsense")
    path.write_bytes(b"ab\0cd")
    with pytest.raises(DataError, match="binary file"):
        map_text(path)
    path.write_bytes(b"")
    with pytest.raises(DataError, match="no characters"):
        map_text(path)
    with pytest.raises(DataError, match="could not be read"):
        map_text(tmp_path / "none")
