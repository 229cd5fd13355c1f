"""How the parameters of a program lie in one flat block; the same in every engine."""

import math
from collections.abc import Mapping

from noria.compiler.program import Program

ParameterLayout = tuple[tuple[str, int, tuple[int, ...]], ...]
"""Name, offset and shape of each parameter."""


def parameter_layout(program: Program, sizes: Mapping[str, int]) -> ParameterLayout:
    """Lay the parameters one after the other, in the order that the program chose."""
    parameters = {parameter.name: parameter for parameter in program.forward.cell.parameters}
    layout, offset = [], 0
    for name in program.order:
        parameter = parameters[name]
        shape: tuple[int, ...] = (sizes[parameter.rows],)
        if parameter.kind == "matrix":
            shape += (sum(sizes[size] for size in parameter.columns),)
        layout.append((name, offset, shape))
        offset += math.prod(shape)
    return tuple(layout)


def parameter_count(layout: ParameterLayout) -> int:
    """Give how many numbers the parameters are."""
    return sum(math.prod(shape) for _, _, shape in layout)
