"""Ranges of the flat parameter vector, visited in chunks that stay in the cache."""

from collections.abc import Iterator, Sequence

from noria.layers import Group

CHUNK = 65536


def trainable_chunks(size: int, groups: Sequence[Group] | None = None, chunk: int = CHUNK) -> Iterator[slice]:
    """Slices of at most ``chunk`` values that cover what is trained of ``size`` parameters, in order.

    Neighbouring groups are walked through as one: where one ends says nothing about where a chunk should.
    """
    for start, stop in _trainable_ranges(size, groups):
        for begin in range(start, stop, chunk):
            yield slice(begin, min(stop, begin + chunk))


def _trainable_ranges(size: int, groups: Sequence[Group] | None) -> list[tuple[int, int]]:
    if groups is None:
        return [(0, size)]
    ranges: list[tuple[int, int]] = []
    for group in groups:
        if group.frozen:
            continue
        if ranges and ranges[-1][1] == group.start:
            ranges[-1] = (ranges[-1][0], group.stop)
        else:
            ranges.append((group.start, group.stop))
    return ranges
