"""``noria evaluate``: how well a trained model predicts another text."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from noria.cli.common import Debug, Json, Threads
from noria.cli.console import give, give_json, say, table

UNITS = {"loss": "nats per character", "bits_per_character": "bits per character"}


def evaluate(
    run: Annotated[Path, Parameter(help="The run folder of a trained model.")],
    file: Annotated[str, Parameter(help="A text file, a folder of .txt files, or - for standard input.")],
    /,
    *,
    encoding: Annotated[str | None, Parameter(help="The encoding of the file; left out: detected.")] = None,
    threads: Threads = 0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Score every character of a text given all before it."""
    from noria.cli.sources import read_source
    from noria.models import load

    model = load(run)
    text = read_source([file], encoding=encoding)
    say("Text", f"{text.source} · {text.encoding} · {len(text):,} characters")
    for note in text.notes:
        say("", note)
    figures = model.evaluate(text)
    if unknown := figures["unknown"]:
        say("", f"{unknown:,} characters are not in the model's vocabulary: it cannot predict them")
    if json:
        give_json({"run": str(run), "source": text.source, **figures})
        return
    rows = [
        (UNITS.get(name, name.replace("_", " ")), f"{value:,}" if isinstance(value, int) else f"{value:.4f}")
        for name, value in figures.items()
    ]
    give(table(rows, right=[1], indent=0) + "\n")
