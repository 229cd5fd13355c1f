"""Parameters, arithmetic and memory by layer, against counts by hand."""

import pytest

from noria.inspection.costs import layer_costs, totals
from noria.inspection.unrolling import unrolled
from noria.layers import (
    Bidirectional,
    CausalAttention,
    Embedding,
    EncoderDecoder,
    Layer,
    Linear,
    OneHot,
    Recurrent,
    Stack,
)
from noria.layers.pooling import LastPooling


def configured(layer: Layer, size: int) -> Layer:
    layer.configure(size)
    return layer


def test_an_lstm_of_five_inputs_and_eight_units_has_448_parameters() -> None:
    (cost,) = layer_costs(configured(Recurrent("lstm", 8), 5))
    assert cost.parameters == 448 == 4 * (8 * 5 + 8 * 8 + 8)
    assert cost.weight_bytes == 4 * 448


def test_the_arithmetic_of_an_rnn_is_that_of_its_equation() -> None:
    size, hidden = 5, 8
    (cost,) = layer_costs(configured(Recurrent("rnn", hidden), size))
    products = 2 * hidden * size + 2 * hidden * hidden
    assert cost.forward == products + 3 * hidden  # two sums, and tanh
    # back: three elementwise of tanh, the carry added, products with U^T and W^T; the same again for U and W
    assert cost.backward == pytest.approx(2 * products, abs=5 * hidden)
    assert cost.backward >= 2 * products


def test_of_one_hot_rows_the_product_is_a_look_up() -> None:
    symbols, hidden = 11, 8
    _, dense, _ = layer_costs(configured(Stack([Linear(symbols), Recurrent("rnn", hidden), Linear(3)]), 2))
    _, looked_up, _ = layer_costs(
        configured(Stack([OneHot(symbols), Recurrent("rnn", hidden), Linear(3)]), symbols)
    )
    assert dense.forward - looked_up.forward == 2 * hidden * symbols
    assert dense.backward - looked_up.backward == 2 * 2 * hidden * symbols - hidden
    assert dense.parameters == looked_up.parameters


def test_a_linear_layer_and_attention() -> None:
    linear = layer_costs(configured(Linear(3), 7))[0]
    assert (linear.parameters, linear.forward, linear.backward) == (24, 2 * 21 + 3, 4 * 21 + 3)
    assert linear.saved_bytes == 4 * 7
    dot = layer_costs(configured(CausalAttention(6, score="dot"), 7))[0]
    scores, softmax, context, joined = 2 * 6 * 7, 3 * 6, 2 * 6 * 7, 2 * 7 * 14 + 2 * 7
    assert dot.forward == scores + softmax + context + joined
    general = layer_costs(configured(CausalAttention(6), 7))[0]
    assert general.forward == dot.forward + 2 * 7 * 7


def test_what_is_shared_is_counted_once_and_sums_are_those_of_the_network() -> None:
    embedding = Embedding(9, 4, name="input")
    stack = Stack([embedding, Recurrent("gru", 4), Linear(9, weight=embedding.table)], keys=["a", "b", "c"])
    configured(stack, 9)
    costs = layer_costs(stack)
    assert [cost.parameters for cost in costs] == [36, 3 * (16 + 16 + 4), 9]
    total = totals(costs)
    assert total["parameters"] == sum(parameter.size for parameter in stack.parameters())
    assert sum(row.parameters for row in unrolled(stack).parts[0].rows) == total["parameters"]
    assert total["per"]["token"]["forward"] == sum(cost.forward for cost in costs)


def test_operations_are_for_the_token_or_the_sequence_that_they_are_done_for() -> None:
    many_to_one = Stack([Bidirectional(Recurrent("gru", 3)), LastPooling(backward_size=3), Linear(2)])
    costs = layer_costs(configured(many_to_one, 4))
    assert [(cost.path, cost.per) for cost in costs] == [
        ("0.forward", "token"),
        ("0.backward", "token"),
        ("1", "token"),
        ("2", "sequence"),
    ]
    assert costs[0].forward == costs[1].forward
    pair = EncoderDecoder(
        Stack([Embedding(5, 2), Recurrent("gru", 3)]), Stack([Embedding(4, 2), Recurrent("gru", 4)]), 5
    )
    found = {cost.path: cost.per for cost in layer_costs(configured(pair, 4))}
    assert found["encoder.1"] == "source token"
    assert found["decoder.1"] == "token"
    assert found["encoder-decoder"] == "sequence"  # the map from one state to the other
