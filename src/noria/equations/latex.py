"""The equations of a cell in LaTeX, as they were written, with time steps as subscripts."""

from typing import TYPE_CHECKING

from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product
from noria.equations.notation import ATOM, FACTOR, SUM, TERM, Latex, Written

if TYPE_CHECKING:
    from noria.equations.cell import Cell


def latex(cell: "Cell") -> str:
    """Write the equations of ``cell`` in LaTeX, as an ``aligned`` block.

    Own functions are written out, constants stand as numbers.
    """
    writer = _Writer(cell)
    lines = [
        f"{writer.notation.value(e.target)} &= {writer.write(e.expression).text}" for e in cell.equations
    ]
    return "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"


class _Writer:
    def __init__(self, cell: "Cell") -> None:
        self.notation = Latex(cell.states)
        self.parameters = {parameter.name for parameter in cell.parameters}

    def write(self, expression: Expression) -> Written:
        match expression:
            case Number(value=value):
                return Written(f"{value:g}", ATOM if value >= 0 else SUM)
            case Name(name=name):
                return Written(
                    self.notation.parameter(name) if name in self.parameters else self.notation.value(name)
                )
            case Product(matrix=matrix, operand=operand):
                return Written(f"{self.notation.parameter(matrix)} {self.tight(operand, ATOM)}", FACTOR)
            case Concatenation(parts=parts):
                return Written("[" + "; ".join(self.write(part).text for part in parts) + "]")
            case Apply(function=function, arguments=arguments):
                return self.apply(function, arguments)

    def apply(self, function: str, arguments: tuple[Expression, ...]) -> Written:
        match function, arguments:
            case "add", (a, b):
                return Written(f"{self.tight(a, SUM)} + {self.tight(b, SUM)}", SUM)
            case "sub", (a, b):
                return Written(f"{self.tight(a, SUM)} - {self.tight(b, TERM)}", SUM)
            case "neg", (a,):
                return Written(f"-{self.tight(a, TERM)}", SUM)
            case "mul", (a, b):
                return Written(self.tight(a, TERM) + self.notation.times + self.tight(b, TERM), TERM)
            case "div", (a, b):
                return self.notation.quotient(self.write(a), self.write(b))
            case "power", (a, b):
                return Written(self.notation.power(self.tight(a, ATOM), self.write(b).text))
            case _:
                return Written(self.notation.function(function, [self.write(a).text for a in arguments]))

    def tight(self, expression: Expression, binds: int) -> str:
        return self.notation.bracketed(self.write(expression), binds)
