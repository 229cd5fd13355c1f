"""From expressions and drafts back to text, with no more parentheses than reading it again takes."""

from noria.equations.draft import Draft, Given, Initial, InitialLine
from noria.equations.expression import Apply, Concatenation, Expression, Name, Number, Product

# How tightly a node holds together: what holds less tightly than its place demands is put in parentheses.
_SUM, _TERM, _PRODUCT, _FACTOR, _ATOM = range(5)

_BETWEEN = {"add": "+", "sub": "-", "mul": "*", "div": "/"}


def print_expression(expression: Expression) -> str:
    """Write ``expression`` in the plain language."""
    return _print(expression, _SUM)


def print_number(value: float) -> str:
    """Write a number so that it reads back the same, ``1.0`` as ``1``."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


def _print(expression: Expression, demanded: int) -> str:
    text, held = _written(expression, demanded)
    return text if held >= demanded else f"({_written(expression, _SUM)[0]})"


def _written(expression: Expression, demanded: int) -> tuple[str, int]:
    match expression:
        case Number(value):
            return print_number(value), _ATOM if value >= 0 else _FACTOR
        case Name(name):
            return name, _ATOM
        case Product(matrix, operand):
            level = _PRODUCT if isinstance(operand, Product) else _FACTOR
            return f"{matrix} @ {_print(operand, level)}", _PRODUCT
        case Concatenation(parts):
            return "[" + ", ".join(_print(part, _SUM) for part in parts) + "]", _ATOM
        case Apply("neg", (operand,)):
            return _negative(operand, demanded)
        case Apply("power", (base, exponent)):
            return f"{_print(base, _ATOM)} ** {_print(exponent, _FACTOR)}", _FACTOR
        case Apply(function, (left, right)) if function in ("add", "sub"):
            return f"{_print(left, _SUM)} {_BETWEEN[function]} {_print(right, _TERM)}", _SUM
        case Apply(function, (left, right)) if function in ("mul", "div"):
            return f"{_print(left, _PRODUCT)} {_BETWEEN[function]} {_print(right, _FACTOR)}", _PRODUCT
        case Apply(function, arguments):
            return f"{function}(" + ", ".join(_print(argument, _SUM) for argument in arguments) + ")", _ATOM


def _negative(operand: Expression, demanded: int) -> tuple[str, int]:
    """Write a minus before a whole term, or before a factor where the place demands one.

    A number behind it would become part of it, and is put in parentheses.
    """
    level = _FACTOR if demanded >= _FACTOR else _TERM
    text = _print(operand, level)
    return f"-({text})" if text[0].isdigit() else f"-{text}", level


def print_initial(initial: Initial) -> str:
    """Write an initial value as it stands behind ``=`` in ``init:``."""
    if initial.kind == "constant":
        return print_number(initial.arguments[0])
    if not initial.arguments:
        return initial.kind
    return f"{initial.kind}({', '.join(print_number(argument) for argument in initial.arguments)})"


def _print_given(given: Given) -> str:
    law = "" if given.law == "supplied" else f" = {given.law}({print_number(given.probability)})"
    return f"{given.name}: {given.per}{law}"


def _print_initial_line(line: InitialLine) -> str:
    return f"{line.pattern} = {print_initial(line.initial)}"


def print_draft(draft: Draft) -> str:
    """Write a whole cell: citation, constants, functions, equations, ``given:`` and ``init:``."""
    lines = [f"# {line}".rstrip() for line in draft.citation.split("\n") if draft.citation]
    lines += [f"{constant.name} = {print_number(constant.value)}" for constant in draft.constants]
    for function in draft.functions:
        formals = ", ".join(formal.name for formal in function.formals)
        lines.append(f"{function.name}({formals}) = {print_expression(function.body)}")
    lines += [f"{equation.target} = {print_expression(equation.expression)}" for equation in draft.equations]
    if draft.givens:
        lines += ["given:", *(f"    {_print_given(given)}" for given in draft.givens)]
    if draft.initials:
        lines += ["init:", *(f"    {_print_initial_line(line)}" for line in draft.initials)]
    return "\n".join(lines) + "\n"
