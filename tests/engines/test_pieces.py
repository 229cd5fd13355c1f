"""Calls on several threads behave as on one."""

from itertools import pairwise
from threading import get_ident

import numpy as np
import pytest

from noria.engines.pieces import spread
from noria.engines.threads import use_threads

LARGE = np.full(3, 1e308)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_call_is_made_once_and_neighbours_on_one_thread(threads: int):
    made: list[tuple[int, int]] = []
    with use_threads(threads):
        spread([lambda number=number: made.append((number, get_ident())) for number in range(7)])
    assert sorted(number for number, _ in made) == list(range(7))
    places = [place for _, place in sorted(made)]
    assert len(set(places)) == threads
    assert sum(a != b for a, b in pairwise(places)) == threads - 1


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_overflow_is_handled_as_the_caller_said(threads: int):
    """Training that diverges has its own words for it, and no warnings."""
    calls = [lambda: LARGE * 10] * 3
    with use_threads(threads):
        with np.errstate(all="ignore"):
            spread(calls)
        with np.errstate(over="raise"), pytest.raises(FloatingPointError):
            spread(calls)
        with pytest.warns(RuntimeWarning, match="overflow"):
            spread(calls)
        said: list[str] = []
        with np.errstate(over="call", call=lambda kind, flag: said.append(kind)):
            spread(calls)
        assert said == ["overflow"] * 3
