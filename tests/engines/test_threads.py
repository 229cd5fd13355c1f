"""Limits on the threads behind NumPy's products are set inside a block and given back behind it."""

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from noria.engines.threads import blas_threads, thread_count, use_threads


def now():
    return {
        library.get_num_threads()
        for library in ThreadpoolController().select(user_api="blas").lib_controllers
    }


@pytest.fixture(autouse=True)
def two_threads():
    with blas_threads(2):
        if now() != {2}:
            pytest.skip("the library behind NumPy on this machine has one thread, or cannot be limited")
        yield


def test_a_block_has_its_own_limit():
    with blas_threads(1):
        assert now() == {1}
    assert now() == {2}


def test_zero_leaves_the_limit_alone():
    with blas_threads(0):
        assert now() == {2}


def test_the_limit_is_given_back_after_an_error():
    with pytest.raises(KeyError), blas_threads(1):
        raise KeyError
    assert now() == {2}


def test_the_time_loop_runs_on_one_thread(monkeypatch):
    from noria.compiler import compile_cell
    from noria.engines import bind
    from noria.engines.reference.run import ReferenceRun
    from noria.equations import cells

    seen = []
    real = ReferenceRun._forward_step
    monkeypatch.setattr(ReferenceRun, "_forward_step", lambda run, t: (seen.append(now()), real(run, t)))
    kernel = bind(compile_cell(cells.rnn), {"D": 2, "H": 3}, np.float64, "reference")
    run = kernel.start(np.zeros(kernel.size), {"h": np.zeros((1, 3))}, np.array([1, 1]))
    run.forward(np.zeros((2, 2)))
    assert seen == [{1}, {1}]
    assert now() == {2}


def test_numpys_products_leave_the_cores_to_compiled_ones():
    with use_threads(2):
        assert (thread_count(), now()) == (2, {1})
    assert now() == {2}


def test_numpys_products_have_the_threads_where_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr("noria.engines.threads.why_not_native", lambda: "there is no LLVM.")
    with use_threads(1):
        assert now() == {1}
    with use_threads(0):
        assert now() == {2}
