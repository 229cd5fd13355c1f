"""One step of a cell as a list of operations, with a backward that can be made wrong on purpose.

Plain reverse-mode differentiation (Griewank & Walther 2008, chapter 3) over the equations, kept apart from
the compiler: a :class:`~noria.inspection.tape_changes.Change` says where the backward leaves its rules, as
somebody's hand-written one does.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from noria.arrays import Array
from noria.equations import Cell
from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product
from noria.inspection.tape_changes import RIGHT, Change
from noria.inspection.tape_operations import (
    INPUT,
    JOIN,
    LEAVES,
    NUMBER,
    PRODUCT,
    SLOPES,
    SOFTMAX,
    STATE,
    VALUES,
    VECTOR,
    Operation,
    Trace,
)


class Tape:
    """The operations of one step of a cell, and of what reads its output.

    Parameters
    ----------
    cell : Cell
        Without auxiliary inputs, of functions that :data:`~noria.inspection.tape_operations.VALUES` holds.
    readout : tuple of str, optional
        Matrix and bias of a linear map behind ``h``.
    softmaxed : bool
        Whether a softmax follows it.
    """

    def __init__(
        self, cell: Cell, readout: tuple[str, str] | None = None, *, softmaxed: bool = False
    ) -> None:
        self.cell = cell
        self.operations: list[Operation] = []
        self.targets: dict[str, int] = {"x": self._add(Operation(INPUT, name="x"))}
        for state in cell.states:
            self.targets[state] = self._add(Operation(STATE, name=state))
        self._vectors = {one.name for one in cell.parameters if one.kind == "vector"}
        for equation in cell.equations:
            self.targets[equation.target] = self._read(equation.expression, equation.target)
        self.output = self.targets["h'"]
        if readout is not None:
            matrix, bias = readout
            product = self._add(Operation(PRODUCT, (self.output,), matrix, "y"))
            vector = self._add(Operation(VECTOR, name=bias, line="y"))
            self.output = self._add(Operation("add", (product, vector), line="y"))
            if softmaxed:
                self.output = self._add(Operation(SOFTMAX, (self.output,), line="y"))
            self.targets["y"] = self.output

    @classmethod
    def can_follow(cls, cell: Cell) -> bool:
        """Whether all that a cell computes is known here."""
        kinds = {operation.kind for operation in cls(cell).operations}
        return not cell.givens and kinds <= VALUES.keys() | LEAVES | {PRODUCT, JOIN}

    def _add(self, operation: Operation) -> int:
        self.operations.append(operation)
        return len(self.operations) - 1

    def _read(self, expression: Expression, line: str) -> int:
        match expression:
            case Number():
                return self._add(Operation(NUMBER, number=expression.value, line=line))
            case Name() if expression.name in self._vectors:
                return self._add(Operation(VECTOR, name=expression.name, line=line))
            case Name():
                return self.targets[expression.name]
            case Product():
                operand = self._read(expression.operand, line)
                return self._add(Operation(PRODUCT, (operand,), expression.matrix, line))
            case Concatenation():
                parts = tuple(self._read(part, line) for part in expression.parts)
                return self._add(Operation(JOIN, parts, line=line))
            case Apply():
                arguments = tuple(self._read(one, line) for one in expression.arguments)
                return self._add(Operation(expression.function, arguments, line=line))

    def forward(self, x: Array, states: Mapping[str, Array], params: Mapping[str, Array]) -> Trace:
        """Run over all steps of ``x`` (T, B, D)."""
        steps: list[list[Array]] = []
        now = dict(states)
        for row in x:
            values: list[Array] = []
            for operation in self.operations:
                values.append(self._value(operation, values, row, now, params))
            steps.append(values)
            now = {state: values[self.targets[f"{state}'"]] for state in now}
        return Trace(steps, np.stack([values[self.output] for values in steps]), params)

    def retraced(self, trace: Trace, like: "Tape") -> Trace:
        """Give the values of these operations in another's run: what both name is what that run made."""
        steps: list[list[Array]] = []
        named = {place: like.targets[name] for name, place in self.targets.items() if name in like.targets}
        for found in trace.values:
            states = {state: found[like.targets[state]] for state in self.cell.states}
            values: list[Array] = []
            for place, operation in enumerate(self.operations):
                if place in named:
                    values.append(found[named[place]])
                else:
                    values.append(self._value(operation, values, values[0], states, trace.params))
            steps.append(values)
        return Trace(steps, trace.outputs, trace.params)

    def _value(
        self,
        operation: Operation,
        values: Sequence[Array],
        x: Array,
        states: Mapping[str, Array],
        params: Mapping[str, Array],
    ) -> Array:
        arguments = [values[place] for place in operation.arguments]
        match operation.kind:
            case "input":
                return x
            case "state":
                return states[operation.name]
            case "number":
                return np.array(operation.number)
            case "vector":
                return params[operation.name]
            case "product":
                return np.asarray(arguments[0] @ params[operation.name].T)
            case "join":
                return np.concatenate(arguments, axis=-1)
        return np.asarray(VALUES[operation.kind](*arguments))

    def backward(
        self, trace: Trace, d_outputs: Mapping[str, Array], change: Change = RIGHT
    ) -> dict[str, Array]:
        """Give the gradients of every parameter, of ``x`` and of every initial state, by name.

        Parameters
        ----------
        trace : Trace
        d_outputs : mapping
            Gradients (T, B, F) of what is handed out: by the name of a state, or ``"y"`` for the output.
        change : Change
        """
        d_params = {name: np.zeros_like(value) for name, value in trace.params.items()}
        last = len(trace.values) - 1
        state_shapes = {state: trace.values[0][self.targets[state]].shape for state in self.cell.states}
        d_states = {state: np.zeros(shape) for state, shape in state_shapes.items()}
        d_x = [np.zeros(0)] * (last + 1)
        change_of = change.outputs or (lambda d: d)
        given = {name: change_of(d) for name, d in d_outputs.items()}
        for step in range(last, -1, -1):
            seeds: dict[int, Array] = {}
            for state, d in d_states.items():
                _collect(seeds, self.targets[f"{state}'"], d)
            for name, d in given.items():
                place = self.output if name == "y" else self.targets[f"{name}'"]
                _collect(seeds, place, d[step])
            found = self._step_back(trace, step, seeds, change, {})
            if change.exchanged is not None:
                a, b = change.exchanged
                found = self._step_back(trace, step, seeds, change, {a: found[0].get(b), b: found[0].get(a)})
            adjoints, of_params = found
            if change.kept is None or step == change.kept % (last + 1):
                for name, value in of_params.items():
                    d_params[name] += value
            zero = np.zeros(())
            d_x[step] = adjoints.get(self.targets["x"], zero) + np.zeros_like(
                trace.values[step][self.targets["x"]]
            )
            d_states = {
                state: adjoints.get(self.targets[state], zero) + np.zeros(shape)
                for state, shape in state_shapes.items()
            }
            if step:
                for state in change.not_carried:
                    d_states[state] = np.zeros(state_shapes[state])
        return {"x": np.stack(d_x), **d_states, **d_params}

    def _step_back(
        self,
        trace: Trace,
        step: int,
        seeds: Mapping[int, Array],
        change: Change,
        instead: Mapping[int, Array | None],
    ) -> tuple[dict[int, Array], dict[str, Array]]:
        """Go back through one step: the gradient of every operation, and what parameters get."""
        adjoints = dict(seeds)
        d_params: dict[str, Array] = {}

        def read(place: int, consumer: int, position: int) -> Array:
            other = change.edges.get((consumer, position)) or change.nodes.get(place)
            return trace.values[step][place] if other is None else other(trace, step)

        for place in range(len(self.operations) - 1, -1, -1):
            operation, d = self.operations[place], adjoints.get(place)
            if place in instead:
                d = instead[place]
            if d is None or operation.kind in (STATE, INPUT, NUMBER):
                continue
            if place in change.negated:
                d = -d
            arguments = operation.arguments
            values = [read(argument, place, position) for position, argument in enumerate(arguments)]
            parts: list[Array]
            match operation.kind:
                case "vector":
                    _collect_name(d_params, operation.name, _like(d, trace.params[operation.name]))
                    continue
                case "product":
                    matrix = trace.params[operation.name]
                    _collect_name(d_params, operation.name, d.T @ values[0])
                    parts = [d @ (matrix.T if operation.name in change.transposed else matrix)]
                case "join":
                    widths = np.cumsum([value.shape[-1] for value in values])[:-1]
                    parts = np.split(d, widths, axis=-1)
                case "add":
                    parts = [d, d]
                case "sub":
                    parts = [d, -d]
                case "mul":
                    parts = [
                        d if (place, position) in change.ones else d * values[1 - position]
                        for position in (0, 1)
                    ]
                case "div":
                    parts = [d / values[1], -d * values[0] / values[1] ** 2]
                case "power":
                    parts = [d * values[1] * values[0] ** (values[1] - 1.0), np.zeros(())]
                case "softmax":
                    y = trace.values[step][place]
                    other = change.slopes.get(place)
                    parts = [y * (d - (d * y).sum(-1, keepdims=True)) if other is None else d * other(y, y)]
                case _:
                    own = change.nodes.get(place)
                    y = trace.values[step][place] if own is None else own(trace, step)
                    slope = change.slopes.get(place, SLOPES[operation.kind])
                    parts = [d * slope(y, values[0])]
            for position, (argument, part) in enumerate(zip(arguments, parts, strict=True)):
                if (place, position) not in change.dropped:
                    _collect(adjoints, argument, _like(part, trace.values[step][argument]))
        return adjoints, d_params


def _collect(into: dict[int, Array], place: int, part: Array) -> None:
    into[place] = into[place] + part if place in into else part


def _collect_name(into: dict[str, Array], name: str, part: Array) -> None:
    into[name] = into[name] + part if name in into else part


def _like(part: Array, value: Array) -> Array:
    """Sum a gradient over what was broadcast."""
    while part.ndim > value.ndim:
        part = part.sum(axis=0)
    return part
