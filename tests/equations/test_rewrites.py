"""Rewrites: what they write, and that the numbers of the new cell are what the papers say."""

import itertools
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pytest

from noria.equations import Cell, Initial, cells, layer_normalised, recurrent_dropout, replace, zoneout
from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product
from noria.errors import EquationError, OptionError, UnknownNameError

Values = dict[str, np.ndarray]
SIZES = {"D": 4, "H": 7, "H_c": 5, "H_z": 5}


def layer_norm(a: np.ndarray, gain: np.ndarray, bias: np.ndarray) -> np.ndarray:
    centred = a - a.mean(-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * gain + bias


FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.divide,
    "neg": np.negative,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0),
    "exp": np.exp,
    "softplus": lambda a: np.log1p(np.exp(a)),
    "max": np.maximum,
    "layer_norm": layer_norm,
}


def value_of(expression: Expression, values: Mapping[str, np.ndarray]) -> np.ndarray:
    match expression:
        case Number(value):
            return np.float64(value)
        case Name(name):
            return values[name]
        case Product(matrix, operand):
            return value_of(operand, values) @ values[matrix].T
        case Concatenation(parts):
            return np.concatenate([value_of(part, values) for part in parts], axis=-1)
        case Apply(function, arguments):
            return FUNCTIONS[function](*(value_of(argument, values) for argument in arguments))


def step(cell: Cell, values: Values) -> Values:
    """All values after one step, by the equations and nothing else."""
    values = dict(values)
    for equation in cell.equations:
        values[equation.target] = value_of(equation.expression, values)
    return {name: value for name, value in values.items() if name not in cell.initial or name in cell.states}


def inputs(cell: Cell, masks: float = 1.0) -> Values:
    """Random input, states and parameters, the same for the same name and shape; masks all alike."""

    def draw(name: str, *shape: int) -> np.ndarray:
        return np.random.default_rng([*name.encode()]).normal(size=shape)

    values = {parameter.name: draw(parameter.name, *parameter.shape(SIZES)) for parameter in cell.parameters}
    values |= {name: draw(name, 3, SIZES[cell.size_of[name]]) for name in ("x", *cell.states)}
    if "n" in cell.states:
        values["n"] = np.abs(values["n"]) + 1
    values |= {given.name: np.full((3, SIZES[cell.size_of[given.name]]), masks) for given in cell.givens}
    return values


def new_states(cell: Cell, values: Values) -> list[np.ndarray]:
    after = step(cell, values)
    return [after[f"{state}'"] for state in cell.states]


def text_of(cell: Cell) -> list[str]:
    return cell.text.splitlines()


def test_recurrent_dropout_masks_the_state_in_products_alone() -> None:
    text = text_of(recurrent_dropout(cells.gru, 0.3))
    assert "r = sigmoid(W_r @ x + U_r @ (h * mask_h) + b_r)" in text
    assert "n = tanh(W_n @ x + U_n @ (r * (h * mask_h)) + b_n)" in text
    assert "h' = (1 - z) * n + z * h" in text
    assert text[-2:] == ["given:", "    mask_h: sequence = dropout(0.3)"]


def test_recurrent_dropout_in_concatenations_and_on_new_values() -> None:
    cell = recurrent_dropout(Cell.parse("z' = tanh(W_z @ [h, x] + U_z @ z)\nh' = U_h @ z' + z'"), 0.5)
    assert text_of(cell)[:2] == [
        "z' = tanh(W_z @ [h * mask_h, x] + U_z @ (z * mask_z))",
        "h' = U_h @ (z' * mask_z) + z'",
    ]
    assert [given.name for given in cell.givens] == ["mask_h", "mask_z"]


def test_recurrent_dropout_sees_through_values_without_products() -> None:
    named = Cell.parse("r = sigmoid(W_r @ x + p_r * h)\nm = r * h\nh' = tanh(W @ x + U @ m) + m")
    direct = Cell.parse("r = sigmoid(W_r @ x + p_r * h)\nm = r * h\nh' = tanh(W @ x + U @ (r * h)) + m")
    assert recurrent_dropout(named, 0.2).equations == recurrent_dropout(direct, 0.2).equations


def test_recurrent_dropout_leaves_out_values_that_nothing_reads_any_more() -> None:
    named = Cell.parse("r = sigmoid(W_r @ x)\nq = r * h\nm = 2 * q\nh' = tanh(W @ x + U @ m)")
    direct = Cell.parse("r = sigmoid(W_r @ x)\nh' = tanh(W @ x + U @ (2 * (r * h)))")
    assert recurrent_dropout(named, 0.2).equations == recurrent_dropout(direct, 0.2).equations
    assert "m = " not in recurrent_dropout(cells.lstm_mogrified, 0.2).text


def test_recurrent_dropout_twice_has_two_masks() -> None:
    cell = recurrent_dropout(recurrent_dropout(cells.rnn, 0.2), 0.3)
    assert "h' = tanh(W @ x + U @ (h * mask_h_2 * mask_h) + b)" in text_of(cell)


def test_zoneout_reads_the_new_value_that_is_not_zoned_out() -> None:
    cell = zoneout(cells.lstm, 0.1, 0.5)
    assert text_of(cell)[-9:] == [
        "c_new = f * c + i * g",
        "c' = zone_c * c + (1 - zone_c) * c_new",
        "h_new = o * tanh(c_new)",
        "h' = zone_h * h + (1 - zone_h) * h_new",
        "given:",
        "    zone_h: row = bernoulli(0.1)",
        "    zone_c: row = bernoulli(0.5)",
        "init:",
        "    b_f = 1",
    ]
    assert cell.initial == cells.lstm.initial


def test_zoneout_leaves_a_state_alone_whose_probability_is_zero() -> None:
    cell = zoneout(cells.lstm, 0.1, 0)
    assert "c' = f * c + i * g" in text_of(cell)
    assert [given.name for given in cell.givens] == ["zone_h"]
    assert [given.name for given in zoneout(cells.gru, 0.1, 0.2).givens] == ["zone_h"]
    assert zoneout(cells.lstm, 0, 0) is cells.lstm
    assert recurrent_dropout(cells.lstm, 0) is cells.lstm


@pytest.mark.parametrize("name", cells.names())
def test_masks_of_one_and_zones_of_zero_change_no_number(name: str) -> None:
    cell = cells[name]
    expected = new_states(cell, inputs(cell))
    zoned = zoneout(cell, 0.1, 0.2)
    for found, wanted in zip(new_states(zoned, inputs(zoned, 0.0)), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-12)
    if name != "indrnn":
        dropped = recurrent_dropout(cell, 0.3)
        for found, wanted in zip(new_states(dropped, inputs(dropped, 1.0)), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-12)


@pytest.mark.parametrize("name", cells.names())
def test_zones_of_one_keep_every_state(name: str) -> None:
    zoned = zoneout(cells[name], 0.1, 0.2)
    values = inputs(zoned, 1.0)
    for state, found in zip(zoned.states, new_states(zoned, values), strict=True):
        np.testing.assert_allclose(found, values[state], rtol=1e-12)


def test_masks_of_zero_take_the_products_away_and_keep_the_carry() -> None:
    dropped = recurrent_dropout(cells.gru, 0.3)
    values = inputs(dropped, 0.0)
    without = values | {f"U_{gate}": np.zeros((7, 7)) for gate in "rzn"}
    np.testing.assert_allclose(new_states(dropped, values)[0], new_states(cells.gru, without)[0], rtol=1e-12)


def test_zoneout_of_half_is_the_mean_of_old_and_new() -> None:
    zoned = zoneout(cells.lstm, 0.1, 0.2)
    values = inputs(zoned, 0.5)
    for state, found, new in zip(
        zoned.states, new_states(zoned, values), new_states(cells.lstm, values), strict=True
    ):
        np.testing.assert_allclose(found, (values[state] + new) / 2, rtol=1e-12)


def test_layer_norm_of_an_lstm() -> None:
    cell = layer_normalised(cells.lstm)
    assert "f = sigmoid(layer_norm(W_f @ x + U_f @ h, gain_f, bias_f))" in text_of(cell)
    assert "h' = o * tanh(c')" in text_of(cell)
    assert cell.initial["bias_f"] == Initial("constant", (1.0,))
    assert cell.initial["bias_i"] == Initial("zero")
    assert cell.initial["gain_f"] == Initial("constant", (1.0,))
    assert not any(parameter.name.startswith("b_") for parameter in cell.parameters)
    values = inputs(cell)
    gate = layer_norm(
        values["x"] @ values["W_f"].T + values["h"] @ values["U_f"].T, values["gain_f"], values["bias_f"]
    )
    np.testing.assert_allclose(step(cell, values)["f"], 1 / (1 + np.exp(-gate)), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("rnn", "h' = tanh(layer_norm(W @ x + U @ h, gain_h, bias_h))"),
        ("indrnn", "h' = relu(layer_norm(W @ x + u * h, gain_h, bias_h))"),
        ("gru_reset_after", "n = tanh(layer_norm(W_n @ x + r * (U_n @ h + b_hn), gain_n, bias_n))"),
        ("lstm_peephole", "o = sigmoid(layer_norm(W_o @ x + U_o @ h + p_o * c', gain_o, bias_o))"),
        ("janet", "s = layer_norm(W_s @ x + U_s @ h, gain_s, bias_s)"),
        ("janet", "h' = sigmoid(s) * h + (1 - sigmoid(s - beta)) * g"),
        ("slstm", "i = layer_norm(W_i @ x + U_i @ h, gain_i, bias_i)"),
        ("slstm", "f = log_sigmoid(layer_norm(W_f @ x + U_f @ h, gain_f, bias_f))"),
        ("mgu", "n = tanh(layer_norm(W_n @ x + U_n @ (f * h), gain_n, bias_n))"),
    ],
)
def test_layer_norm_of_shipped_cells(name: str, line: str) -> None:
    assert line in text_of(layer_normalised(cells[name]))


def test_layer_norm_takes_over_the_initial_values_of_what_it_takes_out() -> None:
    assert layer_normalised(cells.janet).initial["bias_s"] == Initial("chrono", (100.0,))
    assert layer_normalised(cells.slstm).initial["bias_f"] == Initial("constant", (1.0,))
    cell = layer_normalised(
        Cell.parse("h' = tanh(b - W @ x + b_h + b_2)\ninit:\n  b = 0\n  b_h = 1\n  b_2 = 2")
    )
    assert "h' = tanh(layer_norm(-W @ x + b_2, gain_h, bias_h))" in text_of(cell)
    assert cell.initial["bias_h"] == Initial("constant", (1.0,))
    assert cell.initial["b_2"] == Initial("constant", (2.0,))


def test_layer_norm_numbers_the_sums_of_one_equation() -> None:
    cell = layer_normalised(Cell.parse("h' = tanh(W @ x + b) * sigmoid(V @ x) + max(U @ h, 0)"))
    assert text_of(cell)[0] == (
        "h' = tanh(layer_norm(W @ x, gain_h, bias_h)) * sigmoid(layer_norm(V @ x, gain_h_2, bias_h_2))"
        " + max(layer_norm(U @ h, gain_h_3, bias_h_3), 0)"
    )


REWRITES: list[Callable[[Cell], Cell]] = [
    layer_normalised,
    lambda cell: recurrent_dropout(cell, 0.3),
    lambda cell: zoneout(cell, 0.1, 0.2),
    lambda cell: replace(cell, **{"tanh" if "tanh" in cell.text else "relu": "bent(z) = max(z, 0.1 * z)"}),
]


def rewritten(cell: Cell, order: Iterable[Callable[[Cell], Cell]]) -> Cell:
    for rewrite in order:
        cell = rewrite(cell)
    return cell


def assert_same_meaning(one: Cell, other: Cell) -> None:
    assert (one.name, one.citation, one.equations) == (other.name, other.citation, other.equations)
    assert set(one.givens) == set(other.givens)
    assert one.initial == other.initial


@pytest.mark.parametrize("name", [name for name in cells.names() if name != "indrnn"])
def test_two_rewrites_compose_in_either_order(name: str) -> None:
    for one, other in itertools.combinations(REWRITES, 2):
        assert_same_meaning(rewritten(cells[name], [one, other]), rewritten(cells[name], [other, one]))


@pytest.mark.parametrize("name", ["lstm"])
def test_all_rewrites_compose_in_any_order(name: str) -> None:
    first, *others = [rewritten(cells[name], order) for order in itertools.permutations(REWRITES)]
    assert first.name == name
    assert first.citation == cells[name].citation
    for other in others:
        assert_same_meaning(first, other)


@pytest.mark.parametrize("rewrite", REWRITES)
def test_rewritten_text_says_the_same_cell(rewrite: Callable[[Cell], Cell]) -> None:
    cell = rewrite(cells.slstm)
    assert Cell.parse(cell.text, name=cell.name) == cell
    assert cell != cells.slstm
    assert cell.citation == cells.slstm.citation


def test_fresh_names_step_aside() -> None:
    cell = Cell.parse("mask_h = W @ x\nh_new = U @ h\nh' = mask_h + h_new")
    assert [given.name for given in recurrent_dropout(cell, 0.1).givens] == ["mask_h_2"]
    assert "h_new_2" in [equation.target for equation in zoneout(cell, 0.1).equations]


def test_functions_that_hold_products_are_put_in_place_first() -> None:
    cell = Cell.parse(
        "gate(a) = sigmoid(a + U @ h)\nouter(a) = inner(a)\ninner(a) = gate(a)\nsoft(a) = a / 2\n"
        "h' = outer(W @ x) * soft(x)"
    )
    assert text_of(recurrent_dropout(cell, 0.1))[:2] == [
        "soft(a) = a / 2",
        "h' = sigmoid(W @ x + U @ (h * mask_h)) * soft(x)",
    ]


def test_replace_by_name_and_by_formula() -> None:
    assert "n = relu(W_n @ x + U_n @ (r * h) + b_n)" in text_of(replace(cells.gru, tanh="relu"))
    leaky = replace(cells.gru, tanh="leaky(z) = max(z, 0.01*z)")
    assert "leaky(z) = max(z, 0.01 * z)" in text_of(leaky)
    assert "n = leaky(W_n @ x + U_n @ (r * h) + b_n)" in text_of(leaky)
    assert replace(leaky, leaky="tanh").equations == cells.gru.equations
    assert replace(leaky, sigmoid="leaky(z) = max(z, 0.01 * z)").text.count("leaky(") == 4


def test_replace_works_all_at_once_and_not_within_what_it_brings() -> None:
    swapped = replace(cells.rnn.with_text("h' = tanh(sigmoid(W @ x))"), tanh="sigmoid", sigmoid="tanh")
    assert text_of(swapped) == ["h' = sigmoid(tanh(W @ x))"]
    steep = replace(cells.rnn, tanh="steep(z) = tanh(2 * z)")
    assert (
        steep.equations[0].expression
        == Cell.parse("h' = tanh(2 * (W @ x + U @ h + b))").equations[0].expression
    )
    own = replace(cells.slstm, softplus="relu", σ="tanh")
    assert "log_sigmoid(a) = -relu(-a)" in text_of(own)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: recurrent_dropout(cells.lstm, 1.2),
            "The 'p' option of recurrent_dropout must be a float in [0, 1). Got 1.2.",
        ),
        (lambda: recurrent_dropout(cells.lstm, 1), "must be a float in [0, 1). Got 1."),
        (lambda: recurrent_dropout(cells.lstm, float("nan")), "Got nan."),
        (
            lambda: zoneout(cells.lstm, -0.1, 0),
            "The 'p_h' option of zoneout must be a float in [0, 1). Got -0.1.",
        ),
        (
            lambda: zoneout(cells.lstm, 0.1, 2),
            "The 'p_c' option of zoneout must be a float in [0, 1). Got 2.",
        ),
        (lambda: zoneout(cells.gru, 0, 0.1), "zoneout has nothing to do in cell 'gru'"),
        (lambda: recurrent_dropout(cells.indrnn, 0.1), "no state enters a product"),
        (
            lambda: layer_normalised(Cell.parse("h' = W @ x")),
            "layer_normalised has nothing to do in cell 'cell'",
        ),
        (lambda: layer_normalised(layer_normalised(cells.lstm)), "layer_normalised has nothing to do"),
        (lambda: replace(cells.lstm, tahn="relu"), "cell 'lstm' does not call 'tahn'; did you mean 'tanh'?"),
    ],
)
def test_options_out_of_range(call: Callable[[], Cell], said: str) -> None:
    with pytest.raises(OptionError) as caught:
        call()
    assert said in str(caught.value)


def test_replace_refuses() -> None:
    with pytest.raises(UnknownNameError, match=r"knows no function 'rleu'; did you mean 'relu'\?"):
        replace(cells.lstm, tanh="rleu")
    with pytest.raises(EquationError, match=r"replace tanh, line 1, column 11: '\(' is never closed"):
        replace(cells.lstm, tanh="q(z) = max(z")
    with pytest.raises(EquationError, match="expected one function"):
        replace(cells.lstm, tanh="z = x + 1")
    with pytest.raises(EquationError, match="'max' takes 2 or more arguments, got 1"):
        replace(cells.lstm, tanh="max")
    with pytest.raises(OptionError, match="has another function 'log_sigmoid' already"):
        replace(cells.slstm, tanh="log_sigmoid(z) = z")
