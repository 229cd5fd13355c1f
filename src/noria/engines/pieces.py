"""Long arrays are worked on in pieces, on several threads where there are some to spare."""

from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from noria.engines import workers
from noria.engines.threads import thread_count


def split(count: int, parts: int) -> list[slice]:
    """Cut ``count`` things into that many parts of nearly one length; empty ones are left out."""
    bounds = [count * part // parts for part in range(parts + 1)]
    return [slice(start, stop) for start, stop in pairwise(bounds) if start < stop]


def each(parts: Sequence[slice], task: Callable[[slice], None]) -> None:
    """Do a task for every part, which must not depend on each other.

    Threads get neighbouring parts. As long as the parts themselves do not depend on the number of threads,
    nor does the outcome.
    """
    shares = split(len(parts), thread_count())
    if len(shares) < 2:
        _one_by_one(task, parts)
    else:
        workers.run([partial(_one_by_one, task, parts[share]) for share in shares])


def _one_by_one(task: Callable[[slice], None], parts: Sequence[slice]) -> None:
    for part in parts:
        task(part)
