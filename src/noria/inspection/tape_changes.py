"""Where a backward leaves its rules, as somebody's hand-written one does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from noria.arrays import Array
from noria.inspection.tape_operations import Trace

Read: TypeAlias = Callable[[Trace, int], Array]
"""What a backward reads in the place of a value, at a step."""

Edge: TypeAlias = tuple[int, int]
"""An operation, and which of its arguments."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """Where a backward is not what it should be.

    Attributes
    ----------
    dropped : set of Edge
        Over which no gradient is handed back.
    ones : set of Edge
        Of products of two values: the gradient is handed back without the other factor.
    edges, nodes : mappings to Read
        What is read in the place of a value: by one operation, or by all.
    slopes : mapping
        Other derivatives, by operation: of its value and its argument.
    negated : set of int
        Operations whose gradient has the wrong sign.
    exchanged : tuple of int, optional
        Two operations whose gradients are taken for each other's.
    transposed : set of str
        Matrices that are not transposed on the way back.
    kept : int, optional
        The only step whose contributions to the parameters stay: 0, or -1 for the last.
    not_carried : set of str
        States whose gradient is not handed to the step before.
    outputs : callable, optional
        What is made of the gradient of the outputs.
    """

    dropped: frozenset[Edge] = frozenset()
    ones: frozenset[Edge] = frozenset()
    edges: Mapping[Edge, Read] = field(default_factory=dict)
    nodes: Mapping[int, Read] = field(default_factory=dict)
    slopes: Mapping[int, Callable[[Array, Array], Array]] = field(default_factory=dict)
    negated: frozenset[int] = frozenset()
    exchanged: tuple[int, int] | None = None
    transposed: frozenset[str] = frozenset()
    kept: int | None = None
    not_carried: frozenset[str] = frozenset()
    outputs: Callable[[Array], Array] | None = None

    def joined(self, other: "Change") -> "Change":
        """Give both changes as one."""
        return Change(
            dropped=self.dropped | other.dropped,
            ones=self.ones | other.ones,
            edges={**self.edges, **other.edges},
            nodes={**self.nodes, **other.nodes},
            slopes={**self.slopes, **other.slopes},
            negated=self.negated ^ other.negated,
            exchanged=self.exchanged or other.exchanged,
            transposed=self.transposed | other.transposed,
            kept=self.kept if other.kept is None else other.kept,
            not_carried=self.not_carried | other.not_carried,
            outputs=self.outputs or other.outputs,
        )


RIGHT = Change()


@dataclass(frozen=True)
class Mistake:
    """One way to be wrong.

    Attributes
    ----------
    key : str
        Of its sentence.
    words : tuple of str
        What the sentence names.
    change : Change
    usual : bool
        Whether it is common enough to be looked for together with another.
    """

    key: str
    words: tuple[str, ...]
    change: Change
    usual: bool = False


def reading(place: int) -> Read:
    """Read the value of an operation, at the same step."""
    return lambda trace, step: trace.values[step][place]
