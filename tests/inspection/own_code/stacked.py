"""An LSTM with all gates in one matrix, sequences first, names that have to be guessed; no CELL is named."""

import numpy as np

LAYOUT = "BTD"
SHAPES = {"Wx": "D 4H", "Wh": "H 4H", "b": "4H"}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, params):
    h, c = h0
    H = h.shape[1]
    hs, steps = np.zeros((*x.shape[:2], H)), []
    for t in range(x.shape[1]):
        a = x[:, t] @ params["Wx"] + h @ params["Wh"] + params["b"]
        i, f, o, g = np.split(a, 4, axis=1)
        i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)
        after = f * c + i * g
        steps.append((h, c, after, i, f, o, g))
        c = after
        h = o * np.tanh(c)
        hs[:, t] = h
    return hs, (x, steps, params)


def backward(d_h, cache):
    x, steps, params = cache
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    d_x, d_h_next, d_c_next = np.zeros_like(x), 0.0, 0.0
    for t in reversed(range(x.shape[1])):
        h, c, after, i, f, o, g = steps[t]
        d = d_h[:, t] + d_h_next
        d_c = d * o * (1 - np.tanh(after) ** 2) + d_c_next
        a_i, a_f = d_c * g * i * (1 - i), d_c * c * f * (1 - f)
        a_o, a_g = d * np.tanh(after) * o * (1 - o), d_c * i * (1 - g**2)
        a = np.hstack([a_i, a_f, a_o, a_g])
        grads["Wx"] += x[:, t].T @ a
        grads["Wh"] += h.T @ a
        grads["b"] += a.sum(axis=0)
        d_x[:, t] = a @ params["Wx"].T
        d_h_next, d_c_next = a @ params["Wh"].T, d_c * f
    return d_x, (d_h_next, d_c_next), grads
