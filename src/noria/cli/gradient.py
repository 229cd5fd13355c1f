"""``noria gradient``: how far the gradient of a loss reaches back through time."""

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from noria.cli.common import Debug, Json, Threads
from noria.cli.compiling import compilation_said
from noria.cli.console import give, give_json, say, table

INPUTS = 16
"""Inputs of a built-in data set that norms are averaged over."""


def gradient(
    runs: Annotated[list[Path] | None, Parameter(help="Run folders; several are drawn side by side.")] = None,
    /,
    *,
    text: Annotated[
        str | None, Parameter(help="What the model is to read.", allow_leading_hyphen=True)
    ] = None,
    data: Annotated[
        str | None, Parameter(help="A file like the one it was trained on, or the name of built-in data.")
    ] = None,
    row: Annotated[int, Parameter(help="Which input of the file, from 0.")] = 0,
    part: Annotated[str | None, Parameter(help="Which characters of a text: 100:300.")] = None,
    target: Annotated[str | None, Parameter(help="The right answer; left out: the model's own.")] = None,
    at: Annotated[
        int | None, Parameter(help="The position whose loss is followed back; left out: the last.")
    ] = None,
    spectral: Annotated[
        bool,
        Parameter(negative="", show_default=False, help="Show what matrices of known norm do to a gradient."),
    ] = False,
    recall: Annotated[
        int | None,
        Parameter(help="Train rnn, gru, lstm and janet to recall a letter over so many others."),
    ] = None,
    steps: Annotated[int, Parameter(help="Updates of each, with --recall.")] = 1500,
    out: Annotated[
        Path | None, Parameter(help="A folder for pictures and their numbers as JSON, or one .svg or .png.")
    ] = None,
    seed: Annotated[int, Parameter(help="Where random numbers start from.")] = 0,
    threads: Threads = 0,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Give the norm of the gradient of a loss in the state at each earlier step.

    It says after how many steps a tenth and a thousandth of it is left, for each layer and state; several
    runs stand side by side. Of built-in data some inputs are averaged over. --spectral and --recall show
    without a run why gradients vanish or explode, and what gates do about it.

    noria gradient runs/first --text "The wheel turned" --out gradient.svg

    noria gradient --recall 30
    """
    from noria.cli.pictures import is_picture
    from noria.errors import OptionError

    is_picture(out)  # what cannot be written is refused before anything is computed
    wanted = bool(runs) + spectral + (recall is not None)
    if wanted != 1:
        raise OptionError("expected run folders, --spectral or --recall, and one of the three.")
    with compilation_said():
        if spectral:
            said, words, draw = _spectral(seed)
        elif recall is not None:
            said, words, draw = _recall(recall, steps, seed)
        else:
            said, words, draw = _runs(runs or [], threads, (text, data, part), target, at, row)
    files = _written(said, draw, out) if out is not None else []
    if json:
        give_json({**said, "words": words, "files": [str(file) for file in files]})
        return
    give("\n".join(words) + "\n")
    for file in files:
        say("Wrote", str(file))


def _spectral(seed: int) -> tuple[dict[str, Any], list[str], Any]:
    import numpy as np

    from noria.inspection.spectral import draw_spectral, spectral_demonstration

    found = spectral_demonstration(rng=np.random.default_rng(seed))
    return found.to_dict(), found.words(), lambda path: draw_spectral(found, path)


def _recall(gap: int, steps: int, seed: int) -> tuple[dict[str, Any], list[str], Any]:
    from noria.inspection.gradient_pictures import draw_gradients
    from noria.inspection.recall import recall_demonstration

    def told(cell: str) -> None:
        say("Train", f"{cell}, {steps:,} updates")

    found = recall_demonstration(gap=gap, steps=steps, seed=seed, listener=told)
    curves = {f"{one.cell} ({one.accuracy:.0%} right)": one.after for one in found.cells}
    return found.to_dict(), found.words(), lambda path: draw_gradients(curves, path)


def _runs(
    runs: list[Path],
    threads: int,
    named: tuple[str | None, str | None, str | None],
    target: str | None,
    at: int | None,
    row: int,
) -> tuple[dict[str, Any], list[str], Any]:
    from noria.inspection.gradient_pictures import draw_gradients
    from noria.models import load

    found = {}
    for run in runs:
        model = load(run)
        model.threads = threads or model.threads
        found[str(run)] = _through(model, named, target, at, row)
    words = []
    for run_name, one in found.items():
        words.append(f"{run_name}: {one.loss_of}, loss {one.loss:.4g}")
        words += [f"  {sentence}" for sentence in one.words()]
    if len(found) > 1:
        words.append(_side_by_side(found))
    curves = {Path(name).name if len(found) > 1 else "": one for name, one in found.items()}
    curves = curves if len(curves) == len(found) else found
    said = {"runs": {name: one.to_dict() for name, one in found.items()}}
    return said, words, lambda path: draw_gradients(curves, path)


def _through(
    model: Any, named: tuple[str | None, str | None, str | None], target: str | None, at: int | None, row: int
) -> Any:
    """Follow the loss of one input back, or of several of a built-in data set."""
    from noria.cli.looking import looked_at
    from noria.cli.tasks import builtin
    from noria.models import GradientThroughTime

    text, data, part = named
    if data is None or Path(data).exists() or text is not None or model.task == "forecast":
        return model.gradient_through_time(looked_at(model, text, data, part), target, at=at, row=row)
    tested = builtin(model, data).tested
    pairs = zip(*tested, strict=True) if isinstance(tested, tuple) else ((one, None) for one in tested)
    some = [pair for pair, _ in zip(pairs, range(INPUTS), strict=False)]
    lengths = {len(one) for one, _ in some}
    some = some if len(lengths) == 1 else some[:1]
    through = [model.gradient_through_time(one, right, at=at) for one, right in some]
    return GradientThroughTime.average(through, f"{len(through)} inputs of {data}")


def _side_by_side(found: dict[str, Any]) -> str:
    lines = [("run", "layer", "cell", "state", "below 1/10 from", "below 1/1000 from")]
    for name, one in found.items():
        for layer in one.layers:
            reaches = (layer.reach(share) for share in (0.1, 0.001))
            shown = ("never" if reach is None else f"{reach} steps" for reach in reaches)
            lines.append((Path(name).name, layer.path, layer.cell, layer.state, *shown))
    return "\n" + table(lines, indent=0)


def _written(said: dict[str, Any], draw: Any, out: Path) -> list[Path]:
    """Write figures and picture into a folder, or the picture that is named."""
    import json

    from noria.cli.pictures import drawn, is_picture
    from noria.errors import DataError

    if is_picture(out):
        return drawn(out, "gradient", draw)
    try:
        out.mkdir(parents=True, exist_ok=True)
        place = out / "gradient.json"
        place.write_text(json.dumps(said, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}.") from None
    return [place, *draw(out / "gradient")]
