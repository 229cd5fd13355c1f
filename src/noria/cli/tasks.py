"""The tasks of ``noria train``: which model, which data, and how they are named on the command line."""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from noria.cli.common import STANDARD_INPUT
from noria.cli.sources import BUILT_IN, large_or_read, source_again
from noria.errors import DataError, OptionError
from noria.models import Prepared
from noria.models.loading import MODELS
from noria.models.model import Model
from noria.training.options import did_you_mean

TEXT, RESUME = "text", "--resume"

SUMMARIES = {
    TEXT: "Train a language model on a text: it learns what comes next, and writes.",
    "classify": "Train a classifier of sequences: texts with labels, series, recordings.",
    "regress": "Train a model that tells a number for a sequence.",
    "tag": "Train a tagger: a label for each word or character of a sequence.",
    "forecast": "Train a forecaster of time series.",
    "translate": "Train a translator from sequences to sequences.",
}

EXAMPLES = {
    TEXT: ("book.txt --minutes 2", "--resume runs/text-lstm_mogrified-0001 --minutes 10"),
    "classify": ("classify reviews.csv --pooling attention", "classify --data parity"),
    "regress": ("regress ratings.csv --label-column stars", "regress --data adding"),
    "tag": ("tag train.conll --crf", "tag --data code-tokens"),
    "forecast": ("forecast passengers.csv --horizon 12", "forecast --data sines"),
    "translate": ("translate es.txt en.txt", "translate --data numbers-es-en"),
}
"""What stands behind ``noria train`` in the help of a task."""

FILES = {
    TEXT: "Files, or folders of .txt files, or - for standard input; none: a built-in text.",
    "classify": "A table (.csv, .tsv, .jsonl, .parquet), a .ts file, or a folder of .wav files by class.",
    "regress": "As for classify, with a number in the place of the label.",
    "tag": "Files of columns (CoNLL), or of word/TAG lines.",
    "forecast": "A table of series: long (unique_id, ds, y) or wide (a date, and a column for each).",
    "translate": "Two files line by line, or one table of two columns.",
}


def with_task(words: Sequence[str]) -> list[str]:
    """Name the task behind ``train``, where only the run that is to be gone on with says it."""
    told = list(words)
    if told[:1] != ["train"] or (len(told) > 1 and told[1] in MODELS):
        return told
    runs = [word.removeprefix(f"{RESUME}=") for word in told if word.startswith(f"{RESUME}=")]
    runs += [run for word, run in pairwise(told) if word == RESUME]
    try:
        config = tomllib.loads((Path(runs[0]) / "config.toml").read_text(encoding="utf-8"))
    except (IndexError, OSError, ValueError):
        return told  # whoever opens the run says what is wrong with it
    task = config.get("task")
    return [told[0], task, *told[1:]] if task in MODELS else told


def prepared_of(
    model: Model, files: Sequence[str], flags: Mapping[str, Any], *, resuming: bool = False
) -> Prepared:
    """Read what was named on the command line, as the task reads it."""
    name = flags["data"]
    if name is not None and files:
        raise OptionError(f"--data {name} names built-in data, and {files[0]!r} is a file: leave one out.")
    near = difflib.get_close_matches(files[0], MODELS, n=1) if files and model.task == TEXT else []
    if near and not Path(files[0]).exists():
        raise OptionError(f"{files[0]}: there is no such file. Did you mean the task: noria train {near[0]}?")
    if model.task == TEXT:
        prepared = _text(model, files, flags, resuming=resuming)
    elif files:
        paths = [Path(file) for file in files]
        missing = [path for path in paths if not path.exists()]
        if STANDARD_INPUT in files:
            raise DataError(f"noria train {model.task}: reads files, not standard input.\n  Name a file.")
        if missing:
            raise DataError(f"{missing[0]}: there is no such file or folder.")
        prepared = model.prepare(paths[0] if len(paths) == 1 else paths, resuming=resuming)
    else:
        prepared = model.prepare(builtin(model, name), resuming=resuming)
    origin = {"files": [str(file) for file in files]} if files else {"builtin": name or model.default_data}
    return dataclasses.replace(prepared, origin=origin)


def files_again(about: Mapping[str, Any], run: Path) -> tuple[tuple[str, ...], str | None]:
    """Give the files, or the built-in data, that a run was made with.

    Raises
    ------
    OptionError
        If they are not there any more.
    """
    if "builtin" in about:
        return (), str(about["builtin"])
    files = tuple(about.get("files", ()))
    if files and all(Path(file).exists() for file in files):
        return files, None
    return source_again(str(about.get("source", "")), run), None


def builtin(model: Model, name: str | None) -> Any:
    """Give built-in data by name; without one those of the task."""
    from noria.data.builtin_tasks import builtin_data

    return builtin_data(name or model.default_data, model.task, model.seed)


def recipe(task: str, name: str | None) -> Mapping[str, Any]:
    """Give the options that stand with built-in data, as defaults where nothing is said."""
    if name is None or (task == TEXT and name in BUILT_IN):
        return {}
    from noria.data.builtin_tasks import builtin_recipe, builtin_tasks

    if task == TEXT:
        known = [*BUILT_IN, *(entry.name for entry in builtin_tasks(TEXT))]
        if name.partition(":")[0] not in known:
            near = did_you_mean(name, known)
            raise OptionError(f"There is no built-in text {name!r}.{near} There are: {', '.join(known)}.")
    options: Mapping[str, Any] = builtin_recipe(name, task).options
    return options


def _text(model: Any, files: Sequence[str], flags: Mapping[str, Any], *, resuming: bool) -> Prepared:
    name, encoding = flags["data"], flags["encoding"]
    if not files and name is not None and name not in BUILT_IN:
        data = builtin(model, name)
        prepared: Prepared = model.prepare(data, resuming=resuming)
        return prepared
    if model.text_column and len(files) == 1:
        of_table: Prepared = model.prepare(Path(files[0]), encoding=encoding, resuming=resuming)
        return of_table
    text = large_or_read(files, name=name, encoding=encoding)
    prepared = model.prepare(text, encoding=encoding, lines=flags["lines"], resuming=resuming)
    return prepared
