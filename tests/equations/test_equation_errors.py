"""Every kind of error, at its place: a text, its culprit between « and », and what must be said about it."""

import subprocess
import sys

import pytest

from noria.equations import Cell
from noria.equations.faults import KINDS
from noria.errors import EquationError

RNN = "h' = tanh(W @ x + U @ h + b)"

CASES = [
    # kind, text with the culprit marked, what is said, what is advised
    ("empty", "«»", "holds no equation", "h' = tanh"),
    ("empty", "«#» only a comment\n", "holds no equation", "h' = tanh"),
    ("syntax", "h' = tanh«(»W @ x", "'(' is never closed", "')'"),
    ("syntax", "i = tanh«(»W @ x\nh' = i", "'(' is never closed", "')'"),
    ("syntax", "h' = tanh «W» @ x", "unexpected 'W'", "an operator"),
    ("syntax", "h_t = tanh(W «x_t»)", "unexpected 'x'", "an operator, ',' or ')'"),
    ("syntax", "h' = W @ x +«»", "ends too early", "a name, a number or '('"),
    ("syntax", "h' = (W @ x +\n      «)»", "unexpected ')'", "a name, a number or '('"),
    ("syntax", "h' = (W @ x«]»", "unexpected ']'", "expected ')'"),
    ("syntax", "h' = W @ x«)»", "')' closes nothing", "no bracket"),
    ("syntax", "h' = W @ x «^» 2", "'^' is not part", "a ** 2"),
    ("syntax", 'h\' = «"»x"', "is not part", "no strings"),
    ("syntax", "h' = x «<» h", "is not part", "no comparisons"),
    ("syntax", "h' = x«\x07»", "U+0007 is not part", ""),
    ("syntax", "h' = 2«x»", "directly behind a number", "2 * x"),
    ("syntax", "h' =«=» x", "unexpected '='", "a name, a number"),
    ("syntax", "h'«»", "ends too early", "'='"),
    ("syntax", "h' = x«,» h", "unexpected ','", "an operator"),
    ("syntax", "«1» = x", "unexpected '1'", "name = expression"),
    ("syntax", "f(«1») = 2\nh' = f(x)", "unexpected '1'", "the name of an argument"),
    ("syntax", "f(«z'») = z'\nh' = f(x)", "a state's new value", "a plain name"),
    ("syntax", f"{RNN}\ninit:\n  b = x «+» 1", "unexpected '+'", "the end of the line"),
    (
        "size",
        "h' = W @ x + " + "(" * 50 + "«(»" + "(" * 9 + "x" + ")" * 60,
        "deeply nested",
        "names of their own",
    ),
    ("size", "«h'» = W @ x" + " + x" * 150, "too long", "names of their own"),
    ("size", f"«{'q' * 81}» = x", "a name is longer", "a short name"),
    ("section", f"«int»:\n  b = 1\n{RNN}", "unknown section 'int:'", "'init'"),
    ("section", f"«init»:\n{RNN}", "the section init: is empty", "further in"),
    ("section", f"{RNN}\n«given»:", "the section given: is empty", "further in"),
    ("section", f"{RNN}\ninit: «b» = 1", "stands alone on its line", "further in"),
    ("section", f"«mask»: row\n{RNN}", "outside the section given:", "below a line given:"),
    ("given", f"given:\n  m: «batch»\n{RNN}", "expected 'sequence' or 'row', got 'batch'", ""),
    ("given", f"given:\n  m: «rwo»\n{RNN}", "expected 'sequence' or 'row'", "'row'"),
    ("given", f"given:\n  m: row = «dropuot»(0.1)\n{RNN}", "expected 'dropout' or 'bernoulli'", "'dropout'"),
    ("given", f"given:\n  m: row = «dropout»(1)\n{RNN}", "one probability in [0, 1)", "dropout(0.1)"),
    ("given", f"given:\n  m: row = «bernoulli»\n{RNN}", "one probability in [0, 1)", "bernoulli(0.1)"),
    ("init", f"{RNN}\ninit:\n  «b_q» = 1", "no parameter or state is called 'b_q'", "W U b h"),
    ("init", "f = sigmoid(W @ x + b_f)\nh' = f\ninit:\n  «b_ff» = 1", "called 'b_ff'", "'b_f'"),
    ("init", f"{RNN}\ninit:\n  «c» = 1", "no parameter or state is called 'c'", "W U b h"),
    ("init", f"{RNN}\ninit:\n  b = 1\n  «b» = 2", "two initial values", "keep one"),
    ("init", f"{RNN}\ninit:\n  U = «orthagonal»", "unknown initialiser", "'orthogonal'"),
    ("init", f"{RNN}\ninit:\n  U = «normal»", "takes 1 number, got 0", "deviation"),
    ("init", f"{RNN}\ninit:\n  U = «identity»(1, 2)", "takes 0 or 1 numbers, got 2", "identity"),
    ("init", f"{RNN}\ninit:\n  U = «uniform»(2, 1)", "wrong numbers", "the lower bound first"),
    ("init", f"{RNN}\ninit:\n  U = «normal»(-1)", "wrong numbers", "at least 0"),
    ("init", f"{RNN}\ninit:\n  b = «chrono»(2)", "wrong numbers", "greater than 2"),
    ("init", f"{RNN}\ninit:\n  b = «orthogonal»", "does not suit 'b', a vector", "a matrix"),
    ("init", f"{RNN}\ninit:\n  U = «chrono»(9)", "does not suit 'U', a matrix", "a vector"),
    ("init", f"{RNN}\ninit:\n  W = «identity»", "a matrix that is not square", "a square matrix"),
    ("init", f"{RNN}\ninit:\n  h = «normal»(1)", "does not suit 'h', a state", ""),
    ("reserved", f"«x» = W @ h\n{RNN}", "'x' is the input", "another name"),
    ("reserved", f"«x'» = W @ h\n{RNN}", "'x' is the input", "another name"),
    ("reserved", f"«tanh» = W @ x\n{RNN}", "'tanh' is a function", "another name"),
    ("reserved", f"«σ» = W @ x\n{RNN}", "'sigmoid' is a function", "another name"),
    ("reserved", f"dt = 1\n«dt» = W @ x\n{RNN}", "'dt' is a constant, first in line 1", "rename"),
    ("reserved", "«add»(a, b) = a + b\nh' = W @ x", "the name of an operator", "another name"),
    ("no_output", "«c'» = tanh(W @ x)", "no line gives h'", "every cell has h'"),
    ("no_output", "q = W @ x\n«h» = tanh(q)", "no line gives h'", "h' = ..."),
    ("no_input", "i = U @ h\n«h'» = tanh(i)", "no line reads x", "W @ x"),
    ("never_written", "h' = tanh(W @ x + «c»)", "'c' is read but never written", "c' = ..."),
    ("never_written", "h' = tanh(W @ x + «c'»)", "'c' is read but never written", "c' = ..."),
    ("never_written", "h_t = tanh(W @ x_t + U @ «c_{t-1}»)", "state 'c' is read but never", "c_t = ..."),
    ("never_written", "f = W @ x\nh' = f * «f'»", "'f' is no state", "write f"),
    ("never_written", "h' = W @ «x'»", "'x' is no state", "write x"),
    ("written_twice", f"{RNN}\n«h'» = x", "'h' is written twice, first in line 1", "keep one"),
    ("defined_twice", "i = W @ x\n«i» = U @ h\nh' = i", "'i' is defined twice, first in line 1", "rename"),
    ("defined_twice", "f(z) = z\n«f» = f(x)\nh' = f", "'f' is defined twice", "rename"),
    ("defined_twice", "f(z, «z») = z\nh' = f(x, x)", "'z' is named twice", ""),
    ("defined_twice", "c = W @ x\n«c'» = c\nh' = c", "is defined, and 'c' in line 1", "c' on the left"),
    ("used_before", "h' = «i»\ni = W @ x", "'i' is used before it is defined, in line 2", "i' = ..."),
    ("used_before", "c' = tanh(«h'»)\nh' = W @ x + c", "'h'' is used before", "old value h"),
    ("used_before", "c = 0.5 * «c» + W @ x\nh' = c", "'c' is used before it is defined", "c' = ..."),
    ("unknown_name", "f = sigmoid(W @ x)\nh' = f * («W_ff» @ x)", "unknown name 'W_ff'", "'W_f'"),
    ("unknown_name", "f = sigmoid(W @ x + «b_ff»)\nh' = f", "unknown name 'b_ff'", "'b_f'"),
    ("unknown_name", "z = W @ x\nh' = «W_zz» @ z", "unknown name 'W_zz'", "'W_z'"),
    ("unknown_name", "gate = W @ x\nh' = tanh(«gaet»)", "unknown name 'gaet'", "'gate'"),
    ("unknown_name", "h' = «foo» @ x", "unknown name 'foo'", "W U V P R"),
    ("unknown_name", "h' = W_in @ x + «W_im» @ x\ninit:\n  W_in = xavier", "unknown name", "'W_in'"),
    ("unknown_function", "h' = «tahn»(W @ x)", "unknown function 'tahn'", "'tanh'"),
    ("unknown_function", "h' = «add»(x, x)", "unknown function 'add'", "a + b"),
    ("unknown_function", "h' = «qqq»(x)", "unknown function 'qqq'", "sigmoid tanh relu"),
    ("function_alone", "h' = x * «tanh»", "'tanh' stands alone", "tanh(...)"),
    ("arity", "h' = «tanh»(W @ x, h)", "takes 1 argument, got 2", "hyperbolic"),
    ("arity", "h' = x * «tanh»()", "takes 1 argument, got 0", "hyperbolic"),
    ("arity", "h' = «max»(W @ x)", "takes 2 or more arguments, got 1", ""),
    ("arity", "h' = «layer_norm»(W @ x, b)", "1 argument (a) or 3 (a, gain, bias), got 2", ""),
    ("arity", "f(y, z) = y * z\nh' = «f»(x)", "'f' takes 2 arguments, got 1", "f(y, z)"),
    ("recursion", "f(z) = «f»(z)\nh' = f(x)", "'f' calls itself", "not itself"),
    ("recursion", "f(z) = g(z)\ng(z) = «f»(z)\nh' = f(x)", "'f' calls itself", "not itself"),
    ("unused", "f(«y», z) = z\nh' = f(x, x)", "'y' of 'f' is never used", ""),
    ("unused", "«f»(z) = z\nh' = W @ x", "the function 'f' is never used", "take the line out"),
    ("unused", "«q» = W @ x\nh' = U @ x", "value 'q' is computed but never used", ""),
    ("unused", f"«q'» = W @ x\n{RNN}", "is computed but never used", ""),
    ("unused", f"«dt» = 1\n{RNN}", "the constant 'dt' is never used", "take the line out"),
    ("unused", f"{RNN}\ngiven:\n  «m»: row", "the given input 'm' is never used", "take the line out"),
    ("number", "q = W @ x\n«h'» = 1 + 2\nc' = q + c", "is a number, not a vector", "dt = 0.1"),
    ("number", "h' = x + U @ «3»", "a number stands where a vector must", "a matrix multiplies a vector"),
    ("number", "h' = U @ [x, «3»]", "a number stands where a vector must", "a matrix multiplies a vector"),
    ("number", "h' = x * layer_norm(«3»)", "a number stands where a vector must", "layer_norm"),
    ("number", "h' = x ** «h»", "the exponent is not a number", "exp(b * log(a))"),
    ("number", "h' = clip(x, «h», 1)", "the bound of clip is not a number", ""),
    ("number", "h' = x «/» 0", "a division by zero", ""),
    ("number", "h' = x * (1 «/» 0)", "have no value", ""),
    ("number", "a = 1000\nh' = x * «exp»(a)", "have no value", ""),
    ("number", "h' = «1e999» * x", "too large", ""),
    ("number", "dt = 0\nh' = x «/» dt", "a division by zero", ""),
    ("matrix_alone", "h' = x * «U»", "the matrix 'U' stands alone", "U @ h"),
    ("matrix_alone", "h' = W @ «U»", "the matrix 'U' stands alone", "U @ h"),
    ("matrix_alone", "h' = A @ x + «A»\ninit:\n  A = xavier", "the matrix 'A' stands alone", "A @ h"),
    ("not_a_matrix", "h' = «b» @ x", "'b' is a vector", "b * ..."),
    ("not_a_matrix", "h' = A + «A» @ x\ninit:\n  A = 1", "'A' is a vector", "A * ..."),
    ("not_a_matrix", "h' = «h» @ x", "'h' is not a matrix", "W U V P R"),
    ("not_a_matrix", "f(M) = «M» @ h + M\nh' = f(x)", "'M' is no matrix", "a vector"),
    ("not_a_matrix", "r = W @ x\nh' = r * U_r «@» h", "left side of '@' is not a matrix", "r * (U @ h)"),
    ("not_a_matrix", "h' = (W + U) «@» x", "left side of '@' is not a matrix", "alone"),
    ("not_a_matrix", "h' = W @ (U @ h) «@» x", "left side of '@' is not a matrix", "alone"),
    ("concatenation", "h' = «[»x, h]", "[...] stands only right of '@'", "W @ [h, x]"),
    ("concatenation", "h' = W @ (x + «[»h])", "[...] stands only right of '@'", "W @ [h, x]"),
    ("sizes", "h' = (W @ x +\n     «W» @ h)", "(H, H) here, (H, D) in line 1", "'h' here and 'x' there"),
    ("sizes", "h' = W @ x + «W» @ [h, x]", "(H, H + D) here, (H, D) in line 1", "'[h, x]' here"),
    ("sizes", "c' = U @ h\nh' = U_2 @ c' + W @ x + «U» @ c", "(H, H_c) here, (H_c, H) in line 1", "'c' here"),
    ("earlier_step", "h' = W @ «x_{t-1}»", "an earlier step is not known", "k' = x"),
    ("earlier_step", "h' = U @ «h_{t-2}» + W @ x", "cannot read 'h_{t-2}'", "h_{t-1}"),
    ("earlier_step", "h' = W @ x + «c''»", "cannot read", "c' for the new value"),
    ("earlier_step", "h' = W @ x + «c_t'»", "cannot read", "c' for the new value"),
    # columns count characters of the text as written, whatever stands before the culprit
    ("unknown_function", "h_t = σ(W · [h_{t−1}, x_t]) ⊙ «tahn»(x_t)", "'tahn'", "'tanh'"),
    ("unknown_function", "c̃ = x\n\th' = (c̃ ⊙\n\t\t«tahn»(x))", "'tahn'", "'tanh'"),
    ("unknown_function", "\ufeffh' = «tahn»(x)", "'tahn'", "'tanh'"),
]


def place_of_mark(text: str) -> tuple[str, int, int, int]:
    """The text without marks; line, column and width of what is marked."""
    before, rest = text.split("«")
    culprit, after = rest.split("»")
    line = before.count("\n") + 1
    column = len(before.removeprefix("\ufeff").rpartition("\n")[2]) + 1
    return before + culprit + after, line, column, max(1, len(culprit))


@pytest.mark.parametrize(
    ("kind", "marked", "problem", "advice"), CASES, ids=[f"{c[0]}-{c[1]!r:.40}" for c in CASES]
)
def test_error_says_what_and_where(kind: str, marked: str, problem: str, advice: str) -> None:
    text, line, column, width = place_of_mark(marked)
    with pytest.raises(EquationError) as caught:
        Cell.parse(text, name="mycell")
    error = caught.value
    said = str(error)
    assert (error.kind, error.line, error.column) == (kind, line, column), said
    first, shown, carets = said.split("\n")
    assert first.startswith(f"mycell, line {line}, column {column}: ")
    assert problem in first
    written = text.removeprefix("\ufeff").split("\n")[line - 1]
    if len(written) <= 110:
        assert shown == f"  {written}".replace("\x07", "\ufffd")
        padding = "".join(
            "\t" if sign == "\t" else "" if sign == "\u0303" else " " for sign in written[: column - 1]
        )
        assert carets.startswith(f"  {padding}{'^' * width}")
    assert carets.count("^") == min(width, 110)
    assert advice in carets
    assert carets.split("^")[-1].strip() or not advice


def test_every_kind_has_a_case() -> None:
    assert {case[0] for case in CASES} == set(KINDS) - {"file"}


def test_a_long_line_is_cut_around_the_culprit() -> None:
    with pytest.raises(EquationError) as caught:
        Cell.parse("h' = W @ x + " + "0 + " * 60 + "tahn(x)" + " + 0" * 30)
    _, shown, carets = str(caught.value).split("\n")
    assert len(shown) <= 112
    at = carets.index("^")
    assert shown[at : at + 4] == "tahn"
    assert caught.value.column == 254


@pytest.mark.parametrize(
    "text",
    [
        "h' = " + "(" * 15_000,
        "h' = " + "-" * 15_000 + "x",
        "h' = " + "x + " * 4_000 + "x",
        "h' = " + "W @ " * 4_000 + "x",
        "h' = " + "x ** " * 3_000 + "2",
        "h' = x" + "'" * 15_000,
        "q" * 15_000 + " = x",
        "h' = x\n" * 2_000,
        "f(z) = z * z * z * z\n"
        + "\n".join(f"f{i + 1}(z) = f{i or ''}(f{i or ''}(z))" for i in range(12))
        + "\nh' = f12(x)",
        "h' = W @ x # " + "long" * 5_000,
    ],
)
def test_hostile_text_is_an_error_and_quick(text: str) -> None:
    with pytest.raises(EquationError):
        Cell.parse(text)


def test_a_suffix_that_can_be_read_in_many_ways_is_quick() -> None:
    text = "a' = x\naa' = a\naaa' = aa\nh' = W_" + "a" * 70 + "q @ aaa"
    with pytest.raises(EquationError, match="unknown name"):
        Cell.parse(text)


def test_what_is_no_text_is_an_equation_error() -> None:
    """In a process of its own, for here the annotations are checked first."""
    code = "from noria.equations import Cell; from pathlib import Path; Cell.parse(Path('my.eq'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.strip().endswith("EquationError: cell: expected the text of a cell, got PosixPath")
