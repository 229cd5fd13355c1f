"""Nodes of a program, written as expressions in terms of the nodes that have a name."""

from noria.compiler.graph import PRODUCTS, Block, Node
from noria.equations.notation import ATOM, FACTOR, SUM, TERM, Notation, Written


def write(node: Node, notation: Notation, names: dict[Node, str], *, whole: bool = False) -> Written:
    """Write ``node`` in terms of the nodes that have a name; ``names`` gives those as they are written.

    With ``whole``, ``node`` itself is written out even if it has a name.
    """
    if not whole and node in names:
        return Written(names[node])

    def part(argument: Node) -> Written:
        return write(argument, notation, names)

    def tight(argument: Node, binds: int) -> str:
        return notation.bracketed(part(argument), binds)

    def factor(argument: Node) -> str:
        written = part(argument)
        matrix_product = argument not in names and argument.op in PRODUCTS
        return notation.parentheses(written.text) if matrix_product else notation.bracketed(written, TERM)

    arguments = node.arguments
    match node.op:
        case "number":
            return Written(f"{node.attribute:g}", ATOM if float(str(node.attribute)) >= 0 else SUM)
        case "inverse_size":
            return Written(notation.quotient(Written("1"), Written(str(node.attribute))).text, FACTOR)
        case "input" | "given" | "old":
            return Written(notation.value(str(node.attribute)))
        case "vector":
            return Written(notation.parameter(str(node.attribute)))
        case "d_output":
            return Written(notation.from_output(str(node.attribute)))
        case "carried":
            return Written(notation.from_next(str(node.attribute)))
        case "add":
            return Written(f"{tight(arguments[0], SUM)} + {tight(arguments[1], SUM)}", SUM)
        case "sub":
            return Written(f"{tight(arguments[0], SUM)} - {tight(arguments[1], TERM)}", SUM)
        case "neg":
            return Written(f"-{tight(arguments[0], TERM)}", SUM)
        case "mul" if arguments[0] is arguments[1]:
            return Written(notation.power(tight(arguments[0], ATOM), "2"), ATOM)
        case "mul":
            return Written(factor(arguments[0]) + notation.times + factor(arguments[1]), TERM)
        case "div":
            return notation.quotient(part(arguments[0]), part(arguments[1]))
        case "power":
            return Written(notation.power(tight(arguments[0], ATOM), f"{node.attribute:g}"), ATOM)
        case "spread" | "copy":
            return part(arguments[0])
        case "product":
            assert isinstance(node.attribute, Block)
            return Written(f"{_matrix(node.attribute, notation)} {tight(arguments[0], ATOM)}", FACTOR)
        case "product_t":
            assert isinstance(node.attribute, tuple)
            terms = [
                f"{notation.transpose(_matrix(block, notation))} {tight(d, ATOM)}"
                for block, d in zip(node.attribute, arguments, strict=True)
            ]
            return Written(" + ".join(terms), FACTOR if len(terms) == 1 else SUM)
        case _:
            return Written(notation.function(node.op, [part(argument).text for argument in arguments]))


def _matrix(block: Block, notation: Notation) -> str:
    name = notation.parameter(block.matrix)
    return name if len(block.columns) == 1 else f"{name}[{block.part + 1}]"
