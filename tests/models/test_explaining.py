"""Explaining a language model: recorded values, answers, and the gradient on its way back through time."""

import json
from pathlib import Path

import numpy as np
import pytest

from noria.arrays import Array
from noria.equations import Cell, cells
from noria.errors import DataError, UnknownNameError
from noria.layers import INFERENCE, Stack
from noria.models import Explanation, GradientThroughTime, LanguageModel, explaining
from noria.models.gradient_reach import LayerGradient
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy

TEXT = "abc abd\nabd cab\n" * 30
READ = "abd cab"
STEP = 1e-6


@pytest.fixture(scope="module")
def model() -> LanguageModel:
    options = {"hidden_size": 6, "num_layers": 2, "dtype": "float64", "dropout": 0.2, "embedding_size": 5}
    made = LanguageModel(cell="lstm", batch_size=2, seq_length=16, engine="reference", **options)
    return made.fit(TEXT, steps=2)


@pytest.fixture(scope="module")
def gates(model: LanguageModel) -> Explanation:
    return model.explain(READ)


def test_values_and_answers_are_those_of_the_model(model: LanguageModel) -> None:
    found = model.explain(READ)
    assert found.steps == ("^", *READ)
    assert [layer.path for layer in found.layers] == ["recurrent.0", "recurrent.1"]
    top = found.layer()
    assert list(top.values) == ["i", "f", "g", "o", "c", "h"]
    v = top.values
    np.testing.assert_allclose(v["h"], v["o"] * np.tanh(v["c"]), atol=1e-12)
    np.testing.assert_allclose(v["c"][1:], v["f"][1:] * v["c"][:-1] + (v["i"] * v["g"])[1:], atol=1e-12)
    first, *_, last = found.predictions
    assert first["target"] == "a"
    assert "target" not in last
    chances = [chance for _, chance in last["top"]]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) == pytest.approx(1.0)
    ids = np.array([model.vocabulary_.encode("\n")[0], *model.vocabulary_.encode(READ)])
    logits = model.network_(Ragged.from_sequences([ids]), mode=INFERENCE)[0].rows
    right = np.exp(logits[3] - logits[3].max())
    best = int(right.argmax())
    assert found.predictions[3]["top"][0] == [
        model.vocabulary_.symbols[best],
        pytest.approx(right[best] / right.sum()),
    ]


def test_an_explanation_comes_back_from_its_folder(model: LanguageModel, tmp_path: Path) -> None:
    found = model.explain(READ)
    files = found.save(tmp_path / "deep" / "er")
    assert sorted(file.name for file in files) == ["explanation.json", "values.npz"]
    again = Explanation.load(tmp_path / "deep" / "er")
    assert again.about() == found.about()
    for name, array in found.arrays().items():
        np.testing.assert_array_equal(again.arrays()[name], array)
    json.dumps(found.to_dict())
    (tmp_path / "deep" / "er" / "explanation.json").write_text("{}")
    with pytest.raises(DataError, match="cannot read it"):
        Explanation.load(tmp_path / "deep" / "er")


def loss_after(
    model: LanguageModel, gates: Explanation, level: int, step: int, name: str, change: Array, at: int
) -> float:
    """Change a state of one layer after a step, with all that follows from it, and give the loss."""
    ids = np.array([model.vocabulary_.encode("\n")[0], *model.vocabulary_.encode(READ)])
    symbols = Ragged.from_sequences([ids])
    network = model.network_
    rows = network.layers[0](symbols, mode=INFERENCE)[0]
    stack = dict(network.children())["recurrent"]
    assert isinstance(stack, Stack)
    values = gates.layer(f"recurrent.{level}").values
    for key, layer in stack.children():
        if key != str(level):
            rows = layer(rows, mode=INFERENCE)[0]
            continue
        sequence = rows.rows
        before, back = layer(Ragged.from_sequences([sequence[: step + 1]]), mode=INFERENCE)
        state = {key: array.copy() for key, array in back.state.items()}
        state[name] += change
        if name == "c":  # h = o * tanh(c) follows from it
            state["h"] = values["o"][step] * np.tanh(state["c"])
        outputs = before.rows.copy()
        outputs[step] = state["h"][0]
        after = layer(Ragged.from_sequences([sequence[step + 1 :]]), state=state, mode=INFERENCE)[0]
        rows = rows.with_rows(np.concatenate([outputs, after.rows]))
    for key, layer in network.children():
        if key not in ("input", "recurrent"):
            rows = layer(rows, mode=INFERENCE)[0]
    return sequence_cross_entropy(rows.rows[at : at + 1], ids[at + 1 : at + 2])[0]


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", ["h", "c"])
def test_gradients_are_central_differences_of_the_loss_by_the_state(
    model: LanguageModel, gates: Explanation, level: int, name: str
) -> None:
    at = 5
    found = model.gradient_through_time(READ, at=at)
    assert found.loss_of == "predicting 'a' after 6 steps"
    (layer,) = [one for one in found.layers if (one.path, one.state) == (f"recurrent.{level}", name)]
    assert layer.norms[at + 1 :].tolist() == [0.0, 0.0]  # what is read later changes nothing
    for step in (5, 3, 0):
        numeric = []
        for unit in range(6):
            change = np.zeros((1, 6))
            change[0, unit] = STEP
            up, down = (loss_after(model, gates, level, step, name, sign * change, at) for sign in (1, -1))
            numeric.append((up - down) / (2 * STEP))
        assert layer.norms[step] == pytest.approx(np.linalg.norm(numeric), rel=1e-6)


def test_the_gradients_of_a_model_in_single_precision_are_taken_in_double(model: LanguageModel) -> None:
    single = LanguageModel(**{**model.get_params(), "dtype": "float32"}).fit(TEXT, steps=2)
    gradients = single.parameters_.gradients.copy()
    found = single.gradient_through_time("abc abd " * 12)
    np.testing.assert_array_equal(single.parameters_.gradients, gradients)  # they are those of a twin
    assert all(layer.norms.dtype == np.float64 for layer in found.layers)
    assert all(0 < layer.norms[0] < layer.norms[-2] for layer in found.layers)


OWN = Cell.parse("k = sigmoid(W_k @ x + U_k @ h + b_k)\nh' = k * h + (1 - k) * tanh(W @ x)", name="own")


@pytest.mark.parametrize("cell", [*cells.names(), OWN], ids=str)
def test_every_cell_can_be_explained(cell: "str | Cell") -> None:
    known = cells.get(cell)
    options = {"embedding_size": 6} if known.size_of["x"] == "H" else {"embedding_size": 3}
    model = LanguageModel(
        cell=cell, hidden_size=6, engine="reference", batch_size=2, seq_length=8, **options
    ).fit(TEXT, steps=1)
    found = model.explain("abc")
    (layer,) = found.layers
    assert set(known.states) <= set(layer.values)
    assert {len(array) for array in layer.values.values()} == {4}
    through = model.gradient_through_time("abc")
    assert [one.state for one in through.layers] == list(known.states)


def test_what_does_not_exist_is_answered_with_what_is_near(model: LanguageModel) -> None:
    found = model.explain(READ)
    with pytest.raises(UnknownNameError, match=r"no recurrent layer 'recurent.1'.*'recurrent.1'"):
        found.layer("recurent.1")
    with pytest.raises(UnknownNameError, match="lstm have no value 'q'"):
        found.layer().value("q")
    with pytest.raises(UnknownNameError, match="the units 0 to 5, got 6"):
        found.layer().neurons("h", [0, 6])
    with pytest.raises(DataError, match="a position from 0 to 6, got 7"):
        model.gradient_through_time(READ, at=7)
    with pytest.raises(DataError, match="got an empty one"):
        model.explain("")


def test_what_does_not_fit_into_memory_is_refused(
    model: LanguageModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = 2 * 6 * 6 * 8 + len(model.vocabulary_) * 8  # two layers, six values of six units, logits
    monkeypatch.setattr(explaining, "free_memory", lambda: 10 * each)
    with pytest.raises(DataError, match=r"(?s)recording 8 steps takes about.*: 5 steps would fit"):
        model.explain(READ)
    monkeypatch.setattr(explaining, "free_memory", lambda: 16 * each)
    model.explain(READ)


def layer_of(norms: list[float], *, reversed_: bool = False) -> LayerGradient:
    steps = tuple(str(number) for number in range(len(norms)))
    return LayerGradient("recurrent.0", "rnn", "h", steps, np.array(norms), reversed_)


def test_the_reach_is_where_a_norm_stays_below_its_share() -> None:
    one = layer_of([0.0005, 0.02, 0.05, 0.2, 0.09, 1.0, 0.0])
    assert one.distances.tolist() == [5, 4, 3, 2, 1, 0, -1]
    assert one.decay()[1].tolist() == [1.0, 0.09, 0.2, 0.05, 0.02, 0.0005]
    assert one.reach(0.1) == 3  # at 1 it is below and comes up again
    assert one.reach(0.001) == 5
    assert one.reach(0.0001) is None
    backward = layer_of([1.0, 0.5, 0.01], reversed_=True)
    assert backward.distances.tolist() == [0, 1, 2]
    assert (backward.reach(0.1), backward.reach(0.001)) == (2, None)
    nothing = layer_of([0.0, 0.0])
    assert nothing.reach(0.1) == 0
    words = GradientThroughTime(1.0, "x", (one, backward, nothing)).words()
    assert "below a tenth from 3 steps back on, below a thousandth from 5 steps" in words[0]
    assert "0.01 of the norm is left 2 steps back" in words[1]
    assert words[2].endswith("no gradient arrives.")


def test_norms_are_averaged_over_inputs_of_one_length() -> None:
    some = [
        GradientThroughTime(loss, "x", (layer_of(norms),))
        for loss, norms in ((1.0, [1.0, 3.0]), (2.0, [3.0, 5.0]))
    ]
    mean = GradientThroughTime.average(some, "two")
    assert (mean.loss, mean.inputs, mean.layers[0].norms.tolist()) == (1.5, 2, [2.0, 4.0])
    with pytest.raises(DataError, match="several lengths"):
        GradientThroughTime.average([some[0], GradientThroughTime(1.0, "x", (layer_of([1.0]),))], "x")


def test_attention_over_the_past_is_laid_out_over_the_steps() -> None:
    options = {"attention": "dot", "attention_span": 3, "engine": "reference", "hidden_size": 6}
    model = LanguageModel(batch_size=2, seq_length=8, dtype="float64", **options).fit(TEXT, steps=1)
    found = model.explain(READ)
    (looked,) = found.attention
    assert looked.steps == looked.seen == found.steps
    h = found.layer().values["h"]
    for step in range(len(h)):
        right = np.zeros(len(h))
        near = slice(max(0, step - 3), step)
        scores = np.exp(h[near] @ h[step])
        right[near] = scores / scores.sum()
        np.testing.assert_allclose(looked.weights[step], right, atol=1e-12)
