"""What the columns of a table hold, looked at where their names do not say it."""

from collections.abc import Mapping, Sequence

from noria.data.table_rows import Table

IDS = ("id", "sequence_id", "series_id", "case_id", "sample_id", "unique_id", "series", "case", "sample")
"""What the column is called that says which sequence a row belongs to, the likeliest first."""
TIMES = ("time", "t", "step", "timestamp", "ds", "date", "datetime", "frame")
"""What the column of time is called."""

_MOST = 200  # labels
_LONGEST = 60  # characters of a label


class Look:
    """What stands in one column.

    Attributes
    ----------
    values : set of str
        The different values, as long as they may be labels.
    are_numbers, are_whole : bool
        Whether all values are numbers, and whole ones.
    changes : bool
        Whether it changes within a sequence.
    """

    def __init__(self) -> None:
        self.values: set[str] = set()
        self.are_numbers = self.are_whole = True
        self.changes = self._has_gaps = False
        self._rows = self._spaced = 0

    def see(self, value: str | None) -> None:
        """Look at one value; None where there is nothing."""
        if value is None:
            self._has_gaps = True
            return
        self._rows += 1
        self._spaced += " " in value
        if len(self.values) <= _MOST:
            self.values.add(value if len(value) <= _LONGEST else f"{value} ({self._rows})")
        if self.are_numbers:
            self.are_whole &= value.lstrip("+-").isdecimal()
            self.are_numbers = self.are_whole or _is_number(value)

    @property
    def may_be_labels(self) -> bool:
        """Whether it has few values, which come again, in every row and throughout a sequence."""
        few = 2 <= len(self.values) <= min(_MOST, self._rows / 2)
        return few and not (self._has_gaps or self.changes) and (self.are_whole or not self.are_numbers)

    @property
    def may_be_targets(self) -> bool:
        """Whether it has different numbers, one for each sequence."""
        return self.are_numbers and len(self.values) > 1 and not (self._has_gaps or self.changes)

    @property
    def are_words(self) -> bool:
        """Whether most values are several words."""
        return 2 * self._spaced > self._rows


def looked_over(table: Table, columns: Sequence[str], sequence: str | None = None) -> dict[str, Look]:
    """Look at columns from the first row to the last; of a stream, which is read once only, at none.

    Parameters
    ----------
    table : Table
    columns : sequence of str
    sequence : str, optional
        The column that says which sequence a row belongs to.
    """
    looks = {} if table.is_stream else {column: Look() for column in columns}
    if not looks:
        return looks
    before: Mapping[str, str | None] = {}
    for row in table.rows():
        here = {name: row.text(name).strip() if row.has(name) else None for name in columns}
        which = row.text(sequence) if sequence is not None and row.has(sequence) else None
        for column, look in looks.items():
            look.see(here[column])
            look.changes |= which is not None and before.get("") == which and before[column] != here[column]
        before = {**here, "": which}
    return looks


def _is_number(value: str) -> bool:
    try:
        return abs(float(value.replace(",", ".", 1))) < float("inf")
    except ValueError:
        return False
