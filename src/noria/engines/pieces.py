"""Long arrays are worked on in pieces, on several threads where there are some to spare."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np

from noria.engines import workers
from noria.engines.threads import thread_count

Call = Callable[[], object]


def split(count: int, parts: int) -> list[slice]:
    """Cut ``count`` things into that many parts of nearly one length; empty ones are left out."""
    bounds = [count * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if start < stop]


def spread(calls: Sequence[Call]) -> None:
    """Make calls that do not depend on each other, neighbouring ones on one thread.

    As long as the calls themselves do not depend on the number of threads, nor does the outcome. What NumPy
    does about overflow and the like is as in the caller's thread; other context they do not see, and the pool
    is taken.
    """
    handling = {**np.geterr(), "call": np.geterrcall()}
    together([partial(_in_turn, calls[share], handling) for share in split(len(calls), thread_count())])


def together(calls: Sequence[Call]) -> None:
    """Make calls at the same time, each on a thread of its own, the first of them here.

    What they do besides running compiled code, ours or NumPy's on long arrays, is better done beforehand:
    Python runs one thread at a time.
    """
    if len(calls) > 1:
        workers.run(calls)
    else:
        for call in calls:
            call()


def _in_turn(calls: Sequence[Call], handling: Mapping[str, Any]) -> None:
    with np.errstate(**handling):
        for call in calls:
            call()
