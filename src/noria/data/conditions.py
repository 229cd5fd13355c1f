"""What is known of whole sequences, labels and numbers: the vector with which a model begins each of them."""

import numbers
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import numpy as np

from noria.arrays import Array, Float, Int
from noria.errors import DataError, RunError
from noria.training.option import did_you_mean

Columns: TypeAlias = Mapping[str, Sequence[Any]]
"""The values of each column by its name, one for each sequence."""
LABEL, NUMBER = "label", "number"


@dataclass(frozen=True)
class Condition:
    """One column: of labels, each a feature that is 1 or 0, or of numbers, brought to mean 0 and deviation 1.

    Attributes
    ----------
    name : str
    labels : tuple of str
        Those of the training part, sorted; empty for numbers.
    mean, scale : float
        Of the numbers of the training part.
    """

    name: str
    labels: tuple[str, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    @classmethod
    def fit(cls, name: str, values: Sequence[Any]) -> "Condition":
        """Learn labels, or mean and deviation, from the values of the training part."""
        if not all(_is_number(value) for value in values):
            return cls(name, tuple(sorted({_label(name, row, value) for row, value in enumerate(values)})))
        found = np.array([_number(name, row, value) for row, value in enumerate(values)])
        return cls(name, (), float(found.mean()), float(found.std()) or 1.0)

    @property
    def size(self) -> int:
        """How many features it has."""
        return len(self.labels) or 1

    def encode(self, values: Sequence[Any], *, strict: bool = True) -> Float[Array, "B F"]:
        """Give the features of each sequence.

        Parameters
        ----------
        values : sequence
        strict : bool, default True
            Whether a label that was not in the training part is refused; otherwise all its features are 0.

        Raises
        ------
        DataError
            If a label is refused, or a number is none: says which.
        """
        if not self.labels:
            found = [_number(self.name, row, value) for row, value in enumerate(values)]
            return np.asarray((np.array(found)[:, None] - self.mean) / self.scale)
        encoded = np.zeros((len(values), self.size))
        place = {label: index for index, label in enumerate(self.labels)}
        for row, value in enumerate(values):
            label = _label(self.name, row, value)
            if label in place:
                encoded[row, place[label]] = 1.0
            elif strict:
                raise DataError(
                    f"condition {self.name!r}, sequence {row}: expected one of {_some(self.labels)}, got "
                    f"{label!r}.{did_you_mean(label, self.labels)}{self._why_labels(label)}"
                )
        return encoded

    def unknown(self, values: Sequence[Any]) -> list[str]:
        """Give the labels among some values that were not in the training part, each as often as it is."""
        return [str(value) for value in values if str(value) not in self.labels] if self.labels else []

    def _why_labels(self, got: str) -> str:
        """Say why numbers are labels, where somebody gives one and most labels are some."""
        others = [label for label in self.labels if not is_written_number(label)]
        if not is_written_number(got) or 2 * len(others) > len(self.labels):
            return ""
        why = f"{others[0]!r} is no number" if others else "not every value of it was a number"
        return f"\n  {self.name!r} was read as labels, for {why}: its numbers mean no more than words do."

    def drawn(self, rng: np.random.Generator) -> Any:
        """Give a value to begin with where any will do: a drawn label, the mean of numbers."""
        return self.labels[int(rng.integers(len(self.labels)))] if self.labels else self.mean


@dataclass(frozen=True)
class Conditions:
    """The columns that are known of each sequence, in their order.

    Attributes
    ----------
    columns : tuple of Condition
    """

    columns: tuple[Condition, ...]

    @classmethod
    def fit(cls, columns: Columns, rows: Int[Array, " T"]) -> "Conditions":
        """Learn labels and scales from some rows of columns: those of the training part."""
        chosen = rows.tolist()
        return cls(tuple(Condition.fit(name, [col[row] for row in chosen]) for name, col in columns.items()))

    @property
    def size(self) -> int:
        """How many features there are."""
        return sum(column.size for column in self.columns)

    def encode(self, columns: Columns, *, strict: bool = True) -> Float[Array, "B F"]:
        """Give the features of each sequence, those of the columns beside each other.

        Parameters
        ----------
        columns : mapping
        strict : bool, default True
            As :meth:`Condition.encode` has it.

        Raises
        ------
        DataError
            If a column is missing or unknown, or a value does not fit: says which.
        """
        names = [column.name for column in self.columns]
        if set(columns) != set(names):
            raise DataError(f"conditions: expected {_some(names)}, got {_some(list(columns)) or 'none'}.")
        parts = [column.encode(columns[column.name], strict=strict) for column in self.columns]
        return np.concatenate(parts, axis=1)

    def unknown_in(self, columns: Columns) -> dict[str, list[str]]:
        """Give the labels that were not in the training part, by the names of the columns that have some."""
        found = {column.name: column.unknown(columns[column.name]) for column in self.columns}
        return {name: labels for name, labels in found.items() if labels}

    def encode_one(self, values: Any) -> Float[Array, "1 F"]:
        """Give the features of one sequence.

        Parameters
        ----------
        values : mapping, list, or single value
            By the names of the columns, which ``"name=value,name=value"`` is too, or in their order.

        Raises
        ------
        DataError
            As :meth:`encode`.
        """
        if isinstance(values, Mapping):
            return self.encode({name: [value] for name, value in values.items()})
        if isinstance(values, str) and "=" in values:
            parts = [part.partition("=") for part in values.split(",")]
            return self.encode({name.strip(): [value.strip()] for name, _, value in parts})
        listed = [values] if isinstance(values, str | numbers.Real) else list(values)
        if len(listed) != len(self.columns):
            names = _some([column.name for column in self.columns])
            raise DataError(f"conditions: expected a value for each of {names}, got {len(listed)} values.")
        return self.encode({column.name: [value] for column, value in zip(self.columns, listed, strict=True)})

    def described(self) -> str:
        """Name the columns, with the labels that there are, for people to read."""
        return "; ".join(
            f"{column.name!r}: " + (f"one of {_some(column.labels)}" if column.labels else "a number")
            for column in self.columns
        )

    def drawn(self, rng: np.random.Generator) -> dict[str, Any]:
        """Give values to begin with where any will do."""
        return {column.name: column.drawn(rng) for column in self.columns}

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values."""
        return {"columns": [asdict(column) for column in self.columns]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], source: str) -> "Conditions":
        """Undo :meth:`to_dict`.

        Raises
        ------
        RunError
            If it is damaged: names the source.
        """
        try:
            columns = tuple(
                Condition(
                    str(entry["name"]),
                    tuple(map(str, entry["labels"])),
                    float(entry["mean"]),
                    float(entry["scale"]),
                )
                for entry in data["columns"]
            )
        except (KeyError, TypeError, ValueError) as error:
            raise RunError(f"{source}: is damaged: {error} is missing or is not what it should be.") from None
        return cls(columns)


def as_columns(conditions: Any, count: int) -> dict[str, list[Any]]:
    """Bring what is known of sequences into columns.

    Parameters
    ----------
    conditions : mapping, data frame, array, or list
        Columns by name; numbers (B, F), or one label or number for each sequence.
    count : int
        How many sequences there are, B.

    Raises
    ------
    DataError
        If there is not one value for each.
    """
    if isinstance(conditions, Mapping) or hasattr(conditions, "columns"):
        columns = {str(name): list(conditions[name]) for name in _names(conditions)}
    else:
        rows = list(conditions)
        if rows and not isinstance(rows[0], str) and np.ndim(rows[0]) == 1:
            width = len(rows[0])
            if any(np.ndim(row) != 1 or len(row) != width for row in rows):
                raise DataError(f"conditions: expected {width} numbers for every sequence, as the first has.")
            columns = {f"{NUMBER} {place}": [row[place] for row in rows] for place in range(width)}
        else:
            columns = {NUMBER if all(map(_is_number, rows)) else LABEL: rows}
    if not columns:
        raise DataError("conditions: expected at least one column, got none.")
    for name, values in columns.items():
        if len(values) != count:
            raise DataError(
                f"condition {name!r}: expected a value for each of {count:,} sequences, got {len(values):,}."
            )
    return columns


def unknown_notes(conditions: Conditions, columns: Columns, part: str, rows: Int[Array, " B"]) -> list[str]:
    """Say how many sequences of a part have labels that the training part has not."""
    chosen = rows.tolist()
    of_part = {name: [values[row] for row in chosen] for name, values in columns.items()}
    return [
        f"condition {name!r}: the labels of {len(labels):,} sequences of the {part} part are not in the "
        f"training part, so all zeros: {_some(sorted(set(labels)))}"
        for name, labels in conditions.unknown_in(of_part).items()
    ]


def is_written_number(written: str) -> bool:
    """Whether a text is a number."""
    try:
        float(written)
    except ValueError:
        return False
    return True


def _names(conditions: Any) -> list[Any]:
    return list(conditions if isinstance(conditions, Mapping) else conditions.columns)


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)


def _number(name: str, row: int, value: object) -> float:
    try:
        number = float(value) if isinstance(value, str | numbers.Real) else float("nan")
    except ValueError:
        number = float("nan")
    if not np.isfinite(number):
        raise DataError(f"condition {name!r}, sequence {row}: expected a finite number, got {value!r}.")
    return number


def _label(name: str, row: int, value: object) -> str:
    if value is None or value != value or (isinstance(value, str) and not value.strip()):
        raise DataError(f"condition {name!r}, sequence {row}: expected a label, got {value!r}.")
    return str(value)


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return f"{shown} and {len(names) - 8} more" if len(names) > 8 else shown
