"""``noria summary``: layers, shapes, parameters, and what each costs for every token."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter, validators

from noria.cli.common import Debug, Json
from noria.cli.console import give, give_json, say, table

ATTENDED = 20


def summary(
    run: Annotated[Path, Parameter(help="The run folder of a model.")],
    /,
    *,
    attended: Annotated[
        int,
        Parameter(
            help="Steps of the source that a decoder's attention is taken to look at.",
            validator=validators.Number(gte=1),
        ),
    ] = ATTENDED,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """List layers, shapes, parameters, arithmetic and memory for each token that is read.

    Arithmetic is counted of forward and backward, memory of weights and of what the forward keeps for the
    backward; what is done once for a sequence, and not for each token, stands on lines of its own.

    noria summary runs/first
    """
    import numpy as np

    from noria.inspection.costs import layer_costs, totals
    from noria.inspection.torch_counts import torch_counts
    from noria.models import load

    model = load(run)
    costs = layer_costs(model.network_, itemsize=np.dtype(model.dtype).itemsize, attended=attended)
    total = totals(costs)
    beside = list(dict.fromkeys(torch_counts(model.network_)))
    if json:
        about = {"run": str(run), "dtype": model.dtype, "layers": [one.to_dict() for one in costs]}
        give_json(about | total | {"pytorch": [one.to_dict() for one in beside]})
        return
    lines: list[tuple[str, ...]] = [
        ("layer", "kind", "output", "parameters", "forward", "backward", "weights", "saved", "for each")
    ]
    for one in costs:
        shown = (one.parameters, one.forward, one.backward)
        sizes = (_bytes(one.weight_bytes), _bytes(one.saved_bytes))
        lines.append(
            (one.path, one.kind, f"{one.output:,}", *(f"{count:,}" for count in shown), *sizes, one.per)
        )
    for per, counts in total["per"].items():
        first = per == next(iter(total["per"]))
        whole = (f"{total['parameters']:,}", _bytes(total["weight_bytes"])) if first else ("", "")
        work = f"{counts['forward']:,}", f"{counts['backward']:,}"
        lines.append(
            ("all" if first else "", "", "", whole[0], *work, whole[1], _bytes(counts["saved_bytes"]), per)
        )
    give(table(lines, right=range(2, 8), indent=0) + "\n")
    say("Counts", f"operations: 2 for a multiply-add, 1 for anything elementwise; bytes of {model.dtype}")
    say("", "forward and backward: operations; weights and saved: memory; saved: kept for the backward")
    for compared in beside:
        say("PyTorch", str(compared))


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return f"{count} B"
