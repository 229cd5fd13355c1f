"""Sizes that follow from the equations, and the initial values that follow from init: and from sizes."""

import pytest

from noria.equations import Cell, Initial, cells


def sizes_of(text: str) -> dict[str, str]:
    return dict(Cell.parse(text).size_of)


def shapes_of(text: str) -> dict[str, tuple[str, ...]]:
    return {p.name: (p.rows, *p.columns) for p in Cell.parse(text).parameters}


def test_a_projection_has_a_cell_state_of_its_own_size() -> None:
    cell = cells.lstm_projected
    assert cell.sizes == ("D", "H", "H_c")
    assert {cell.size_of[name] for name in ("c", "c'", "i", "f", "g", "o", "b_i")} == {"H_c"}
    assert (cell.size_of["x"], cell.size_of["h"], cell.size_of["h'"]) == ("D", "H", "H")
    shapes = {p.name: (p.rows, *p.columns) for p in cell.parameters}
    assert (shapes["W_i"], shapes["U_i"], shapes["P"]) == (("H_c", "D"), ("H_c", "H"), ("H", "H_c"))


def test_input_and_hidden_state_used_element_by_element_have_one_size() -> None:
    cell = Cell.parse("f = sigmoid(W_f @ x + b_f)\nh' = f * h + (1 - f) * x")
    assert cell.sizes == ("H",)
    assert cell.size_of["x"] == "H"
    assert cell.parameters[0].columns == ("H",)


def test_a_state_may_have_the_size_of_the_input() -> None:
    cell = Cell.parse("k' = x\nh' = tanh(W @ x + V @ k)")
    assert cell.sizes == ("D", "H")
    assert cell.size_of["k"] == "D"


def test_concatenations_have_columns_in_parts() -> None:
    shapes = shapes_of("c' = tanh(W @ [h, x, c])\nh' = V @ c'")
    assert shapes == {"W": ("H_c", "H", "D", "H_c"), "V": ("H", "H_c")}


@pytest.mark.parametrize(
    ("text", "free"),
    [
        (
            "q = tanh(V @ x)\nc' = U @ c + q\nh' = P @ q",
            ("H_c",),
        ),  # a state names its class before a value does
        ("q = tanh(V @ x)\nr = U @ q\nh' = P @ r", ("H_q", "H_r")),
        ("h' = W_2 @ W_1 @ x", ("H_W_1",)),
        ("h' = W @ x + P @ V @ b_2", ("H_V", "H_b_2")),
        ("h' = W @ x + V @ a\ngiven:\n  a: row", ("H_a",)),
        ("c' = W @ x\nh' = V @ c'\n", ("H_c",)),
    ],
)
def test_free_sizes_are_named_after_what_is_in_them(text: str, free: tuple[str, ...]) -> None:
    assert Cell.parse(text).sizes == ("D", "H", *free)


def test_sizes_travel_through_every_operation() -> None:
    text = (
        "q = clip(V @ x, -1, 1)\nr = max(q, u_q, -q ** 2)\ns = layer_norm(r, gain_s, bias_s) / 2\nh' = P @ s"
    )
    assert {name: size for name, size in sizes_of(text).items() if size == "H_q"}.keys() == {
        "q",
        "r",
        "s",
        "u_q",
        "gain_s",
        "bias_s",
    }


def test_a_shared_matrix_joins_the_sizes_of_values() -> None:
    assert sizes_of("q = tanh(V @ x)\nr = U @ h\nh' = P @ q + P @ r")["r"] == "H_q"


def initial_of(
    lines: str, name: str, text: str = "f = W_f @ x + U_f @ h + b_f\nh' = f * (U @ h) + b + p_f * h + gain"
) -> Initial:
    return Cell.parse(f"{text}\n{lines}").initial[name]


@pytest.mark.parametrize(
    ("lines", "name", "initial"),
    [
        ("", "W_f", Initial("xavier")),
        ("", "U_f", Initial("orthogonal")),
        ("", "b_f", Initial("zero")),
        ("", "p_f", Initial("zero")),
        ("", "gain", Initial("constant", (1.0,))),
        ("", "h", Initial("zero")),
        ("init:\n  U = he", "U", Initial("he")),
        ("init:\n  U = he", "U_f", Initial("he")),
        ("init:\n  U_f = zero\n  U = he", "U_f", Initial("zero")),
        ("init:\n  U = he\n  U_f = zero", "U_f", Initial("zero")),
        ("init:\n  U_f = zero", "U", Initial("orthogonal")),
        ("init:\n  b = 1", "b_f", Initial("constant", (1.0,))),
        ("init:\n  b_f = -1", "b_f", Initial("constant", (-1.0,))),
        ("init:\n  b_f = (1 + 2) / 2", "b_f", Initial("constant", (1.5,))),
        ("init:\n  b_f = -1", "b", Initial("zero")),
        ("init:\n  h = 0.5", "h", Initial("constant", (0.5,))),
        ("init:\n  U_f = identity", "U_f", Initial("identity")),
        ("init:\n  U_f = identity(0.5)", "U_f", Initial("identity", (0.5,))),
        ("init:\n  W = normal(0.01)", "W_f", Initial("normal", (0.01,))),
        ("init:\n  W = uniform(-0.1, 0.1)", "W_f", Initial("uniform", (-0.1, 0.1))),
        ("init:\n  b_f = chrono(28 * 28)", "b_f", Initial("chrono", (784.0,))),
        ("init:\n  W_f = 0.5", "W_f", Initial("constant", (0.5,))),
    ],
)
def test_initial_values(lines: str, name: str, initial: Initial) -> None:
    assert initial_of(lines, name) == initial


def test_a_pattern_with_the_name_of_a_state_speaks_of_the_state_alone() -> None:
    cell = Cell.parse("u' = W @ x + u_2\nh' = u' + u\ninit:\n  u = 0.5")
    assert (cell.initial["u"], cell.initial["u_2"]) == (Initial("constant", (0.5,)), Initial("zero"))


@pytest.mark.parametrize(
    ("text", "matrix", "kind"),
    [
        ("h' = W @ x * h * x", "W", "xavier"),  # square, but on the input
        ("h' = W @ [h, x]", "W", "xavier"),
        ("q = V @ x\nh' = U @ q", "U", "xavier"),  # not square
        ("q = V @ x * h\nh' = U @ q", "U", "orthogonal"),
        ("h' = x + U_2 @ U_1 @ h", "U_1", "xavier"),  # between free sizes
    ],
)
def test_default_of_a_matrix(text: str, matrix: str, kind: str) -> None:
    assert Cell.parse(text).initial[matrix].kind == kind
