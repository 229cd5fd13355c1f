"""How many threads the library behind NumPy's products may use, and when.

A product over all rows of a batch is worth sharing among the cores. The small product of one time step is
not: the threads wait for each other at every step, and where another process holds a core they wait very
long. So time loops run on one thread, whatever the limit is.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


@cache
def _libraries() -> tuple[Any, ...]:
    """Give the handles of the libraries that do NumPy's products.

    Where they are unknown there are none, and then nothing is limited.
    """
    from threadpoolctl import ThreadpoolController

    return tuple(ThreadpoolController().select(user_api="blas").lib_controllers)


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Limit NumPy's products to ``count`` threads inside the block; 0 leaves them as they are.

    A library with one pool for the whole process listens to the first Python thread that limits it, for as
    long as that thread lives; blocks in other threads then change nothing.
    """
    before = [library.get_num_threads() for library in _libraries()] if count else []
    for library in _libraries() if count else ():
        library.set_num_threads(count)
    try:
        yield
    finally:
        for library, number in zip(_libraries(), before, strict=False):
            library.set_num_threads(number)
