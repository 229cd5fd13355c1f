"""Zoneout: at every step, some units keep their old value."""

from dataclasses import replace

from noria.equations.cell import Cell
from noria.equations.draft import Equation, Given
from noria.equations.expression import Apply, Expression, Name, Number, rename
from noria.equations.rewrites.common import check_probability, fresh, names_of, opened, written
from noria.errors import OptionError


def zoneout(cell: Cell, p_h: float, p_c: float = 0.0) -> Cell:
    """Let every unit of a state keep its old value with a probability, drawn anew at every step.

    ``c' = f * c + i * g`` becomes ``c_new = f * c + i * g`` and ``c' = zone_c * c + (1 - zone_c) * c_new``.
    What follows in the same step reads ``c_new``: h' is computed from the cell state that is not zoned out.
    In inference the mask is its expectation.

    Parameters
    ----------
    cell : Cell
        Any cell, rewritten or not.
    p_h : float
        The probability for the hidden state, in [0, 1); 0 leaves it alone.
    p_c : float
        The probability for every other state, in [0, 1); 0 leaves them alone, and a cell without other states
        does not read it.

    Raises
    ------
    OptionError
        If a probability is outside its range.

    References
    ----------
    Krueger et al. 2017, Zoneout: regularizing RNNs by randomly preserving hidden activations.
    """
    check_probability("zoneout", "p_h", p_h)
    check_probability("zoneout", "p_c", p_c)
    probabilities = {state: float(p_h if state == "h" else p_c) for state in cell.states}
    if p_h == p_c == 0:
        return cell
    if not any(probabilities.values()):
        raise OptionError(
            f"zoneout has nothing to do in cell '{cell.name}': it has no state but h, and p_h is 0."
        )
    draft = opened(cell)
    taken = names_of(draft)
    new_names = {f"{state}'": fresh(f"{state}_new", taken) for state, p in probabilities.items() if p}
    zones = {
        f"{state}'": Given(fresh(f"zone_{state}", taken), "row", "bernoulli", p)
        for state, p in probabilities.items()
        if p
    }
    equations: list[Equation] = []
    renamed: dict[str, str] = {}
    for equation in draft.equations:
        target, expression = equation.target, rename(equation.expression, renamed)
        if target in zones:
            renamed[target] = new_names[target]
            equations.append(Equation(renamed[target], expression))
            expression = _mix(zones[target].name, target[:-1], renamed[target])
        equations.append(Equation(target, expression))
    return written(cell, replace(draft, equations=tuple(equations), givens=(*draft.givens, *zones.values())))


def _mix(zone: str, old: str, new: str) -> Expression:
    """``zone * old + (1 - zone) * new``."""
    kept = Apply("mul", (Name(zone), Name(old)))
    passed = Apply("mul", (Apply("sub", (Number(1.0), Name(zone))), Name(new)))
    return Apply("add", (kept, passed))
