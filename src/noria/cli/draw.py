"""``noria draw``: the network of a run, unrolled in time, as a picture."""

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
        Path | None, Parameter(help="The folder of the pictures; left out: pictures/ in the run's.")
    ] = None,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Draw the network of a run, unrolled in time with its sizes, as SVG and PNG."""
    from noria.inspection.unrolled_picture import draw_unrolled
    from noria.inspection.unrolling import unrolled
    from noria.models import load

    network = unrolled(load(run).network_, run.name)
    files = draw_unrolled(network, (run / PICTURES if out is None else out) / NAME)
    if json:
        about = {"run": str(run), "kind": network.kind, "parameters": network.parameters}
        give_json(about | {"files": [str(file) for file in files]})
        return
    for file in files:
        say("Wrote", str(file))
