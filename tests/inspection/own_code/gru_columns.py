"""A GRU of column vectors in which z writes: h' = (1 - z) * h + z * n."""

import numpy as np

CELL = "gru"
LAYOUT = "TDB"
SHAPES = {
    f"{letter}{gate}": shape
    for gate in "rzh"
    for letter, shape in (("Wx", "H D"), ("Wh", "H H"), ("b", "H 1"))
}


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, params):
    h, hs, steps = h0, [], []
    for t in range(len(x)):
        r = sigmoid(params["Wxr"] @ x[t] + params["Whr"] @ h + params["br"])
        z = sigmoid(params["Wxz"] @ x[t] + params["Whz"] @ h + params["bz"])
        n = np.tanh(params["Wxh"] @ x[t] + params["Whh"] @ (r * h) + params["bh"])
        steps.append((h, r, z, n))
        h = (1 - z) * h + z * n
        hs.append(h)
    return np.array(hs), (x, steps, params)


def backward(d_h, cache):
    x, steps, params = cache
    grads = {name: np.zeros_like(value) for name, value in params.items()}
    d_x, d_next = np.zeros_like(x), 0.0
    for t in reversed(range(len(x))):
        h, r, z, n = steps[t]
        d = d_h[t] + d_next
        a_z = d * (n - h) * z * (1 - z)
        a_n = d * z * (1 - n**2)
        d_rh = params["Whh"].T @ a_n
        a_r = d_rh * h * r * (1 - r)
        d_next = d * (1 - z) + d_rh * r + params["Whr"].T @ a_r + params["Whz"].T @ a_z
        for gate, a, operand in (("r", a_r, h), ("z", a_z, h), ("h", a_n, r * h)):
            grads["Wx" + gate] += a @ x[t].T
            grads["Wh" + gate] += a @ operand.T
            grads["b" + gate] += a.sum(axis=1, keepdims=True)
            d_x[t] += params["Wx" + gate].T @ a
    return d_x, d_next, grads
