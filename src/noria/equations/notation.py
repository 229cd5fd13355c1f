"""How a textbook writes values, parameters, gradients and functions: in plain Unicode text and in LaTeX."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

SUM, TERM, FACTOR, ATOM = 1, 2, 3, 4
"""How tightly an expression binds; what binds less tightly than its surroundings wants parentheses."""

GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "ρ": "rho", "σ": "sigma",
    "τ": "tau", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega", "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta",
    "Λ": "Lambda", "Σ": "Sigma", "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip


@dataclass(frozen=True)
class Written:
    """An expression as text, and how tightly it binds."""

    text: str
    binds: int = ATOM


class Notation(ABC):
    """How signs and names are written; :class:`PlainText` and :class:`Latex` fill it in."""

    times: str

    @abstractmethod
    def value(self, name: str) -> str:
        """Write a value: ``i``, ``a_i``, ``c'`` (after the step), ``c`` (a state before it)."""

    @abstractmethod
    def delta(self, name: str) -> str:
        """Write the gradient of the loss with respect to a value."""

    @abstractmethod
    def parameter(self, name: str) -> str:
        """Write a parameter."""

    @abstractmethod
    def transpose(self, text: str) -> str:
        """Write a transpose."""

    @abstractmethod
    def power(self, base: str, exponent: str) -> str:
        """Write a power."""

    @abstractmethod
    def function(self, name: str, arguments: list[str]) -> str:
        """Write a function of its arguments."""

    @abstractmethod
    def from_output(self, state: str) -> str:
        """Write the gradient that arrives from above."""

    @abstractmethod
    def from_next(self, state: str) -> str:
        """Write the gradient that the step after hands back."""

    def quotient(self, above: Written, below: Written) -> Written:
        """Write a quotient."""
        return Written(f"{self.bracketed(above, TERM)} / {self.bracketed(below, FACTOR)}", TERM)

    def bracketed(self, written: Written, binds: int) -> str:
        """Put parentheses around what binds less tightly than its surroundings."""
        return written.text if written.binds >= binds else self.parentheses(written.text)

    def parentheses(self, text: str) -> str:
        """Put parentheses around ``text``."""
        return f"({text})"


class PlainText(Notation):
    """Unicode text, with the names as the writer of the cell wrote them."""

    times = " ⊙ "

    def value(self, name: str) -> str:
        """Write the name as it stands."""
        return name

    def delta(self, name: str) -> str:
        """Write ``δi``."""
        return f"δ{name}"

    def parameter(self, name: str) -> str:
        """Write the name as it stands."""
        return name

    def transpose(self, text: str) -> str:
        """Write ``Wᵀ``."""
        return f"{text}ᵀ"

    def power(self, base: str, exponent: str) -> str:
        """Write ``a²``, and ``a^3`` for any other exponent."""
        return f"{base}²" if exponent == "2" else f"{base}^{exponent}"

    def function(self, name: str, arguments: list[str]) -> str:
        """Write ``σ(a)``: the function's sign where it has one, else its name."""
        return f"{_PLAIN_FUNCTIONS.get(name, name)}({', '.join(arguments)})"

    def from_output(self, state: str) -> str:
        """Write ``∂L/∂h'``."""
        return f"∂L/∂{state}'"

    def from_next(self, state: str) -> str:
        """Write ``δc(t+1)``."""
        return f"δ{state}(t+1)"


class Latex(Notation):
    """LaTeX, with time steps as subscripts."""

    times = r" \odot "

    def __init__(self, states: tuple[str, ...]) -> None:
        self.states = states

    def value(self, name: str) -> str:
        """Write the name with its time step: ``t - 1`` for a state before the step, else ``t``."""
        if name.endswith("'"):
            return f"{self._symbol(name[:-1], 't')}"
        return self._symbol(name, "t-1" if name in self.states else "t")

    def delta(self, name: str) -> str:
        """Write a delta before the value."""
        return rf"\delta {self.value(name)}"

    def parameter(self, name: str) -> str:
        """Write the name without a time step."""
        return self._symbol(name, "")

    def transpose(self, text: str) -> str:
        """Write a raised ``top``."""
        return rf"{text}^{{\top}}"

    def power(self, base: str, exponent: str) -> str:
        """Write a raised exponent."""
        return f"{base}^{{{exponent}}}"

    def function(self, name: str, arguments: list[str]) -> str:
        """Write ``abs`` as bars, ``sqrt`` as a root, and other functions before their arguments."""
        if name == "abs":
            return rf"\left| {arguments[0]} \right|"
        if name == "sqrt":
            return rf"\sqrt{{{arguments[0]}}}"
        written = _LATEX_FUNCTIONS.get(name, rf"\operatorname{{{name.replace('_', ' ')}}}")
        return rf"{written}\left({', '.join(arguments)}\right)"

    def from_output(self, state: str) -> str:
        """Write a partial derivative of the loss by the new state."""
        return rf"\frac{{\partial L}}{{\partial {self.value(state + chr(39))}}}"

    def from_next(self, state: str) -> str:
        """Write a delta with ``t + 1`` raised."""
        return rf"\delta {self._symbol(state, 't')}^{{(t+1)}}"

    def quotient(self, above: Written, below: Written) -> Written:
        """Write a fraction, which needs no parentheses."""
        return Written(rf"\frac{{{above.text}}}{{{below.text}}}")

    def parentheses(self, text: str) -> str:
        """Put parentheses that grow with ``text`` around it."""
        return rf"\left({text}\right)"

    def _symbol(self, name: str, time: str) -> str:
        head, _, tail = name.partition("_")
        subscript = ", ".join(part for part in (self._word(tail) if tail else "", time) if part)
        return f"{self._word(head)}_{{{subscript}}}" if subscript else self._word(head)

    def _word(self, word: str) -> str:
        if word in GREEK:
            return rf"\{GREEK[word]}"
        return word if len(word) == 1 else rf"\mathrm{{{word}}}".replace("_", r"\_")


_PLAIN_FUNCTIONS = {"sigmoid": "σ", "positive": "step", "rsqrt": "rsqrt"}
_LATEX_FUNCTIONS = {
    "sigmoid": r"\sigma", "tanh": r"\tanh", "exp": r"\exp", "log": r"\log", "sin": r"\sin", "cos": r"\cos",
    "max": r"\max", "min": r"\min", "positive": r"\operatorname{step}", "relu": r"\operatorname{relu}",
}  # fmt: skip
