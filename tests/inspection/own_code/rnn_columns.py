"""A simple recurrent network, column vectors side by side, as a class."""

import numpy as np

CELL = "rnn"
LAYOUT = "TDB"
SHAPES = {"W": "H D", "U": "H H", "b": "H 1"}


class Network:
    """Its forward and its backward."""

    def forward(self, x, h0, params):
        h, hs = h0, []
        for t in range(len(x)):
            h = np.tanh(params["W"] @ x[t] + params["U"] @ h + params["b"])
            hs.append(h)
        return np.array(hs), (x, [h0, *hs], params)

    def backward(self, d_h, cache):
        x, states, params = cache
        grads = {name: np.zeros_like(value) for name, value in params.items()}
        d_x, d_next = np.zeros_like(x), np.zeros_like(states[0])
        for t in reversed(range(len(x))):
            d_a = (d_h[t] + d_next) * (1 - states[t + 1] ** 2)
            grads["W"] += d_a @ x[t].T
            grads["U"] += d_a @ states[t].T
            grads["b"] += d_a.sum(axis=1, keepdims=True)
            d_x[t] = params["W"].T @ d_a
            d_next = params["U"].T @ d_a
        return d_x, d_next, grads
