"""Legal cells that nobody wrote: 1 to 3 states, 1 to 3 stages of products, every function of the language."""

import numpy as np

from noria.equations import Cell

_STATES = ("h", "c", "m")
_GATES = ("i", "f", "g", "z", "r", "q", "k", "e", "a")

ACTIVATIONS = (
    "sigmoid({})",
    "tanh({})",
    "relu({})",
    "softplus({})",
    "sin({})",
    "cos({})",
    "exp(-abs({}))",
    "log(1 + ({}) ** 2)",
    "sqrt(1 + ({}) * ({}))",
    "abs({})",
    "clip({}, -0.7, 0.9)",
    "1 / (1 + exp(-({})))",
    "tanh(layer_norm({}))",
    "(1 + ({}) ** 2) ** -0.5",
    "max({}, 0.1 * ({}))",
    "min({}, 0.5)",
)
"""What is applied to a sum of products; each is defined, and of moderate size, everywhere."""


def random_cell(rng: np.random.Generator, *, name: str = "random") -> Cell:
    """Make a random legal cell.

    Parameters
    ----------
    rng : numpy.random.Generator
    name : str, default "random"

    Returns
    -------
    Cell
        Its text names every choice; ``print(cell.text)`` shows it.
    """
    return Cell.parse(_Writer(rng).text(), name=name)


class _Writer:
    """Writes the equations down one by one, and remembers which values nothing has used yet."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.states = list(_STATES[: rng.integers(1, 4)])
        self.values: list[str] = []
        self.unused: list[str] = []
        self.lines: list[str] = []
        self.fresh = list(_GATES)
        self.unread = set(self.states)
        self.given: dict[str, str] = {}

    def text(self) -> str:
        for stage in range(self.rng.integers(1, 4)):
            for _ in range(self.rng.integers(1, 4)):
                self.gate(stage)
        for state in self.states[1:]:
            self.update(state)
        self.output()
        return "\n".join(self.lines)

    def choose(self, options: list[str]) -> str:
        return options[self.rng.integers(len(options))]

    def use(self, value: str) -> str:
        if value in self.unused:
            self.unused.remove(value)
        self.unread.discard(value)
        return value

    def gate(self, stage: int) -> None:
        name = self.fresh.pop(0)
        operands = {"x"} if not self.values or self.rng.random() < 0.6 else set()
        operands.add(self.operand(stage))
        terms = [
            f"{'W' if operand == 'x' else 'U'}_{name}{k} @ {operand}"
            for k, operand in enumerate(sorted(operands))
        ]
        if self.rng.random() < 0.2:
            terms.append(f"V_{name} @ [{self.use(self.choose(self.states))}, x]")
        if self.rng.random() < 0.3:
            state = self.use("h")
            terms.append(f"p_{name} * {state}" if len(self.states) == 1 else f"p_{name}")
        if self.rng.random() < 0.15:
            self.given["mask"] = self.given.get("mask", self.choose(["row", "sequence"]))
            terms.append(f"R_{name} @ (mask * {self.use('h')})")
        if self.rng.random() < 0.15:  # one matrix, two operands
            self.use("h")
            terms += [f"P_{name} @ h", f"P_{name} @ sin(h)"]
        if self.rng.random() < 0.7:
            terms.append(f"b_{name}")
        self.define(name, self.choose(list(ACTIVATIONS)).replace("{}", " + ".join(terms)))

    def operand(self, stage: int) -> str:
        """Choose what a matrix multiplies; in later stages mostly what the stage before made."""
        if stage and self.values and self.rng.random() < 0.7:
            value = self.use(self.choose(self.values))
            return value if self.rng.random() < 0.5 else f"({value} * {self.use('h')})"
        return self.use(self.choose(self.states))

    def define(self, name: str, expression: str) -> None:
        self.lines.append(f"{name} = {expression}")
        self.values.append(name)
        self.unused.append(name)

    def update(self, state: str) -> None:
        """Write a state's new value: a gated mix, or one of the odd ones that few people think of."""
        if self.rng.random() < 0.35:
            self.lines.append(f"{state}' = {self.odd(state)}")
        else:
            gate, value = self.use(self.choose(self.values)), self.use(self.choose(self.values))
            mix = f"sigmoid({gate})"
            self.use(state)
            self.lines.append(f"{state}' = {mix} * {state} + (1 - {mix}) * tanh({value})")
        if self.rng.random() < 0.6:  # the others are read by the next step alone
            self.values.append(f"{state}'")
            self.unused.append(f"{state}'")

    def odd(self, state: str) -> str:
        """Choose a delay line, a leaky integrator, a state filled by the input alone, or a learned one."""
        other = self.choose([name for name in self.states if name != state])
        ways = [f"W_{state} @ x", f"0.9 * {state} + W_{state} @ x", f"b_{state}", f"-{state}", other]
        way = self.choose(ways)
        for name in (state, other):
            if name in way.replace(f"_{name}", ""):
                self.use(name)
        return way

    def output(self) -> None:
        """Write h', which takes up whatever nothing has used."""
        forgetful = self.rng.random() < 0.2 and "h" not in self.unread
        terms = [self.use(value) for value in list(self.unused)]
        terms += [self.use(state) for state in sorted(self.unread)]
        gate = self.use(self.choose(self.values))
        terms = terms or [self.choose(self.values)]
        rest = "" if forgetful else " + 0.3 * h"
        self.lines.append(f"h' = tanh({' + '.join(terms)}) * sigmoid({gate}){rest}")
        if self.given:
            self.lines.append("given:")
            self.lines += [f"    {name}: {per}" for name, per in self.given.items()]
