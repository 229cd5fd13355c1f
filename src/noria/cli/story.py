"""What ``noria train`` says: what it understood before it begins, and how it went at the end."""

import shlex
from pathlib import Path
from typing import Any

from noria.cli.console import say
from noria.cli.progress import clock
from noria.models import Description


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
    data, model = it.data, it.model
    parts = (data.train, data.validation, data.test)
    shares = "/".join(f"{100 * part / sum(parts):.3g}" for part in parts)
    separate = data.kind == "sequences"
    about = [data.source, data.encoding]
    if separate:
        about.append(f"{sum(data.sequences):,} sequences")
    about += [
        f"{data.characters:,} characters",
        f"{data.symbols:,} {'symbols' if data.level == 'characters' else data.level}",
    ]
    cut = "sequences drawn for each part" if separate else "in order"
    say("Text", " · ".join([*about, f"train/validation/test {shares}, {cut}"]))
    for note in it.notes:
        say("", note)
    layers = f"{len(model.cells)} layer{'s' if len(model.cells) > 1 else ''} x {_listed(model.hidden_sizes)}"
    size = f"{model.parameters:,} parameters"
    say("Model", " · ".join([_listed(model.cells), layers, size, model.dtype]))
    epoch = f"{it.steps_per_epoch:,} steps an epoch"
    if accumulate > 1:
        epoch = f"{it.steps_per_epoch:,} batches an epoch, {accumulate} in a step"
    streams = f"{it.batch_size} streams, windows of {it.seq_length} steps"
    read = f"batches of {it.batch_size} sequences" if separate else streams
    say("", f"{read}, {epoch}")
    engine = ": ".join(filter(None, [_listed(model.engines), model.processor]))
    say("Engine", f"{engine} · {model.threads} thread{'s' if model.threads > 1 else ''}, {origin}")
    if model.why_not_native:
        say("", f"slower than the native engine, which does not run here: {model.why_not_native}")


def say_how_it_went(run: Path, report: dict[str, Any]) -> None:
    """Say the figure on the part that was kept aside, beside that of the baseline, and what to do next."""
    path = shlex.quote(str(run))
    if not report["steps"]:
        say("Done", "Stopped before the first step: nothing was trained yet.")
        say("Next", f"noria train --resume {path}")
        return
    said = [clock(report["seconds"]), f"{report['steps']:,} steps, best after {report['best_step']:,}"]
    if test := report["test"]:
        said.append(f"test {test['loss']:.3f} nats ({_compared(test, test)})")
    if baseline := report["baseline"]:
        more = f" ({_compared(baseline, test)})" if _of_words(test) else ""
        said.append(f"{baseline['name']} {baseline['loss']:.3f} nats{more}")
    say("Done", " · ".join(said))
    if baseline and not baseline.get("beaten", True):
        say(
            "",
            f"The {baseline['name']}, which only counts, does better here: try more time, or more text.",
        )
    made = f"{report['steps']:,} of {report['planned']:,} planned steps were made"
    if report.get("stopped") == "patience":
        more = f"noria train --resume {path} --steps {report['steps'] + report['planned']}"
        say("", f"{made}; {more} trains on, with new patience.")
    elif report.get("stopped"):
        say("", f"{made}; noria train --resume {path} goes on with the others.")
    say("Next", f"noria sample {path} --temperature 0.7\nnoria evaluate {path} FILE\nnoria info {path}")


def _compared(figures: dict[str, Any], test: dict[str, Any]) -> str:
    """Give what compares between characters, words and subwords; of words the perplexity too."""
    bits = f"{figures['bits_per_character']:.3f} bits per character"
    return f"perplexity {figures['perplexity']:,.1f}, {bits}" if _of_words(test) else bits


def _of_words(test: dict[str, Any]) -> bool:
    """Whether symbols are words or subwords: fewer than characters."""
    return bool(test["tokens"] < test["characters"])


def _listed(entries: tuple[object, ...]) -> str:
    """Give the entries, or the one that they all are."""
    return ", ".join(map(str, dict.fromkeys(entries) if len(set(entries)) == 1 else entries))
