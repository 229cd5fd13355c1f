"""All pictures of one explanation, in one folder."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path

from noria.errors import DataError
from noria.inspection.answer_pictures import draw_answers, draw_attention
from noria.inspection.coloured_text import page
from noria.inspection.gate_pictures import draw_map, draw_neurons, draw_step
from noria.models.explanation import Explanation

UNITS = (0, 1, 2)
"""Units that are drawn over the text where none are chosen."""
OUTPUT = "h"


def draw_album(
    explanation: Explanation,
    folder: str | PathLike[str],
    *,
    layer: str | None = None,
    value: str | None = None,
    units: Sequence[int] = (),
    step: int = -1,
) -> list[Path]:
    """Draw gates, maps of every value, chosen units, attention and answers; give the files.

    Parameters
    ----------
    explanation : Explanation
    folder : path
        Made if it is not there.
    layer : str, optional
        The path of the layer that is drawn; without one the last.
    value : str, optional
        The value whose units are drawn over the text; ``h`` without.
    units : sequence of int
        Which; the first three where none are named.
    step : int, default -1
        The step whose values are drawn as bars.

    Raises
    ------
    UnknownNameError
        If there is no such layer, value or unit: says the nearest.
    DataError
        If a file cannot be written.
    """
    place, files = Path(folder), []
    if explanation.layers:
        chosen = explanation.layer(layer)
        name = value or OUTPUT
        size = chosen.value(name).shape[1]
        shown = list(units) or [unit for unit in UNITS if unit < size]
        written_page = page(chosen, name, shown)
        files += draw_step(chosen, step, place / "gates")
        for each in chosen.values:
            files += draw_map(chosen, each, place / f"map-{each}")
        files += draw_neurons(chosen, name, shown, place / f"units-{name}")
        files.append(_page(place / f"units-{name}.html", written_page))
    for number, one in enumerate(explanation.attention):
        ending = f"-{number}" if len(explanation.attention) > 1 else ""
        files += draw_attention(one, place / f"attention{ending}")
    if any("top" in entry for entry in explanation.predictions):
        files += draw_answers(explanation, place / "answers")
    return files


def _page(path: Path, text: str) -> Path:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}.") from None
    return path
