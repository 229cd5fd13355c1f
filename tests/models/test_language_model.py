"""The model by value: what it says of a text step by step is what it says of it at once."""

import inspect
import json
import math
import unicodedata
from itertools import pairwise

import numpy as np
import pytest

import noria
from child_process import output_of
from noria.data import Text
from noria.errors import DataError, DivergenceError, NotFittedError, OptionError, RunError
from noria.models import LanguageModel, Sampler
from noria.models.text.corpus import begun
from noria.models.text.reading import Reading
from noria.models.text.scoring import score_readings
from noria.training.options import SamplingOptions, options_of

SENTENCE = "the quick brown fox jumps over the lazy dog, ñandú.\n"
TEXT = Text(SENTENCE * 40)
SMALL = {"hidden_size": 7, "batch_size": 3, "seq_length": 5, "sample_length": 0, "dtype": "float64"}


@pytest.fixture(scope="module")
def model():
    return LanguageModel(cell="lstm", **SMALL).fit(TEXT, steps=6)


@pytest.fixture(scope="module")
def names():
    words = ["ana", "bruno", "carla", "dario", "elena", "fabio", "gina", "hugo", "irma", "julio"] * 4
    return LanguageModel(cell="gru", **SMALL).fit(words, steps=6)


def by_steps(model, text):
    """Negative log-probability of each symbol of a text, one step after the other."""
    state = model.start()
    row, state = model.step(model.start_symbol, state)
    nats = []
    for symbol in model.vocabulary_.encode(text):
        nats.append(-row[symbol])
        row, state = model.step(int(symbol), state)
    return np.array(nats), row


@pytest.mark.parametrize(
    "options", [{"cell": "gru"}, {"cell": ["rnn", "lstm"], "hidden_size": [6, 4]}, {"embedding_size": 3}]
)
def test_evaluating_is_the_sum_of_the_steps(options):
    model = LanguageModel(**{**SMALL, **options}).fit(TEXT, steps=2)
    text = "jumps over\nthe quick dog, ñ"
    nats, _ = by_steps(model, text)
    figures = model.evaluate(Text(text))
    assert figures["loss"] == pytest.approx(nats.mean(), rel=1e-10)
    assert figures["bits_per_character"] == pytest.approx(nats.mean() / math.log(2), rel=1e-10)
    assert figures["perplexity"] == pytest.approx(math.exp(nats.mean()), rel=1e-10)
    assert (figures["tokens"], figures["characters"], figures["unknown"]) == (27, 27, 0)
    assert model.score(Text(text)) == pytest.approx(-nats.mean(), rel=1e-10)


def test_accuracy_counts_the_likeliest_symbols(model):
    text = SENTENCE[3:33]
    ids, state, hits = begun(text, model.vocabulary_), model.start(), 0
    for now, following in pairwise(ids):
        row, state = model.step(int(now), state)
        hits += int(row.argmax()) == following
    assert model.evaluate(Text(text))["accuracy"] == pytest.approx(hits / 30)


def seen_rows(network, monkeypatch):
    """Give a list that fills with how many rows each call of a network has."""
    sizes, call = [], type(network).__call__

    def spy(self, x, **options):
        if self is network:
            sizes.append(len(x))
        return call(self, x, **options)

    monkeypatch.setattr(type(network), "__call__", spy)
    return sizes


def test_windows_carry_the_state_as_one_long_pass_does(model, monkeypatch):
    text = SENTENCE * 5
    whole = model.evaluate(Text(text))
    for rows in (1, 100):
        monkeypatch.setattr("noria.models.text.scoring.LOGITS", 1)
        monkeypatch.setattr("noria.models.text.scoring.ROWS", rows)
        sizes = seen_rows(model.network_, monkeypatch)
        windows = score_readings(model.network_, [Reading(begun(text, model.vocabulary_))]).figures()
        assert len(sizes) > 2
        assert set(sizes[:-1]) == {max(64, rows)}
        assert windows["loss"] == pytest.approx(whole["loss"], rel=1e-12)
        assert windows["accuracy"] == whole["accuracy"]


def test_readings_of_different_lengths_and_leads_are_scored_as_if_alone(model, monkeypatch):
    monkeypatch.setattr("noria.models.text.scoring.LOGITS", 1)
    monkeypatch.setattr("noria.models.text.scoring.ROWS", 1)
    ids = begun(SENTENCE * 4, model.vocabulary_)
    readings = [Reading(ids[:150], 40), Reading(ids[50:206], 3), Reading(ids[9:12], 1), Reading(ids[:150], 1)]
    together = score_readings(model.network_, readings)
    alone = [score_readings(model.network_, [reading]) for reading in readings]
    assert together.total_nats == pytest.approx(sum(score.total_nats for score in alone), rel=1e-12)
    assert together.tokens == sum(score.tokens for score in alone) == 110 + 153 + 2 + 149
    assert together.correct == sum(score.correct for score in alone)


def test_many_sequences_are_scored_as_each_alone(names, monkeypatch):
    monkeypatch.setattr("noria.models.text.scoring.SIDE_BY_SIDE", 3)
    words = ["ana", "", "gina", "bruno", "h", "elena", "carla"]
    alone = [names.evaluate([word]) for word in words]
    together = names.evaluate(words)
    total = sum(figures["loss"] * figures["tokens"] for figures in alone)
    assert together["tokens"] == sum(map(len, words)) + 7
    assert together["characters"] == sum(map(len, words))
    assert together["loss"] == pytest.approx(total / together["tokens"], rel=1e-12)
    assert together["bits_per_character"] == pytest.approx(
        total / together["characters"] / math.log(2), rel=1e-12
    )
    nats, row = by_steps(names, "gina")
    assert names.evaluate(["gina"])["loss"] == pytest.approx((nats.sum() - row[1]) / 5, rel=1e-10)


def test_a_model_of_sequences_reads_lines(names, tmp_path):
    path = tmp_path / "words"
    path.write_text("ana\n\ngina\n")
    assert names.evaluate(path) == names.evaluate(["ana", "gina"])


def test_strings_in_a_list_start_afresh_in_a_model_of_one_text(model):
    figures = model.evaluate(["fox", "dog"])
    one, other = (by_steps(model, word)[0].sum() for word in ("fox", "dog"))
    assert figures["loss"] == pytest.approx((one + other) / 6, rel=1e-10)


def test_stepping_a_string_or_several_sequences_is_stepping_symbol_by_symbol(model):
    ids = model.vocabulary_.encode("quick")
    row, _state = model.step("quick", model.start())
    single = model.start()
    for symbol in ids:
        one, single = model.step(int(symbol), single)
    np.testing.assert_allclose(row, one, rtol=1e-10)
    assert np.exp(row).sum() == pytest.approx(1, abs=1e-12)
    both = model.start(2)
    for symbols in zip(ids, model.vocabulary_.encode("brown"), strict=True):
        rows, both = model.step([int(symbol) for symbol in symbols], both)
    assert rows.shape == (2, len(model.vocabulary_))
    np.testing.assert_allclose(rows[0], row, rtol=1e-10)


def test_sampling_is_repeatable_and_greedy_takes_the_likeliest(model):
    first = model.sample("the ", length=40, seed=3)
    assert first == model.sample("the ", length=40, seed=3)
    assert first != model.sample("the ", length=40, seed=4)
    assert first.startswith("the ")
    assert len(first) == 44
    greedy = model.sample("the ", length=12, greedy=True)
    assert greedy == model.sample("the ", length=12, greedy=True, seed=9, temperature=2.0)
    row, state = model.step(model.start_symbol, model.start())
    row, state = model.step("the ", state)
    for symbol in greedy[4:]:
        row[0] = -np.inf
        assert model.vocabulary_.decode([int(row.argmax())]) == symbol
        row, state = model.step(symbol, state)


def test_the_stream_is_the_sample_and_an_empty_prompt_works(model):
    pieces = list(model.stream("", length=30, seed=5))
    assert "".join(pieces) == model.sample(length=30, seed=5)
    assert len(pieces) == 30


def test_unknown_is_never_written(model, monkeypatch):
    bias = dict(model.parameters_.named())["output.b"]
    kept = bias.value.copy()
    bias.value[0] = 50.0
    try:
        assert "\ufffd" not in model.sample("", length=25)
    finally:
        bias.value[...] = kept


def test_unknown_symbols_of_a_prompt_are_named(model):
    with pytest.raises(
        DataError,
        match=r"prompt: the model does not know 'Z' \(U\+005A LATIN CAPITAL LETTER Z\), '€' \(U\+20AC",
    ):
        model.sample("the Z€")
    with pytest.raises(DataError, match="step: the model does not know"):
        model.step("Z", model.start())
    decomposed = unicodedata.normalize("NFD", "ñand")
    assert model.sample(decomposed, length=3).startswith("ñand")


def test_wrong_options_of_sampling_are_named(model):
    with pytest.raises(OptionError, match="'length'"):
        model.sample(length=0)
    with pytest.raises(OptionError, match="'temperature'"):
        model.stream(temperature=0.0)
    with pytest.raises(DataError, match="empty string"):
        model.step("", model.start())


def test_sequences_stop_at_their_end_and_begin_without_a_prompt(names):
    bias = dict(names.parameters_.named())["output.b"]
    kept = bias.value.copy()
    bias.value[1] = 50.0
    try:
        assert names.sample("ana") == "ana"
        assert names.sample() == ""
    finally:
        bias.value[...] = kept


def test_the_same_seed_and_steps_give_the_same_bytes(tmp_path):
    options = {**SMALL, "recurrent_dropout": 0.2, "dropout": 0.1, "num_layers": 2, "dtype": "float32"}
    for name in ("one", "two"):
        LanguageModel(cell="gru", **options).fit(TEXT, steps=3, out=tmp_path / name)
    for file in ("best.safetensors", "last.safetensors", "vocab.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    LanguageModel(cell="gru", seed=1, **options).fit(TEXT, steps=3, out=tmp_path / "three")
    assert (tmp_path / "one" / "best.safetensors").read_bytes() != (
        tmp_path / "three" / "best.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("kind", ["model", "names"])
def test_saving_and_loading_gives_the_same_model(kind, request, tmp_path):
    model = request.getfixturevalue(kind)
    model.save(tmp_path / "run")
    data = Text(SENTENCE) if kind == "model" else ["ana", "gina"]
    for loaded in (noria.load(tmp_path / "run"), LanguageModel.load(tmp_path / "run")):
        assert loaded.evaluate(data) == model.evaluate(data)
        assert loaded.sample(length=20, seed=2) == model.sample(length=20, seed=2)
        assert loaded.get_params() == model.get_params() | model.chosen_
        assert loaded.report_["test"] == pytest.approx(model.report_["test"])
    loaded.save(tmp_path / "again")
    for file in ("config.toml", "vocab.json", "best.safetensors"):
        assert (tmp_path / "again" / file).read_bytes() == (tmp_path / "run" / file).read_bytes()
    with pytest.raises(RunError, match="already there"):
        model.save(tmp_path / "run")


def test_what_training_wrote_is_loaded_with_its_rewrites_and_own_cell(tmp_path):
    own = noria.Cell.parse("h' = tanh(W @ x + U @ h + b)", name="mine")
    options = {
        **SMALL,
        "cell": [own, "gru"],
        "hidden_size": [5, 4],
        "layer_norm": True,
        "zoneout": 0.1,
        "recurrent_dropout": 0.2,
    }
    model = LanguageModel(**options).fit(TEXT, steps=1, out=tmp_path / "run")
    loaded = noria.load(tmp_path / "run")
    assert loaded.cell == [own, "gru"]
    assert loaded.evaluate(Text(SENTENCE)) == model.evaluate(Text(SENTENCE))
    report = json.loads((tmp_path / "run" / "report.json").read_text())
    assert report["baseline"]["name"] == "Kneser-Ney 5-gram"
    assert report["parameters"] == model.summary.parameters == model.parameters_.count


def test_files_of_equations_are_cells_too(tmp_path):
    path = tmp_path / "mine.eq"
    path.write_text("h' = tanh(W @ x + u * h)\n")
    model = LanguageModel(**SMALL, cell=str(path)).fit(TEXT, steps=1, out=tmp_path / "run")
    path.unlink()
    assert noria.load(tmp_path / "run").evaluate(Text(SENTENCE)) == model.evaluate(Text(SENTENCE))


def test_damaged_runs_are_refused(model, names, tmp_path):
    model.save(tmp_path / "run")
    names.save(tmp_path / "other")
    weights = tmp_path / "run" / "best.safetensors"
    weights.write_bytes((tmp_path / "other" / "best.safetensors").read_bytes())
    with pytest.raises(RunError, match=r"the weights do not belong to config\.toml"):
        noria.load(tmp_path / "run")
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(RunError, match="damaged"):
        noria.load(tmp_path / "run")
    config = tmp_path / "run" / "config.toml"
    config.write_text(config.read_text().replace('task = "text"', 'task = "dance"'))
    with pytest.raises(RunError, match="'dance'"):
        noria.load(tmp_path / "run")


def test_the_report_holds_what_was_promised(model):
    report = model.report_
    assert set(report["test"]) >= {"loss", "bits_per_character", "perplexity", "accuracy"}
    assert report["test"]["tokens"] == 104
    assert report["steps"] == 6
    assert report["baseline"]["beaten"] == (report["test"]["loss"] < report["baseline"]["loss"])
    assert report["baseline"]["loss"] < 0.2  # the text repeats one sentence, which a 5-gram knows by heart


def test_the_test_figure_is_that_of_the_test_part_read_on_from_before(model):
    text, begin = TEXT.text, model.description_.data.train + model.description_.data.validation
    state = model.start()
    row, state = model.step(text[begin - 100 : begin], state)
    nats = []
    for symbol in text[begin:]:
        nats.append(-row[model.vocabulary_.encode(symbol)[0]])
        row, state = model.step(symbol, state)
    assert model.report_["test"]["loss"] == pytest.approx(np.mean(nats), rel=1e-9)


def test_learning_beats_the_uniform_guess_and_a_pattern_is_learnt():
    words = ["a" * n + "b" * n for n in (1, 2, 3)] * 30
    options = {
        "hidden_size": 12,
        "batch_size": 30,
        "lr": 0.1,
        "warmup": 0,
        "sample_length": 0,
        "eval_every": 60,
        "embedding_size": 0,
        "features": "none",
    }
    model = LanguageModel(cell="gru", **options).fit(words, steps=60)
    # nothing tells n = 1 from 2 from 3 before the first b; all else is determined
    ideal = -np.log(1 / 3) / ((3 + 5 + 7) / 3)
    assert model.evaluate(["ab", "aabb", "aaabbb"])["loss"] < 1.5 * ideal
    assert {model.sample(seed=seed, temperature=0.3) for seed in range(8)} <= {"ab", "aabb", "aaabbb"}
    assert model.sample("aa", greedy=True) in ("aabb", "aaabbb")


def test_description_says_what_was_understood(tmp_path):
    model = LanguageModel(
        cell=["gru", "rnn"],
        hidden_size=[6, 4],
        embedding_size=3,
        batch_size=200,
        seq_length=20,
        features="none",
        sample_length=0,
    )
    prepared = model.prepare(Text("añb\n" * 150, "a.txt", "cp1252", ("a note",)))
    said = prepared.description
    assert (said.data.source, said.data.encoding, said.data.characters, said.data.symbols) == (
        "a.txt",
        "cp1252",
        600,
        5,
    )
    assert (said.data.train, said.data.validation, said.data.test) == (540, 30, 30)
    assert said.model.cells == ("gru", "rnn")
    assert [layer.path for layer in said.model.layers] == ["input", "recurrent.0", "recurrent.1", "output"]
    table, gru, rnn, output = 5 * 3, 3 * 6 * (3 + 6 + 1), 4 * (6 + 4 + 1), 5 * (4 + 1)
    assert [layer.parameters for layer in said.model.layers] == [table, gru, rnn, output]
    assert said.model.parameters == table + gru + rnn + output
    assert said.batch_size == 6
    assert said.notes == ("a note", "batch_size 200 became 6: the training part has 540 characters")
    assert json.loads(json.dumps(said.to_dict()))["steps_per_epoch"] == 4
    assert not hasattr(model, "parameters_")
    fitted = model.fit(prepared, steps=1)
    assert fitted.description_ == said


def test_nothing_is_drawn_in_inference():
    options = {**SMALL, "dropout": 0.5, "recurrent_dropout": 0.5, "zoneout": 0.3, "num_layers": 2}
    model = LanguageModel(cell="lstm", **options).fit(TEXT, steps=2)
    short = Text(SENTENCE)
    assert model.evaluate(short) == model.evaluate(short)


@pytest.mark.parametrize("kind", ["xavier", "he", "orthogonal", "normal", "zero"])
def test_initialisers_set_the_matrices_of_the_cell(kind):
    model = LanguageModel(**{**SMALL, "hidden_size": 64}, cell="rnn", initialiser=kind, lr=1e-9).fit(
        TEXT, steps=1
    )
    U = dict(model.parameters_.named())["recurrent.0.U"].value
    expected = {"xavier": 1 / 64, "he": 2 / 64, "orthogonal": 1 / 64, "normal": 1 / 64, "zero": 0.0}[kind]
    assert np.mean(U**2) == pytest.approx(expected, rel=0.1, abs=1e-9)
    if kind == "orthogonal":
        np.testing.assert_allclose(U @ U.T, np.eye(64), atol=1e-6)


def test_wrong_options_and_data_are_refused_before_anything_is_written(tmp_path):
    out = tmp_path / "run"
    with pytest.raises(OptionError, match="'dropout' option of LanguageModel"):
        LanguageModel(dropout=1.2).fit(TEXT, steps=1, out=out)
    with pytest.raises(OptionError, match=r"'bidirectional' option of LanguageModel must be False"):
        LanguageModel(bidirectional=True).fit(TEXT, steps=1, out=out)
    with pytest.raises(DataError, match="no such file"):
        LanguageModel().fit("missing.txt", steps=1, out=out)
    with pytest.raises(DataError, match="two different symbols"):
        LanguageModel(**SMALL).fit(Text("a" * 500), steps=1, out=out)
    with pytest.raises(DataError, match="at least 16 characters"):
        LanguageModel().fit(Text("abcdefgh"), steps=1, out=out)
    assert not out.exists()


def test_a_model_that_is_not_fitted_says_so():
    model = LanguageModel()
    for ask in (
        model.sample,
        model.start,
        lambda: model.evaluate(TEXT),
        lambda: model.save("nowhere"),
        lambda: model.summary,
    ):
        with pytest.raises(NotFittedError, match=r"LanguageModel: cannot .*\n  Call fit first"):
            ask()


def test_a_network_that_looks_ahead_is_refused():
    from noria.layers import Bidirectional, Recurrent
    from noria.models.text.network import refuse_lookahead

    layer = Bidirectional(Recurrent("rnn", 3))
    with pytest.raises(OptionError, match="cannot be bidirectional"):
        refuse_lookahead(layer)


@pytest.mark.parametrize(
    "line",
    ["q\u0323\u0307a\n", "\U0001f468\u200d\U0001f469\u200d\U0001f467!\n", "שלום عالم\n", "e\u0301 n\u0303\n"],
)
def test_every_script_survives_training_and_writing(line):
    text = unicodedata.normalize("NFC", line) * 60
    options = {
        "hidden_size": 16,
        "batch_size": 4,
        "lr": 0.1,
        "warmup": 0,
        "eval_every": 40,
        "sample_length": 0,
    }
    model = LanguageModel(cell="rnn", **options).fit(text.encode(), steps=40)
    length = 2 * len(text) // 60
    assert model.sample(length=length, greedy=True) == text[:length]
    for piece in model.stream(length=length, greedy=True):
        assert not unicodedata.combining(piece[0])
        assert piece[0] != "\u200d"
        assert piece[-1] != "\u200d"


def test_a_latin_1_file_is_trained_on_and_its_letters_come_back(tmp_path):
    path = tmp_path / "latin.txt"
    path.write_bytes(("mañana será otro día, señor\n" * 30).encode("latin-1"))
    model = LanguageModel(**SMALL).fit(path, steps=2, out=tmp_path / "run")
    assert model.description_.data.encoding == "cp1252"
    assert set("ñáí") <= set(model.vocabulary_.characters)
    assert set("ñáí") <= set(noria.load(tmp_path / "run").vocabulary_.characters)


def test_sampler_is_public():
    assert Sampler(greedy=True).greedy


def test_the_seed_chooses_the_initial_weights_and_the_parts_of_sequences():
    words = [f"{first}{second}" for first in "abcdef" for second in "abcdef"]
    models = [LanguageModel(**SMALL, seed=seed, lr=1e-12) for seed in (0, 0, 1)]
    tests = [
        [reading.ids.tolist() for reading in model.prepare(words).corpus.test.readings] for model in models
    ]
    assert tests[0] == tests[1] != tests[2]
    values = [model.fit(words, steps=1).parameters_.values for model in models]
    np.testing.assert_array_equal(values[0], values[1])
    assert np.abs(values[0] - values[2]).max() > 0.01


def test_data_of_every_kind_are_understood(tmp_path):
    text = "".join(f"line {number} of a text\n" for number in range(30))
    path = tmp_path / "a.txt"
    path.write_text(text)
    model = LanguageModel(**SMALL)
    for data in (path, str(path), tmp_path, [path], text, text.encode(), Text(text)):
        assert model.prepare(data).description.data.characters == len(text)
    both = model.prepare([path, path]).description.data
    assert (both.kind, both.characters) == ("text", 2 * len(text) + 2)
    for data in (text.splitlines(), np.array(text.splitlines()), iter(text.splitlines())):
        said = model.prepare(data).description.data
        assert (said.kind, sum(said.sequences)) == ("sequences", 30)
    with pytest.raises(DataError, match="got dict, which has several columns"):
        model.prepare({"text": text.splitlines()})
    with pytest.raises(DataError, match="got a list of strings"):
        model.prepare(["ab", "cd"], encoding="latin-1")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"steps": 0}, OptionError),
        ({"steps": 5, "minutes": 1}, OptionError),
        ({"steps": 1, "data": "missing.txt"}, DataError),
        ({"steps": 1, "out": "old"}, RunError),
    ],
)
def test_a_fit_that_is_refused_changes_nothing(tmp_path, wrong, error):
    model = LanguageModel(**SMALL).fit(TEXT, steps=1)
    model.save(tmp_path / "old")
    before, figures, report = model.parameters_.values.copy(), model.evaluate(TEXT), model.report_
    options = {"data": Text("other\nwords " * 50), **wrong, "out": tmp_path / wrong.get("out", "new")}
    with pytest.raises(error):
        model.fit(options.pop("data"), **options)
    np.testing.assert_array_equal(model.parameters_.values, before)
    assert model.evaluate(TEXT) == figures
    assert model.report_ is report
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("kth", [1, 2, 3, 4])
@pytest.mark.parametrize("what", ["fit", "save"])
def test_a_full_disk_at_the_start_of_a_run_leaves_nothing(tmp_path, monkeypatch, what, kth):
    from noria.training import files

    model = LanguageModel(**SMALL).fit(TEXT, steps=1)
    values, replace, writes = model.parameters_.values, files.os.replace, []

    def filling_up(*arguments):
        writes.append(arguments)
        if len(writes) >= kth:
            raise OSError(28, "No space left on device")
        replace(*arguments)

    monkeypatch.setattr(files.os, "replace", filling_up)
    out = tmp_path / "a" / "b"
    with pytest.raises(RunError, match="No space left"):
        model.save(out) if what == "save" else model.fit(TEXT, steps=1, out=out)
    if what == "fit" and kth == 4:  # the initial state stands: the run is there
        assert sorted(path.name for path in out.iterdir()) == [
            "config.toml",
            "last.safetensors",
            "vocab.json",
        ]
    else:
        assert list(tmp_path.iterdir()) == []
        assert model.parameters_.values is values


def test_lines_are_sequences_and_all_that_is_known_of_the_file_is_kept(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes("señor\r\nniña\r\n\r\naño\r\n".encode("latin-1") * 20)
    model = LanguageModel(**SMALL)
    said = model.prepare(path, lines=True, encoding="latin-1").description.data
    assert (said.kind, said.source, sum(said.sequences)) == ("sequences", str(path), 60)
    assert said.encoding == model.prepare(path, encoding="latin-1").description.data.encoding != "str"
    assert any("carriage return" in note for note in said.notes)
    run = tmp_path / "run"
    assert model.fit(path, lines=True, steps=1, out=run).vocabulary_.has_end
    text = (run / "config.toml").read_text(encoding="utf-8")
    assert 'kind = "sequences"' in text
    assert f'source = "{path}"' in text
    with pytest.raises(DataError, match="lines: expected one text"):
        model.prepare(["ab", "cd"], lines=True)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("vocab.json", '"symbols": [', '"symbols": null, "more": [', "run"),
        ("vocab.json", '"<unk>",', '"<unk>", 3,', "run"),
        ("config.toml", 'kind = "text"', "", "'kind' is missing"),
        ("config.toml", 'kind = "text"', 'kind = "dance"', "'dance'"),
        ("config.toml", "hidden_size = 7", 'hidden_size = "x"', "'hidden_size' option"),
        ("config.toml", "hidden_size = 7", "hiden_size = 7", "no option 'hiden_size'"),
        ("config.toml", "[[cells]]", "[cells]", "config.toml"),
        ("config.toml", 'task = "text"', 'task = ["text"]', "task"),
    ],
)
def test_damage_of_every_kind_is_a_run_error_with_the_path(model, tmp_path, file, old, new, said):
    model.save(tmp_path / "run")
    path = tmp_path / "run" / file
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")
    with pytest.raises(RunError) as caught:
        noria.load(tmp_path / "run")
    assert str(tmp_path / "run") in str(caught.value)
    assert said in str(caught.value)


def test_the_vocabulary_of_another_run_is_refused_though_it_has_the_same_size(model, tmp_path):
    model.save(tmp_path / "run")
    path = tmp_path / "run" / "vocab.json"
    content = path.read_text(encoding="utf-8")
    path.write_text(content.replace('"ñ"', '"ö"').replace('"ú"', '"ù"'), encoding="utf-8")
    with pytest.raises(RunError, match=r"vocab\.json: the file does not belong"):
        noria.load(tmp_path / "run")


def test_weights_that_are_not_finite_are_said(model):
    kept = model.parameters_.values.copy()
    model.parameters_.values[...] = np.nan
    try:
        with pytest.raises(DivergenceError, match="expected a finite loss, got nan"):
            model.evaluate(TEXT)
    finally:
        model.parameters_.values[...] = kept


MISTAKES = """
import sys
import noria
from noria.errors import DataError, OptionError
from noria.models import LanguageModel

model = noria.load(sys.argv[1])
for wrong in (
    dict(length=2.5), dict(seed=None), dict(seed=-1), dict(greedy=1), dict(top_p=0.0), dict(prompt=3)
):
    for ask in (model.sample, model.stream):
        try:
            ask(**wrong)
        except OptionError as error:
            assert str(error).startswith(f"The {next(iter(wrong))!r} option of sampling must be"), error
        else:
            raise AssertionError(wrong)
for wrong, said in ((3, "got int"), (None, "got NoneType"), ([3, 4], "sequence 0: expected a string")):
    for ask in (lambda data: LanguageModel().fit(data, steps=1), model.evaluate, model.score):
        try:
            ask(wrong)
        except DataError as error:
            assert said in str(error), error
        else:
            raise AssertionError(wrong)
"""


def test_values_of_a_wrong_type_are_refused_by_name(model, tmp_path):
    model.save(tmp_path / "run")
    # In a process of its own: in this one annotations are checked before the model can say anything.
    output_of(MISTAKES, tmp_path / "run")


@pytest.mark.parametrize("method", ["sample", "stream"])
def test_defaults_of_sampling_are_those_of_the_table(method):
    parameters = inspect.signature(getattr(LanguageModel, method)).parameters
    defaults = {name: parameter.default for name, parameter in parameters.items() if name != "self"}
    assert defaults.pop("attention_weights") is None
    assert defaults == {info.name: info.default for info in options_of(SamplingOptions)}


def test_names_of_files_are_not_taken_for_sequences(tmp_path):
    names = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    for name in names:
        (tmp_path / name).write_text(SENTENCE)
    with pytest.raises(DataError, match=r"names of 2 files, '.*a\.txt' for one.\n.*pathlib\.Path"):
        LanguageModel().fit(names, steps=1)
    assert LanguageModel().prepare([*names, "no file"] * 5).description.data.kind == "sequences"
