"""Several threads in the native engine: the same results, always the same bits, and nobody left waiting."""

import os
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from threading import Event

import numpy as np
import pytest
from engine_problems import GIVEN, TWO_STAGES, assert_same, evaluate, problem

from child_process import output_of
from noria.engines import workers
from noria.engines.native import sharing
from noria.engines.threads import use_threads

FEW = {"lengths": (6, 5, 5, 1)}
MANY = {"lengths": (5,) * 9 + (4,) * 11 + (2,) * 3 + (1,)}
CELLS = {"lstm": "lstm", "gru": "gru", "slstm": "slstm", "given": GIVEN, "two stages": TWO_STAGES}


@pytest.fixture(autouse=True)
def everything_is_worth_sharing(monkeypatch):
    monkeypatch.setattr(sharing, "WORTH_SHARING", 0)
    monkeypatch.setattr(sharing, "WORTH_MEETING", 0)


def shared(one, threads, monkeypatch, **options):
    """Evaluate with so many threads; see that they really took part."""
    seen = []
    real = workers.run
    with monkeypatch.context() as patch, use_threads(threads):
        patch.setattr(workers, "run", lambda tasks: (seen.append(len(tasks)), real(tasks))[1])
        found = evaluate(one.bound("native"), one, **options)
    assert set(seen) == ({threads} if threads > 1 else set())
    return found


@pytest.mark.parametrize("ids", [False, True], ids=["rows", "ids"])
@pytest.mark.parametrize("lengths", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)
def test_threads_change_nothing(monkeypatch, cell, lengths, ids):
    """Few sequences: threads share columns and meet at barriers. Many: each has sequences of its own."""
    one = problem(cell, D=5, H=37, ids=ids, seed=1, **lengths)
    expected = shared(one, 1, monkeypatch)
    assert_same(shared(one, 2, monkeypatch), expected)
    if cell == "lstm":
        assert_same(shared(one, 3, monkeypatch), expected)
        assert_same(expected, evaluate(one.bound("reference"), one))


@pytest.mark.parametrize("lengths", [(1,), (3,), (2, 1), (1,) * 17], ids=str)
def test_fewer_sequences_or_columns_than_threads(monkeypatch, lengths):
    for H in (3, 37):
        one = problem("lstm", D=5, H=H, lengths=lengths, idle=1)
        assert_same(shared(one, 3, monkeypatch), evaluate(one.bound("reference"), one))


def test_products_wider_than_a_panel_are_shared(monkeypatch):
    for lengths in ((3, 3, 2), (3,) * 40):
        one = problem("gru_reset_after", D=70, H=131, lengths=lengths, spread=0.1)
        assert_same(
            shared(one, 2, monkeypatch, inference=False), evaluate(one.bound("native"), one, inference=False)
        )


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("lengths", [FEW, MANY], ids=["few", "many"])
def test_same_bits_from_run_to_run(monkeypatch, threads, lengths):
    one = problem("lstm", D=5, H=37, **lengths).cast(np.float32)

    def results():
        with use_threads(threads):
            return evaluate(one.bound("native", np.float32), one)

    first = results()
    for _ in range(30):
        for name, array in results().items():
            np.testing.assert_array_equal(array, first[name], err_msg=name)


def test_many_steps_are_many_meetings(monkeypatch):
    """Two barriers are not enough if a thread may overtake the other: 400 steps give it the chance."""
    one = problem("lstm", D=5, H=37, lengths=(400, 300), spread=0.2)
    expected = evaluate(one.bound("native"), one)
    for _ in range(3):
        assert_same(shared(one, 2, monkeypatch), expected)


@pytest.mark.parametrize("lengths", [FEW, MANY], ids=["few", "many"])
def test_many_callers_of_one_kernel(lengths):
    """One of them has the pool; the others go on alone. All are right."""
    ones = [problem("lstm", D=5, H=17, seed=seed, ids=seed % 2 == 1, **lengths) for seed in range(12)]
    expected = [evaluate(one.bound("native"), one) for one in ones]

    def work(one):
        with use_threads(2):
            return [evaluate(one.bound("native"), one) for _ in range(5)]

    with ThreadPoolExecutor(6) as pool:
        for right, found in zip(expected, pool.map(work, ones), strict=True):
            for one in found:
                assert_same(one, right)


def test_a_busy_pool_is_waited_for():
    """Going on alone would give other bits now and then."""
    one = problem("lstm", D=5, H=17, **MANY)
    with use_threads(2):
        expected = evaluate(one.bound("native"), one)
        goes, entered = Event(), Event()
        with ThreadPoolExecutor(2) as pool:
            busy = pool.submit(workers.run, [entered.set, partial(goes.wait, 30)])
            assert entered.wait(30)
            waiting = pool.submit(copy_context().run, evaluate, one.bound("native"), one)
            with pytest.raises(TimeoutError):
                waiting.result(0.1)
            goes.set()
            found = waiting.result(30)
            busy.result(30)
    for name, value in expected.items():
        np.testing.assert_array_equal(found[name], value)


def test_an_error_in_a_worker_reaches_the_caller():
    """And the pool goes on working afterwards, whichever of the tasks failed."""

    def fails():
        raise ZeroDivisionError("in a worker")

    for number in range(3):
        done = []
        tasks = [partial(done.append, task) for task in range(3)]
        tasks[number] = fails
        with pytest.raises(ZeroDivisionError, match="in a worker"):
            workers.run(tasks)
        assert len(done) == 2
    workers.run([lambda: done.append(4), lambda: done.append(5)])
    assert sorted(done[2:]) == [4, 5]


def test_tasks_of_the_pool_run_at_the_same_time():
    first, second = Event(), Event()
    workers.run([lambda: (first.set(), second.wait(10)), lambda: (second.set(), first.wait(10))])
    assert first.is_set()
    assert second.is_set()


FORK = """
import os, sys
import numpy as np
from engine_problems import assert_same, evaluate, problem
from noria.engines.native import sharing
from noria.engines.threads import use_threads
sharing.WORTH_SHARING = sharing.WORTH_MEETING = 0
one = problem("lstm", D=5, H=17, lengths=(5,) * 20)
kernel = one.bound("native")
with use_threads(2):
    before = evaluate(kernel, one)
    child = os.fork()
    found = evaluate(kernel, one)
    assert_same(found, before, 0.0)
    if child == 0:
        print("child is right", flush=True)
        os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
print("parent is right")
"""


def test_a_forked_process_makes_threads_of_its_own():
    if not hasattr(os, "fork"):
        return
    options = ["-W", "ignore::DeprecationWarning"]
    assert output_of(FORK, options=options).split("\n")[:2] == ["child is right", "parent is right"]
