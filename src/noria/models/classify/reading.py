"""From whatever a user has to records: files, folders, streams, frames, lists."""

import io
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from noria.data.archive_series import read_ts
from noria.data.audio import ENDS, Cepstrum, is_of_recordings, read_recordings
from noria.data.column_guess import IDS, TIMES
from noria.data.delimited import sniff
from noria.data.labelled_tables import label_column, read_labelled, text_column
from noria.data.lines import Lines
from noria.data.numeric_sequences import read_long_table
from noria.data.records import TEXTS, Record, Records, records_of
from noria.data.table_rows import Table
from noria.data.tables import FORMATS, open_table
from noria.data.text import missing_file, normalised
from noria.errors import DataError
from noria.models.classify.options import SequenceOptions
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import NumberTargets

TEXT, LABEL, ID, TIME = "text", "label", "id", "time"


@dataclass(frozen=True)
class Reading:
    """How data are to be read.

    Attributes
    ----------
    options : SequenceOptions
        Say which columns hold what.
    schema : SequenceSchema or None
        Of a trained model.
    columns : mapping
        What stands in which column, as it was found out before; what is missing is guessed.
    known : bool
        Whether there has to be a target for each sequence.
    numbers : bool
        Whether targets are numbers.
    blank : bool
        Whether each row of a table gives a sequence, also one with nothing in it.
    """

    options: SequenceOptions
    schema: SequenceSchema | None
    columns: Mapping[str, str]
    known: bool
    numbers: bool
    blank: bool


def read(
    data: Any,
    targets: Any,
    options: SequenceOptions,
    *,
    schema: SequenceSchema | None = None,
    columns: Mapping[str, str] | None = None,
    known: bool,
    numbers: bool = False,
    blank: bool = False,
) -> Records:
    """Read sequences, and what is known of them.

    Parameters
    ----------
    data : path, several paths, open file, data frame, or sequences
        Or a pair of sequences and targets.
    targets : sequence or None
        Those of sequences in memory.
    options : SequenceOptions
        Say which columns hold what.
    schema : SequenceSchema, optional
        Of a trained model, which says it again.
    columns : mapping, optional
        What stands in which column of other data that these have to be like; a schema says it, too.
    known : bool
        Whether there has to be a target for each sequence.
    numbers : bool, default False
        Whether targets are numbers; a schema says it, too.
    blank : bool, default False
        Whether each row of a table, and each line of a file of texts, gives a record, also one with nothing
        in it.

    Raises
    ------
    DataError
        If the data cannot be read, or targets are not there.
    """
    numbers = numbers or (schema is not None and isinstance(schema.targets, NumberTargets))
    settled = (columns or {}) if schema is None else schema.columns
    how = Reading(options, schema, settled, known, numbers, blank)
    if targets is None and isinstance(data, tuple) and len(data) == 2 and known:
        data, targets = data
    is_path = isinstance(data, str | os.PathLike)
    if is_path or isinstance(data, io.IOBase) or _is_frame(data) or _are_paths(data):
        if targets is not None:
            raise DataError("expected files or tables with a column of labels, got labels beside them.")
        if _are_paths(data):
            return _of_files(data, how)
        if _is_frame(data):
            return _of_table(open_table(data), how)
        return _of_file(Path(data) if is_path else data, how)
    if known and targets is None:
        raise DataError("expected a target for each sequence: pass them as y, or a file that has them.")
    return records_of(data, targets)


def cepstrum_of(options: SequenceOptions) -> Cepstrum:
    """Give the way in which recordings are read."""
    return Cepstrum(options.sample_rate, options.mfcc)


def _is_frame(data: Any) -> bool:
    return isinstance(data, Mapping) or hasattr(data, "columns")


def _are_paths(data: Any) -> bool:
    return isinstance(data, list) and bool(data) and all(isinstance(item, Path) for item in data)


def _of_file(source: Path | Iterable[str], how: Reading) -> Records:
    """Read a file by what its name, or its first line, says that it is."""
    schema, known = how.schema, how.known
    suffix = source.suffix.lower() if isinstance(source, Path) else ""
    if isinstance(source, Path):
        if not source.exists():
            raise DataError(f"{missing_file(source)}\n  Texts in memory are passed as a list of strings.")
        if source.is_dir() or suffix in ENDS:
            if source.is_dir() and not is_of_recordings(source):
                raise DataError(
                    f"{source}: expected a folder with a folder of recordings ({', '.join(ENDS)}) for each "
                    "class, found none in it.\n  Texts are read from a table: text,label in each row."
                )
            return _labelled(read_recordings(source, cepstrum_of(how.options)), known=known)
        if suffix == ".ts":
            return _labelled(read_ts(source), known=known)
        if suffix == ".parquet":
            return _of_table(open_table(source), how)
    lines = Lines(source, encoding=how.options.encoding or None)
    head = lines.head()
    first = "".join(head[:1]).strip()
    if schema is not None and schema.inputs.kind == TEXTS and not known and suffix not in FORMATS:
        column = how.columns.get(TEXT, "")
        if not first.startswith("{") and column not in _names(head):
            return Records(TEXTS, lines.source, _TextLines(lines))
    if first.startswith(("#", "@")):
        return _labelled(read_ts(lines), known=known)
    return _of_table(open_table(lines), how)


def _of_table(table: Table, how: Reading) -> Records:
    """Read a table of texts, or a long one of numbers, by the names of its columns, or by what is in them."""
    options, schema, kind = how.options, how.schema, {"numbers": how.numbers, "known": how.known}
    columns = how.columns
    extras: Sequence[str] = options.extra_columns or ()
    features: Sequence[str] = options.feature_columns or ()
    asked, asked_text = options.id_column or columns.get(ID, ""), options.text_column or columns.get(TEXT, "")
    taken = [name for name in (asked, asked_text, options.time_column, *extras, *features) if name]
    label = label_column(
        table,
        options.label_column or columns.get(LABEL, ""),
        needed=how.known,
        numbers=how.numbers,
        taken=taken,
    )
    taken += [] if label is None else [label]
    text = None if asked else text_column(table, asked_text, taken)
    found = {} if label is None else {LABEL: label}
    if text is not None:
        guessed = () if columns or (options.text_column and options.label_column) else (text,)
        labelled = read_labelled(table, text, label, extras, guessed=guessed, blank=how.blank, **kind)
        return replace(labelled, columns={TEXT: text, **found})
    sequence = table.column(asked, "id_column") if asked else table.guessed(IDS, taken)
    if sequence is None:
        names = ", ".join(map(repr, table.columns))
        raise DataError(
            f"{table.source}: expected a column of texts, or one that says which sequence a row belongs to; "
            f"got {names}.\n  Name it: text_column or id_column (--text-column, --id-column)."
        )
    moment = options.time_column or columns.get(TIME, "")
    time = table.column(moment, "time_column") if moment else None
    if time is None and not columns:
        time = table.guessed(TIMES, taken)
    features = features or (() if schema is None else schema.inputs.channels)
    records = read_long_table(table, sequence, label, time=time, features=features, extras=extras, **kind)
    named = {ID: sequence, **found, **({} if time is None else {TIME: time})}
    return replace(records, columns=named)


def _labelled(records: Records, *, known: bool) -> Records:
    """Refuse records without a target where each has to have one."""
    if not known:
        return records

    def checked() -> Iterator[Record]:
        for record in records:
            if record.target is None:
                raise DataError(f"{record.target_place}: expected a label, got none.")
            yield record

    return replace(records, records=_Anew(checked))


class _Anew:
    """What a function gives, each time one goes through it."""

    def __init__(self, made: Callable[[], Iterable[Record]]) -> None:
        self._made = made

    def __iter__(self) -> Iterator[Record]:
        return iter(self._made())


class _TextLines:
    """Lines as texts of their own."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines

    def __iter__(self) -> Iterator[Record]:
        for number, line in enumerate(self._lines, 1):
            yield Record(normalised(line.rstrip("\r\n")), None, f"{self._lines.source}, line {number}")


def _names(head: list[str]) -> list[str]:
    """Give the names in the first line, if it has any."""
    delimiter = sniff(head).delimiter
    return [name.strip().strip('"') for name in "".join(head[:1]).strip().split(delimiter)]


def _of_files(paths: Sequence[Path], how: Reading) -> Records:
    """Put the records of several files one behind the other; the columns are those of the first."""
    first = _of_file(paths[0], how)
    settled = replace(how, columns={**how.columns, **first.columns})
    several = [first, *(_of_file(path, settled) for path in paths[1:])]
    for other in several[1:]:
        if (other.kind, other.channels, other.extra_names) != (first.kind, first.channels, first.extra_names):
            raise DataError(f"{other.source}: expected the same columns as {first.source} has.")
    source = first.source if len(several) == 1 else f"{len(several)} files, {first.source} for one"
    return replace(first, source=source, records=_Anew(lambda: chain.from_iterable(several)))
