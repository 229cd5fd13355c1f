"""``noria evaluate``: how well a trained model predicts another text."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from noria.cli.common import Debug, Json, Threads
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say, table

UNITS = {"loss": "nats per character", "bits_per_character": "bits per character"}
UNITS_OF_TOKENS = {**UNITS, "loss": "nats per token"}  # words, or characters and the ends of sequences
CHARACTER = "character"


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
    """Score every symbol of a text given all before it."""
    from noria.cli.sources import read_source
    from noria.models import load
    from noria.models.text.reading import EACH, LONG

    model = load(run)
    model.threads = threads or model.threads
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
    if json:
        noted = {"note": note} if note else {}
        give_json({"run": str(run), "source": text.source, **figures, **noted})
        return
    units = UNITS if unit == CHARACTER and not separate else UNITS_OF_TOKENS
    rows = []
    for name, value in figures.items():
        shown = f"{value:,}" if isinstance(value, int) else f"{value:.4f}"
        rows.append((units.get(name, name.replace("_", " ")), shown, note if name == "loss" else ""))
    give(table(rows, right=[1], indent=0) + "\n")


def _about_unknown(unknown: int, symbols: int, unit: str) -> str:
    """Say how much of a text a model does not know; nothing where it knows all of it."""
    are = "is" if unknown == 1 else "are"
    return f"{unknown:,} of {symbols:,} {unit}s {are} not in the model's vocabulary" if unknown else ""
