"""Forward and backward through the loss, without all logits of a wide output layer in memory at once."""

import numpy as np

from noria.arrays import Array
from noria.layers import Inputs, Layer, Linear, Mode, Stack, State
from noria.sequences import Ragged
from noria.training.symbol_loss import BatchLoss, SymbolLoss

LOGITS = 1 << 24
"""Logits that are in memory at once; of 30,000 words and a default batch there would be 61 million."""


def forward_backward(
    network: Layer,
    inputs: Ragged,
    targets: Array,
    *,
    loss: SymbolLoss,
    state: State,
    mode: Mode,
    given: Inputs | None = None,
) -> tuple[float, State]:
    """Add the gradient of the mean loss to the parameters'; give the loss and the final state.

    Rows do not meet in the output layer. So where there are more logits than `LOGITS`, a block of rows goes
    through it, forward and backward, before the next one.

    Parameters
    ----------
    network : Layer
        From token ids to logits.
    inputs : Ragged of token ids
    targets : integer array of shape (N,)
    loss : SymbolLoss
        Where it draws candidates, the network is a stack with a linear layer at its end.
    state : State
    mode : Mode
    given : mapping of arrays, optional
        Auxiliary inputs of the layers below the output layer.
    """
    batch = loss.of_batch(targets, mode.rng)
    count = len(targets)
    most = max(1, LOGITS // batch.width)
    head = network.layers[-1] if isinstance(network, Stack) else None
    if count <= most or not isinstance(network, Stack) or not isinstance(head, Linear):
        output = f"{network.keys[-1]}." if isinstance(network, Stack) else ""
        wanted = {**(given or {}), **batch.given(output)}
        logits, backward = network(inputs, state=state, given=wanted, mode=mode)
        nats, loss_backward = batch.cost(logits.rows)
        final = backward.state
        backward(loss_backward())
        return nats, final
    below = Stack(network.layers[:-1], keys=network.keys[:-1], name=network.name)
    below.configure(network.input_size)
    before = state[:-1] if isinstance(state, tuple) else None
    hidden, backward = below(inputs, state=before, given=given, mode=mode)
    final = backward.state
    d_hidden, total = np.empty_like(hidden.rows), 0.0
    blocks = -(-count // most)
    together = -(-count // blocks)  # all of about one size, for memory that one gives back fits the next
    for begin in range(0, count, together):
        part = slice(begin, min(begin + together, count))
        share = (part.stop - begin) / count
        nats, d_hidden[part] = _through(head, hidden.rows[part], batch, part, share, mode)
        total += share * nats
    backward(d_hidden)
    return total, (*final, None) if isinstance(final, tuple) else None


def _through(
    head: Layer, rows: Array, batch: BatchLoss, part: slice, share: float, mode: Mode
) -> tuple[float, Array]:
    """Take a block of rows through the output layer and back; all its logits are gone then."""
    logits, backward = head(Ragged.from_dense(rows[:, None]), given=batch.given(""), mode=mode)
    nats, loss_backward = batch.cost(logits.rows, part)
    d_rows = backward(loss_backward(share))
    assert d_rows is not None  # since the rows are no ids
    return nats, d_rows
