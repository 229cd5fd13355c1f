"""The cell: equations, and everything that follows from them, immutable."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal, Self

from noria.equations.checks import NameCheck, check_definitions, check_uses
from noria.equations.draft import Draft, Equation, Given, Initial
from noria.equations.expression import Apply, walk
from noria.equations.faults import LocatedEquationError, Source, did_you_mean
from noria.equations.files import read_cell_file
from noria.equations.folding import fold, pairwise
from noria.equations.functions import is_number
from noria.equations.initials import resolve_initials
from noria.equations.inlining import inline
from noria.equations.latex import latex
from noria.equations.names import Vocabulary
from noria.equations.printer import print_number
from noria.equations.sizes import Sizes
from noria.equations.statements import read
from noria.errors import OptionError, UnknownNameError


@dataclass(frozen=True)
class Parameter:
    """A learned matrix (rows, sum of columns), or a learned vector (rows,), in size symbols."""

    name: str
    kind: Literal["matrix", "vector"]
    rows: str
    columns: tuple[str, ...] = ()

    def shape(self, sizes: Mapping[str, int]) -> tuple[int, ...]:
        """Give the shape in numbers, given a number for every size symbol."""
        if self.kind == "vector":
            return (sizes[self.rows],)
        return sizes[self.rows], sum(sizes[part] for part in self.columns)


@dataclass(frozen=True, eq=False, repr=False)
class Cell:
    """A recurrent cell as its equations.

    Two cells are equal when name and text are.

    Attributes
    ----------
    name, text : str
        The name, and the text as written. ``Cell.parse(cell.text, name=cell.name) == cell``.
    equations : tuple of Equation
        In order; own functions are put in place, constants are numbers, max and min take two arguments, and
        every function has a vector among its arguments.
    states : tuple of str
        ``h`` first, then the others in order of their first assignment.
    constants : tuple of (str, float)
        Set in the text, see :meth:`with_constants`.
    givens : tuple of Given
        Auxiliary inputs: masks, and what the caller supplies.
    parameters : tuple of Parameter
        In the order of their first use.
    sizes : tuple of str
        The size symbols: ``D`` (of ``x``; absent where ``x`` has the size of ``h``), ``H`` (of ``h``), then
        the free ones, ``H_c``.
    size_of : mapping of str to str
        The size symbol of ``x`` and of every state (primed and not), value, given input and vector.
    initial : mapping of str to Initial
        Of every parameter and every state.
    citation : str
        The comment lines at the head of the text.
    """

    name: str
    text: str
    equations: tuple[Equation, ...]
    states: tuple[str, ...]
    constants: tuple[tuple[str, float], ...]
    givens: tuple[Given, ...]
    parameters: tuple[Parameter, ...]
    sizes: tuple[str, ...]
    size_of: Mapping[str, str]
    initial: Mapping[str, Initial]
    citation: str
    draft: Draft = field(repr=False)

    @classmethod
    def parse(cls, text: str, *, name: str = "cell") -> "Cell":
        """Read a cell from its text.

        Raises
        ------
        EquationError
            With line, column and a caret under what is wrong.
        """
        if not isinstance(text, str):
            raise LocatedEquationError(
                f"{name}: expected the text of a cell, got {type(text).__name__}", kind="syntax"
            )
        unmarked = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
        return _parsed(unmarked, name)

    @classmethod
    def load(cls, path: str | Path) -> "Cell":
        """Read a cell from a file of equations, UTF-8; its name is the file's."""
        name, text = read_cell_file(Path(path))
        return cls.parse(text, name=name)

    def with_text(self, text: str) -> "Cell":
        """Read another text under this cell's name."""
        return Cell.parse(text, name=self.name)

    def with_constants(self, **values: float) -> "Cell":
        """Give the cell with other values for its constants, in the text and in all that follows from it.

        Raises
        ------
        UnknownNameError
            For a name that is no constant of the cell.
        OptionError
            For a value that is no finite number.
        """
        if not values:
            return self
        lines = list(Source(self.name, self.text).lines)
        known = {constant.name: constant for constant in self.draft.constants}
        for name, value in values.items():
            if name not in known:
                advice = did_you_mean(name, known, f"its constants are {', '.join(known) or 'none'}.")
                raise UnknownNameError(f"Cell '{self.name}' has no constant '{name}'; {advice}")
            if not is_number(value) or not math.isfinite(value):
                raise OptionError(
                    f"The constant '{name}' of cell '{self.name}' must be a finite number. Got {value!r}."
                )
        for constant in reversed(self.draft.constants):
            if constant.name in values:
                start, until = constant.start, constant.until
                before = lines[start.line - 1][: start.column - 1]
                after = lines[until.line - 1][until.column - 1 + until.width :]
                lines[start.line - 1 : until.line] = [
                    before + print_number(float(values[constant.name])) + after
                ]
        return self.with_text("\n".join(lines))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Cell) and (self.name, self.text) == (other.name, other.text)

    def __hash__(self) -> int:
        return hash((self.name, self.text))

    def __str__(self) -> str:
        return self.text

    def _repr_latex_(self) -> str:
        """Show the equations in a notebook."""
        return f"$${latex(self)}$$"

    def __repr__(self) -> str:
        return f"<Cell {self.name}: states {', '.join(self.states)}; {len(self.parameters)} parameters>"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self


@lru_cache(maxsize=256)
def _parsed(text: str, name: str) -> Cell:
    source = Source(name, text)
    try:
        return _build(source)
    except RecursionError:
        raise LocatedEquationError(f"{name}: the text is too deeply nested to be read", kind="size") from None


def _build(source: Source) -> Cell:
    """Give the passes from text to cell, each in a module of its own."""
    draft = read(source)
    check_definitions(source, draft)
    vocabulary = Vocabulary(draft)
    inlined = inline(source, draft)
    check = NameCheck(source, inlined, vocabulary)
    uses = check.parameters()
    check_uses(source, draft, check.read, _called(draft))
    values = {constant.name: constant.value for constant in draft.constants}
    equations = tuple(
        Equation(equation.target, pairwise(fold(source, equation.expression, values)), equation.place)
        for equation in inlined.equations
    )
    sizes = Sizes(source, equations, vocabulary)
    initial = resolve_initials(source, draft.initials, uses, vocabulary.states, sizes)
    vectors = [use.name for use in uses if use.kind == "vector"]
    states = [spelled for state in vocabulary.states for spelled in (state, f"{state}'")]
    return Cell(
        name=source.name,
        text=source.text,
        equations=equations,
        states=vocabulary.states,
        constants=tuple(values.items()),
        givens=draft.givens,
        parameters=tuple(
            Parameter(use.name, "vector", sizes.of(use.name))
            if use.kind == "vector"
            else Parameter(use.name, "matrix", *sizes.of_matrix(use.name))
            for use in uses
        ),
        sizes=sizes.symbols,
        size_of=MappingProxyType(
            {
                name: sizes.of(name)
                for name in ("x", *states, *vocabulary.values, *vocabulary.givens, *vectors)
            },
        ),
        initial=MappingProxyType(initial),
        citation=draft.citation,
        draft=draft,
    )


def _called(draft: Draft) -> set[str]:
    """Give the functions that some equation, or some function, calls."""
    bodies = [equation.expression for equation in draft.equations] + [
        function.body for function in draft.functions
    ]
    return {node.function for body in bodies for node in walk(body) if isinstance(node, Apply)}
