"""How many threads take part in a call, and what they share."""

from noria.engines.native import entry
from noria.engines.native.design import Design
from noria.engines.threads import WORTH_SHARING, thread_count

WORTH_MEETING = 1 << 23
"""Floating-point operations of a step's product from which on threads may meet after it.

If another process holds a core, they wait for it at every meeting.
"""


def parts_of(design: Design, parameters: int, batch: int, rows: int) -> int:
    """Choose how many threads run so many rows of so many sequences."""
    wanted = thread_count()
    if wanted < 2 or 2 * parameters * rows < WORTH_SHARING:
        return 1
    if shares_columns(batch, wanted) and 2 * batch * design.largest_product < WORTH_MEETING:
        return 1
    return wanted


def shares_columns(batch: int, parts: int) -> bool:
    """Tell whether there are too few sequences for every thread to own some."""
    return parts > 1 and batch < entry.OWNED * parts
