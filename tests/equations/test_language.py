"""What each line of the language means."""

import pytest

from noria.equations import Cell, Equation, Given, Parameter, cells
from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product

X, H, B = Name("x"), Name("h"), Name("b")


def read(right: str, before: str = "", after: str = "") -> Expression:
    """What stands on the right side of h', read by the language."""
    return Cell.parse(f"{before}h' = {right}\n{after}").equations[-1].expression


def apply(function: str, *arguments: Expression) -> Apply:
    return Apply(function, arguments)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("x + h - b", apply("sub", apply("add", X, H), B)),
        ("x - (h - b)", apply("sub", X, apply("sub", H, B))),
        ("x + h * b", apply("add", X, apply("mul", H, B))),
        ("x / h * b", apply("mul", apply("div", X, H), B)),
        ("x / (h * b)", apply("div", X, apply("mul", H, B))),
        ("-x * h", apply("neg", apply("mul", X, H))),
        ("-W @ x", apply("neg", Product("W", X))),
        ("x * -h", apply("mul", X, apply("neg", H))),
        ("x - -h", apply("sub", X, apply("neg", H))),
        ("-x ** 2", apply("neg", apply("power", X, Number(2)))),
        ("(-x) ** 2", apply("power", apply("neg", X), Number(2))),
        ("x * -2 ** 2", apply("mul", X, Number(-4))),
        ("x ** -1", apply("power", X, Number(-1))),
        ("x ** 3 ** 2", apply("power", X, Number(9))),
        ("-2 * x", apply("mul", Number(-2), X)),
        ("-(2) * x", apply("neg", apply("mul", Number(2), X))),
        ("U @ h * x", apply("mul", Product("U", H), X)),
        ("x * (U @ h)", apply("mul", X, Product("U", H))),
        ("U_2 @ U_1 @ h + x", apply("add", Product("U_2", Product("U_1", H)), X)),
        ("U @ -h + x", apply("add", Product("U", apply("neg", H)), X)),
        ("U @ (x * h)", Product("U", apply("mul", X, H))),
        ("W @ [h, x]", Product("W", Concatenation((H, X)))),
        ("W @ [tanh(h), x]", Product("W", Concatenation((apply("tanh", H), X)))),
        ("max(x, h, b)", apply("max", apply("max", X, H), B)),
        ("min(x, h)", apply("min", X, H)),
        ("clip(x, -1, 1)", apply("clip", X, Number(-1), Number(1))),
        ("layer_norm(x, gain, bias)", apply("layer_norm", X, Name("gain"), Name("bias"))),
        ("x * 1.5e-3", apply("mul", X, Number(0.0015))),
        ("x * .5", apply("mul", X, Number(0.5))),
        ("x * (1 - 0.75)", apply("mul", X, Number(0.25))),
        ("x * max(1, 3, 2) * sqrt(4)", apply("mul", apply("mul", X, Number(3)), Number(2))),
        ("((x))", X),
        ("(x  # the input\n   + # and\n h)", apply("add", X, H)),
    ],
)
def test_expression(text: str, meaning: Expression) -> None:
    assert read(text) == meaning


def test_division_and_product_keep_their_order() -> None:
    assert read("x / h / b") == apply("div", apply("div", X, H), B)
    assert read("x / (h / b)") == apply("div", X, apply("div", H, B))


@pytest.mark.parametrize("sign", ["·", "⋅", "@"])
def test_signs_of_a_matrix_product(sign: str) -> None:
    assert read(f"W {sign} x") == Product("W", X)


@pytest.mark.parametrize("sign", ["*", "⊙", "∘", "×"])
def test_signs_of_an_elementwise_product(sign: str) -> None:
    assert read(f"x {sign} h") == apply("mul", X, H)


@pytest.mark.parametrize("sign", ["'", "’", "′"])
def test_signs_of_a_new_value(sign: str) -> None:
    assert Cell.parse(f"c{sign} = W @ x\nh{sign} = c{sign}").equations[1] == Equation("h'", Name("c'"))


@pytest.mark.parametrize("old", ["h_{t-1}", "h_{t−1}", "h_{t - 1}", "hₜ₋₁", "h"])
@pytest.mark.parametrize("now", ["x_t", "x_{t}", "xₜ", "x"])
def test_moments(old: str, now: str) -> None:
    assert read(f"{now} − {old}") == apply("sub", X, H)


TEXTBOOK = """
f_t = σ(W_f · [h_{t-1}, x_t] + b_f)
i_t = σ(W_i · [h_{t−1}, x_t] + b_i)
g_t = tanh(W_g · [h_{t-1}, x_t] + b_g)
o_t = σ(W_{o} · [h_{t-1}, x_t] + b_{o})
c_t = f_t ∘ c_{t-1} + i_t ⊙ g_t
h_t = o_t * tanh(c_t)
"""
PLAIN = """
f = sigmoid(W_f @ [h, x] + b_f)
i = sigmoid(W_i @ [h, x] + b_i)
g = tanh(W_g @ [h, x] + b_g)
o = sigmoid(W_o @ [h, x] + b_o)
c' = f * c + i * g
h' = o * tanh(c')
"""


def test_a_textbook_lstm_is_the_plain_one() -> None:
    textbook, plain = Cell.parse(TEXTBOOK), Cell.parse(PLAIN)
    assert textbook.equations == plain.equations
    assert textbook.parameters == plain.parameters
    assert textbook.parameters[0] == Parameter("W_f", "matrix", "H", ("H", "D"))
    assert textbook.states == ("h", "c")
    gates = [equation.expression for equation in cells.lstm.equations[-2:]]
    assert [equation.expression for equation in textbook.equations[-2:]] == gates


def test_a_candidate_with_a_tilde_is_a_name() -> None:
    cell = Cell.parse("c̃_t = tanh(W_c @ x_t)\nc_t = c_{t-1} + c̃_t\nh_t = c_t")
    assert [equation.target for equation in cell.equations] == ["c̃", "c'", "h'"]


def test_a_subscript_t_is_never_taken_from_a_parameter() -> None:
    cell = Cell.parse("t = tanh(W @ x)\nh' = U_t @ t + b_t")
    assert [parameter.name for parameter in cell.parameters] == ["W", "U_t", "b_t"]


def test_indented_text_and_windows_line_ends() -> None:
    plain = Cell.parse("i = W @ x\nh' = i\ninit:\n  W = he\n")
    indented = Cell.parse("\n    i = W @ x\r\n    h' = i\r\n    init:\r\n      W = he\r\n    ")
    assert indented.equations == plain.equations
    assert indented.initial == plain.initial


def test_sections_may_stand_anywhere_and_end_with_their_indentation() -> None:
    cell = Cell.parse("given:\n  m: row\ninit:\n  b = 1\nq = W @ x * m\ninit:\n  W = he\nh' = q + b")
    assert [equation.target for equation in cell.equations] == ["q", "h'"]
    assert (cell.initial["W"].kind, cell.initial["b"].arguments) == ("he", (1.0,))


def test_given_inputs() -> None:
    lines = "  a: row\n  s: sequence\n  m: sequence = dropout(0.3)\n  z: row = bernoulli(1 / 8)"
    assert Cell.parse(f"h' = W @ x * a * b_x * s * m * z\ngiven:\n{lines}").givens == (
        Given("a", "row", "supplied", 0.0),
        Given("s", "sequence", "supplied", 0.0),
        Given("m", "sequence", "dropout", 0.3),
        Given("z", "row", "bernoulli", 0.125),
    )


def test_own_functions_are_put_in_place() -> None:
    assert read("leaky(U @ h) + x", before="leaky(z) = max(z, 0.01 * z)\n") == apply(
        "add", apply("max", Product("U", H), apply("mul", Number(0.01), Product("U", H))), X
    )


def test_own_functions_call_each_other_in_any_order_of_lines() -> None:
    text = "twice(a) = shift(a) + a\nshift(a) = a + b\n"
    assert read("twice(x)", before=text) == apply("add", apply("add", X, B), X)


def test_the_names_of_a_function_do_not_catch_the_names_of_the_cell() -> None:
    cell = Cell.parse("first(y, z) = y - z\ny = W @ x\nz = U @ h\nh' = first(z, y)")
    assert cell.equations[-1].expression == apply("sub", Name("z"), Name("y"))


def test_functions_may_hold_products_and_parameters() -> None:
    cell = Cell.parse("seen(z) = tanh(W @ x + U @ z + b)\nc' = seen(c)\nh' = seen(c')")
    assert [parameter.name for parameter in cell.parameters] == ["W", "U", "b"]


def test_constants_are_numbers_in_the_equations() -> None:
    cell = Cell.parse("dt = 1 / 4\nkeep(z) = (1 - dt) * z\nh' = keep(h) + dt * x")
    assert cell.constants == (("dt", 0.25),)
    assert cell.equations[0].expression == apply(
        "add", apply("mul", Number(0.75), H), apply("mul", Number(0.25), X)
    )


def test_names_of_equations_win_over_the_rule_of_parameters() -> None:
    cell = Cell.parse("u = tanh(W @ x)\nW_u = u * u\nh' = u + W_u")
    assert [parameter.name for parameter in cell.parameters] == ["W"]


@pytest.mark.parametrize(
    "name", ["W", "W_i", "W_ix", "W_i_x", "U_hi", "W_hh", "V_2", "P_i2", "R_gate", "W_xgatei", "U_m", "W_cc"]
)
def test_names_of_matrices(name: str) -> None:
    text = f"i = V @ x\ngate = V @ x\nc' = c * m\nh' = {name} @ (i * gate * c')\ngiven:\n  m: row"
    assert name in [parameter.name for parameter in Cell.parse(text).parameters if parameter.kind == "matrix"]


@pytest.mark.parametrize("name", ["b", "b_i", "b_hi", "p_i", "u", "v_2", "w_x", "gain_i", "bias", "bias_hh"])
def test_names_of_vectors(name: str) -> None:
    parameters = Cell.parse(f"i = W @ x\nh' = i * {name}").parameters
    assert parameters[1] == Parameter(name, "vector", "H")


@pytest.mark.parametrize("name", ["W_q", "W_ii", "W_xx", "W_", "W_iq", "Wi", "W2", "A", "b_ixi"])
def test_names_that_the_rule_refuses(name: str) -> None:
    with pytest.raises(ValueError, match=f"unknown name '{name}'"):
        Cell.parse(f"i = V @ x\nh' = {name} @ i")


def test_declared_parameters_take_their_kind_from_prefix_or_use() -> None:
    lines = "  A = he\n  theta = 0.5\n  W_in = xavier\n  b_out = 0"
    cell = Cell.parse(f"h' = A @ x + theta * h + W_in @ x + b_out\ninit:\n{lines}")
    kinds = {parameter.name: parameter.kind for parameter in cell.parameters}
    assert kinds == {"A": "matrix", "theta": "vector", "W_in": "matrix", "b_out": "vector"}


def test_states_stand_with_h_first_and_then_as_written() -> None:
    assert Cell.parse("n' = W @ x\nc' = n' + m\nm' = c'\nh' = m'").states == ("h", "n", "c", "m")


def test_a_matrix_may_multiply_twice() -> None:
    cell = Cell.parse("c' = tanh(W @ x + U @ c)\nq = U @ c'\nh' = q * c'")
    assert [parameter.name for parameter in cell.parameters] == ["W", "U"]


def test_citation_is_the_comment_at_the_head() -> None:
    cell = Cell.parse("\n# Someone 2001, A cell\n#   with a note\n\n# not this\nh' = W @ x # nor this")
    assert cell.citation == "Someone 2001, A cell\nwith a note"
    assert Cell.parse("h' = W @ x").citation == ""
