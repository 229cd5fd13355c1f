"""Recurrent dropout: one mask for the whole sequence, on the states where they enter a product."""

from dataclasses import replace

from noria.equations.cell import Cell
from noria.equations.draft import Draft, Equation, Given
from noria.equations.expression import Apply, Expression, Name, Product, change, has_product
from noria.equations.rewrites.common import (
    check_probability,
    fresh,
    names_of,
    opened,
    owners,
    read_names,
    written,
)
from noria.errors import OptionError


def recurrent_dropout(cell: Cell, p: float) -> Cell:
    """Drop units of the states, the same ones at every step, wherever a weight matrix multiplies them.

    ``U @ h`` becomes ``U @ (h * mask_h)``, and ``U @ (r * h)`` becomes ``U @ (r * (h * mask_h))``; the carry
    ``z * h`` stays whole. A new value in a product, ``U @ z'``, takes its state's mask, and so does the
    projection of an LSTM. A value that the cell computes without a product (``m = r * h``) is written out
    where it enters one. Semeniuta et al. 2016 mask the candidate instead.

    Parameters
    ----------
    cell : Cell
        Any cell, rewritten or not.
    p : float
        The probability of dropping a unit, in [0, 1); 0 gives the cell as it is. What stays is divided by 1 -
        p; nothing is dropped in inference.

    Raises
    ------
    OptionError
        If ``p`` is outside its range, or no state of the cell enters a product.

    References
    ----------
    Gal & Ghahramani 2016, A theoretically grounded application of dropout in recurrent neural networks.
    """
    check_probability("recurrent_dropout", "p", p)
    if p == 0:
        return cell
    masking = _Masking(opened(cell), cell.states, float(p))
    draft = masking.masked_draft()
    if not masking.masks:
        raise OptionError(
            f"recurrent_dropout has nothing to drop in cell '{cell.name}': no state enters a product."
        )
    return written(cell, draft)


class _Masking:
    """Puts masks into the products of one draft."""

    def __init__(self, draft: Draft, states: tuple[str, ...], p: float) -> None:
        self.masks: dict[str, Given] = {}
        self._draft = draft
        self._p = p
        self._taken = names_of(draft)
        self._state_of = {state: state for state in states} | owners(draft)
        self._values = {e.target: e.expression for e in draft.equations if e.target not in self._state_of}

    def masked_draft(self) -> Draft:
        """Give the draft with all its products masked, and the masks among its given inputs."""
        equations = tuple(
            replace(e, expression=change(e.expression, self._outside)) for e in self._draft.equations
        )
        givens = (*self._draft.givens, *self.masks.values())
        return replace(self._draft, equations=self._still_read(equations), givens=givens)

    def _still_read(self, equations: tuple[Equation, ...]) -> tuple[Equation, ...]:
        """Leave out the values that are written out wherever they were read."""
        kept: list[Equation] = []
        read: set[str] = set()
        for equation in reversed(equations):
            if equation.target in read or equation.target not in self._values:
                kept.insert(0, equation)
                read.update(read_names(equation.expression))
        return tuple(kept)

    def _outside(self, node: Expression) -> Expression | None:
        return (
            replace(node, operand=change(node.operand, self._inside)) if isinstance(node, Product) else None
        )

    def _inside(self, node: Expression) -> Expression | None:
        if not isinstance(node, Name):
            return self._outside(node)
        if node.name in self._state_of:
            return Apply("mul", (node, Name(self._mask(self._state_of[node.name]))))
        value = self._values.get(node.name)
        if value is not None and not has_product(value):
            written_out = change(value, self._inside)
            return written_out if written_out != value else None
        return None

    def _mask(self, state: str) -> str:
        if state not in self.masks:
            self.masks[state] = Given(fresh(f"mask_{state}", self._taken), "sequence", "dropout", self._p)
        return self.masks[state].name
