"""Series in the ``.ts`` files of the UCR and UEA archives: a head of entries, then one case on each line."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.data.lines import Lines
from noria.data.records import Record, Records, checked_series
from noria.errors import DataError
from noria.training.option import did_you_mean

SWITCHES = ("@timestamps", "@missing", "@univariate", "@equallength", "@targetlabel")
"""Entries of the head that are true or false."""
DATA = "@data"
"""The entry that ends the head."""
MISSING = ("?", "nan")
_PAIR = re.compile(r"\s*\(([^()]*)\)\s*(,|$)")
_SHOWN = 40

Channel = tuple[list[Any], list[float]]
"""The moments of a channel and its values; NaN where there is none."""


def read_ts(source: Path | Iterable[str] | Lines) -> Records:
    """Read a ``.ts`` file: one channel or several, of any lengths, with a class, a number or nothing to tell.

    Values have commas between them, channels colons, and behind the last colon stands what is to be told.
    With time stamps each value is a pair, ``(2024-01-31 12:00:00,1.5)`` or ``(3,1.5)``; channels may then
    have values at different moments. A ``?`` stands for a value that is not there, where the head says
    ``@missing true``: it is filled with the one before it, at the beginning with the first that there is.

    Raises
    ------
    DataError
        If the head is none; while it is read, if a value is none, a channel has no values or another number
        of them than the first, time does not rise, or a class is not one that the head names: says in which
        line and column.

    References
    ----------
    Bagnall et al. 2018, The UEA multivariate time series classification archive.
    """
    file = _ArchiveFile(source if isinstance(source, Lines) else Lines(source))
    channels = tuple(f"channel {number}" for number in range(1, file.dimensions + 1))
    return Records("series", file.lines.source, file, channels, notes=file.notes())


class _ArchiveFile:
    """The head of a ``.ts`` file, and its series each time one goes through them."""

    def __init__(self, lines: Lines) -> None:
        self.lines = lines
        self._rest: Iterator[tuple[int, str]] | None
        rest: Iterator[tuple[int, str]] = enumerate(lines, 1)
        self._entries = dict(self._head(rest))
        self._rest = rest if lines.is_stream else None  # a file is opened anew: held, it would stay open
        self._stamped, self._gaps = self._is("@timestamps"), self._is("@missing")
        classes = self._entries.get("@classlabel", (0, ["false"]))[1]
        has_classes = bool(classes) and self._switch("@classlabel", classes[0])
        self._classes = tuple(classes[1:]) if has_classes else ()
        self._has_target = has_classes or self._is("@targetlabel")
        self._numbers = self._is("@targetlabel") and not has_classes
        self.dimensions = 1 if self._is("@univariate") else self._stated() or self._of_first_case()

    def __iter__(self) -> Iterator[Record]:
        for number, line in self._cases():
            yield self._record(number, line)

    def notes(self) -> tuple[str, ...]:
        """Say what is made of the values."""
        said = []
        if self._stamped:
            said.append("time stamps give the order of the steps; how far apart they are is not read")
        if self._gaps:
            said.append("missing values are filled with those before them, at the beginning with the first")
        return (*self.lines.notes, *said)

    def _head(self, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[str, tuple[int, list[str]]]]:
        """Give the entries by their names in lower case, each with its line."""
        number = 0
        for number, line in lines:
            name, words = _entry(line)
            if not name:
                continue
            if name == DATA:
                if words and not words[0].startswith("#"):
                    raise self._fault(number, 1, f"expected {DATA} on a line of its own, got {_shown(line)}")
                return
            if not name.startswith("@"):
                raise self._fault(number, 1, f"expected an entry such as @classLabel, got {_shown(line)}")
            yield name, (number, words)
        raise DataError(
            f"{self.lines.source}, line {number}: expected a line @data with series behind it, got none."
        )

    def _is(self, name: str) -> bool:
        """Whether an entry says true; one that is not there says false."""
        words = self._entries.get(name, (0, []))[1]
        return bool(words) and self._switch(name, words[0])

    def _switch(self, name: str, word: str) -> bool:
        if word.lower() not in ("true", "false"):
            raise self._fault(self._entries[name][0], 1, f"expected {name} true or false, got {_shown(word)}")
        return word.lower() == "true"

    def _stated(self) -> int:
        """Give the number of channels that the head names; 0: it does not."""
        for name in ("@dimensions", "@dimension"):
            line, words = self._entries.get(name, (0, []))
            if line and not (len(words) == 1 and words[0].isdecimal() and int(words[0])):
                got = _shown(" ".join(words))
                raise self._fault(line, 1, f"expected {name} and the number of channels, got {got}")
            if line:
                return int(words[0])
        return 0

    def _of_first_case(self) -> int:
        """Count the channels of the first case, where the head does not say how many there are."""
        first = next(self._cases(), None)
        if first is None:
            raise DataError(f"{self.lines.source}: expected a line @dimensions, or a series behind @data.")
        if self._rest is not None:
            self._rest = chain([first], self._rest)
        return len(self._parts(first[1])) - self._has_target

    def _cases(self) -> Iterator[tuple[int, str]]:
        """Give the lines behind the head."""
        behind = self._rest is not None
        for number, line in enumerate(self.lines, 1) if self._rest is None else self._rest:
            name, _ = _entry(line)
            if behind and name:
                yield number, line.strip()
            behind = behind or name == DATA

    def _parts(self, line: str) -> list[str]:
        """Cut a case at its colons; those within the brackets of a time stamp are part of it."""
        if not self._stamped:
            return line.split(":")
        parts, depth = [""], 0
        for sign in line:
            depth += (sign == "(") - (sign == ")")
            if sign == ":" and depth <= 0:
                parts.append("")
            else:
                parts[-1] += sign
        return parts

    def _record(self, number: int, line: str) -> Record:
        parts = self._parts(line)
        if len(parts) != self.dimensions + self._has_target:
            label = " and a label" if self._has_target else ""
            raise self._fault(
                number,
                len(line),
                f"expected {self.dimensions} channels{label} with colons between, got {len(parts)} parts",
            )
        begins = [1 + sum(len(part) + 1 for part in parts[:place]) for place in range(len(parts))]
        target = self._target(parts.pop().strip(), number, begins[-1]) if self._has_target else None
        read = self._stamps if self._stamped else self._values
        channels = [read(part, number, begin) for part, begin in zip(parts, begins, strict=False)]
        moments = self._moments(channels, number, begins)
        values = np.full((len(moments), len(channels)), np.nan)
        places = {moment: place for place, moment in enumerate(moments)}
        for index, (own, found) in enumerate(channels):
            values[[places[moment] for moment in own], index] = found
            if np.isnan(values[:, index]).all():
                raise self._fault(number, begins[index], f"expected values in channel {index + 1}, got none")
        place = f"{self.lines.source}, line {number}"
        column = f"column {begins[-1]}" if self._has_target else ""
        return Record(checked_series(filled(values), place), target, place, (), column)

    def _target(self, written: str, number: int, column: int) -> Any:
        if written == "?":  # not known
            return None
        if self._classes and written not in self._classes:
            near = did_you_mean(written, self._classes)
            known = ", ".join(self._classes[:8])
            raise self._fault(number, column, f"expected one of the classes {known}, got {written!r}.{near}")
        if self._numbers:
            return self._number(written, number, column)
        return written

    def _moments(self, channels: list[Channel], number: int, begins: list[int]) -> list[Any]:
        """Give the moments of a case in their order: those of all channels."""
        first = channels[0][0]
        for index, (moments, _) in enumerate(channels):
            if not self._stamped and len(moments) != len(first):
                got = f"got {len(moments)} in channel {index + 1}"
                raise self._fault(
                    number, begins[index], f"expected {len(first)} steps in every channel, {got}"
                )
        if all(moments == first for moments, _ in channels):
            return first
        if not self._gaps:
            other = next(index for index, (moments, _) in enumerate(channels) if moments != first)
            raise self._fault(
                number,
                begins[other],
                f"expected the time stamps of channel 1 in channel {other + 1}, got others.\n"
                "  Where channels have values at different moments the head says @missing true.",
            )
        kinds = {index: type(moments[0]) for index, (moments, _) in enumerate(channels) if moments}
        for index, kind in kinds.items():
            if kind is not next(iter(kinds.values())):
                wanted, got = ("dates", "numbers") if kind is float else ("numbers", "dates")
                expected = f"expected {wanted} as time stamps, as in the channel before, got {got}"
                raise self._fault(number, begins[index], expected)
        return sorted({moment for moments, _ in channels for moment in moments})

    def _values(self, part: str, number: int, column: int) -> Channel:
        values = []
        for field in part.split(","):
            values.append(self._value(field, number, column))
            column += len(field) + 1
        return list(range(len(values))), values

    def _stamps(self, part: str, number: int, column: int) -> Channel:
        """Read pairs of a time stamp and a value."""
        moments: list[Any] = []
        values: list[float] = []
        place = 0
        while place < len(part.rstrip()):
            found = _PAIR.match(part, place)
            stamp, comma, value = found[1].rpartition(",") if found else ("", "", "")
            if found is None or not comma or not stamp.strip():
                raise self._fault(
                    number, column + place, f"expected (time,value), got {_shown(part[place:])}"
                )
            moments.append(self._moment(stamp.strip(), number, column + found.start(1)))
            values.append(self._value(value, number, column + found.start(1) + len(stamp) + 1))
            if len({type(one) for one in moments[-2:]}) > 1 or any(a >= b for a, b in pairwise(moments[-2:])):
                raise self._fault(
                    number,
                    column + place,
                    f"expected time to rise, got {stamp.strip()} behind {moments[-2]}",
                )
            place = found.end()
        return moments, values

    def _moment(self, written: str, number: int, column: int) -> float | str:
        """Read a time stamp; dates stay as they are written, and sort by it, the year first."""
        try:
            found = float(written)
        except ValueError:
            return written
        return self._finite(found, written, number, column)

    def _value(self, field: str, number: int, column: int) -> float:
        """Read one value; NaN where the head allows that it is missing."""
        if field.strip().lower() not in MISSING:
            return self._number(field.strip(), number, column)
        if not self._gaps:
            raise self._fault(
                number,
                column,
                f"expected a number, got a gap, {field.strip()!r}.\n"
                "  Fill it, or let the head say @missing true: it is then filled with the value before it.",
            )
        return float("nan")

    def _number(self, written: str, number: int, column: int) -> float:
        try:
            found = float(written)
        except ValueError:
            hint = ""
            if written.startswith("("):
                hint = ".\n  Pairs of a time and a value need @timeStamps true in the head."
            raise self._fault(number, column, f"expected a number, got {_shown(written)}{hint}") from None
        return self._finite(found, written, number, column)

    def _finite(self, found: float, written: str, number: int, column: int) -> float:
        if not np.isfinite(found):
            raise self._fault(number, column, f"expected a finite number, got {_shown(written)}")
        return found

    def _fault(self, line: int, column: int, message: str) -> DataError:
        return DataError(f"{self.lines.source}, line {line}, column {column}: {message.removesuffix('.')}.")


def filled(series: Float[Array, "T C"]) -> Float[Array, "T C"]:
    """Fill what is missing (NaN) with the value before it, at the beginning with the first that there is."""
    steps = np.arange(len(series))[:, None]
    known = ~np.isnan(series)
    last = np.maximum.accumulate(np.where(known, steps, -1), axis=0)
    return np.take_along_axis(series, np.where(last < 0, known.argmax(axis=0), last), axis=0)


def _entry(line: str) -> tuple[str, list[str]]:
    """Give the first word of a line in lower case, empty of a blank one or a comment, and the others."""
    words = line.split()
    return ("", []) if not words or words[0].startswith("#") else (words[0].lower(), words[1:])


def _shown(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}...")
