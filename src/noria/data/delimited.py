"""Rows of fields with a sign between them: what it is, how fields are quoted, and the rows themselves."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from noria.errors import DataError

SIGNS = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars"}
_LONGEST = 1 << 28  # characters of a field


@dataclass(frozen=True)
class Dialect:
    """How fields are set apart.

    Attributes
    ----------
    delimiter : str
        The sign between two fields.
    quoted : bool
        Whether quotation marks around a field belong to the file and not to the field.
    """

    delimiter: str = ","
    quoted: bool = True

    def notes(self) -> tuple[str, ...]:
        """Say what is not as in most files."""
        marks = () if self.quoted else ("quotation marks are part of the fields",)
        return (f"fields with {SIGNS.get(self.delimiter, repr(self.delimiter))} between them", *marks)


def sniff(head: list[str]) -> Dialect:
    """Find out from the first lines of a file how its fields are set apart.

    The sign is the one by which most rows have as many fields as the first, two at least; of equals, the one
    with more fields. Quotation marks are part of the fields where they would not close.
    """
    best, dialect = (0.0, 1), Dialect()
    for delimiter in SIGNS:
        for quoted in (True, False):
            candidate = Dialect(delimiter, quoted)
            counts = _field_counts(head, candidate)
            if counts is None:
                continue
            if counts and counts[0] > 1:
                found = Counter(counts)[counts[0]] / len(counts), counts[0]
                if found > best:
                    best, dialect = found, candidate
            break
    return dialect


def read_delimited(
    lines: Iterable[str], dialect: Dialect, source: str, *, blank: bool = False
) -> Iterator[tuple[int, list[str]]]:
    """Give each row with the number of its first line; blank lines, without fields, only where asked for.

    Raises
    ------
    DataError
        If a quotation mark is not closed, or followed by something: says in which line.
    """
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST))
    reader = _reader(lines, dialect)
    while True:
        begin = reader.line_num + 1
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise DataError(
                f"{source}, line {begin}: the fields of this row cannot be told apart: {error}.\n"
                '  A quotation mark within quotation marks is written twice: "".'
            ) from None
        if fields is None:
            return
        if fields or blank:
            yield begin, fields


def _reader(lines: Iterable[str], dialect: Dialect) -> Any:
    if dialect.quoted:
        return csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    return csv.reader(lines, delimiter=dialect.delimiter, quoting=csv.QUOTE_NONE, strict=True)


def _field_counts(head: list[str], dialect: Dialect) -> list[int] | None:
    """Count the fields of the first rows; None where quotation marks do not close in them."""
    counts: list[int] = []
    try:
        for fields in _reader(head, dialect):
            if fields:
                counts.append(len(fields))
    except csv.Error as error:
        if "unexpected end" not in str(error):
            return None
    return counts
