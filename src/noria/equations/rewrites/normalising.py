"""Layer normalisation inside the recurrence, one for every gate."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from noria.equations.cell import Cell
from noria.equations.draft import Draft, Equation, Initial, InitialLine
from noria.equations.expression import (
    Apply,
    Expression,
    Name,
    Number,
    Product,
    change,
    children,
    has_product,
    names_read,
)
from noria.equations.functions import is_operator
from noria.equations.rewrites.common import fresh, names_of, opened, owners, read_names, written
from noria.errors import OptionError

_STARTS_AT_ZERO = (Initial("zero"), Initial("constant", (0.0,)))


def layer_normalised(cell: Cell) -> Cell:
    """Normalise what goes into every gate, over the units of the gate.

    The argument of each outermost activation is wrapped where it contains a product: ``i = sigmoid(W_i @ x +
    U_i @ h + b_i)`` becomes ``i = sigmoid(layer_norm(W_i @ x + U_i @ h, gain_i, bias_i))``. Where the
    activation reads such a sum by the name of a value, the value is wrapped. Learned vectors that are added
    in the argument are taken out, for ``bias_i`` does their work, and takes their initial value: a forget
    gate still begins open. ``gain_i`` begins at one.

    This is not the arrangement of Ba et al. 2016, who normalise ``W x`` and ``U h`` apart, each over all
    gates of an LSTM together, and normalise ``c'`` once more before its tanh; here all terms of one gate are
    normalised together, and states are not.

    Raises
    ------
    OptionError
        If no activation of the cell has a product in its argument, or all of them are normalised already.

    References
    ----------
    Ba, Kiros & Hinton 2016, Layer normalization.
    """
    rewriting = _Normalising(cell, opened(cell))
    draft = rewriting.normalised_draft()
    if not rewriting.count:
        raise OptionError(
            f"layer_normalised has nothing to do in cell '{cell.name}': no activation follows a product."
        )
    return written(cell, draft)


class _Normalising:
    """Wraps the sums of one draft."""

    def __init__(self, cell: Cell, draft: Draft) -> None:
        self.count: Counter[str] = Counter()
        self._initial = cell.initial
        self._draft = draft
        self._vectors = {parameter.name for parameter in cell.parameters if parameter.kind == "vector"}
        self._taken = names_of(draft)
        self._owners = owners(draft)
        self._sums = {
            e.target
            for e in draft.equations
            if e.target not in self._owners and _has_open_product(e.expression)
        }
        self._lines: list[InitialLine] = []

    def normalised_draft(self) -> Draft:
        """Give the draft with its sums wrapped, and the lines of ``init:`` that still speak of something."""
        read_by_name: set[str] = set()
        for equation in self._draft.equations:
            change(equation.expression, lambda node: self._gather(node, read_by_name))
        equations = [
            self._wrapped(equation, equation.target in read_by_name) for equation in self._draft.equations
        ]
        remaining = {
            name for e in equations for name in (e.target.removesuffix("'"), *read_names(e.expression))
        }
        initials = [line for line in self._draft.initials if _speaks_of(line.pattern, remaining)]
        return replace(self._draft, equations=tuple(equations), initials=(*initials, *self._lines))

    def _gather(self, node: Expression, read_by_name: set[str]) -> Expression | None:
        """Note the sums that an activation reads by name."""
        argument = _activated(node)
        if argument is None:
            return None
        if not has_product(argument):
            read_by_name.update(self._sums.intersection(names_read(argument)))
        return node

    def _wrapped(self, equation: Equation, whole: bool) -> Equation:
        gate = self._owners.get(equation.target, equation.target)

        def visit(node: Expression) -> Expression | None:
            argument = _activated(node)
            if argument is None:
                return node if _is_normalised(node) else None
            if not has_product(argument) or _is_normalised(argument):
                return node
            assert isinstance(node, Apply)
            wrapped = self._normalised(argument, gate)
            return replace(
                node, arguments=tuple(wrapped if part is argument else part for part in node.arguments)
            )

        expression = change(equation.expression, visit)
        return replace(equation, expression=self._normalised(expression, gate) if whole else expression)

    def _normalised(self, total: Expression, gate: str) -> Expression:
        self.count[gate] += 1
        ending = gate if self.count[gate] == 1 else f"{gate}_{self.count[gate]}"
        gain, bias = fresh(f"gain_{ending}", self._taken), fresh(f"bias_{ending}", self._taken)
        self._taken |= {gain, bias}
        removable = self._removable(total)
        for name in removable:
            if self._initial[name] not in _STARTS_AT_ZERO:
                self._lines.append(InitialLine(bias, self._initial[name]))
        stripped = _without(total, removable)
        assert stripped is not None
        return Apply("layer_norm", (stripped, Name(gain), Name(bias)))

    def _removable(self, total: Expression) -> list[str]:
        """Give the vectors added in a sum that the bias can stand for.

        Of those that do not begin at zero this is only the first, whose initial value the bias takes.
        """
        removable: list[str] = []
        starts: Mapping[str, Initial] = self._initial
        for name in dict.fromkeys(_added(total)):
            if name in self._vectors:
                is_zero = starts[name] in _STARTS_AT_ZERO
                if is_zero or all(starts[other] in _STARTS_AT_ZERO for other in removable):
                    removable.append(name)
        return removable


def _activated(node: Expression) -> Expression | None:
    """Give the argument of an activation, or ``None``.

    An activation is a function, no operator and no norm, of one vector and perhaps numbers.
    """
    if not isinstance(node, Apply) or is_operator(node.function) or _is_normalised(node):
        return None
    vectors = [argument for argument in node.arguments if not isinstance(argument, Number)]
    return vectors[0] if len(vectors) == 1 else None


def _is_normalised(node: Expression) -> bool:
    return isinstance(node, Apply) and node.function == "layer_norm"


def _has_open_product(expression: Expression) -> bool:
    """Whether a product stands in the expression outside all activations and norms."""
    if isinstance(expression, Product):
        return True
    if _is_normalised(expression) or _activated(expression) is not None:
        return False
    return any(_has_open_product(part) for part in children(expression))


def _added(total: Expression) -> list[str]:
    """Give the names that stand alone as terms of a sum."""
    match total:
        case Name(name):
            return [name]
        case Apply("add", (left, right)):
            return _added(left) + _added(right)
        case Apply("sub", (left, _)):
            return _added(left)
    return []


def _without(total: Expression, names: Collection[str]) -> Expression | None:
    """Give the sum without these terms; ``None`` if nothing is left."""
    match total:
        case Name(name) if name in names:
            return None
        case Apply("add", (left, right)):
            first, second = _without(left, names), _without(right, names)
            if first is None or second is None:
                return first or second
            return replace(total, arguments=(first, second))
        case Apply("sub", (left, right)):
            first = _without(left, names)
            return Apply("neg", (right,)) if first is None else replace(total, arguments=(first, right))
    return total


def _speaks_of(pattern: str, names: Collection[str]) -> bool:
    return any(name == pattern or name.startswith(f"{pattern}_") for name in names)
