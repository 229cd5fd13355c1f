"""The buffers of a kernel by name, and the numbers that a value takes in them.

Rows are padded to whole vectors, so that code on vectors needs no special case at their ends.
"""

from collections.abc import Mapping

from noria.compiler.graph import ONE
from noria.engines.native.code import Numbers
from noria.engines.native.places import Buffer, Place


class Buffers(dict[str, Buffer]):
    """Buffers by name, in the order in which they were made.

    Parameters
    ----------
    sizes : mapping
        Units of each size symbol.
    numbers : Numbers
        How many numbers make a vector.
    """

    def __init__(self, sizes: Mapping[str, int], numbers: Numbers) -> None:
        super().__init__()
        self.sizes, self.numbers = dict(sizes), numbers

    def size(self, symbol: str) -> int:
        """Give the units of a size symbol."""
        return self.sizes.get(symbol, 1)

    def width(self, symbol: str) -> int:
        """Give the numbers that a value takes: whole vectors, or one number."""
        return 1 if symbol == ONE else self.vectors(symbol)

    def vectors(self, symbol: str) -> int:
        """Give the numbers of the vectors that hold a value, be it one number: what follows is aligned."""
        return self.numbers.padded(self.size(symbol))

    def make(self, name: str, rows: str, width: int) -> None:
        """Make a buffer; for ``rows`` see :class:`~noria.engines.native.places.Buffer`."""
        self[name] = Buffer(name, rows, max(width, 1))

    def widen(self, name: str, rows: str, width: int) -> None:
        """Make a buffer that is used again and again, or make it wide enough for this use too."""
        self.make(name, rows, max(width, self[name].width if name in self else 1))

    def columns(self, name: str, rows: str, width: int, index: str) -> Place:
        """Give the next ``width`` columns of a buffer that many values share."""
        start = self[name].width if name in self else 0
        self.make(name, rows, start + width)
        return Place(name, start, index)
