"""What ``noria train`` says: what it understood before it begins, and how it went at the end."""

import math
import shlex
from pathlib import Path

from noria.cli.console import say
from noria.cli.progress import clock
from noria.models import Description
from noria.models.description import ModelDescription
from noria.models.model import Model


def say_what_was_understood(it: Description, origin: str, accumulate: int = 1) -> None:
    """Say what the data are, how they are cut, which network will read them, and what runs it.

    Parameters
    ----------
    it : Description
    origin : str
        Where the number of threads comes from.
    accumulate : int, default 1
        Batches in a step.
    """
    model = it.model
    say(it.data.label, it.data.summary())
    for note in it.notes:
        say("", note)
    size = f"{model.parameters:,} parameters"
    say("Model", " · ".join([*_layers(model), size, model.dtype]))
    epoch = f"{it.steps_per_epoch:,} steps an epoch"
    if accumulate > 1:
        epoch = f"{it.steps_per_epoch:,} batches an epoch, {accumulate} in a step"
    say("", f"{it.reading}, {epoch}")
    engine = ": ".join(filter(None, [_listed(model.engines), model.processor]))
    threads = f"{model.threads} thread{'s' if model.threads > 1 else ''}, {origin}"
    say("Engine", " · ".join(filter(None, [engine, threads])))
    if model.why_not_native:
        say("", f"slower than the native engine, which does not run here: {model.why_not_native}")


def _layers(model: ModelDescription) -> list[str]:
    """Name the cells, and say how many layers of them there are; without any, what else there is."""
    if not model.cells:
        return [", ".join(dict.fromkeys(layer.kind for layer in model.layers))]
    count = (len(model.cells) - model.bidirectional) // model.members
    which = "" if model.bidirectional == count else f"{model.bidirectional} in "
    both = f", {which}both directions" if model.bidirectional else ""
    several = f"{model.members} networks of " if model.members > 1 else ""
    sizes = model.hidden_sizes[: len(model.hidden_sizes) // model.members]
    return [
        _listed(model.cells),
        f"{several}{count} layer{'s' if count > 1 else ''} x {_listed(sizes)}{both}",
    ]


def say_how_it_went(run: Path, model: Model) -> None:
    """Say the figure on the part that was kept aside, beside that of the baseline, and what to do next."""
    path, report = shlex.quote(str(run)), model.report_
    if not report["steps"]:
        say("Done", "Stopped before the first step: nothing was trained yet.")
        say("Next", f"noria train --resume {path}")
        return
    said = [clock(report["seconds"]), f"{report['steps']:,} steps, best after {report['best_step']:,}"]
    if report["test"]:
        said.append(f"test {model.headline(report['test'])}")
    if baseline := report["baseline"]:
        said.append(f"{baseline['name']} {model.headline(baseline)}")
    say("Done", " · ".join(said))
    if baseline and not baseline.get("beaten", True):
        say("", f"The {baseline['name']} does better here: {_advice(model)}.")
    made = f"{report['steps']:,} of {report['planned']:,} planned steps were made"
    if report.get("stopped") == "patience":
        more = f"noria train --resume {path} --steps {report['steps'] + report['planned']}"
        say("", f"{made}; {more} trains on, with new patience.")
    elif report.get("stopped"):
        say("", f"{made}; noria train --resume {path} goes on with the others.")
    say("Next", "\n".join(model.next_steps(path)))


def _advice(model: Model) -> str:
    """Say what a model that is behind its baseline needs: behind guessing, no more of the same."""
    symbols = getattr(model.description_ and model.description_.data, "symbols", math.inf)
    if model.report_["test"].get("perplexity", 0.0) > symbols:
        return "so does guessing, training went astray, try a lower lr"
    return "try more time, or more data"


def _listed(entries: tuple[object, ...]) -> str:
    """Give the entries, or the one that they all are."""
    return ", ".join(map(str, dict.fromkeys(entries) if len(set(entries)) == 1 else entries))
