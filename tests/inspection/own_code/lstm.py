"""An LSTM, batch in rows; states come and go as (h, c)."""

import numpy as np

CELL = "lstm"


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def forward(x, h0, params):
    h, c = h0
    steps, hs, cs = [], [], []
    for t in range(len(x)):
        gates = {}
        for gate in "ifgo":
            a = x[t] @ params[f"W_{gate}"].T + h @ params[f"U_{gate}"].T + params[f"b_{gate}"]
            gates[gate] = np.tanh(a) if gate == "g" else sigmoid(a)
        steps.append((h, c, gates))
        c = gates["f"] * c + gates["i"] * gates["g"]
        h = gates["o"] * np.tanh(c)
        hs.append(h)
        cs.append(c)
    return (np.array(hs), np.array(cs)), (x, steps, cs, params)


def backward(d_h, cache):
    x, steps, cs, params = cache
    d_hs, d_cs = d_h
    d_params = {name: np.zeros_like(value) for name, value in params.items()}
    d_x = np.zeros_like(x)
    d_h_next = np.zeros_like(steps[0][0])
    d_c_next = np.zeros_like(steps[0][1])
    for t in reversed(range(len(x))):
        h_before, c_before, gate = steps[t]
        i, f, g, o = (gate[name] for name in "ifgo")
        squashed = np.tanh(cs[t])
        d = d_hs[t] + d_h_next
        d_c = d_cs[t] + d_c_next
        d_c = d_c + d * o * (1 - squashed**2)
        d_gate = {
            "i": d_c * g * i * (1 - i),
            "f": d_c * c_before * f * (1 - f),
            "g": d_c * i * (1 - g**2),
            "o": d * squashed * o * (1 - o),
        }
        d_c_next = d_c * f
        d_h_next = np.zeros_like(d_h_next)
        for name, d_a in d_gate.items():
            d_params[f"W_{name}"] += d_a.T @ x[t]
            d_params[f"U_{name}"] += d_a.T @ h_before
            d_params[f"b_{name}"] += d_a.sum(axis=0)
            d_x[t] += d_a @ params[f"W_{name}"]
            d_h_next += d_a @ params[f"U_{name}"]
    return d_x, (d_h_next, d_c_next), d_params
