"""``noria evaluate``: how well a trained model does on other data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from noria.cli.common import STANDARD_INPUT, Debug, Json, Threads
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say, table
from noria.cli.headings import heading
from noria.errors import DataError, OptionError

UNITS = {"loss": "nats per character", "bits_per_character": "bits per character"}
UNITS_OF_TOKENS = {**UNITS, "loss": "nats per token"}  # words, or characters and the ends of sequences
CHARACTER = "character"
CONFUSION = "confusion"
LABELLED = ("classify", "tag")


def evaluate(
    run: Annotated[Path, Parameter(help="The run folder of a trained model.")],
    file: Annotated[
        str | None,
        Parameter(help="A file like the one it was trained on, with the answers; for text also a folder."),
    ] = None,
    /,
    *more: Annotated[str, Parameter(help="Further files, where the task has several.")],
    data: Annotated[
        str | None,
        Parameter(group=heading("Data"), help="Built-in data by name, in the place of a file.", negative=""),
    ] = None,
    encoding: Annotated[
        str | None, Parameter(help="The encoding of a text; left out: detected.", group=heading("Data"))
    ] = None,
    leave_out_unknown: Annotated[
        bool,
        Parameter(
            negative="",
            show_default=False,
            group=heading("Data"),
            help="Leave out sequences with labels that the model was not trained on, and say how many.",
        ),
    ] = False,
    threads: Threads = 0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Measure a trained model on data that it has not seen.

    The file is like the one that the model was trained on, answers included; built-in data are measured on
    their test part. What is counted depends on the task: nats and bits per character of a text, accuracy and
    the figures of each class, F1 of spans, errors of forecasts from every origin, exact translations.

    noria evaluate runs/first other.txt

    noria evaluate runs/classify-gru-0001 reviews.csv --json
    """
    from noria.cli.sources import BUILT_IN
    from noria.cli.tasks import TEXT
    from noria.models import load

    model = load(run)
    model.threads = threads or model.threads
    if (file is None) == (data is None):
        raise OptionError("noria evaluate: expected a file, or --data and a name, and one of the two.")
    asked = {"leave_out_unknown": True} if leave_out_unknown else {}
    if asked and model.task not in LABELLED:
        raise OptionError(
            f"--leave-out-unknown is for labels and tags, {run} is a model of task {model.task!r}."
        )
    if model.task == TEXT and data in BUILT_IN:
        raise OptionError(
            f"--data {data}: the model may have learnt from it; the figure on what was kept aside is in the "
            "run.\n  See: noria info RUN"
        )
    if model.task == TEXT and file is not None and not model.text_column:
        _text(run, model, file, encoding, as_json=json)
        return
    if encoding is not None:
        raise OptionError("--encoding is for texts; tables are read as they are.")
    figures = _measured(model, file, more, data, asked)
    if json:
        give_json({"run": str(run), "source": file or data, **figures})
        return
    give(shown(figures))


def _measured(
    model: Any, file: str | None, more: tuple[str, ...], name: str | None, asked: Mapping[str, bool]
) -> dict[str, Any]:
    """Measure on files, or on the test part of built-in data."""
    from noria.cli.tasks import TEXT, builtin
    from noria.engines.threads import use_threads

    source: Any
    if file is None:
        parts = builtin(model, name)
        if not parts.is_split:
            raise OptionError(
                f"--data {name}: has no test part of its own, the model cut it for itself: the figure on "
                "what it kept aside is in the run.\n  See: noria info RUN"
            )
        source = parts if model.task == TEXT else parts.tested  # parts of texts say what of them is certain
    else:
        paths = [Path(name) for name in (file, *more)]
        missing = [path for path in paths if not path.exists()]
        if file == STANDARD_INPUT:
            raise DataError(
                "noria evaluate: reads standard input for texts only.\n"
                "  Name a file; noria predict reads rows."
            )
        if missing:
            raise DataError(f"{missing[0]}: there is no such file or folder.")
        source = paths[0] if len(paths) == 1 else paths
    with compilation_said(), use_threads(model.threads):
        figures: dict[str, Any] = model.evaluate(source, **asked)
    return figures


def shown(figures: Mapping[str, Any]) -> str:
    """Write figures for a reader: numbers one below the other, then tables of what is nested."""
    plain = [(name, value) for name, value in figures.items() if not isinstance(value, Mapping)]
    parts = [table([(_named(name), _number(value)) for name, value in plain], right=[1], indent=0)]
    for name, nested in figures.items():
        if isinstance(nested, Mapping):
            parts.append(f"{_named(name)}\n{_confusion(nested) if name == CONFUSION else _nested(nested)}")
    return "\n\n".join(parts) + "\n"


def _nested(nested: Mapping[str, Any]) -> str:
    """Write a table with a line for each entry, whose own entries are columns."""
    if not all(isinstance(entry, Mapping) for entry in nested.values()):
        return table([(_named(str(name)), _number(value)) for name, value in nested.items()], right=[1])
    columns = list(dict.fromkeys(name for entry in nested.values() for name in entry))
    rows = [["", *map(_named, columns)]]
    rows += [
        [str(name), *(_number(entry.get(column, "")) for column in columns)] for name, entry in nested.items()
    ]
    return table(rows, right=range(1, len(columns) + 1))


def _confusion(confusion: Mapping[str, Any]) -> str:
    """Write how often each label (a line) was taken for each (a column)."""
    labels, counts = confusion["labels"], confusion["counts"]
    rows = [["true \\ said", *labels]]
    rows += [
        [label, *(f"{int(count):,}" for count in line)] for label, line in zip(labels, counts, strict=True)
    ]
    return table(rows, right=range(1, len(labels) + 1))


def _named(name: str) -> str:
    return name.replace("_", " ")


def _number(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _text(run: Path, model: Any, file: str, encoding: str | None, *, as_json: bool) -> None:
    """Score every symbol of a text given all before it."""
    from noria.cli.sources import read_source
    from noria.models.text.reading import EACH, LONG

    text = read_source([file], encoding=encoding)
    say("Text", f"{text.source} · {text.encoding} · {len(text):,} characters")
    for note in text.notes:
        say("", note)
    separate = model.vocabulary_.end_id is not None
    with compilation_said():
        figures = model.evaluate(text)
    unit = model.vocabulary_.unit
    if figures["tokens"] > LONG and not separate:
        places = int(figures["tokens"]) // EACH
        say("", f"longer than {LONG:,} {unit}s: read in {places} places at once")
    note = _about_unknown(figures["unknown"], figures["characters" if unit == CHARACTER else "tokens"], unit)
    if note:
        say("", f"{note}: it cannot predict them")
    if as_json:
        noted = {"note": note} if note else {}
        give_json({"run": str(run), "source": text.source, **figures, **noted})
        return
    units = UNITS if unit == CHARACTER and not separate else UNITS_OF_TOKENS
    rows = [
        (units.get(name, _named(name)), _number(value), note if name == "loss" else "")
        for name, value in figures.items()
    ]
    give(table(rows, right=[1], indent=0) + "\n")


def _about_unknown(unknown: int, symbols: int, unit: str) -> str:
    """Say how much of a text a model does not know; nothing where it knows all of it."""
    are = "is" if unknown == 1 else "are"
    return f"{unknown:,} of {symbols:,} {unit}s {are} not in the model's vocabulary" if unknown else ""
