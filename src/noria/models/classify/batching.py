"""Three ways in which sequences of different lengths are trained on together; the update is the same.

Packed is how everything runs here: no step is computed that no sequence has. The others are what one does
without packed rows, for whoever wants to see what they cost: sequences filled up to the longest, or one after
the other.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import numpy as np

from noria.arrays import Array, Float
from noria.layers import Mode, Stack
from noria.models.classify.options import ONE_BY_ONE, PACKED, PADDED
from noria.sequences import Layout, Ragged

Given: TypeAlias = Mapping[str, Array] | None
Outputs: TypeAlias = tuple[Float[Array, "B O"], Callable[[Array], object]]
"""One row of outputs for each sequence, in the caller's order, and the way back from their gradient."""
Way: TypeAlias = Callable[[Ragged, Given, Mode], Outputs]


def way_of(batching: str, network: Stack, pooling: str, longest: int) -> Way:
    """Give the way in which batches go through a network.

    Parameters
    ----------
    batching : {"packed", "padded", "one-by-one"}
    network : Stack
    pooling : str
        The key of the layer that makes one row of a sequence.
    longest : int
        Steps of the longest sequence that is trained on.
    """
    if batching == PADDED:
        return Padded(network, pooling, longest)
    return {PACKED: _packed, ONE_BY_ONE: _one_by_one}[batching](network)


def _packed(network: Stack) -> Way:
    def run(inputs: Ragged, given: Given, mode: Mode) -> Outputs:
        outputs, backward = network(inputs, given=given, mode=mode)
        return outputs.rows, backward

    return run


def _one_by_one(network: Stack) -> Way:
    def run(inputs: Ragged, given: Given, mode: Mode) -> Outputs:
        outputs, ways_back = [], []
        for number, sequence in enumerate(inputs.to_sequences()):
            own = inputs.layout.caller_of_row == number
            beside = {name: rows[own] for name, rows in given.items()} if given else None
            output, backward = network(Ragged.from_sequences([sequence]), given=beside, mode=mode)
            outputs.append(output.rows)
            ways_back.append(backward)

        def backward_all(d_outputs: Array) -> None:
            for backward, d_output in zip(ways_back, d_outputs, strict=True):
                backward(d_output[None])

        return np.concatenate(outputs), backward_all

    return run


class Padded:
    """Fills sequences up behind their end, and leaves the filler out again before they are pooled.

    What is computed on the filler is thrown away, and no gradient comes from there. Layers that read backward
    or see their neighbours would see it.

    Parameters
    ----------
    network : Stack
    pooling : str
        The key of the first layer that gets the real steps alone.
    longest : int
        To how many steps sequences are filled up; one that augmentation made longer is the longest then.
    """

    def __init__(self, network: Stack, pooling: str, longest: int) -> None:
        place = network.keys.index(pooling)
        self._reading, self._telling = (
            Stack(network.layers[part], keys=network.keys[part])
            for part in (slice(place), slice(place, None))
        )
        self._telling.configure(self._reading.configure(network.input_size))
        self._longest = longest

    def __call__(self, inputs: Ragged, given: Given, mode: Mode) -> Outputs:
        """Run a batch."""
        layout = inputs.layout
        full = Layout.dense(layout.batch_size, max(self._longest, layout.steps))
        places = layout.step_of_row * layout.batch_size + layout.caller_of_row  # in the order of a dense one

        def filled(rows: Array) -> Array:
            whole = np.zeros((full.total, *rows.shape[1:]), rows.dtype)
            whole[places] = rows
            return whole

        beside = {name: filled(rows) for name, rows in given.items()} if given else None
        steps, back_steps = self._reading(Ragged(filled(inputs.rows), full), given=beside, mode=mode)
        outputs, back_outputs = self._telling(inputs.with_rows(steps.rows[places]), mode=mode)

        def backward(d_outputs: Array) -> None:
            d_steps = back_outputs(d_outputs)
            assert d_steps is not None  # what is pooled are numbers
            back_steps(filled(d_steps))

        return outputs.rows, backward
