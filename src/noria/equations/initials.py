"""Initial values: what each initialiser may be given, the lines of ``init:`` and the defaults.

A line's pattern is a name, or the beginning of names up to an ``_``: ``U = orthogonal`` speaks of ``U`` and
of every ``U_...``. The most exact pattern wins. Defaults: a matrix on ``x`` xavier (Glorot & Bengio 2010); a
square matrix on a state or value orthogonal (Saxe et al. 2014); any other matrix xavier; ``gain`` one; any
other vector, and every state, zero.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from noria.equations.draft import Initial, InitialLine
from noria.equations.expression import names_read
from noria.equations.faults import LocatedEquationError, Source, did_you_mean
from noria.equations.names import ParameterUse
from noria.equations.sizes import Sizes

ZERO = Initial("zero")
ONE = Initial("constant", (1.0,))


@dataclass(frozen=True)
class Initialiser:
    """One row of the table: how many numbers it takes, what it suits, and which numbers are right."""

    name: str
    counts: tuple[int, ...]
    suits: frozenset[str]
    description: str
    is_right: Callable[[Sequence[float]], bool] = lambda numbers: True
    expected: str = ""


def _kinds(*kinds: str) -> frozenset[str]:
    return frozenset(kinds)


INITIALISERS: dict[str, Initialiser] = {
    row.name: row
    for row in (
        Initialiser(
            "constant", (1,), _kinds("matrix", "vector", "state"), "one number, written alone: b_f = 1"
        ),
        Initialiser("zero", (0,), _kinds("matrix", "vector", "state"), "zero"),
        Initialiser("xavier", (0,), _kinds("matrix"), "uniform, by rows and columns (Glorot & Bengio 2010)"),
        Initialiser("he", (0,), _kinds("matrix"), "normal, by columns (He et al. 2015)"),
        Initialiser("orthogonal", (0,), _kinds("matrix"), "a random orthogonal matrix (Saxe et al. 2014)"),
        Initialiser("identity", (0, 1), _kinds("square"), "the identity, or identity(0.5) (Le et al. 2015)"),
        Initialiser(
            "normal",
            (1,),
            _kinds("matrix", "vector"),
            "normal(deviation) around zero",
            lambda n: n[0] >= 0,
            "a deviation of at least 0",
        ),
        Initialiser(
            "uniform",
            (2,),
            _kinds("matrix", "vector"),
            "uniform(lowest, highest)",
            lambda n: n[0] < n[1],
            "the lower bound first",
        ),
        Initialiser(
            "chrono",
            (1,),
            _kinds("vector"),
            "chrono(T_max): log of uniform(1, T_max - 1) (Tallec & Ollivier 2018)",
            lambda n: n[0] > 2,
            "T_max greater than 2",
        ),
    )
}


def resolve_initials(
    source: Source,
    lines: Sequence[InitialLine],
    parameters: Sequence[ParameterUse],
    states: Sequence[str],
    sizes: Sizes,
) -> dict[str, Initial]:
    """Give the initial value of every parameter and state.

    Raises
    ------
    EquationError
        For a line that is written twice, belongs to nothing, names no initialiser, or gives one that does not
        suit.
    """
    initial = {parameter.name: _default(parameter, sizes) for parameter in parameters} | dict.fromkeys(
        states, ZERO
    )
    kinds = {parameter.name: _kind(parameter, sizes) for parameter in parameters} | dict.fromkeys(
        states, "state"
    )
    seen: set[str] = set()
    for line in sorted(lines, key=lambda line: len(line.pattern)):
        matched = matches(line.pattern, kinds)
        _check_line(source, line, matched, kinds, seen)
        seen.add(line.pattern)
        initial |= dict.fromkeys(matched, line.initial)
    return initial


def matches(pattern: str, kinds: Mapping[str, str]) -> list[str]:
    """Give the parameters and states that a pattern speaks of; a state only by its whole name."""
    if kinds.get(pattern) == "state":
        return [pattern]
    return [
        name
        for name, kind in kinds.items()
        if name == pattern or (kind != "state" and name.startswith(f"{pattern}_"))
    ]


def _kind(parameter: ParameterUse, sizes: Sizes) -> str:
    if parameter.kind == "vector":
        return "vector"
    rows, columns = sizes.of_matrix(parameter.name)
    return "square" if columns == (rows,) else "matrix"


def _default(parameter: ParameterUse, sizes: Sizes) -> Initial:
    if parameter.kind == "vector":
        return ONE if parameter.name.partition("_")[0] == "gain" else ZERO
    reads_input = "x" in names_read(sizes.first_product(parameter.name).operand)
    is_square = _kind(parameter, sizes) == "square"
    return Initial("orthogonal" if is_square and not reads_input else "xavier")


def _check_line(
    source: Source, line: InitialLine, matched: Sequence[str], kinds: Mapping[str, str], seen: set[str]
) -> None:
    def fault(problem: str, advice: str = "") -> LocatedEquationError:
        return source.fault("init", line.value_place, problem, advice)

    if line.pattern in seen:
        raise source.fault(
            "init", line.place, f"'{line.pattern}' has two initial values", "keep one of the lines"
        )
    if not matched:
        advice = did_you_mean(line.pattern, kinds, "known are " + " ".join(kinds))
        raise source.fault("init", line.place, f"no parameter or state is called '{line.pattern}'", advice)
    row = INITIALISERS.get(line.initial.kind)
    if row is None:
        advice = did_you_mean(
            line.initial.kind, INITIALISERS, "known are numbers and " + " ".join(INITIALISERS)
        )
        raise fault(f"unknown initialiser '{line.initial.kind}'", advice)
    if len(line.initial.arguments) not in row.counts:
        counts = " or ".join(str(count) for count in row.counts) + (
            " number" if row.counts == (1,) else " numbers"
        )
        raise fault(f"'{row.name}' takes {counts}, got {len(line.initial.arguments)}", row.description)
    if not row.is_right(line.initial.arguments):
        raise fault(f"'{row.name}' is given wrong numbers", f"expected {row.expected}")
    for name in matched:
        kind = kinds[name]
        if kind not in row.suits and not (kind == "square" and "matrix" in row.suits):
            suited = " or a ".join(sorted(row.suits)).replace("square", "square matrix")
            what = (
                "matrix that is not square"
                if kind == "matrix" and row.name == "identity"
                else kind.replace("square", "matrix")
            )
            raise fault(f"'{row.name}' does not suit '{name}', a {what}", f"it suits a {suited}")
