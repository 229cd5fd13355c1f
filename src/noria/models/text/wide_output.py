"""Forward and backward through the loss, without all logits of a wide output layer in memory at once."""

import numpy as np

from noria.arrays import Array
from noria.layers import Inputs, Layer, Linear, Mode, Stack, State
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy

LOGITS = 1 << 24
"""Logits that are in memory at once; of 30,000 words and a default batch there would be 61 million."""


def forward_backward(
    network: Layer,
    inputs: Ragged,
    targets: Array,
    *,
    state: State,
    mode: Mode,
    given: Inputs | None = None,
    label_smoothing: float = 0.0,
) -> tuple[float, State]:
    """Add the gradient of the mean cross-entropy to the parameters'; give the loss and the final state.

    Rows do not meet in the output layer. So where there are more logits than `LOGITS`, a block of rows goes
    through it, forward and backward, before the next one.

    Parameters
    ----------
    network : Layer
        From token ids to logits.
    inputs : Ragged of token ids
    targets : integer array of shape (N,)
    state : State
    mode : Mode
    given : mapping of arrays, optional
        Auxiliary inputs of the layers below the output layer.
    label_smoothing : float, default 0
    """
    count = len(targets)
    most = max(1, LOGITS // network.output_size)
    head = network.layers[-1] if isinstance(network, Stack) else None
    if count <= most or not isinstance(network, Stack) or not isinstance(head, Linear):
        logits, backward = network(inputs, state=state, given=given, mode=mode)
        loss, loss_backward = sequence_cross_entropy(
            logits.rows, targets, out=logits.rows, label_smoothing=label_smoothing
        )
        final = backward.state
        backward(loss_backward())
        return loss, final
    below = Stack(network.layers[:-1], keys=network.keys[:-1], name=network.name)
    below.configure(network.input_size)
    before = state[:-1] if isinstance(state, tuple) else None
    hidden, backward = below(inputs, state=before, given=given, mode=mode)
    final = backward.state
    d_hidden, loss = np.empty_like(hidden.rows), 0.0
    blocks = -(-count // most)
    together = -(-count // blocks)  # all of about one size, for memory that one gives back fits the next
    for begin in range(0, count, together):
        part = slice(begin, begin + together)
        share = len(targets[part]) / count
        nats, d_hidden[part] = _through(head, hidden.rows[part], targets[part], share, mode, label_smoothing)
        loss += share * nats
    backward(d_hidden)
    return loss, (*final, None) if isinstance(final, tuple) else None


def _through(
    head: Layer, rows: Array, targets: Array, share: float, mode: Mode, label_smoothing: float
) -> tuple[float, Array]:
    """Take a block of rows through the output layer and back; all its logits are gone then."""
    logits, backward = head(Ragged.from_dense(rows[:, None]), mode=mode)
    loss, loss_backward = sequence_cross_entropy(
        logits.rows, targets, out=logits.rows, label_smoothing=label_smoothing
    )
    d_rows = backward(loss_backward(share))
    assert d_rows is not None  # since the rows are no ids
    return loss, d_rows
