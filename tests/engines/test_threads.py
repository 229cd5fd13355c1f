"""Limits on the threads behind NumPy's products are set inside a block and given back behind it."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

from noria.engines import threads
from noria.engines.threads import blas_threads, one_blas_thread, thread_count, use_threads


def now():
    return {
        library.get_num_threads()
        for library in ThreadpoolController().select(user_api="blas").lib_controllers
    }


@pytest.fixture(autouse=True)
def two_threads(monkeypatch):
    monkeypatch.setattr(threads, "_held", threads._Held())
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


@pytest.fixture
def compiled(monkeypatch):
    monkeypatch.setattr("noria.engines.threads.why_not_native", lambda: "")


@pytest.mark.parametrize("count", [0, 2])
def test_numpys_products_leave_the_cores_to_compiled_ones(compiled, count):
    before = thread_count()
    with use_threads(count):
        assert (thread_count(), now()) == (count or before, {1})
        with use_threads(3):
            assert (thread_count(), now()) == (3, {1})
        assert now() == {1}
    assert now() == {2}


def test_numpys_products_have_the_threads_where_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr("noria.engines.threads.why_not_native", lambda: "there is no LLVM.")
    with blas_threads(1), use_threads(2):
        assert now() == {2}
    with use_threads(0):
        assert now() == {2}


def test_the_last_of_overlapping_blocks_gives_the_limit_back(compiled):
    """The library may not listen to another thread: then the next block of this one does it."""
    began, ended = Event(), Event()

    def other():
        with one_blas_thread():
            began.set()
            ended.wait(20)
        return now()

    with ThreadPoolExecutor(1) as pool:
        with use_threads(0):
            later = pool.submit(other)
            assert began.wait(20)
        assert now() == {1}, "the other block has not ended"
        ended.set()
        assert later.result(20) in ({1}, {2})
    with one_blas_thread():
        assert now() == {1}
    assert now() == {2}


def test_one_thread_is_given_back_after_an_error():
    with pytest.raises(KeyError), one_blas_thread():
        raise KeyError
    assert now() == {2}


def test_a_limit_that_was_set_meanwhile_is_the_one_that_is_given_back(monkeypatch):
    """The library did not take the last one; somebody has set another since."""
    monkeypatch.setattr(threads._held, "found", [7] * len(threads._limits()))
    with one_blas_thread():
        assert now() == {1}
    assert now() == {2}


def test_an_interrupt_at_the_door_holds_nothing(monkeypatch):
    limit = threads._set_limits

    def interrupted(counts):
        limit(counts)
        monkeypatch.setattr(threads, "_set_limits", limit)
        raise KeyboardInterrupt

    monkeypatch.setattr(threads, "_set_limits", interrupted)
    with pytest.raises(KeyboardInterrupt), one_blas_thread():
        pass
    assert not threads._held.blocks
    assert now() == {2}


def test_a_forked_process_keeps_only_its_own_blocks():
    others, own = threads._Block(), threads._Block()
    others.thread = -1
    threads._held.open(others)
    threads._held.open(own)
    threads._after_fork()
    assert set(threads._held.blocks) == {own}
    threads._held.close(own)
    assert now() == {2}
