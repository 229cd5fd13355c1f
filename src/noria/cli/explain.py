"""``noria explain``: what a trained model computes while it reads one input."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from noria.cli.common import Debug, Json, Threads
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say, table
from noria.errors import OptionError

SHOWN, BEST = 40, 3


def explain(
    run: Annotated[Path, Parameter(help="The run folder of a trained model.")],
    /,
    *,
    text: Annotated[
        str | None, Parameter(help="What the model is to read.", allow_leading_hyphen=True)
    ] = None,
    data: Annotated[str | None, Parameter(help="A file like the one it was trained on.")] = None,
    row: Annotated[int, Parameter(help="Which input of the file, from 0.")] = 0,
    part: Annotated[str | None, Parameter(help="Which characters of a text: 100:300.")] = None,
    target: Annotated[str | None, Parameter(help="The right answer, where one is known.")] = None,
    out: Annotated[Path | None, Parameter(help="A folder for arrays and pictures; left out: none.")] = None,
    layer: Annotated[str | None, Parameter(help="The recurrent layer that is drawn: its path.")] = None,
    value: Annotated[
        str | None, Parameter(help="The value of the equations whose units are chosen; left out: h.")
    ] = None,
    units: Annotated[str | None, Parameter(help="Units that are shown over the text: 0,3,7.")] = None,
    step: Annotated[
        int, Parameter(help="The step whose gates are drawn as bars, from 0; -1: the last.")
    ] = -1,
    threads: Threads = 0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Record gates, candidates, states and attention over one input, and what the model answers.

    It shows the likeliest answers, with what was right where that is known. With --out a folder gets all
    recorded arrays (values.npz), maps of gates and states over the input, units over the text and the weights
    of attention, as SVG and PNG.

    noria explain runs/first --text "The wheel turned" --out looked-at

    noria explain runs/classify-gru-0001 --data reviews.csv --row 3 --json
    """
    from noria.cli.looking import looked_at, numbers
    from noria.cli.pictures import is_picture
    from noria.inspection.album import draw_album
    from noria.models import load

    if is_picture(out):
        raise OptionError(
            f"--out {out}: expected a folder, since many pictures and the arrays are written, got one "
            "picture.\n  Name a folder, and take the picture out of it."
        )
    chosen = numbers(units, "--units")
    model = load(run)
    model.threads = threads or model.threads
    with compilation_said():
        found = model.explain(looked_at(model, text, data, part), target, row=row)
    seen = found.layer(layer) if found.layers and (layer or value or chosen) else None
    if seen is not None:
        seen.neurons(value or "h", chosen)  # names and numbers are checked before anything is written
    files: list[Path] = []
    if out is not None:
        files = [*found.save(out), *draw_album(found, out, layer=layer, value=value, units=chosen, step=step)]
    if json:
        whole = found.about() if out is not None else found.to_dict()
        give_json({"run": str(run), **whole, "files": [str(file) for file in files]})
        return
    _show(found)
    if seen is not None and chosen and sys.stdout.isatty():
        from noria.inspection.coloured_text import ansi, spaced

        for unit in chosen:
            give_raw = ansi(spaced(seen.steps), seen.neurons(value or "h", [unit])[:, 0])
            sys.stdout.write(f"\n{value or 'h'} {unit}: {give_raw}\n")
    for file in files:
        say("Wrote", str(file))


def _show(found: Any) -> None:
    """Write what was recorded, and the likeliest answers, as tables."""
    say("Read", found.source)
    lines = [("layer", "cell", "values", "steps", "size")]
    for layer in found.layers:
        first = next(iter(layer.values.values()))
        names = " ".join(layer.values)
        lines.append((layer.path, layer.cell, names, f"{len(first):,}", f"{first.shape[1]:,}"))
    for one in found.attention:
        steps, looked = one.weights.shape
        lines.append((one.path, "attention", "weights", f"{steps:,}", f"{looked:,}"))
    give(table(lines, right=[3, 4], indent=0) + "\n\n")
    entries = found.predictions[-SHOWN:]
    if len(entries) < len(found.predictions):
        say("", f"the last {SHOWN} of {len(found.predictions):,} answers")
    give(table([_answer(entry) for entry in entries], indent=0) + "\n")


def _answer(entry: dict[str, Any]) -> tuple[str, ...]:
    """Give the cells of one answer: what was read, what is said, what came."""
    from noria.inspection.figures import label

    read = label(str(entry["step"]))
    if "value" in entry:
        bounds = f"({entry['low']:.6g} to {entry['high']:.6g})" if "low" in entry else ""
        return (read, f"{entry['value']:.6g}", bounds, "")
    said = "  ".join(f"{label(str(symbol))} {chance:.3f}" for symbol, chance in entry["top"][:BEST])
    came = f"came: {label(str(entry['target']))}" if "target" in entry else ""
    chosen = f"answer: {entry['answer']}" if "answer" in entry else ""
    return (read, said, chosen, came)
