"""Writing: a network's own choices go back in as its next input."""

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from noria.arrays import Array
from noria.layers import INFERENCE, Layer, State
from noria.models.sampling import Sampler
from noria.sequences import Ragged


def step(network: Layer, ids: Array, state: State) -> tuple[Array, State]:
    """Read one symbol in each of B sequences; give the logits (B, V) of the next ones, and the state."""
    logits, backward = network(Ragged.from_dense(ids[:, None]), state=state, mode=INFERENCE)
    return logits.last(), backward.state


def read(network: Layer, ids: Array, state: State) -> tuple[Array, State]:
    """Read the symbols of one sequence, at least one; give the logits (V,) of the next one, and the state."""
    logits, backward = network(Ragged.from_dense(ids[None, :]), state=state, mode=INFERENCE)
    return logits.rows[-1], backward.state


def generate(
    network: Layer,
    sampler: Sampler,
    rng: np.random.Generator,
    *,
    prompt: Sequence[int] | Array,
    length: int,
    banned: Collection[int] = (),
    end: int | None = None,
) -> Iterator[int]:
    """Draw up to `length` ids that go on from `prompt`, one at a time; `end`, once drawn, closes.

    Parameters
    ----------
    prompt : ids
        At least one: the symbol that stands before everything, then what was asked for.
    """
    logits, state = read(network, np.asarray(prompt), network.start(1))
    for position in range(length):
        drawn = sampler.draw(logits, rng, banned)
        if drawn == end:
            return
        yield drawn
        if position < length - 1:
            row, state = step(network, np.array([drawn]), state)
            logits = row[0]
