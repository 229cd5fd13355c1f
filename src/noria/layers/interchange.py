"""Weights as PyTorch's recurrent modules hold them, to ours and back, as plain arrays.

PyTorch stacks the gates of a layer in one matrix, in an order of its own, and has two biases of which one
is redundant: ours is their sum, and on the way back the second one is zero. Only behind the reset gate of
``gru_reset_after`` (PyTorch's GRU) is the second bias a parameter of its own. ``z`` keeps in both
libraries.
"""

from collections.abc import Mapping

import numpy as np

from noria.arrays import Array
from noria.errors import UnknownNameError

GATES: dict[str, tuple[str, ...]] = {
    "rnn": ("",),
    "rnn_relu": ("",),
    "lstm": ("_i", "_f", "_g", "_o"),
    "lstm_projected": ("_i", "_f", "_g", "_o"),
    "gru_reset_after": ("_r", "_z", "_n"),
}
"""Cell to the suffixes of its gates, in PyTorch's order.

The modules are ``nn.RNN`` (tanh and relu), ``nn.LSTM`` (without and with ``proj_size``) and ``nn.GRU``.
"""

_OWN_SECOND_BIAS = {"gru_reset_after": ("_n", "b_hn")}


def from_torch(cell: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Convert the weights of one layer and direction of PyTorch's to those of a cell.

    Parameters
    ----------
    cell : str
        One of ``GATES``.
    arrays : mapping of str to array
        ``weight_ih`` (G H, D), ``weight_hh`` (G H, H), ``bias_ih`` and ``bias_hh`` (G H,), and
        ``weight_hr`` (P, H) of a projected LSTM. Gradients convert alike, where the biases of a module
        share theirs.

    Returns
    -------
    dict of str to array
        ``W_i``, ``U_i``, ``b_i``, ...

    Raises
    ------
    UnknownNameError
        If PyTorch has no module of this cell.
    """
    gates = _gates(cell)
    parts = {
        key: np.split(np.asarray(arrays[key]), len(gates))
        for key in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    }
    result = {}
    for k, gate in enumerate(gates):
        result[f"W{gate}"] = parts["weight_ih"][k].copy()
        result[f"U{gate}"] = parts["weight_hh"][k].copy()
        own = _OWN_SECOND_BIAS.get(cell)
        if own is not None and own[0] == gate:
            result[f"b{gate}"] = parts["bias_ih"][k].copy()
            result[own[1]] = parts["bias_hh"][k].copy()
        else:
            result[f"b{gate}"] = parts["bias_ih"][k] + parts["bias_hh"][k]
    if "weight_hr" in arrays:
        result["P"] = np.array(arrays["weight_hr"])
    return result


def to_torch(cell: str, parameters: Mapping[str, Array]) -> dict[str, Array]:
    """Convert the parameters of a cell to those of one layer and direction of PyTorch's.

    The inverse of :func:`from_torch`.

    Parameters
    ----------
    cell : str
        One of ``GATES``.
    parameters : mapping of str to array
        ``W_i``, ``U_i``, ``b_i``, ...

    Returns
    -------
    dict of str to array
        ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``, and ``weight_hr`` of a projected LSTM.

    Raises
    ------
    UnknownNameError
        If PyTorch has no module of this cell.
    """
    gates = _gates(cell)
    own = _OWN_SECOND_BIAS.get(cell)

    def second(gate: str) -> Array:
        if own is not None and own[0] == gate:
            return np.asarray(parameters[own[1]])
        return np.zeros_like(parameters[f"b{gate}"])

    result = {
        "weight_ih": np.concatenate([parameters[f"W{gate}"] for gate in gates]),
        "weight_hh": np.concatenate([parameters[f"U{gate}"] for gate in gates]),
        "bias_ih": np.concatenate([parameters[f"b{gate}"] for gate in gates]),
        "bias_hh": np.concatenate([second(gate) for gate in gates]),
    }
    if "P" in parameters:
        result["weight_hr"] = np.array(parameters["P"])
    return result


def _gates(cell: str) -> tuple[str, ...]:
    if cell not in GATES:
        raise UnknownNameError(
            f"cell '{cell}' has no module in PyTorch. Those that have one: {', '.join(GATES)}."
        )
    return GATES[cell]
