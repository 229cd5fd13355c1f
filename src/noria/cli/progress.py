"""How a run is shown: a row for each evaluation, samples between them, in a terminal also a moving line."""

import math
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from noria.cli.console import LABEL, harmless, labelled, say, tell, terminal
from noria.models.model import Metric
from noria.training.report import (
    Chosen,
    Evaluated,
    Event,
    Finished,
    Interrupted,
    Listener,
    RateFound,
    Result,
    Resumed,
    Sampled,
    Started,
    StepDone,
    Stopped,
)

WIDTHS = (7, 7, 7, 7, 6, 8, 9, 7, 1)
REFRESH = 0.2  # seconds between two looks of the moving line
WIDEST_SAMPLE = 400


class Progress:
    """A listener that draws: training and validation loss, and the task's figure on the validation part.

    Enter it around the training: the moving line is taken away at the end, whatever happens.

    Parameters
    ----------
    metric : Metric
        The figure beside the losses.
    quiet : bool, default False
    """

    def __init__(self, metric: Metric, *, quiet: bool = False) -> None:
        self._metric = metric
        self._titles = ("step", "epoch", "train", "valid", metric.title, "|grad|", "tokens/s", "left", "")
        self._quiet = quiet
        self._chosen: Mapping[str, Any] = {}
        self._is_of_time = False
        self._latest: StepDone | None = None
        self._live: Any = None
        self._drawn = 0.0

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            console = terminal()
            if not console.is_dumb_terminal:
                from rich.live import Live

                self._live = Live(console=console, transient=True, auto_refresh=False)
                self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def __call__(self, event: Event) -> None:
        """Draw one event."""
        match event:
            case StepDone():
                self._latest = event
                self._move(event)
            case Interrupted():
                self.say(
                    "Stop", f"after step {event.step:,}: saved, now evaluating. Ctrl-C again ends at once."
                )
            case Stopped():
                self.say("Stop", event.message)
            case Resumed():
                if event.threads != event.threads_before:
                    self.say("Threads", _other_threads(event))
                if not self._quiet or event.steps != event.planned:
                    self.say("Plan", _new_plan(event))
                if not self._quiet:
                    self.say("", _row(*self._titles))
            case _ if self._quiet:
                return
            case Chosen():
                self._chosen = event.values
                self.say("Chosen", _chosen(event))
            case RateFound():
                self.say("Rate", _found(event))
            case Started():
                self._is_of_time = event.calibrated
                self.say("Plan", _plan(event))
                self.say("", _row(*self._titles))
            case Evaluated():
                self.say("", _evaluated(event, self._latest, self._metric))
            case Sampled():
                self.say("", _sample(event.text))
            case Finished() if self._is_of_time and not event.result.interrupted:
                self.say("Repeat", _repeat(event.result, self._chosen))
            case _:
                return

    def say(self, label: str, text: str) -> None:
        """Write a line, above the moving one where there is one."""
        if self._live is not None:
            self._live.console.print(labelled(f"{label:<{LABEL}}" if label else "", text), soft_wrap=True)
        elif label:
            say(label, text)
        else:
            tell(text)

    def _move(self, event: StepDone) -> None:
        now = time.monotonic()
        if self._live is None or now - self._drawn < REFRESH:
            return
        from rich.text import Text

        self._drawn = now
        share = event.step / event.steps
        line = (
            f"  {share:4.0%}  step {event.step:,} of {event.steps:,} · train {event.loss:.3f}"
            f" · |grad| {event.gradient_norm:.2f} · {event.tokens_per_second:,.0f} tokens/s"
            f" · {clock(event.seconds_left)} left"
        )
        self._live.update(Text(line, style="dim", no_wrap=True, overflow="ellipsis"), refresh=True)


class Announced:
    """A listener that says which run is made, before it passes the first event of training on.

    What is refused, or fails before the run can be opened again, is then not announced.

    Parameters
    ----------
    listener : callable
    progress : Progress
    run : str
        What is said.
    """

    def __init__(self, listener: Listener, progress: Progress, run: str) -> None:
        self._listener, self._progress, self._run = listener, progress, run
        self.is_made = False

    def __call__(self, event: Event) -> None:
        """Hear of one event; what was chosen is told before anything is made."""
        if not (self.is_made or isinstance(event, Chosen)):
            self.is_made = True
            self._progress.say("Run", self._run)
        self._listener(event)


def clock(seconds: float) -> str:
    """Write a duration as on a watch: ``2:05``, ``1:02:05``; what is not finite is unknown."""
    if not math.isfinite(seconds):
        return "?"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _chosen(event: Chosen) -> str:
    values = ", ".join(f"{name.replace('_', ' ')} {_worded(value)}" for name, value in event.values.items())
    return f"{values}, for a run of {event.passes:.3g} passes over the training part"


def _worded(value: Any) -> str:
    """Write a value as it is typed."""
    if isinstance(value, list | tuple):
        return ",".join(map(_worded, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _found(event: RateFound) -> str:
    tried = f"{len(event.rates)} steps from {event.rates[0]:.2g} to {event.rates[-1]:.2g}"
    return f"{event.lr:g}, where the loss fell in {tried}; each with its loss stands in log.jsonl"


def _plan(event: Started) -> str:
    epochs = event.steps / event.steps_per_epoch
    said = [f"{event.steps:,} steps ({epochs:.3g} epochs)", f"evaluated every {event.eval_every:,}"]
    said.append(f"learning rate {event.lr:g}")
    if event.calibrated:
        said.append("from the time budget, fitted to it on the way")
    return " · ".join(said)


def _repeat(result: Result, chosen: Mapping[str, Any]) -> str:
    """Write the flags that repeat a run of a time budget; those that were typed are known."""
    stop = {"stop_after": result.steps} if result.stopped == "time" else {}
    replanned = {"replanned": result.replanned} if result.replanned else {}
    values = {"steps": result.planned, **replanned, **stop, **chosen}
    return " ".join(f"--{name.replace('_', '-')} {_worded(value)}" for name, value in values.items())


def _new_plan(event: Resumed) -> str:
    going_on = f"going on after step {event.step:,} of {event.steps:,}"
    if event.steps == event.planned:
        return f"{going_on}, as planned"
    change = f"{event.planned:,} steps were planned"
    if event.calibrated:
        change += "; the new number is from the time budget, fitted to it on the way"
    rates = f"learning rate {event.lr_before:.3g} -> {event.lr:.3g}"
    return f"{going_on}; {change}\nthe schedule goes on as that of a run of {event.steps:,} steps: {rates}"


def _other_threads(event: Resumed) -> str:
    return (
        f"{event.threads} now, {event.threads_before} when the run was begun: sums are rounded otherwise, so "
        "that it does not end in the same bytes"
    )


def _row(*cells: str) -> str:
    return "  ".join(f"{cell:>{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _evaluated(event: Evaluated, latest: StepDone | None, metric: Metric) -> str:
    valid = event.metrics.get("loss", math.nan)
    norm = speed = left = ""
    if latest is not None:
        norm, speed = f"{latest.gradient_norm:.2f}", f"{latest.tokens_per_second:,.0f}"
        left = clock(latest.seconds_left)
    numbers = (
        f"{event.step:,}",
        f"{event.epoch:.2f}",
        f"{event.loss:.3f}",
        f"{valid:.3f}",
        format(event.metrics.get(metric.key, math.nan), metric.form),
    )
    return _row(*numbers, norm, speed, left, "+" if event.improved else "")


def _sample(text: str) -> str:
    shown = harmless(text.replace("\n", "⏎").replace("\t", " "))
    cut = shown if len(shown) <= WIDEST_SAMPLE else shown[:WIDEST_SAMPLE] + "…"
    return f"  sample: {cut}"
