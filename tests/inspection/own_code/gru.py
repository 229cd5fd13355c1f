"""A GRU, batch in rows; z keeps, the reset gate works before the product."""

import numpy as np

CELL = "gru"


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, params):
    p = params
    h, hs, steps = h0, [], []
    for t in range(len(x)):
        r = sigmoid(x[t] @ p["W_r"].T + h @ p["U_r"].T + p["b_r"])
        z = sigmoid(x[t] @ p["W_z"].T + h @ p["U_z"].T + p["b_z"])
        n = np.tanh(x[t] @ p["W_n"].T + (r * h) @ p["U_n"].T + p["b_n"])
        steps.append((h, r, z, n))
        h = (1 - z) * n + z * h
        hs.append(h)
    return np.array(hs), (x, steps, np.array(hs), p)


def backward(d_h, cache):
    x, steps, hs, p = cache
    assert len(hs) == len(x)
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    d_x = np.zeros_like(x)
    d_next = np.zeros_like(steps[0][0])
    for t in reversed(range(len(x))):
        h, r, z, n = steps[t]
        d = d_h[t] + d_next
        d_z = d * (h - n)
        d_n = d * (1 - z)
        d_before = d * z
        a_n = d_n * (1 - n**2)
        d_rh = a_n @ p["U_n"]
        d_r = d_rh * h
        d_before = d_before + d_rh * r
        a_r = d_r * r * (1 - r)
        a_z = d_z * z * (1 - z)
        d_before = d_before + a_r @ p["U_r"]
        d_before = d_before + a_z @ p["U_z"]
        for gate, a, operand in (("r", a_r, h), ("z", a_z, h), ("n", a_n, r * h)):
            grads[f"W_{gate}"] += a.T @ x[t]
            grads[f"U_{gate}"] += a.T @ operand
            grads[f"b_{gate}"] += a.sum(axis=0)
            d_x[t] += a @ p[f"W_{gate}"]
        d_next = d_before
    return d_x, d_next, grads
