"""What leaves the time loop, what is computed together, what is saved."""

import dataclasses

import pytest

from noria.compiler import compile_cell
from noria.compiler.check import check_program
from noria.compiler.naming import node_names
from noria.compiler.program import AFTER, BEFORE, INPUT, LOOP, Product
from noria.engines import bind
from noria.engines.reference.operations import copy
from noria.equations import Cell, cells
from noria.errors import ProgramError, UnknownNameError

DERIVED = [*cells.names()]


def products(one, phase):
    return [item for item in one.phases[phase] if isinstance(item, Product)]


def named(program, nodes):
    names = node_names(program)
    return {names[node] for node in nodes}


def test_the_lstm_multiplies_its_input_once_before_the_loop_and_its_state_once_a_step():
    program = compile_cell(cells.lstm)
    before, loop = products(program.training, BEFORE), products(program.training, LOOP)
    assert [[block.matrix for block in p.blocks] for p in before] == [["W_i", "W_f", "W_g", "W_o"]]
    assert [[block.matrix for block in p.blocks] for p in loop] == [["U_i", "U_f", "U_g", "U_o"]]
    assert [[b.matrix for b in g.blocks] for g in program.weight_gradients] == [
        ["W_i", "W_f", "W_g", "W_o"],
        ["U_i", "U_f", "U_g", "U_o"],
    ]


def test_the_lstm_saves_its_gates_and_the_squashed_cell_state():
    program = compile_cell(cells.lstm)
    saved = program.saved
    assert named(program, saved) >= {"i", "f", "g", "o"}
    assert sorted(node.op for node in saved) == ["sigmoid"] * 3 + ["tanh"] * 2
    assert program.recomputed == ()


def test_the_gru_computes_cheap_things_again():
    program = compile_cell(cells.gru)
    assert named(program, program.saved) == {"r", "z", "n"}
    assert sorted(node.op for node in program.recomputed) == ["mul", "sub"]


def test_biases_are_added_outside_the_loop():
    program = compile_cell(cells.lstm)
    for item in program.training.phases[LOOP]:
        if not isinstance(item, Product):
            assert all(argument.op != "vector" for argument in item.arguments)


def test_what_the_recurrence_does_not_wait_for_is_behind_the_loop():
    """A light recurrence: all products before the loop, the output gate's work behind it."""
    cell = Cell.parse(
        "f = sigmoid(W_f @ x + b_f)\nc' = f * c + (1 - f) * (W_c @ x)\n"
        "o = sigmoid(W_o @ x)\nh' = P @ (o * tanh(c'))",
        name="light",
    )
    program = compile_cell(cell)
    assert not products(program.training, LOOP)
    assert {item.op for item in program.training.phases[LOOP]} <= {"mul", "add"}
    assert [p.blocks[0].matrix for p in products(program.training, AFTER)] == ["P"]
    back = program.backward.phases
    assert any(node.op == "product_t" for node in back[BEFORE])  # through P, at once for all rows
    assert all(node.op != "product_t" for node in back[LOOP])


def test_the_gradient_of_the_input_is_computed_only_where_it_is_wanted():
    program = compile_cell(cells.gru)
    assert [node.op for node in program.backward.phases[INPUT]] == ["product_t"]


@pytest.mark.parametrize("name", DERIVED)
def test_no_shipped_cell_copies_its_gates_to_multiply_them(name):
    """Gates and their gradients lie side by side, so that grouped products read and write them in place."""
    kernel = bind(compile_cell(cells[name]), {"D": 4, "H": 7}, engine="reference")
    copies = sum(function is copy for calls in kernel.plans[True].code.values() for function, *_ in calls)
    passes = (kernel.program.training, kernel.program.backward)
    assert copies == sum(node.op == "copy" for one in passes for node in one.nodes())


@pytest.mark.parametrize("name", DERIVED)
def test_grouped_matrices_are_one_piece_of_the_parameters(name):
    import numpy as np

    kernel = bind(compile_cell(cells[name]), {"D": 4, "H": 7}, engine="reference")
    theta = np.zeros(kernel.size, np.float32)
    for stack in kernel.plans[True].stacks.values():
        matrix, is_view = kernel.stacked(theta, stack)
        assert is_view
        assert np.shares_memory(matrix, theta)


def test_kept_values_are_listed_and_unknown_ones_are_named():
    program = compile_cell(cells.lstm, ("i", "c", "a_f", "d_c"))
    assert list(program.kept) == ["i", "c", "a_f", "d_c"]
    with pytest.raises(UnknownNameError, match="lstm: cannot keep 'q'"):
        compile_cell(cells.lstm, ("q",))


def test_the_printed_program_names_every_phase():
    text = str(compile_cell(cells.gru))
    for line in (
        "before the loop, over all rows",
        "in the loop, step by step",
        "d_n = ",
        "computed again rather than saved",
    ):
        assert line in text


# A program that is not legal is refused
# -----------------------------------------------------------------------------------------------


def with_phases(program, **phases):
    broken = dataclasses.replace(program.training, phases={**program.training.phases, **phases})
    return dataclasses.replace(program, training=broken)


def test_reading_before_computing_is_refused():
    program = compile_cell(cells.lstm)
    loop = program.training.phases[LOOP]
    with pytest.raises(ProgramError, match="before it is computed"):
        check_program(with_phases(program, loop=loop[::-1]))


def test_computing_twice_is_refused():
    program = compile_cell(cells.lstm)
    loop = program.training.phases[LOOP]
    with pytest.raises(ProgramError, match="computed twice"):
        check_program(with_phases(program, loop=(*loop, loop[-1])))


def test_a_state_that_is_never_computed_is_refused():
    program = compile_cell(cells.lstm)
    loop = program.training.phases[LOOP]
    with pytest.raises(ProgramError, match="state 'h' is never computed"):
        check_program(with_phases(program, loop=loop[:-1]))


def test_a_value_that_the_backward_needs_and_nobody_stores_is_refused():
    program = compile_cell(cells.lstm)
    forgetful = dataclasses.replace(program.training, rows=frozenset(program.forward.new.values()))
    with pytest.raises(ProgramError, match="does not store"):
        check_program(dataclasses.replace(program, training=forgetful))


def test_a_parameter_without_gradient_is_refused():
    program = compile_cell(cells.lstm)
    with pytest.raises(ProgramError, match="no gradient reaches"):
        check_program(dataclasses.replace(program, weight_gradients=program.weight_gradients[1:]))
