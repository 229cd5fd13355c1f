"""The cell as a value, the cells that ship, and files of cells."""

import copy
import math
from pathlib import Path

import numpy as np
import pytest

from noria.equations import Cell, Initial, cells
from noria.equations.printer import print_draft
from noria.errors import EquationError, OptionError, UnknownNameError

NUMBERS = {"D": 5, "H": 8, "H_c": 11, "H_z": 11}

# name: states, parameters at D=5, H=8 and free sizes 11
SHIPPED = {
    "rnn": ("h", 40 + 64 + 8),
    "rnn_relu": ("h", 40 + 64 + 8),
    "irnn": ("h", 40 + 64 + 8),
    "indrnn": ("h", 40 + 8 + 8),
    "lstm": ("h c", 4 * (40 + 64 + 8)),
    "lstm_peephole": ("h c", 4 * (40 + 64 + 8) + 3 * 8),
    "lstm_coupled": ("h c", 3 * (40 + 64 + 8)),
    "lstm_mogrified": ("h c", 4 * (40 + 64 + 8) + 40 + 8),
    "lstm_projected": ("h c", 4 * (55 + 88 + 11) + 88),
    "gru": ("h", 3 * (40 + 64 + 8)),
    "gru_reset_after": ("h", 3 * (40 + 64 + 8) + 8),
    "mgu": ("h", 2 * (40 + 64 + 8)),
    "janet": ("h", 2 * (40 + 64 + 8)),
    "lem": ("h z", 2 * (55 + 88 + 11) + (40 + 64 + 8) + (40 + 88 + 8)),
    "cornn": ("h z", 40 + 64 + 64 + 8),
    "slstm": ("h m c n", 4 * (40 + 64 + 8)),
}


def test_all_these_cells_ship() -> None:
    assert cells.names() == tuple(sorted(SHIPPED))
    assert (list(cells), len(cells), "lstm" in cells, "lsmt" in cells) == (
        sorted(SHIPPED),
        len(SHIPPED),
        True,
        False,
    )


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_cell(name: str) -> None:
    cell = cells[name]
    states, count = SHIPPED[name]
    assert cell.name == name
    assert " ".join(cell.states) == states
    assert sum(math.prod(parameter.shape(NUMBERS)) for parameter in cell.parameters) == count
    assert set(cell.initial) == {*cell.states, *(parameter.name for parameter in cell.parameters)}
    assert any(year in cell.citation for year in ("1990", "1997", "20"))
    assert all(len(line) <= 150 for line in cell.text.splitlines())


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_cell_reads_back_from_its_print(name: str) -> None:
    cell = cells[name]
    again = Cell.parse(print_draft(cell.draft), name=name)
    assert again.draft == cell.draft
    assert (again.equations, again.parameters, again.initial) == (
        cell.equations,
        cell.parameters,
        cell.initial,
    )


def test_lstm_parameter_table() -> None:
    table = [(p.name, p.kind, p.rows, p.columns) for p in cells.lstm.parameters]
    assert table == [
        row
        for gate in "ifgo"
        for row in (
            (f"W_{gate}", "matrix", "H", ("D",)),
            (f"U_{gate}", "matrix", "H", ("H",)),
            (f"b_{gate}", "vector", "H", ()),
        )
    ]
    assert cells.lstm.initial["b_f"] == Initial("constant", (1.0,))
    assert cells.lstm.initial["b_i"] == Initial("zero")
    assert cells.lstm.initial["c"] == Initial("zero")


@pytest.mark.parametrize(
    ("cell", "name", "initial"),
    [
        ("irnn", "U", Initial("identity")),
        ("irnn", "W", Initial("normal", (0.001,))),
        ("indrnn", "u", Initial("uniform", (0.0, 1.0))),
        ("janet", "b_s", Initial("chrono", (100.0,))),
        ("lstm_peephole", "p_o", Initial("zero")),
        ("lstm_projected", "P", Initial("xavier")),
        ("gru", "U_n", Initial("orthogonal")),
        ("gru", "W_n", Initial("xavier")),
        ("slstm", "m", Initial("constant", (-100.0,))),
    ],
)
def test_shipped_initial_values(cell: str, name: str, initial: Initial) -> None:
    assert cells[cell].initial[name] == initial


def test_cells_are_chosen_by_name_path_and_value(tmp_path: Path) -> None:
    path = tmp_path / "mine.eq"
    path.write_text("h' = σ(W @ x)", encoding="utf-8")
    mine = cells.get(path)
    assert (mine.name, mine.equations) == ("mine", Cell.parse("h' = sigmoid(W @ x)").equations)
    assert cells.get(str(path)) == mine
    assert cells.get(mine) is mine
    assert cells.get("lstm") == cells["lstm"] == cells.lstm
    assert Cell.load(str(path)) == mine


def test_a_name_that_does_not_exist_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"There is no cell 'ltsm'\. Did you mean lstm"):
        cells.get("ltsm")
    with pytest.raises(KeyError, match=r"Shipped cells: cornn, gru"):
        cells["transformer"]
    with pytest.raises(AttributeError, match="Did you mean gru"):
        _ = cells.grru
    assert not hasattr(cells, "_repr_html_")


def test_a_missing_file_names_the_nearest_cell(tmp_path: Path) -> None:
    with pytest.raises(EquationError, match=r"no such file\n.*Did you mean lstm") as caught:
        Cell.load(tmp_path / "ltsm")
    assert (caught.value.kind, caught.value.line, caught.value.column) == ("file", 0, 0)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x7fELF\0\0", "this is a binary file"),
        ("# Müller\nh' = W @ x".encode("latin-1"), "not UTF-8: byte 0xFC in line 1"),
        (b"# fine\nh' = W @ x # \xff", "not UTF-8: byte 0xFF in line 2"),
    ],
)
def test_files_that_are_not_text(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "bad.eq"
    path.write_bytes(data)
    with pytest.raises(EquationError, match=said) as caught:
        Cell.load(path)
    assert caught.value.kind == "file"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    with pytest.raises(EquationError, match="this is a folder"):
        Cell.load(tmp_path)


def test_a_file_with_a_byte_order_mark_and_a_huge_file(tmp_path: Path) -> None:
    path = tmp_path / "mark.eq"
    path.write_bytes(b"\xef\xbb\xbfh' = W @ x")
    assert Cell.load(path).text == "h' = W @ x"
    assert Cell.parse("\ufeffh' = W @ x").equations == Cell.load(path).equations
    path.write_text("# long\n" * 500_000, encoding="utf-8")
    with pytest.raises(EquationError, match="mark, line 1, column 1: the text is longer than"):
        Cell.load(path)


def test_cells_are_values() -> None:
    one, two = Cell.parse("h' = W @ x", name="a"), Cell.parse("h' = W @ x", name="a")
    assert one == two
    assert hash(one) == hash(two)
    assert one != Cell.parse("h' = W @ x", name="b")
    assert one != Cell.parse("h' = V @ x", name="a")
    assert len({one, two}) == 1
    assert copy.deepcopy(one) == one
    assert Cell.parse(one.text, name=one.name) == one
    assert str(one) == "h' = W @ x"
    assert repr(cells.lstm) == "<Cell lstm: states h, c; 12 parameters>"
    with pytest.raises(AttributeError):
        one.name = "c"  # type: ignore[misc]
    with pytest.raises(TypeError):
        one.initial["W"] = Initial("zero")  # type: ignore[index]


def test_with_constants_changes_text_and_meaning() -> None:
    cell = Cell.parse("# head\ndt = (1 /\n   10)  # step\neps=2\nh' = h + dt * (W @ x) * eps", name="euler")
    changed = cell.with_constants(eps=-3, dt=0.25)
    assert changed.text == "# head\ndt = 0.25  # step\neps=-3\nh' = h + dt * (W @ x) * eps"
    assert changed.constants == (("dt", 0.25), ("eps", -3.0))
    assert changed.equations == Cell.parse(changed.text).equations != cell.equations
    assert changed.name == "euler"
    assert cell.with_constants() is cell
    assert cells.cornn.with_constants(dt=np.float64(0.5)).constants[0] == ("dt", 0.5)


def test_with_constants_refuses() -> None:
    with pytest.raises(
        UnknownNameError, match=r"Cell 'cornn' has no constant 'gama'; did you mean 'gamma'\?"
    ):
        cells.cornn.with_constants(gama=1.0)
    with pytest.raises(UnknownNameError, match="its constants are none"):
        cells.lstm.with_constants(dt=1.0)
    with pytest.raises(
        OptionError, match=r"constant 'dt' of cell 'cornn' must be a finite number\. Got nan\."
    ):
        cells.cornn.with_constants(dt=math.nan)


def test_with_text_keeps_the_name() -> None:
    assert cells.lstm.with_text("h' = W @ x").name == "lstm"


def test_line_ends_and_byte_order_marks_make_no_other_cell():
    """A text goes through files of any system and through TOML, and stays the same cell."""
    plain = "i = W @ x\nh' = tanh(i)\n"
    for written in (plain.replace("\n", "\r\n"), plain.replace("\n", "\r"), "\ufeff" + plain):
        assert Cell.parse(written, name="own") == Cell.parse(plain, name="own")
