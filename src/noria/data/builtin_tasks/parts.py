"""What a built-in data set gives: parts to train on, to choose on and to test on."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np

from noria.errors import DataError
from noria.training.randomness import generator

PARTS = ("train", "validation", "test", "extra")

PartName: TypeAlias = Literal["train", "validation", "test", "extra"]

Data: TypeAlias = Any
"""The plain input of one task, as its model's ``fit`` takes it.

``text``: list of str. ``classify``, ``regress``: (list of sequences, list of targets). ``tag``: (list of
token lists, list of tag lists). ``forecast``: a table of series. ``translate``: (sources, targets), lists of
str.
"""

Determined: TypeAlias = Callable[[str], Sequence[bool]]
"""Says of each prediction that is made on a sequence, its end included, whether what comes is certain."""


@dataclass(frozen=True)
class BuiltinParts:
    """The data of one built-in data set.

    Attributes
    ----------
    train : Data
        What is learnt from. Where `validation` and `test` are None, all there is: the model splits it.
    source : str
        How the data are described.
    validation, test : Data, optional
        What the best weights are chosen on, and what the figure is reported on. Both are given, or neither.
    extra : mapping of str to Data
        Further test parts by name, of another kind than the training part: longer, say.
    determined : callable, optional
        For texts: see :data:`Determined`; left out, no symbol is certain.
    conditions : mapping, optional
        For texts: what is known of each sequence before it begins, ``{"train": {"language": [...]}, ...}``;
        of all three parts.
    """

    train: Data
    source: str
    validation: Data | None = None
    test: Data | None = None
    extra: Mapping[str, Data] = field(default_factory=dict)
    determined: Determined | None = None
    conditions: Mapping[str, Mapping[str, Sequence[Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.validation is None) != (self.test is None):
            raise DataError(f"{self.source}: expected both a validation and a test part, or neither.")

    @property
    def is_split(self) -> bool:
        """Whether the parts are given; otherwise the model splits what there is."""
        return self.test is not None

    @property
    def tested(self) -> Data:
        """What figures are taken on: the test part or, where there is none, all there is."""
        return self.train if self.test is None else self.test


def drawing(seed: int, part: PartName) -> np.random.Generator:
    """Give the generator that one part of a data set is drawn from, whatever the other parts drew."""
    return generator(seed, "data", PARTS.index(part))
