"""Implementations that are wrong on purpose: a right one with one place changed."""

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent / "own_code"
RIGHT = sorted(path.name for path in FOLDER.glob("*.py"))


@dataclass(frozen=True)
class Wrong:
    """A file, what is changed in it, which gradients are then wrong, from which step, and why."""

    file: str
    changes: tuple[tuple[str, str], ...]
    cause: str
    names: tuple[str, ...]
    step: int = 1

    @property
    def source(self) -> str:
        text = (FOLDER / self.file).read_text()
        for old, new in self.changes:
            assert text.count(old) == 1, (self.file, old)
            text = text.replace(old, new)
        return text

    @property
    def id(self) -> str:
        return f"{self.file.removesuffix('.py')}-{self.cause}-{'-'.join(self.names)}"


def wrong(file: str, old: str, new: str, cause: str, *names: str, step: int = 1) -> Wrong:
    return Wrong(file, ((old, new),), cause, names, step)


ALL = ("Wxh", "Whh", "bh", "x", "h0")

BATTERY = [
    # a simple network
    wrong("rnn.py", "(1 - hs[t] ** 2)", "(1 - np.tanh(hs[t]) ** 2)", "squashed", *ALL),
    wrong("rnn.py", "d * (1 - hs[t] ** 2)", "d", "slope_missing", *ALL),
    wrong("rnn.py", "(1 - hs[t] ** 2)", "hs[t] * (1 - hs[t])", "slope_of_other", *ALL),
    wrong("rnn.py", "hs[t - 1] if t > 0 else h0", "hs[t - 1]", "wrong_end", "Whh"),
    wrong("rnn.py", "hs[t - 1] if t > 0 else h0", "hs[t]", "state_late", "Whh"),
    wrong("rnn.py", "d = d_h[t] + d_next", "d = d_h[t]", "recurrence_missing", *ALL, step=2),
    wrong("rnn.py", "d = d_h[t] + d_next", "d = d_next", "outputs_ignored", *ALL),
    wrong("rnn.py", "d = d_h[t] + d_next", "d = d_next if t < T - 1 else d_h[t]", "only_last_output", *ALL),
    wrong("rnn.py", '["Wxh"] += d_a', '["Wxh"] = d_a', "kept_first", "Wxh", step=2),
    wrong(
        "rnn.py",
        "return d_x, d_next, d_params",
        "d_params['Whh'] /= T\n    return d_x, d_next, d_params",
        "divided",
        "Whh",
    ),
    wrong("rnn.py", "d_a.sum(axis=0)", "d_a.mean(axis=0)", "divided", "bh"),
    wrong("rnn.py", 'd_next = d_a @ params["Whh"]', 'd_next = d_a @ params["Whh"].T', "not_transposed", "h0"),
    wrong(
        "rnn.py",
        "return d_x, d_next, d_params",
        "for g in d_params.values():\n        np.clip(g, -5, 5, out=g)\n    return d_x, d_next, d_params",
        "clipped",
        "Wxh",
        "Whh",
        "bh",
    ),
    wrong("rnn_columns.py", "states[t].T", "states[t - 1].T", "state_early", "U"),
    wrong("rnn_columns.py", 'grads["b"] += ', 'grads["b"] -= ', "sign", "b"),
    wrong(
        "rnn_columns.py",
        "grads = {name: np.zeros_like(value) for name, value in params.items()}",
        "if not hasattr(self, 'grads'):\n"
        "            self.grads = {n: np.zeros_like(v) for n, v in params.items()}\n"
        "        grads = self.grads",
        "kept_between_calls",
        "W",
        "U",
        "b",
    ),
    # an LSTM
    wrong("lstm.py", "d_c * c_before * f", "d_c * cs[t] * f", "state_late", "W_f", "U_f", "b_f"),
    wrong(
        "lstm.py",
        "h_before, c_before, gate = steps[t]",
        "h_before, _, gate = steps[t]\n        c_before = steps[t - 1][1]",
        "state_early",
        "W_f",
        "U_f",
        "b_f",
    ),
    wrong("lstm.py", "squashed = np.tanh(cs[t])", "squashed = np.tanh(c_before)", "new_state_early", "W_o"),
    wrong("lstm.py", "d_c_next = d_c * f", "d_c_next = np.zeros_like(d_c)", "carry_missing", "W_i", step=2),
    wrong("lstm.py", "d_c_next = d_c * f", "d_c_next = d_c", "factor_missing", "W_i", step=2),
    wrong("lstm.py", "d_c = d_c + d * o * (1 - squashed**2)", "d_c = d_c", "output_path_missing", "W_i"),
    wrong("lstm.py", "(1 - squashed**2)", "(1 - np.tanh(squashed) ** 2)", "squashed", "W_i"),
    wrong("lstm.py", '"o": d * squashed', '"o": d * cs[t]', "unsquashed_factor", "W_o"),
    wrong(
        "lstm.py",
        '"i": d_c * g * i * (1 - i)',
        '"i": d_c * g * f * (1 - f)',
        "gate_read",
        "W_i",
        "U_i",
        "b_i",
    ),
    wrong(
        "lstm.py",
        'd_params[f"U_{name}"] += d_a.T @ h_before',
        'd_params[f"U_{name}"] = d_a.T @ h_before',
        "kept_first",
        "U_i",
        "U_f",
        "U_g",
        "U_o",
        step=2,
    ),
    wrong(
        "lstm.py",
        "for name, d_a in d_gate.items():",
        'd_gate["i"], d_gate["f"] = d_gate["f"], d_gate["i"]\n        for name, d_a in d_gate.items():',
        "gates_exchanged",
        "W_i",
        "W_f",
    ),
    wrong("lstm_columns.py", "d_c * c_before, d_c * i", "d_c * c, d_c * i", "state_late", "Wf", "bf"),
    wrong(
        "lstm_columns.py",
        "(1 - np.tanh(c) ** 2) + d_c_next",
        "(1 - np.tanh(c) ** 2)",
        "recurrence_missing",
        "Wi",
        step=2,
    ),
    wrong(
        "lstm_columns.py",
        "d_h_next = d_joined[:H]",
        "d_h_next = 0 * d_joined[:H]",
        "products_missing",
        "Wi",
        step=2,
    ),
    # a GRU
    wrong("gru.py", "d_before = d * z", "d_before = 0 * d", "carry_missing", "W_z", step=2),
    wrong("gru.py", "d = d_h[t] + d_next", "d = d_next", "outputs_ignored", "W_r", "U_z"),
    wrong(
        "gru.py",
        'z = sigmoid(x[t] @ p["W_z"].T + h @ p["U_z"].T',
        'z = sigmoid(x[t] @ p["W_r"].T + h @ p["U_r"].T',
        "forward_products",
        "forward",
        "W_z",
        "U_z",
    ),
    wrong("gru.py", "d_n = d * (1 - z)", "d_n = d * z", "complement", "W_n"),
    wrong("gru.py", "d_z = d * (h - n)", "d_z = d * (n - h)", "gate_sign", "W_z"),
    wrong(
        "gru.py",
        "d_before = d_before + d_rh * r",
        "d_before = d_before + d_rh",
        "factor_missing",
        "W_n",
        step=2,
    ),
    wrong("gru.py", '("n", a_n, r * h)', '("n", a_n, h)', "operand", "U_n"),
    wrong("gru.py", 'd_before = d_before + a_r @ p["U_r"]', "", "product_path_missing", "W_r", step=2),
    wrong("gru.py", "a_z = d_z * z * (1 - z)", "a_z = d_z * r * (1 - r)", "gate_read", "W_z", "U_z", "b_z"),
    wrong("gru.py", "a_n = d_n * (1 - n**2)", "a_n = d_n * (1 - np.tanh(n) ** 2)", "squashed", "W_n"),
    wrong(
        "gru.py",
        "h, r, z, n = steps[t]",
        "h, r, z, n = steps[t]\n        h = hs[t - 1]",
        "wrong_end",
        "W_z",
        "U_r",
    ),
    wrong(
        "gru_columns.py",
        "d_next = d * (1 - z) + d_rh * r",
        "d_next = d_rh * r",
        "carry_missing",
        "Wxz",
        step=2,
    ),
    wrong("gru_columns.py", "d * (n - h) * z", "d * (h - n) * z", "gate_sign", "Wxz"),
    wrong("gru_columns.py", "a_r = d_rh * h * r * (1 - r)", "a_r = d_rh * h", "slope_missing", "Wxr"),
    wrong(
        "gru_columns.py",
        'z = sigmoid(params["Wxz"] @ x[t] + params["Whz"] @ h',
        'z = sigmoid(params["Wxr"] @ x[t] + params["Whr"] @ h',
        "forward_products",
        "forward",
        "Wxz",
    ),
    # what reads it
    wrong(
        "reader.py",
        "y * (d - (d * y).sum(axis=1, keepdims=True))",
        "d * y * (1 - y)",
        "softmax_sigmoids",
        "Why",
        "by",
    ),
    wrong(
        "reader.py",
        "return d_x, d_next, grads",
        "grads = {name: g / 7 for name, g in grads.items()}\n    return d_x, d_next, grads",
        "divided",
        "Why",
        "by",
    ),
    wrong(
        "stacked.py",
        'd_h_next, d_c_next = a @ params["Wh"].T, d_c * f',
        'd_h_next, d_c_next = a @ params["Wh"].T, 0 * d_c',
        "carry_missing",
        "Wx",
        step=2,
    ),
]
