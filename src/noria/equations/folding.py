"""What can be worked out before any array is known: constants, and functions of numbers alone.

After folding, no function but one with a vector somewhere in its arguments is left, so that the compiler need
not compute with numbers.
"""

import math
from collections.abc import Mapping

from noria.equations.expression import Apply, Expression, Name, Number, children, rebuild
from noria.equations.faults import Source
from noria.equations.functions import known_function


def fold(source: Source, expression: Expression, constants: Mapping[str, float] | None = None) -> Expression:
    """Give ``expression`` with its constants as numbers and every function of numbers alone worked out."""
    if isinstance(expression, Name) and constants and expression.name in constants:
        return Number(constants[expression.name], expression.place)
    folded = rebuild(expression, [fold(source, part, constants) for part in children(expression)])
    if (
        isinstance(folded, Apply)
        and folded.arguments
        and all(isinstance(part, Number) for part in folded.arguments)
    ):
        return _worked_out(source, folded)
    match folded:
        case Apply("div", (_, Number(0.0))):
            raise source.fault("number", folded.place, "a division by zero", "expected another number")
    return folded


def pairwise(expression: Expression) -> Expression:
    """Give ``expression`` with every ``max(a, b, c)`` as ``max(max(a, b), c)``, and the same for min."""
    rebuilt = rebuild(expression, [pairwise(part) for part in children(expression)])
    if isinstance(rebuilt, Apply) and rebuilt.function in ("max", "min") and len(rebuilt.arguments) > 2:
        folded, *others = rebuilt.arguments
        for other in others:
            folded = Apply(rebuilt.function, (folded, other), rebuilt.place)
        return folded
    return rebuilt


def _worked_out(source: Source, application: Apply) -> Expression:
    function = known_function(application.function)
    numbers = [part.value for part in application.arguments if isinstance(part, Number)]
    if function is None or function.of_numbers is None or not function.accepts(len(numbers)):
        return application
    try:
        value = float(function.of_numbers(*numbers))
    except (ArithmeticError, ValueError) as error:
        raise source.fault("number", application.place, f"the numbers here have no value: {error}") from error
    if not math.isfinite(value):
        raise source.fault("number", application.place, "the value of the numbers here is too large")
    return Number(value, application.place)
