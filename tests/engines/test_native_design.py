"""The memory of a kernel: what needs a place has one of its own, and is found there."""

from itertools import pairwise

import numpy as np
import pytest
from engine_problems import GIVEN, JOINED, TWO_STAGES, assert_engines_agree, problem

from noria.compiler import compile_cell
from noria.compiler.graph import PRODUCTS
from noria.engines.native.buffers import Buffers
from noria.engines.native.code import Numbers
from noria.engines.native.design import Design
from noria.engines.native.places import CHUNK
from noria.equations import Cell, cells, layer_normalised

NUMBERS = Numbers(np.dtype(np.float32))

CELLS = {
    "operands apart": """
a  = tanh(U_a @ h + V_a @ c)
b  = tanh(U_b @ h)
g  = tanh(U_g @ h + V_g @ c + W @ x)
c' = a * c + g
h' = b * tanh(c')
""",
    "copied to the step before": """
given:
    m: row
s' = tanh(W @ x)
c' = tanh(W_c @ x)
h' = 0.5 * (c + m * (V @ s))
""",
    "concatenated crosswise": """
a  = tanh(W_a @ [h, c] + U_a @ x)
b  = tanh(W_b @ [c, h] + U_b @ x)
c' = a * b
h' = tanh(c' + a)
""",
}


def design_of(cell, H=11, *, keep=(), saves=True, symbols=False):
    sizes = {symbol: {"D": 5, "H": H}.get(symbol, H + 2) for symbol in cell.sizes}
    return Design(compile_cell(cell, keep), sizes, NUMBERS, saves=saves, symbols=symbols)


def every_cell():
    shipped = [cells[name] for name in cells]
    return [*shipped, *map(layer_normalised, shipped), GIVEN, JOINED, TWO_STAGES]


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("text", CELLS.values(), ids=CELLS)
def test_values_that_are_hard_to_place(text, ids):
    assert_engines_agree(problem(Cell.parse(text, name="hard"), D=5, H=11, ids=ids))


@pytest.mark.parametrize("symbols", [False, True], ids=["rows", "ids"])
def test_no_two_values_share_columns(symbols):
    shared = 0
    for cell in every_cell():
        design = design_of(cell, symbols=symbols and cell is not JOINED)
        for one in (design.forward, design.backward):
            spans = {}
            for node, places in one.places.items():
                for place in places:
                    if place.buffer != "block":  # the next stage writes over it
                        end = place.column + design.buffers.width(node.size)
                        assert end <= design.buffers[place.buffer].width
                        spans.setdefault((place.buffer, place.index), []).append((place.column, end))
            for taken in spans.values():
                shared += len(taken) > 1
                assert all(before[1] <= after[0] for before, after in pairwise(sorted(taken)))
    assert shared > 100


def test_whole_vectors_begin_at_whole_vectors():
    for cell in every_cell():
        design = design_of(cell)
        for one in (design.forward, design.backward):
            for node, places in one.places.items():
                if node.size != "1":
                    assert all(place.column % NUMBERS.lanes == 0 for place in places)


def test_inputs_are_padded_where_arithmetic_reads_them():
    assert design_of(JOINED).buffers["x"].width == NUMBERS.padded(11)
    assert design_of(cells["lstm"]).buffers["x"].width == 5
    assert design_of(GIVEN).buffers["given mask"].width == NUMBERS.padded(11)


def test_only_what_lies_side_by_side_is_masked():
    design = design_of(cells["lstm"])
    assert len(design.backward.masked) == 4
    assert not design.forward.masked
    for node in design.backward.masked:
        assert any(place.buffer.startswith("chain") for place in design.backward.places[node])
    assert not design_of(cells["lstm"], H=16).backward.masked  # nothing is padded


def test_what_an_lstm_keeps():
    """Four gates, tanh(c') and the states; the rest stays in registers, and nothing is kept twice."""
    design = design_of(cells["lstm"])
    buffers = {name for name, buffer in design.buffers.items() if buffer.rows in ("N", "B+N")}
    assert buffers == {"rows forward", "state c"}
    assert design.buffers["rows forward"].width == 5 * NUMBERS.padded(11)
    kept = [node for node in design.forward.places if node.op not in PRODUCTS]
    assert len(kept) == 7
    assert len(design.outers) == 2  # the four gates of W as one, those of U as one
    assert [outer.matrices for outer in design.outers] == [4, 4]


def test_gradients_of_vectors_have_a_column_each():
    design = design_of(cells["lstm"])
    assert [start // NUMBERS.padded(11) for _, start in design.sums] == [0, 1, 2, 3]
    assert sorted(start for starts in design.backward.sinks.values() for start in starts) == [
        start for _, start in design.sums
    ]


def test_what_was_asked_for_outlives_its_chunk():
    cell = cells["gru"]
    plain = compile_cell(cell)
    names = tuple(name for name in plain.forward.values if not name.endswith("'"))
    design = design_of(cell, keep=(*names, *(f"d_{name}" for name in names)))
    for name, node in design.program.kept.items():
        assert design.kept_place(node).index != CHUNK, name


def test_fingerprint_tells_designs_apart():
    lstm = cells["lstm"]
    designs = [
        design_of(lstm),
        design_of(lstm, H=12),
        design_of(lstm, saves=False),
        design_of(lstm, symbols=True),
        design_of(lstm, keep=("d_i",)),
        design_of(cells["gru"]),
    ]
    assert len({design.fingerprint() for design in designs}) == len(designs)
    assert design_of(lstm).fingerprint() == designs[0].fingerprint()


def test_columns_come_one_behind_the_other():
    buffers = Buffers({"H": 3}, NUMBERS)
    first = buffers.columns("shared", "N", 5, "row")
    second = buffers.columns("shared", "N", 7, "row")
    assert (first.column, second.column, buffers["shared"].width) == (0, 5, 12)
    buffers.widen("block", "parts", 9)
    buffers.widen("block", "parts", 4)
    assert buffers["block"].width == 9
    assert (buffers.width("1"), buffers.vectors("1"), buffers.width("H")) == (1, NUMBERS.lanes, NUMBERS.lanes)
