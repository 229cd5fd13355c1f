"""Printed text reads back as the same tree, with no parentheses to spare."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from noria.equations.draft import Constant, Draft, Equation, Given, Initial, InitialLine, OwnFunction
from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product
from noria.equations.faults import Source
from noria.equations.printer import print_draft, print_expression, print_number
from noria.equations.statements import read


def read_expression(text: str) -> Expression:
    return read(Source("cell", f"h' = {text}")).equations[0].expression


@pytest.mark.parametrize(
    "text",
    [
        "a + b - c",
        "a - (b - c)",
        "a - (b + c)",
        "a * b / c",
        "a / (b * c)",
        "(a + b) * c",
        "-a * b",
        "(-a) * b",
        "a * -b",
        "a * -(b * c)",
        "-(a + b)",
        "--a",
        "a - -b",
        "-2 * a",
        "-(2 * a)",
        "a * -2",
        "(-2) ** a",
        "-(2 ** a)",
        "a ** -2",
        "(a ** 2) ** 3",
        "a ** 2 ** 3",
        "(a * b) ** 2",
        "U @ h * r",
        "r * (U @ h)",
        "U @ (r * h)",
        "U_2 @ U_1 @ h",
        "U @ -h",
        "U @ -(V @ h)",
        "-U @ h",
        "U @ h ** 2",
        "(U @ h) ** 2",
        "U @ (V @ h * r)",
        "W @ [h, x + y]",
        "max(a, b, c + d)",
        "f(a)",
        "0.5 * a + 1e-30 * b",
    ],
)
def test_text_in_shortest_form_prints_as_it_is(text: str) -> None:
    assert print_expression(read_expression(text)) == text


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("((a)) + ((b * c))", "a + b * c"),
        ("(a * b) * c", "a * b * c"),
        ("U @ (V @ h)", "U @ V @ h"),
        ("-(a * b)", "-a * b"),
    ],
)
def test_spare_parentheses_go(text: str, printed: str) -> None:
    assert print_expression(read_expression(text)) == printed


names = st.sampled_from(["a", "b", "h", "h'", "x", "c̃"]).map(Name)
numbers = st.floats(-1e9, 1e9, allow_nan=False).map(Number)


def larger(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    both = st.tuples(inner, inner)
    return st.one_of(
        st.builds(Apply, st.sampled_from(["add", "sub", "mul", "div", "power", "max", "f"]), both),
        st.builds(lambda part: Apply("neg", (part,)), inner),
        st.builds(lambda part: Apply("tanh", (part,)), inner),
        st.builds(Product, st.sampled_from(["W", "U_1"]), inner),
        st.builds(lambda parts: Product("W", Concatenation(parts)), both),
    )


expressions = st.recursive(st.one_of(names, numbers), larger, max_leaves=25)


@settings(max_examples=120)
@given(expressions)
def test_every_expression_reads_back(expression: Expression) -> None:
    text = print_expression(expression)
    # a constant line is read into its value, so that the expression is kept from being one
    again = read_expression(f"x + ({text})")
    assert again == Apply("add", (Name("x"), expression))
    assert print_expression(read_expression(text)) == text


@settings(max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_number_reads_back(value: float) -> None:
    assert float(print_number(value)) == value


def test_a_draft_reads_back() -> None:
    draft = Draft(
        citation="Someone 2001\n\nand more",
        constants=(Constant("dt", 0.05),),
        functions=(OwnFunction("f", (Name("a"), Name("b")), Apply("sub", (Name("a"), Name("b")))),),
        equations=(Equation("i", Name("x")), Equation("h'", Apply("f", (Name("i"), Name("dt"))))),
        givens=(
            Given("m", "sequence", "dropout", 0.3),
            Given("z", "row", "bernoulli", 0.1),
            Given("a", "row"),
        ),
        initials=(
            InitialLine("h", Initial("constant", (-1.0,))),
            InitialLine("W", Initial("uniform", (-1.0, 0.5))),
        ),
    )
    assert print_draft(draft) == (
        "# Someone 2001\n#\n# and more\ndt = 0.05\nf(a, b) = a - b\ni = x\nh' = f(i, dt)\n"
        "given:\n    m: sequence = dropout(0.3)\n    z: row = bernoulli(0.1)\n    a: row\n"
        "init:\n    h = -1\n    W = uniform(-1, 0.5)\n"
    )
    assert read(Source("cell", print_draft(draft))) == draft
