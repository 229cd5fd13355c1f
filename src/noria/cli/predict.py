"""``noria predict``: a trained model answers each row of a file, in order, as it reads it."""

import io
import json as json_lines
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, TextIO

from cyclopts import Parameter

from noria.cli.common import STANDARD_INPUT, Debug, Threads
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_marked, say
from noria.cli.headings import heading
from noria.errors import DataError


def predict(
    run: Annotated[Path, Parameter(help="The run folder of a trained model.")],
    file: Annotated[
        str | None,
        Parameter(help="What to answer: a file like the one it was trained on, or - for standard input."),
    ] = None,
    /,
    *,
    threads: Threads = 0,
    json: Annotated[
        bool,
        Parameter(
            negative="", show_default=False, group=heading("Output"), help="Write one JSON object a row."
        ),
    ] = False,
    debug: Debug = False,
) -> None:
    """Answer each row of a file; rows keep their order and number.

    It reads a file like the one it was trained on, with answers or without; of texts also a file with one on
    each line. Rows are answered as they are read, so that a file may be of any length. An empty row has an
    empty answer. A forecaster needs no file: it goes on from the series that it was trained on.

    noria predict runs/first reviews.csv

    cat questions.txt | noria predict runs/first - --json
    """
    from noria.models import load
    from noria.training.report import plain

    model = load(run)
    model.threads = threads or model.threads
    source: Path | TextIO | None = None if file is None else Path(file)
    if file == STANDARD_INPUT:
        source = io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="")
    elif isinstance(source, Path) and not source.exists():
        raise DataError(f"{file}: there is no such file.")
    empty: list[int] = []
    number = 0
    with compilation_said():
        for number, row in enumerate(_rows(model, source), 1):
            if row.get("prediction", row) is None:
                empty.append(number)
            if json:
                give(json_lines.dumps(plain(row), ensure_ascii=False) + "\n")
            elif sys.stdout.isatty():
                give_marked(model.shown(row, colour=True))
            else:
                give(model.shown(row) + "\n")
    if empty:
        first = f"the first is row {empty[0]:,}"
        say("Note", f"{len(empty):,} of {number:,} rows are empty and have no answer; {first}")


def _rows(model: Any, source: Path | TextIO | None) -> Iterator[dict[str, Any]]:
    from noria.engines.threads import use_threads

    with use_threads(model.threads):
        try:
            yield from model.predict_rows(source)
        except UnicodeDecodeError as error:
            raise DataError(
                f"standard input: expected UTF-8, got the byte 0x{error.object[error.start]:02x}.\n"
                "  Put it into a file, whose encoding is found out, or convert it: iconv -t utf-8"
            ) from None
