import numpy as np
import pytest
from written_files import written

from noria.data import WordVocabulary
from noria.data.vectors import read_vectors
from noria.errors import DataError

VOCABULARY = WordVocabulary((" cat", "The", ".", " zebra", " the"))
SEED = np.random.default_rng
GLOVE = "the 1 2 3\ncat 4 5 6\n. -1 -2 0.5\nqueue 9 9 9\n"


@pytest.mark.parametrize("header", ["", "4 3\n", "\ufeff", "\ufeff4 3\n"])
@pytest.mark.parametrize("end", ["\n", "\r\n", " \n"])
def test_words_find_their_vectors(tmp_path, header, end):
    path = written(tmp_path / "v.txt", (header + GLOVE).replace("\n", end))
    vectors = read_vectors(path, VOCABULARY, SEED(1))
    assert vectors.matrix.shape == (6, 3)
    assert vectors.matrix.dtype == np.float32
    np.testing.assert_array_equal(
        vectors.matrix[[1, 2, 3, 5]], [[4, 5, 6], [1, 2, 3], [-1, -2, 0.5], [1, 2, 3]]
    )
    assert (vectors.found, vectors.known, vectors.missing) == (4, 5, (" zebra",))
    assert vectors.coverage == pytest.approx(0.8)
    assert vectors.notes == ("v.txt: vectors for 4 of 5 words (80.0 %)",)
    again = read_vectors(path, VOCABULARY, SEED(1)).matrix
    np.testing.assert_array_equal(again, vectors.matrix)
    assert not np.array_equal(read_vectors(path, VOCABULARY, SEED(2)).matrix[4], vectors.matrix[4])


def test_symbols_as_they_stand_go_before_lower_case(tmp_path):
    path = written(tmp_path / "v.txt", "the 1 2\nThe 3 4\n")
    np.testing.assert_array_equal(read_vectors(path, VOCABULARY, SEED(0)).matrix[[2, 5]], [[3, 4], [1, 2]])


def test_an_array_beside_its_words(tmp_path):
    rows = np.arange(12.0).reshape(4, 3)
    np.save(tmp_path / "v.npy", rows)
    words = written(tmp_path / "v.txt", "cat\nthe\ncat\nx\n")
    vectors = read_vectors(tmp_path / "v.npy", VOCABULARY, SEED(0))
    np.testing.assert_array_equal(vectors.matrix[[1, 5]], rows[:2])
    assert vectors.notes[1] == "v.npy: 1 words stand there more than once; the first one counts"
    other = words.rename(tmp_path / "w.txt")
    np.testing.assert_array_equal(
        read_vectors(tmp_path / "v.npy", VOCABULARY, SEED(0), words=other).matrix, vectors.matrix
    )
    with pytest.raises(DataError, match=r"v\.txt: could not be read"):
        read_vectors(tmp_path / "v.npy", VOCABULARY, SEED(0))
    written(other, "cat\nthe\n")
    with pytest.raises(DataError, match=r"expected 4 words, one for each row of v\.npy, got 2"):
        read_vectors(tmp_path / "v.npy", VOCABULARY, SEED(0), words=other)


def test_rows_without_a_vector_have_the_spread_of_the_others(tmp_path):
    rng = SEED(3)
    values = rng.normal([5.0, -1.0], [0.1, 2.0], (400, 2))
    text = "".join(f"w{k} {a} {b}\n" for k, (a, b) in enumerate(values))
    vocabulary = WordVocabulary(tuple(f"w{k}" for k in range(800)))
    matrix = read_vectors(written(tmp_path / "v.txt", text), vocabulary, SEED(0)).matrix[401:]
    np.testing.assert_allclose(matrix.mean(axis=0), [5.0, -1.0], atol=0.3)
    np.testing.assert_allclose(matrix.std(axis=0), [0.1, 2.0], rtol=0.2)


def test_words_with_spaces_in_them_are_no_broken_rows(tmp_path):
    text = "cat 9 9 9\n. . . 7 7 7\nthe name@domain.com 8 8 8\nthe 1 2 3\n. 4 5 6\n"
    path = written(tmp_path / "v.txt", text)
    vectors = read_vectors(path, VOCABULARY, SEED(0))
    np.testing.assert_array_equal(vectors.matrix[[1, 3, 5]], [[9, 9, 9], [4, 5, 6], [1, 2, 3]])
    written(path, text.replace("the 1 2", "the 0 1 2"))
    with pytest.raises(DataError, match=r"line 4: expected 3 numbers, got 4"):
        read_vectors(path, VOCABULARY, SEED(0))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("the 1 2 3\ncat 4 5\n", r"v\.txt, line 2: expected 3 numbers behind a word, got 2"),
        ("the 1 2 3\ncat 4 5 6 7\n", r"line 2: expected 3 numbers, got 4"),
        ("the 1 x 3\n", r"line 1: expected numbers behind the word"),
        ("the 1 nan 3\n", r"line 1: expected finite numbers, got nan"),
        ("3 2\nthe 1 2\ncat 1 2\n", r"promises 3 vectors, the file has 2"),
        ("1 3\nthe 1 2\n", r"line 2: expected 3 numbers behind a word, got 2"),
        ("dog 1 2\n", r"expected vectors for some of 5 words, got none"),
        ("the\n", r"line 1: expected its numbers behind a word, got 0"),
        ("", r"got no line"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, said):
    with pytest.raises(DataError, match=said):
        read_vectors(written(tmp_path / "v.txt", text), VOCABULARY, SEED(0))


def test_other_files_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"line 2: expected UTF-8, got byte 0xf1"):
        read_vectors(written(tmp_path / "v.txt", "the 1 2\nñ 1 2\n", "latin-1"), VOCABULARY, SEED(0))
    with pytest.raises(DataError, match=r"could not be read"):
        read_vectors(tmp_path / "none.txt", VOCABULARY, SEED(0))
    with pytest.raises(DataError, match=r"expected an array in \.npy format"):
        read_vectors(written(tmp_path / "v.npy", "the 1 2\n"), VOCABULARY, SEED(0))
    (tmp_path / "v.npy").write_bytes(b"")
    with pytest.raises(DataError, match=r"expected an array in \.npy format"):
        read_vectors(tmp_path / "v.npy", VOCABULARY, SEED(0))
    np.save(tmp_path / "flat.npy", np.arange(3))
    with pytest.raises(DataError, match=r"floats of shape \(words, width\), got int64 \(3,\)"):
        read_vectors(tmp_path / "flat.npy", VOCABULARY, SEED(0))
