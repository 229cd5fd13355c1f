"""A simple recurrent network with a softmax behind it."""

import numpy as np

CELL = "rnn"
SHAPES = {"Wxh": "D H", "Whh": "H H", "bh": "H", "Why": "H V", "by": "V"}


def forward(x, h0, params):
    h, hs, ys = h0, [h0], []
    for t in range(len(x)):
        h = np.tanh(x[t] @ params["Wxh"] + h @ params["Whh"] + params["bh"])
        a = h @ params["Why"] + params["by"]
        e = np.exp(a - a.max(axis=1, keepdims=True))
        hs.append(h)
        ys.append(e / e.sum(axis=1, keepdims=True))
    return np.array(ys), (x, hs, ys, params)


def backward(d_y, cache):
    x, hs, ys, params = cache
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    d_x, d_next = np.zeros_like(x), 0.0
    for t in reversed(range(len(x))):
        y, d = ys[t], d_y[t]
        d_logits = y * (d - (d * y).sum(axis=1, keepdims=True))
        grads["Why"] += hs[t + 1].T @ d_logits
        grads["by"] += d_logits.sum(axis=0)
        d_a = (d_logits @ params["Why"].T + d_next) * (1 - hs[t + 1] ** 2)
        grads["Wxh"] += x[t].T @ d_a
        grads["Whh"] += hs[t].T @ d_a
        grads["bh"] += d_a.sum(axis=0)
        d_x[t] = d_a @ params["Wxh"].T
        d_next = d_a @ params["Whh"].T
    return d_x, d_next, grads
