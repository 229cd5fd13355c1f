"""A simple recurrent network, batch in rows."""

import numpy as np

CELL = "rnn"
SHAPES = {"Wxh": "H D", "Whh": "H H", "bh": "H"}


def forward(x, h0, params):
    T, B, _ = x.shape
    hs = np.zeros((T, B, h0.shape[1]))
    h = h0
    for t in range(T):
        h = np.tanh(x[t] @ params["Wxh"].T + h @ params["Whh"].T + params["bh"])
        hs[t] = h
    return hs, (x, h0, hs, params)


def backward(d_h, cache):
    x, h0, hs, params = cache
    T = len(x)
    d_params = {name: np.zeros_like(value) for name, value in params.items()}
    d_x = np.zeros_like(x)
    d_next = np.zeros_like(h0)
    for t in range(T - 1, -1, -1):
        d = d_h[t] + d_next
        d_a = d * (1 - hs[t] ** 2)
        before = hs[t - 1] if t > 0 else h0
        d_params["Wxh"] += d_a.T @ x[t]
        d_params["Whh"] += d_a.T @ before
        d_params["bh"] += d_a.sum(axis=0)
        d_x[t] = d_a @ params["Wxh"]
        d_next = d_a @ params["Whh"]
    return d_x, d_next, d_params
