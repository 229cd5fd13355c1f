"""What was trained, in the report of a run: data, layers, options, equations, versions and machine."""

from functools import partial

import noria
from noria.inspection.costs import layer_costs
from noria.inspection.unrolled_picture import draw_unrolled
from noria.inspection.unrolling import unrolled
from noria.reports.document import Block, Facts, Figure, Passages, Table
from noria.reports.machine import machine, versions
from noria.reports.prose import MISSING, Prose
from noria.reports.reported_run import ReportedRun
from noria.reports.reproduction import changed_options


def made_of(run: ReportedRun, say: Prose) -> list[Block]:
    """Give the data and the network: a drawing, its layers, options that were changed, equations."""
    summary, network = run.model.summary, run.model.network_
    costs = layer_costs(network)
    facts = [
        (say("data"), run.source),
        (say("network"), say("numbers", summary.dtype, ", ".join(dict.fromkeys(summary.engines)))),
    ]
    layers = [(one.path, one.kind, f"{one.output:,}", say.number(one.parameters)) for one in costs]
    head = (say("layer"), say("kind"), say("output"), say("parameters"))
    blocks: list[Block] = [
        Facts(tuple(facts)),
        Figure(
            "network",
            say("network_caption"),
            say("network_alt", ", ".join(one.path for one in costs)),
            partial(draw_unrolled, unrolled(network, run.folder.path.name)),
        ),
        Table(say("layers_caption"), (head, *layers)),
    ]
    if changed := changed_options(run.config):
        rows = [(name, str(value)) for name, value in changed.items()]
        blocks.append(Table(say("options_caption"), ((say("option"), say("value")), *rows)))
    texts = {str(entry["name"]): str(entry["text"]).strip() for entry in run.config.get("cells", ())}
    return [*blocks, Passages(tuple(texts.items()))] if texts else blocks


def made_with(run: ReportedRun, say: Prose) -> Facts:
    """Say what it was trained with, and what the report was written with."""
    options = run.options
    threads = run.config.get("run", {}).get("threads", options.get("threads", MISSING))
    trained = say("threads", run.config.get("noria", noria.__version__), threads, options.get("seed", 0))
    rows = [
        (say("trained_with"), trained),
        (say("versions"), ", ".join(f"{name} {value}" for name, value in versions().items())),
        (say("machine"), ", ".join(f"{say(name)} {value}" for name, value in machine().items())),
    ]
    return Facts(tuple(rows))
