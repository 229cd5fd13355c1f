"""How compiled functions are called: their arguments, and what the bits of their mode mean."""

from noria.engines.native.code import INDEX, POINTER

FIXED = (
    "theta",
    "d_theta",
    "ids",
    "steps",
    "bounds",
    "barrier",
    "previous",
    "sequence",
    "work",
    "symbols",
    "table",
    "chunk forward",
    "chunk backward",
)
"""Arguments of every kernel besides its buffers: addresses, but for four numbers.

``symbols`` is how many there are, ``table`` how their rows come about, ``chunk ...`` the steps of a chunk.
"""

READY, TRANSPOSED, MULTIPLIED = 0, 1, 2
"""How the table of symbols comes about: it is there, from the weights as they are, or by a product."""

ENTRY = (
    ("arguments", POINTER),
    ("first", INDEX),
    ("last", INDEX),
    ("part", INDEX),
    ("parts", INDEX),
    ("mode", INDEX),
)
"""Arguments of a kernel's function: steps ``first`` to ``last``, the thread's number, how many there are."""

PACK, UNITS, WANT_INPUT, FINISH, STEPWISE = 1, 2, 4, 8, 16
"""Bits of ``mode``.

Pack the weights first; share columns, not sequences; want d_x; weights' gradients too; buffers of a chunk
have room for all rows, because steps come one by one.
"""

OWNED = 8
"""Sequences for each thread from which on every thread owns its sequences, and does not share columns."""
