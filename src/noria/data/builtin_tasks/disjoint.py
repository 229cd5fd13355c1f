"""Drawing the three parts of a data set so that none shares an example with another."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

import numpy as np

from noria.data.builtin_tasks.parts import PartName, drawing

Example = TypeVar("Example", bound=Hashable)

THREE: tuple[PartName, ...] = ("train", "validation", "test")


def disjoint_parts(
    seed: int,
    draw: Callable[[np.random.Generator, int], list[Example]],
    counts: Sequence[int],
    is_common: Callable[[Example], bool] = lambda example: False,
) -> tuple[list[Example], list[Example], list[Example]]:
    """Draw training, validation and test part; what stands in one is drawn again for the next.

    Parameters
    ----------
    seed : int
    draw : callable
        Draws examples from a generator, so many or fewer.
    counts : three ints
        Examples in each part.
    is_common : callable, optional
        Says of an example that there are too few like it to be new: it is taken wherever it is drawn.
    """
    parts: list[list[Example]] = []
    seen: set[Example] = set()
    for part, count in zip(THREE, counts, strict=True):
        rng = drawing(seed, part)
        found: list[Example] = []
        while len(found) < count:
            drawn = draw(rng, count - len(found))
            found += [example for example in drawn if example not in seen or is_common(example)]
        seen.update(found)
        parts.append(found)
    return parts[0], parts[1], parts[2]
