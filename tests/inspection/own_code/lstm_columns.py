"""An LSTM of column vectors, weights over [h, x], which hands out h alone."""

import numpy as np

CELL = "lstm"
LAYOUT = "TDB"
SHAPES = {f"{letter}{gate}": shape for gate in "ifco" for letter, shape in (("W", "H H+D"), ("b", "H 1"))}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, params):
    h, c = h0
    H = len(h)
    steps, hs = [], []
    for t in range(len(x)):
        joined = np.vstack([h, x[t]])
        i = sigmoid(params["Wi"] @ joined + params["bi"])
        f = sigmoid(params["Wf"] @ joined + params["bf"])
        g = np.tanh(params["Wc"] @ joined + params["bc"])
        o = sigmoid(params["Wo"] @ joined + params["bo"])
        c_before = c
        c = f * c + i * g
        h = o * np.tanh(c)
        hs.append(h)
        steps.append((joined, c_before, c, i, f, g, o))
    return np.array(hs), (steps, params, H)


def backward(d_h, cache):
    steps, params, H = cache
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    d_x = []
    d_h_next = d_c_next = 0.0
    for t in range(len(steps) - 1, -1, -1):
        joined, c_before, c, i, f, g, o = steps[t]
        d = d_h[t] + d_h_next
        d_o = d * np.tanh(c)
        d_c = d * o * (1 - np.tanh(c) ** 2) + d_c_next
        d_i, d_f, d_g = d_c * g, d_c * c_before, d_c * i
        d_c_next = d_c * f
        a = {
            "i": d_i * i * (1 - i),
            "f": d_f * f * (1 - f),
            "c": d_g * (1 - g**2),
            "o": d_o * o * (1 - o),
        }
        d_joined = 0.0
        for name, d_a in a.items():
            grads["W" + name] += d_a @ joined.T
            grads["b" + name] += d_a.sum(axis=1, keepdims=True)
            d_joined = d_joined + params["W" + name].T @ d_a
        d_h_next = d_joined[:H]
        d_x.insert(0, d_joined[H:])
    return np.array(d_x), (d_h_next, d_c_next), grads
