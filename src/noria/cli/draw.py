"""``noria draw``: the network of a run, unrolled in time, as a picture."""

from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from noria.cli.common import Debug, Json
from noria.cli.console import give_json, say

PICTURES, NAME = "pictures", "network"


def draw(
    run: Annotated[Path, Parameter(help="The run folder of a model.")],
    /,
    *,
    out: Annotated[
        Path | None,
        Parameter(help="A picture (.svg, .png), or a folder for both; left out: pictures/ in the run's."),
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw the network of a run, unrolled in time with its sizes, as SVG and PNG.

    Every layer is a line, with its path and its number of parameters on the left and the shape of what it
    gives on the right; steps stand from left to right, with the arrows that states and attention take.

    noria draw runs/first --out network.svg
    """
    from noria.cli.pictures import drawn
    from noria.inspection.unrolled_picture import draw_unrolled
    from noria.inspection.unrolling import unrolled
    from noria.models import load

    network = unrolled(load(run).network_, run.name)
    files = drawn(out or run / PICTURES, NAME, partial(draw_unrolled, network))
    if json:
        about = {"run": str(run), "kind": network.kind, "parameters": network.parameters}
        give_json(about | {"files": [str(file) for file in files]})
        return
    for file in files:
        say("Wrote", str(file))
