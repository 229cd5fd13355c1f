"""Pretrained vectors in a model: it begins with them, tunes or keeps them, and needs the file never again."""

import numpy as np
import pytest
from sklearn.base import clone

import noria
from noria import LanguageModel, SequenceClassifier, SequenceRegressor, SequenceTagger
from noria.errors import OptionError, RunError
from noria.training.options import options_of
from noria.training.run_folder import RunFolder

TEXT = "the cat sat on the mat and the dog sat on the log and the cat saw the dog\n" * 40
WORDS = ("the", "cat", "sat", "on", "mat", "and")

LINES = [line for line in TEXT.splitlines()[:24] for _ in range(2)]
SHORT = {"hidden_size": 7, "batch_size": 3, "eval_every": 100, "cell": "gru", "engine": "reference"}
MODELS = {
    "text": (LanguageModel, {"level": "words", "seq_length": 9, "sample_length": 0}, (TEXT,)),
    "classify": (SequenceClassifier, {"level": "words"}, (LINES, ["ab"[k % 2] for k in range(48)])),
    "regress": (SequenceRegressor, {"level": "words"}, (LINES, [0.5 * k for k in range(48)])),
    "tag": (
        SequenceTagger,
        {},
        (
            [line.split() for line in LINES],
            [["XY"[len(word) % 2] for word in line.split()] for line in LINES],
        ),
    ),
}


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
    with pytest.raises(
        OptionError, match=r"'vectors' option of .* embedding_size=0 .*\n.* leave vectors out"
    ):
        LanguageModel(level="words", vectors=str(file), embedding_size=0).validate()


@pytest.fixture(params=MODELS)
def made(request, file):
    """Make a model that leaves the width of its embedding to the vectors; and what it is fitted to."""
    cls, own, data = MODELS[request.param]
    return lambda **options: cls(**{**SHORT, **own, "vectors": str(file), **options}), data


def test_without_a_size_of_its_own_the_embedding_is_as_wide_as_the_vectors(made, file, tmp_path):
    make, data = made
    model = make(freeze_embedding=True)
    assert clone(model).get_params() == model.get_params()
    model.fit(*data, steps=2)
    assert table_of(model).shape[1] == model.chosen_["embedding_size"] == 5
    written = [place for place in table_of(model) if np.array_equal(place, row(file, "cat"))]
    assert len(written) == 1
    assert model.embedding_size is None
    assert clone(model).embedding_size is None
    model.save(tmp_path / "saved")
    file.unlink()
    loaded = noria.load(tmp_path / "saved")
    assert loaded.embedding_size == 5
    np.testing.assert_array_equal(table_of(loaded), table_of(model))


def test_a_size_that_is_given_has_to_be_theirs(made):
    make, data = made
    for size in (4, 64, 128):  # the defaults are refused, too, where they were asked for
        with pytest.raises(OptionError, match=rf"the width of the vectors, 5 in .*vectors\.txt\. Got {size}"):
            make(embedding_size=size).fit(*data, steps=1)
    make(embedding_size=5).prepare(*data)
    assert make(vectors="").prepare(*data).description.model.layers[0].size in (64, 128)


def test_a_run_is_gone_on_with_and_begun_from_without_the_size(made, file, tmp_path):
    make, data = made
    whole = make().fit(*data, steps=4, out=tmp_path / "whole")
    make(stop_after=2).fit(*data, steps=4, out=tmp_path / "cut")
    assert RunFolder.open(tmp_path / "cut").config["options"]["embedding_size"] == 5
    again = make()
    by_init = make(lr=1e-12, warmup=0).fit(*data, steps=1, init_from=tmp_path / "whole")
    np.testing.assert_allclose(table_of(by_init), table_of(noria.load(tmp_path / "whole")), atol=1e-6)
    with pytest.raises(RunError, match="embedding_size: 5 in the run, 6 here"):
        make(embedding_size=6).fit(*data, resume=tmp_path / "cut")
    name = str(file)
    file.unlink()
    np.testing.assert_array_equal(
        again.fit(*data, resume=tmp_path / "cut").parameters_.values, whole.parameters_.values
    )
    assert again.vectors == name
    best = [(tmp_path / name / "best.safetensors").read_bytes() for name in ("cut", "whole")]
    assert best[0] == best[1]


def test_data_that_were_read_with_vectors_have_their_width(file):
    prepared = model_of(file, embedding_size=None).prepare(TEXT)
    assert prepared.decided["embedding_size"] == 5
    assert prepared.description.model.layers[0].size == 5
    read_on = model_of(file, embedding_size=None).prepare(TEXT, resuming=True)
    assert read_on.decided["embedding_size"] == 5  # nobody else says how wide it is
    assert model_of(file).prepare(TEXT, resuming=True).vectors is None
    with pytest.raises(OptionError, match=r"were read with embedding_size=5\. Got embedding_size=6"):
        model_of(file, embedding_size=6).fit(prepared, steps=1)


def test_a_table_that_scores_symbols_too_is_as_wide_as_the_vectors(file):
    tied = model_of(file, embedding_size=None, tie_weights=True, hidden_size=5)
    tied.validate()
    assert "output.W" not in tied.fit(TEXT, steps=1).parameters_.state_dict()
    with pytest.raises(OptionError, match=r"embedding_size=5 and 7 values.*\n  Set projection_size=5\.$"):
        model_of(file, embedding_size=None, tie_weights=True).fit(TEXT, steps=1)


def test_the_table_of_options_says_what_an_open_size_becomes():
    infos = {cls: {info.name: info for info in options_of(cls)} for cls, _, _ in MODELS.values()}
    for cls, found in infos.items():
        size = found["embedding_size"]
        assert size.default is None, cls
        assert size.accepts(None), cls
        assert size.parse("none") is None
        assert "with vectors their width" in size.option.help
    assert SequenceTagger().decided().embedding_size == 64
    assert LanguageModel(level="words").decided().embedding_size == 128
    assert SequenceTagger(vectors="some.txt").decided().embedding_size is None
    assert SequenceTagger(vectors="some.txt").decided(embedding_size=9).embedding_size == 9
