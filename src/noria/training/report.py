"""The events of a run: what the trainer tells whoever listens. The library itself prints nothing."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Stop: TypeAlias = Literal["interrupt", "patience", "time", "asked"]
"""Why a run ends early: Ctrl-C, no improvement, the end of its time, the option ``stop_after``."""


@dataclass(frozen=True)
class Chosen:
    """Options that were left open have got their values; it comes before all else."""

    values: dict[str, Any]
    """By name."""
    passes: float
    """Over the training part, as they are planned or, with a budget of time, to be expected."""


@dataclass(frozen=True)
class RateFound:
    """A learning rate was searched for, as ``lr="find"`` asks; it comes before the plan."""

    lr: float
    """To train with."""
    rates: list[float]
    """That were tried, one a step."""
    losses: list[float]
    """The smoothed loss at each."""


@dataclass(frozen=True)
class Started:
    """The plan is made; the first step comes next."""

    task: str
    steps: int
    eval_every: int
    steps_per_epoch: float
    """Updates, of which each may gather several batches."""
    parameters: int
    lr: float
    calibrated: bool
    """Whether the steps come from a time budget."""


@dataclass(frozen=True)
class Resumed:
    """A run is gone on with; the next step comes next."""

    step: int
    """Steps that are done."""
    steps: int
    eval_every: int
    planned: int
    """The steps that were planned before; other than ``steps`` where the run is extended or cut."""
    lr_before: float
    """The learning rate of the next step under the plan of before; of its last step where that is done."""
    lr: float
    """The learning rate of the next step."""
    steps_per_epoch: float
    """As of :class:`Started`."""
    calibrated: bool
    """Whether the steps come from a new time budget."""
    threads_before: int
    """Of the begin of the run; with another number sums are rounded otherwise, and the bytes are others."""
    threads: int


@dataclass(frozen=True)
class Replanned:
    """A run of minutes gets another number of steps, because the machine is faster or slower.

    A run that repeats it, or goes on with it, tells of the same steps.
    """

    step: int
    """The step after which it does."""
    steps: int
    planned: int
    """The steps that were planned before."""


@dataclass(frozen=True)
class StepDone:
    """One update was made."""

    step: int
    steps: int
    epoch: float
    loss: float
    """Smoothed training loss, in the unit of the task (nats per token)."""
    batch_loss: float
    gradient_norm: float
    """Before clipping."""
    clipped_share: float
    """Share of the steps so far whose gradient was clipped."""
    lr: float
    tokens: int
    """Since the start."""
    tokens_per_second: float
    seconds: float
    """Since the start."""
    seconds_left: float


@dataclass(frozen=True)
class Evaluated:
    """The validation part was evaluated."""

    step: int
    epoch: float
    loss: float
    """Smoothed training loss, to set beside the validation."""
    metrics: dict[str, float]
    improved: bool
    """Whether these are the best weights so far."""
    best_step: int
    seconds: float
    """That the evaluation took."""
    train: dict[str, float] = dataclasses.field(default_factory=dict)
    """Figures on a sample of the training part, measured as those of validation; empty where none is."""


@dataclass(frozen=True)
class Sampled:
    """The model wrote something."""

    step: int
    text: str


@dataclass(frozen=True)
class Interrupted:
    """Ctrl-C was heard; the weights are saved, what follows is the last evaluation."""

    step: int


@dataclass(frozen=True)
class Stopped:
    """The run ends before its last planned step; the weights are saved, what follows is the evaluation."""

    step: int
    steps: int
    """As planned."""
    reason: Stop
    message: str


@dataclass(frozen=True)
class Diverged:
    """A loss or gradient was not finite; the DivergenceError with this message follows."""

    step: int
    message: str


@dataclass(frozen=True)
class Result:
    """What a run came to."""

    steps: int
    """Updates that were made."""
    best_step: int
    """After how many of them the weights were best; the parameters hold these."""
    validation: dict[str, float]
    """Figures of the best weights on the validation part."""
    test: dict[str, float]
    """Figures of the best weights on the test part, which nothing was chosen on."""
    tokens: int
    seconds: float
    clipped_steps: int
    interrupted: bool = False
    planned: int = 0
    """Steps that the schedule was made for."""
    stopped: Stop | None = None
    """Why there are fewer steps than planned."""
    replanned: list[str] | None = None
    """Until which step how many were planned, as the option takes it; None if the plan has not changed."""


@dataclass(frozen=True)
class Finished:
    """The run is over, the best weights are in place and tested."""

    result: Result


Nested: TypeAlias = Any  # dicts and lists of plain values
Event = (
    Chosen
    | RateFound
    | Started
    | Resumed
    | Replanned
    | StepDone
    | Evaluated
    | Sampled
    | Interrupted
    | Stopped
    | Diverged
    | Finished
)
Listener = Callable[[Event], None]


def silent(event: Event) -> None:
    """Do nothing with an event."""


def all_of(*listeners: Listener) -> Listener:
    """One listener that passes each event on to several, in order."""

    def tell(event: Event) -> None:
        for listener in listeners:
            listener(event)

    return tell


def as_json(event: Event | Result) -> str:
    """Write an event on one line, ``{"event": "StepDone", "step": 1, ...}``; what is not finite is null."""
    return json.dumps({"event": type(event).__name__, **plain(dataclasses.asdict(event))}, ensure_ascii=False)


def plain(value: Nested) -> Nested:
    """Give nested values as JSON knows them."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, (str, bool, int, type(None))):
        return value
    number = float(value)
    return number if math.isfinite(number) else None
