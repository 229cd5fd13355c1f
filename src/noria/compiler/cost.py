"""What one step of a cell costs: parameters, arithmetic, bytes."""

from collections.abc import Mapping
from dataclasses import dataclass

from noria.compiler.graph import Block, Node
from noria.compiler.program import Pass, Program
from noria.equations import Cell, Parameter

LINEAR_COST = 1
"""An elementwise operation counts as one a unit, whatever it is; a multiply-add in a product as two."""


@dataclass(frozen=True)
class ParameterRow:
    """One line of the table of parameters: name, shape in symbols and in numbers, count of numbers."""

    name: str
    symbols: tuple[str, ...]
    shape: tuple[int, ...]
    count: int
    initial: str


@dataclass(frozen=True)
class Cost:
    """What one step of one sequence costs.

    Operations count a multiply-add as two; bytes are those of ``itemsize``.
    """

    parameters: int
    forward_operations: int
    backward_operations: int
    weight_bytes: int
    saved_bytes: int


def full_sizes(cell: Cell, sizes: Mapping[str, int]) -> dict[str, int]:
    """Give every size of ``cell``: free ones that are not named are as wide as ``H``."""
    return {symbol: sizes.get(symbol, sizes["H"]) for symbol in cell.sizes}


def parameter_table(cell: Cell, sizes: Mapping[str, int]) -> list[ParameterRow]:
    """List the parameters of ``cell``, bound to ``sizes``."""
    full = full_sizes(cell, sizes)
    rows = []
    for parameter in cell.parameters:
        shape: tuple[int, ...] = (full[parameter.rows],)
        if parameter.kind == "matrix":
            shape += (sum(full[size] for size in parameter.columns),)
        count = 1
        for extent in shape:
            count *= extent
        rows.append(
            ParameterRow(parameter.name, _symbols(parameter), shape, count, str(cell.initial[parameter.name]))
        )
    return rows


def _symbols(parameter: Parameter) -> tuple[str, ...]:
    return (parameter.rows, "+".join(parameter.columns)) if parameter.kind == "matrix" else (parameter.rows,)


def cost(program: Program, sizes: Mapping[str, int], itemsize: int = 4) -> Cost:
    """Count what one step of one sequence costs, with values of ``itemsize`` bytes."""
    cell = program.forward.cell
    full = full_sizes(cell, sizes)
    parameters = sum(row.count for row in parameter_table(cell, sizes))
    weights = sum(
        2 * full[block.rows] * full[block.column]
        for gradient in program.weight_gradients
        for block in gradient.blocks
    )
    return Cost(
        parameters=parameters,
        forward_operations=_operations(program.training, full),
        backward_operations=_operations(program.backward, full) + weights,
        weight_bytes=itemsize * parameters,
        saved_bytes=itemsize * sum(full.get(node.size, 1) for node in program.saved),
    )


def _operations(one: Pass, sizes: Mapping[str, int]) -> int:
    return sum(_operations_of(node, sizes) for node in one.nodes())


def _operations_of(node: Node, sizes: Mapping[str, int]) -> int:
    if node.op in ("product", "product_t"):
        blocks = node.attribute if isinstance(node.attribute, tuple) else (node.attribute,)
        return sum(2 * sizes[b.rows] * sizes[b.column] for b in blocks if isinstance(b, Block))
    if node.op == "sum":
        return sizes.get(node.arguments[0].size, 1)
    return LINEAR_COST * sizes.get(node.size, 1)
