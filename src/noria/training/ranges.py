"""Ranges of the flat parameter vector, visited in chunks that stay in the cache."""

from collections.abc import Iterator, Sequence

from noria.layers import Group

CHUNK = 65536


def trainable_chunks(size: int, groups: Sequence[Group] | None = None, chunk: int = CHUNK) -> Iterator[slice]:
    """Slices of at most ``chunk`` values that cover what is trained of ``size`` parameters, in order.

    Neighbouring groups are walked through as one: where one ends says nothing about where a chunk should.
    """
    ranges: list[slice] = []
    for part, _ in trainable_ranges(size, groups):
        if ranges and ranges[-1].stop == part.start:
            ranges[-1] = slice(ranges[-1].start, part.stop)
        else:
            ranges.append(part)
    for part in ranges:
        for begin in range(part.start, part.stop, chunk):
            yield slice(begin, min(part.stop, begin + chunk))


def trainable_ranges(size: int, groups: Sequence[Group] | None = None) -> Iterator[tuple[slice, bool]]:
    """Give the ranges of ``size`` parameters that are trained, in order, each with whether it is decayed.

    Without groups all are.
    """
    if groups is None:
        yield slice(0, size), True
        return
    for group in groups:
        if not group.frozen:
            yield slice(group.start, group.stop), group.decay
