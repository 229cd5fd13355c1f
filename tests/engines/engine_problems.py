"""What the tests of the engines share: cells with numbers for everything, and how engines are compared."""

from dataclasses import dataclass, replace

import numpy as np

from noria.compiler import compile_cell
from noria.engines import bind
from noria.equations import Cell, cells

ENGINES = ("reference", "native")

GIVEN = Cell.parse(
    """
given:
    mask: sequence
    drive: row
n  = tanh(W @ x + U @ (mask * h) + P @ drive + b)
h' = drive * h + (1 - drive) * n
""",
    name="given",
)

JOINED = Cell.parse("g = sigmoid(W_g @ x + b_g)\nh' = g * h + (1 - g) * tanh(x)", name="joined")

NOTHING_TO_LEARN = Cell.parse("c' = 0.5 * c + x\nh' = 0.5 * h + tanh(c')", name="nothing to learn")

TWO_STAGES = Cell.parse(
    """
r  = sigmoid(W_r @ x + U_r @ h + b_r)
q  = tanh(layer_norm(U_q @ (r * h) + V_q @ c))
c' = 0.9 * c + P_c @ q
h' = P @ tanh(c') + 0.1 * q
""",
    name="two stages",
)


@dataclass
class Problem:
    """A cell, sizes, and numbers for everything; sequences longest first, ``counts`` active at each step."""

    cell: Cell
    sizes: dict
    counts: np.ndarray
    theta: np.ndarray
    x: np.ndarray
    states: dict
    given: dict
    d_h: np.ndarray
    d_finals: dict
    keep: tuple = ()

    @property
    def total(self):
        return int(self.counts.sum())

    @property
    def batch(self):
        return len(self.states["h"])

    @property
    def spans(self):
        """The rows of each step."""
        ends = np.cumsum(self.counts)
        return [slice(end - count, end) for end, count in zip(ends, self.counts, strict=True)]

    def bound(self, engine, dtype=np.float64):
        return bind(compile_cell(self.cell, self.keep), self.sizes, dtype, engine)

    def cast(self, dtype):
        """Give the same numbers rounded."""

        def rounded(value):
            if isinstance(value, dict):
                return {name: array.astype(dtype) for name, array in value.items()}
            return value if value.dtype.kind in "iu" else value.astype(dtype)

        names = ("theta", "x", "states", "given", "d_h", "d_finals")
        return replace(self, **{name: rounded(getattr(self, name)) for name in names})

    def run(self, kernel, *, save=True):
        return kernel.start(self.theta, self.states, self.counts, given=self.given, save=save)

    def with_ids(self, seed=0):
        """Give the same with token ids as input."""
        symbols = self.sizes.get("D", self.sizes["H"])
        return replace(self, x=np.random.default_rng(seed).integers(0, symbols, self.total))


def counts_of(lengths):
    ordered = np.sort(np.asarray(lengths))[::-1]
    return (ordered[:, None] > np.arange(ordered[0])).sum(axis=0)


def problem(cell, *, D=4, H=7, lengths=(5, 4, 4, 1), idle=0, seed=0, keep=(), ids=False, spread=0.5, **sizes):
    """Draw a problem.

    ``idle`` sequences are never active; ``sizes`` are further ones, which are H + 2, H + 3 ... if left out.
    """
    cell = cells[cell] if isinstance(cell, str) else cell
    rng = np.random.default_rng(seed)
    full = {"D": D, "H": H, **sizes}
    full = {symbol: full.get(symbol, H + 1 + number) for number, symbol in enumerate(cell.sizes)}
    counts = counts_of(lengths)
    batch, total = len(lengths) + idle, int(counts.sum())
    width = {name: full[symbol] for name, symbol in cell.size_of.items()}
    kernel = bind(compile_cell(cell), full, np.float64, "reference")
    made = Problem(
        cell,
        full,
        counts,
        rng.normal(0, spread, kernel.size),
        rng.standard_normal((total, width["x"])),
        {state: rng.standard_normal((batch, width[state])) for state in cell.states},
        {g.name: rng.random((batch if g.per == "sequence" else total, width[g.name])) for g in cell.givens},
        rng.standard_normal((total, width["h"])),
        {state: rng.standard_normal((batch, width[state])) for state in cell.states},
        keep,
    )
    return made.with_ids(seed) if ids else made


def evaluate(kernel, one, *, inference=True):
    """Give everything that a run hands out, by name, gradients of the parameters one by one."""
    run = one.run(kernel)
    found = {"h": run.forward(one.x).copy()}
    found |= {f"kept {name}": np.array(array) for name, array in run.kept.items()}
    found |= {f"final {name}": np.array(array) for name, array in run.finals.items()}
    d_theta = np.zeros_like(one.theta)
    d_x = run.backward(one.d_h, one.d_finals, d_theta)
    if d_x is not None:
        found["d_x"] = np.array(d_x)
    found |= {f"kept {name}": np.array(array) for name, array in run.kept.items()}
    found |= {f"d_{name}": np.array(array) for name, array in run.d_states.items()}
    found["d_theta"] = d_theta
    found |= {f"d_{name}": kernel.view(d_theta, name) for name, _, _ in kernel.layout}
    run.release()
    if inference:
        run = one.run(kernel, save=False)
        found["h of inference"] = run.forward(one.x).copy()
        found |= {f"final {name} of inference": np.array(array) for name, array in run.finals.items()}
        run.release()
    return found


def differences(found, expected):
    """Give the norm of each difference relative to the norm of the tensor.

    One parameter's gradient counts as no smaller than a thousandth of the whole gradient: where it should
    vanish, as before a layer norm, it consists of rounding.
    """
    assert found.keys() == expected.keys()
    floor = 1e-3 * np.linalg.norm(expected.get("d_theta", 0.0))
    result = {}
    for name, right in expected.items():
        assert found[name].shape == right.shape, name
        norm = np.linalg.norm(np.asarray(right, np.float64))
        off = np.linalg.norm(np.asarray(found[name], np.float64) - right)
        result[name] = off / max(norm, floor, 1e-300)
    return result


def assert_same(found, expected, tolerance=1e-12):
    wrong = {name: off for name, off in differences(found, expected).items() if not off <= tolerance}
    assert not wrong, wrong


def assert_engines_agree(one, **options):
    """Compare the native engine with the reference engine in double precision; give what the former found."""
    found = evaluate(one.bound("native"), one, **options)
    assert_same(found, evaluate(one.bound("reference"), one, **options))
    return found


def assert_single_precision_is_right(one):
    """Compare the native engine in single precision with the reference engine in double precision.

    What NumPy in single precision is off by is the measure of what a problem does to rounding errors. The
    native engine adds up in another order and has functions of its own (2 ulp where NumPy has 1 to 4), which
    is worth a factor; no tensor is asked to be better than a few roundings of its own numbers.
    """
    single = one.cast(np.float32)
    double = single.cast(np.float64)
    exact = evaluate(double.bound("reference"), double)
    allowed = differences(evaluate(single.bound("reference", np.float32), single), exact)
    found = evaluate(single.bound("native", np.float32), single)
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    off = differences(found, exact)
    roundings = 4 * np.finfo(np.float32).eps
    wrong = {
        name: (off[name], allowed[name]) for name in off if not off[name] <= 4 * allowed[name] + roundings
    }
    assert not wrong, wrong
