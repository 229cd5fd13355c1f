"""Recording: what layers hand over is what their engine computed, and the readable engine too."""

import numpy as np
import pytest

from noria.arrays import Array
from noria.equations import Cell, cells
from noria.layers import (
    INFERENCE,
    Bidirectional,
    CausalAttention,
    DecoderAttention,
    Embedding,
    EncoderDecoder,
    FlatParameters,
    InputFeeding,
    Layer,
    Mode,
    Recurrent,
    Stack,
)
from noria.layers.pooling import AttentionPooling
from noria.layers.recording import Recorder, named_values
from noria.sequences import Ragged

OWN = Cell.parse("k = sigmoid(W_k @ x + U_k @ h + b_k)\nh' = k * h + (1 - k) * tanh(W @ x)", name="own")
LENGTHS = (3, 5, 1)


def built(layer: Layer, size: int, seed: int = 0) -> Layer:
    layer.configure(size)
    layers = layer.layers if isinstance(layer, Stack) else [layer]
    FlatParameters.build(layers, np.random.default_rng(seed), np.dtype("float64"))
    return layer


def sequences(size: int, seed: int = 1) -> list[Array]:
    rng = np.random.default_rng(seed)
    return [rng.standard_normal((length, size)) for length in LENGTHS]


@pytest.mark.parametrize("cell", [*cells.names(), OWN], ids=str)
def test_what_is_recorded_is_what_the_readable_engine_computes_step_by_step(cell: "str | Cell") -> None:
    known = cells.get(cell)
    size = 7 if known.size_of["x"] == "H" else 4
    names = named_values(known)
    seen = built(Recurrent(cell, 7), size)
    twin = built(Recurrent(cell, 7, engine="reference", keep=names), size)
    recorder, other = Recorder(gradients=True), Recorder(values=False, gradients=True)
    for layer, one in ((seen, recorder), (twin, other)):
        y, back = layer(Ragged.from_sequences(sequences(size)), mode=Mode(recorder=one))
        back(np.sin(np.arange(y.rows.size, dtype=np.float64)).reshape(y.rows.shape))
    (call,) = recorder.calls(seen)
    assert set(call.values) == {*names, *(f"d_{state}" for state in known.states)}
    for state in known.states:
        right = other.calls(twin)[0].values[f"d_{state}"]
        np.testing.assert_allclose(call.values[f"d_{state}"], right, rtol=0, atol=1e-12)
    for number, rows in enumerate(sequences(size)):
        state = twin.start(1)
        for step, row in enumerate(rows):
            _, back = twin(Ragged.from_sequences([row[None]]), state=state, mode=INFERENCE)
            state = back.state
            for name in names:
                found = call.sequences(name)[number][step]
                np.testing.assert_allclose(found, back.kept[name][0], rtol=0, atol=1e-12, err_msg=name)


def test_the_gates_of_an_lstm_are_those_of_the_textbook() -> None:
    layer = built(Recurrent("lstm", 7), 4)
    values = {name: parameter.value for name, parameter in layer.named_parameters()}
    recorder = Recorder()
    layer(Ragged.from_sequences(sequences(4)), mode=Mode(recorder=recorder))
    (call,) = recorder.calls(layer)
    for number, rows in enumerate(sequences(4)):
        h, c = np.zeros(7), np.zeros(7)
        for step, x in enumerate(rows):
            sums = {k: values[f"W_{k}"] @ x + values[f"U_{k}"] @ h + values[f"b_{k}"] for k in "ifgo"}
            gates = {k: np.tanh(s) if k == "g" else 1 / (1 + np.exp(-s)) for k, s in sums.items()}
            c = gates["f"] * c + gates["i"] * gates["g"]
            h = gates["o"] * np.tanh(c)
            for name, right in {**gates, "c": c, "h": h}.items():
                np.testing.assert_allclose(call.sequences(name)[number][step], right, atol=1e-12)


def test_recording_changes_neither_outputs_nor_gradients() -> None:
    x = Ragged.from_sequences(sequences(4))
    found = []
    for recorder in (None, Recorder(gradients=True)):
        layer = built(Bidirectional(Recurrent("gru", 6)), 4)
        y, back = layer(x, mode=Mode(recorder=recorder))
        d_x = back(np.cos(y.rows))
        gradients = [parameter.gradient.copy() for parameter in layer.parameters()]
        found.append([y.rows, d_x, *gradients])
    for plain, recorded in zip(*found, strict=True):
        np.testing.assert_allclose(recorded, plain, rtol=1e-12, atol=1e-14)


def test_every_layer_inside_is_reached_whatever_stands_around_it() -> None:
    def encoder_decoder(*, feeding: bool) -> EncoderDecoder:
        encoder = Stack([Embedding(5, 3), Bidirectional(Recurrent("gru", 4))], name="encoder")
        memory = encoder.configure(5)
        recurrent, attention = Recurrent("gru", 6), DecoderAttention(memory)
        middle: list[Layer] = [InputFeeding(recurrent, attention, 6)] if feeding else [recurrent, attention]
        return EncoderDecoder(encoder, Stack([Embedding(4, 2), *middle], name="decoder"), 5)

    source = Ragged.from_sequences([[1, 2, 3], [4, 0]])
    target = Ragged.from_sequences([[0, 1], [2, 3, 1]])
    found = []
    for feeding in (False, True):
        network = built(encoder_decoder(feeding=feeding), 4)
        recorder = Recorder(gradients=True)
        y, back = network(target, source=source, mode=Mode(recorder=recorder))
        back(np.ones_like(y.rows))
        inside = [layer for layer in every(network) if recorder.calls(layer)]
        assert [type(layer).__name__ for layer in inside].count("Recurrent") == 3
        for layer in inside:
            (call,) = recorder.calls(layer)
            assert {len(array) for array in call.values.values()} == {5}
            if isinstance(layer, Recurrent):
                assert set(call.values) == {"r", "z", "n", "h", "d_h"}
                assert all(np.isfinite(array).all() for array in call.values.values())
            else:
                np.testing.assert_allclose(call.values["weights"].sum(axis=1), 1.0)
                found.append(call.values["weights"].shape)
    assert found == [(5, 3), (5, 3)]


def test_attention_is_recorded() -> None:
    x = Ragged.from_sequences(sequences(4))
    network = built(Stack([CausalAttention(2), AttentionPooling()]), 4)
    causal, pooling = network.layers
    recorder = Recorder()
    network(x, mode=Mode(save=False, recorder=recorder))
    weights = recorder.calls(causal)[0].sequences("weights")
    assert [one.shape for one in weights] == [(3, 2), (5, 2), (1, 2)]
    np.testing.assert_allclose(weights[1].sum(axis=1), [0, 1, 1, 1, 1])
    pooled = recorder.calls(pooling)[0].sequences("weights")
    np.testing.assert_allclose([one.sum() for one in pooled], 1.0)


def test_without_a_recorder_nothing_is_kept() -> None:
    layer = built(Recurrent("lstm", 3), 4)
    _, back = layer(Ragged.from_sequences(sequences(4)))
    assert back.kept == {}


def every(layer: Layer) -> list[Layer]:
    return [layer, *(found for _, child in layer.children() for found in every(child))]
