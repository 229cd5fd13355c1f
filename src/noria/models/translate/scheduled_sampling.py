"""What a decoder reads in training: the right symbols, its own, or a mix of both."""

import numpy as np

from noria.layers import EncoderDecoder
from noria.sequences import Ragged


def own_inputs(
    network: EncoderDecoder,
    source: Ragged,
    inputs: Ragged,
    probability: float,
    rng: np.random.Generator,
) -> Ragged:
    """Put the decoder's own last symbol in the place of the right one, each with a probability.

    What is written with is the network without anything drawn, and no gradient goes through the choice of a
    symbol, so that training then runs over all steps at once.

    References
    ----------
    Bengio et al. 2015, Scheduled sampling for sequence prediction with recurrent neural networks.
    """
    encoded, dense = network.encode(source), inputs.to_dense().copy()
    own = rng.random(dense.shape) < probability
    stream, state = network.stream(len(dense)), encoded.state
    for step in range(dense.shape[1] - 1):
        logits, state = stream.step(dense[:, step], state, given=encoded.given or None)
        dense[:, step + 1] = np.where(own[:, step + 1], logits.argmax(axis=1), dense[:, step + 1])
    return inputs.with_rows(dense[inputs.layout.caller_of_row, inputs.layout.step_of_row])
