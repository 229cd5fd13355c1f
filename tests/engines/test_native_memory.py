"""The native engine reads and writes its own memory only.

Around everything it is handed, and between its own buffers, lies a pattern that reads as NaN: who writes
there changes the pattern, who reads there and uses it shows a NaN. Its own buffers begin as NaN, as fresh
memory may.
"""

import gc
import sys
import weakref
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from engine_problems import GIVEN, JOINED, TWO_STAGES, assert_same, evaluate, problem
from test_native_stepwise import steps

from child_process import output_of
from noria.engines.native import frame, sharing
from noria.engines.native import kernel as native_kernel
from noria.engines.native import run as native_run
from noria.engines.native.workspace import Workspace
from noria.engines.threads import use_threads
from noria.layers import FlatParameters, Recurrent
from noria.sequences import Ragged

GUARD = 192
"""Numbers on each side: some vectors, and a whole number of cache lines."""

PATTERN = {np.dtype(np.float32): 0x7FC0BEEF, np.dtype(np.float64): 0x7FF8DEADBEEFCAFE}


def patterned(count, dtype):
    """Give memory on a cache line that is full of the pattern."""
    dtype = np.dtype(dtype)
    if dtype.kind == "i":
        memory = np.full(count, 2, dtype)  # an id that exists, should anybody read one too many
    else:
        memory = np.full(count, PATTERN[dtype], f"u{dtype.itemsize}").view(dtype)
    return memory


class Guarded:
    """Hands out arrays with guards on both sides, and looks after the guards."""

    def __init__(self):
        self.zones = []

    def empty(self, shape, dtype, *, shift=0):
        shape = (shape,) if isinstance(shape, int) else shape
        count = int(np.prod(shape))
        memory = patterned(count + 3 * GUARD, dtype)
        start = GUARD + (-memory.ctypes.data % 64) // memory.itemsize + shift
        self.zones += [memory[:start], memory[start + count :]]
        return memory[start : start + count].reshape(shape)

    def copy(self, value, shift=0):
        """Copy an array, or a dictionary of arrays; ``shift`` numbers off a cache line."""
        if isinstance(value, dict):
            return {name: self.copy(array, shift) for name, array in value.items()}
        array = self.empty(value.shape, value.dtype, shift=shift)
        array[...] = value
        return array

    def check(self):
        assert len(self.zones) > 1
        for zone in self.zones:
            assert zone.size
            if zone.dtype.kind == "i":
                assert (zone == 2).all()
            else:
                np.testing.assert_array_equal(zone.view(f"u{zone.itemsize}"), PATTERN[zone.dtype])


@pytest.fixture
def guarded(monkeypatch):
    """Guards in workspaces, around outputs and around whatever tests copy with them."""
    here = Guarded()

    class WithGuards(Workspace):
        guard = GUARD

        def __init__(self, *arguments):
            super().__init__(*arguments)
            memory = self.memory
            memory.view(f"u{memory.itemsize}")[...] = PATTERN[memory.dtype]
            own = np.zeros(memory.size, bool)
            for name, array in self.arrays.items():
                start = (array.ctypes.data - memory.ctypes.data) // memory.itemsize
                assert not own[start : start + array.size].any(), f"{name} overlaps with another buffer"
                own[start : start + array.size] = True
            ends = [0, *(np.flatnonzero(np.diff(own)) + 1), memory.size]
            pieces = [memory[low:high] for low, high in pairwise(ends)]
            free = pieces[int(own[0]) :: 2]
            assert len(free) > len([array for array in self.arrays.values() if array.size])
            here.zones += free

    monkeypatch.setattr(native_kernel, "Workspace", WithGuards)
    monkeypatch.setattr(frame, "recycled", here.empty)
    monkeypatch.setattr(native_run, "recycled", here.empty)
    monkeypatch.setattr(sharing, "WORTH_SHARING", 0)
    monkeypatch.setattr(sharing, "WORTH_MEETING", 0)
    return here


CASES = {
    "equal lengths": {"lengths": (3, 3, 3)},
    "ragged": {"lengths": (5, 4, 4, 1), "idle": 1},
    "many rows": {"lengths": (2,) * 41},
}
CELLS = {
    "lstm": "lstm",
    "projected": "lstm_projected",
    "given": GIVEN,
    "joined": JOINED,
    "two stages": TWO_STAGES,
}


def fresh(one, dtype):
    """Bind anew: a kernel of another test may have workspaces without guards."""
    native = native_kernel.NativeKernel
    bound = one.bound("native", dtype)
    return native(bound.program, bound.sizes, np.dtype(dtype))


def guarded_problem(one, guarded, shift):
    names = ("theta", "x", "states", "given", "d_h", "d_finals")
    return replace(one, **{name: guarded.copy(getattr(one, name), shift) for name in names})


def guarded_evaluation(kernel, one, guarded):
    """As ``evaluate``, into memory with guards."""
    run = one.run(kernel)
    found = {"h": run.forward(one.x).copy()}
    found["d_theta"] = guarded.copy(np.zeros_like(one.theta), 1)
    d_x = run.backward(one.d_h, one.d_finals, found["d_theta"])
    found |= {} if d_x is None else {"d_x": np.array(d_x)}
    found |= {f"final {name}": array for name, array in run.finals.items()}
    found |= {f"d_{name}": array for name, array in run.d_states.items()}
    run.release()
    run = one.run(kernel, save=False)
    found["h of inference"] = run.forward(one.x).copy()
    run.release()
    return found


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_nothing_outside_is_touched_or_used(guarded, cell, dtype, ids):
    kernel = None
    for case in CASES.values():
        one = problem(cell, D=5, H=19, ids=ids, **case).cast(dtype)
        kernel = kernel or fresh(one, dtype)
        expected = evaluate(one.bound("reference", dtype), one)
        for threads in (1, 2):
            with use_threads(threads):
                found = guarded_evaluation(kernel, guarded_problem(one, guarded, threads - 1), guarded)
            guarded.check()
            tolerance = 1e-12 if dtype == np.float64 else 1e-4
            assert_same(found, {name: expected[name] for name in found}, tolerance)


@pytest.mark.parametrize("size", [1, 8, 16, 17, 64])
def test_sizes(guarded, size):
    for D, H in ((size, 7), (7, size)):
        one = problem("gru", D=D, H=H, lengths=(4, 2, 2))
        expected = evaluate(one.bound("reference"), one)
        found = guarded_evaluation(fresh(one, np.float64), guarded_problem(one, guarded, 1), guarded)
        guarded.check()
        assert_same(found, {name: expected[name] for name in found})


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("cell", ["lstm", GIVEN, TWO_STAGES], ids=["lstm", "given", "two stages"])
def test_stepwise_touches_nothing_outside(guarded, cell, ids):
    one = problem(cell, D=5, H=9, lengths=(70, 40, 40), ids=ids, spread=0.3)
    expected = evaluate(one.bound("reference"), one)
    kernel = fresh(one, np.float64)
    for save in (True, False):
        found = steps(kernel, guarded_problem(one, guarded, 0), save=save)
        guarded.check()
        assert_same(found, {name: expected[name] for name in found})


def test_the_guards_see_a_write(guarded):
    """The test of the tests."""
    one = problem("gru", D=5, H=9)
    kernel = fresh(one, np.float64)
    copy = guarded_problem(one, guarded, 0)
    run = copy.run(kernel)
    run.forward(copy.x)
    guarded.check()
    run.workspace.memory[GUARD // 2] = 1.0
    with pytest.raises(AssertionError):
        guarded.check()


# A page that nobody may read lies behind every array, then one before it: to touch it ends the process.
PAGES = """
import ctypes, mmap, sys
from dataclasses import replace
import numpy as np
from engine_problems import assert_same, evaluate, problem
libc = ctypes.CDLL(None, use_errno=True)
libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
PAGE, kept = mmap.PAGESIZE, []

def fenced(value, side):
    if isinstance(value, dict):
        return {name: fenced(array, side) for name, array in value.items()}
    size = -(-value.nbytes // PAGE) * PAGE
    room = mmap.mmap(-1, size + 2 * PAGE)
    kept.append(room)
    bytes_ = np.frombuffer(room, np.uint8)
    for place in (0, PAGE + size):
        assert libc.mprotect(bytes_.ctypes.data + place, PAGE, 0) == 0
    start = PAGE if side == "before" else PAGE + size - value.nbytes
    array = bytes_[start : start + value.nbytes].view(value.dtype).reshape(value.shape)
    array[...] = value
    return array

dtype = np.dtype(sys.argv[1])
for cell, D, H, lengths, ids in (
    ("lstm", 5, 19, (3, 2, 2), False),
    ("lstm", 5, 19, (3, 3, 3), True),
    ("gru", 17, 16, (2,) * 23, False),
    ("gru", 1, 1, (2, 1), False),
    ("lstm_projected", 33, 8, (4, 1), False),
):
    one = problem(cell, D=D, H=H, lengths=lengths, ids=ids).cast(dtype)
    kernel = one.bound("native", dtype)
    expected = evaluate(kernel, one)
    for side in ("before", "behind"):
        names = ("theta", "x", "states", "given", "d_h", "d_finals")
        other = replace(one, **{name: fenced(getattr(one, name), side) for name in names})
        run = other.run(kernel)
        h = run.forward(other.x)
        d_theta = fenced(np.zeros_like(one.theta), side)
        run.backward(other.d_h, other.d_finals, d_theta)
        inference = other.run(kernel, save=False).forward(other.x)
        assert_same(
            {"h": h, "d_theta": d_theta, "h of inference": inference},
            {name: expected[name] for name in ("h", "d_theta", "h of inference")},
            0.0,
        )
print("nobody went too far")
"""


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nothing_is_read_behind_or_before_what_is_handed_in(dtype):
    if sys.platform == "win32":
        return
    assert output_of(PAGES, dtype) == "nobody went too far\n"


def test_a_model_that_is_gone_leaves_none_of_its_memory_behind():
    layer = Recurrent("gru", 7, input_size=5)
    flat = FlatParameters.build([layer], np.random.default_rng(0), np.float64)
    x = Ragged.from_sequences([np.ones((4, 5)), np.ones((2, 5))])
    for _ in range(2):
        _, backward = layer(x)
        backward(np.ones((6, 7)))
    values, gradients = weakref.ref(flat.values), weakref.ref(flat.gradients)
    del layer, flat, backward
    gc.collect()
    assert values() is None
    assert gradients() is None


def test_weights_that_take_the_place_of_others_are_found():
    layer = Recurrent("gru", 7, input_size=5)
    x, outputs = Ragged.from_sequences([np.ones((4, 5))]), []
    for seed in (0, 1, 0):
        FlatParameters.build([layer], np.random.default_rng(seed), np.float64)
        outputs.append(layer(x)[0].rows.copy())
    assert np.array_equal(outputs[0], outputs[2])
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01
