"""Pretrained vectors in a model: it begins with them, tunes or keeps them, and needs the file never again."""

import numpy as np
import pytest

import noria
from noria import LanguageModel
from noria.errors import OptionError

TEXT = "the cat sat on the mat and the dog sat on the log and the cat saw the dog\n" * 40
WORDS = ("the", "cat", "sat", "on", "mat", "and")


@pytest.fixture
def file(tmp_path):
    rng = np.random.default_rng(3)
    lines = [f"{word} " + " ".join(f"{value:.4f}" for value in rng.normal(size=5)) for word in WORDS]
    path = tmp_path / "vectors.txt"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def model_of(path, **options):
    sizes = {"hidden_size": 7, "embedding_size": 5, "batch_size": 2, "seq_length": 9, "sample_length": 0}
    return LanguageModel(level="words", vectors=str(path), **{**sizes, **options})


def table_of(model):
    return model.parameters_.state_dict()["input.table"]


def row(path, word):
    line = next(line for line in path.read_text("utf-8").splitlines() if line.startswith(f"{word} "))
    return np.array(line.split(" ")[1:], np.float32)


def test_frozen_vectors_stay_and_the_file_is_not_needed_to_load(file, tmp_path):
    model = model_of(file, freeze_embedding=True).fit(TEXT, steps=20)
    place = model.vocabulary_.encode(TEXT)[1]
    assert model.vocabulary_.symbols[place] == " cat"
    assert np.array_equal(table_of(model)[place], row(file, "cat"))
    model.save(tmp_path / "run")
    expected = row(file, "cat")
    file.unlink()
    loaded = noria.load(tmp_path / "run")
    assert np.array_equal(table_of(loaded)[place], expected)
    assert loaded.evaluate(TEXT[:300]) == model.evaluate(TEXT[:300])


def test_tuned_vectors_move_and_coverage_is_said(file):
    model = model_of(file).fit(TEXT, steps=20)
    place = model.vocabulary_.encode(TEXT)[1]
    moved = np.abs(table_of(model)[place] - row(file, "cat")).max()
    assert 1e-4 < moved < 1.0
    # "the" is a word at the beginning of a line and another one behind a space.
    assert any("vectors for 7 of" in note for note in model.description_.notes)


def test_what_does_not_fit_is_refused(file):
    with pytest.raises(OptionError, match=r"'embedding_size' option must be the width of the vectors, 5"):
        model_of(file, embedding_size=6).fit(TEXT, steps=1)
    with pytest.raises(OptionError, match="needs an embedding"):
        model_of(file, embedding_size=0).fit(TEXT, steps=1)
    with pytest.raises(OptionError, match="'freeze_embedding' option"):
        LanguageModel(freeze_embedding=True).fit(TEXT, steps=1)
    with pytest.raises(OptionError, match=r"'vector_words' option of .* is for vectors in a \.npy file"):
        model_of(file, vector_words="words.txt").fit(TEXT, steps=1)
