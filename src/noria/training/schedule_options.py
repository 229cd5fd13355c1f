"""The options of the learning rate's way through a run."""

from dataclasses import dataclass
from typing import Annotated

from noria.training.learning_rates import SCHEDULES
from noria.training.optimiser_options import OptimiserOptions
from noria.training.option import Option

FALLING = tuple(name for name in SCHEDULES if name != "constant")


@dataclass(kw_only=True)
class ScheduleOptions(OptimiserOptions):
    """How the learning rate rises and falls."""

    schedule: Annotated[
        str,
        Option(
            help="How the learning rate goes on after the warm-up.",
            group="Optimiser",
            choices=tuple(SCHEDULES),
            reason="The length of a run is known from its start, so the rate may fall to the end of it.",
        ),
    ] = "cosine"
    warmup: Annotated[
        int,
        Option(
            help="Steps over which the learning rate rises to its full value; at most half of the run.",
            group="Optimiser",
            minimum=0,
            reason="Adam's first steps rest on hardly any statistics.",
        ),
    ] = 50
    final_lr_fraction: Annotated[
        float,
        Option(
            help="The share of the learning rate that cosine, linear and one-cycle end at, and that step, "
            "exponential and plateau do not go below.",
            group="Optimiser",
            only_with=("schedule", FALLING),
            minimum=0,
            maximum=1,
            reason="The last steps still move the weights.",
        ),
    ] = 0.05
    lr_decay: Annotated[
        float,
        Option(
            help="What a fall of the step, exponential and plateau schedules leaves of the learning rate.",
            group="Optimiser",
            only_with=("schedule", ("step", "exponential", "plateau")),
            minimum=0,
            maximum=1,
            closed="neither",
            aliases=("learning_rate_decay", "lr_factor"),
            reason="Halving is gentle enough not to need the right moment.",
        ),
    ] = 0.5
    lr_decay_every: Annotated[
        int | None,
        Option(
            help="Steps between two falls of the step schedule, or after which the exponential one has "
            "fallen as much; none: a quarter of the run.",
            group="Optimiser",
            only_with=("schedule", ("step", "exponential")),
            minimum=1,
            reason="Falls that are shares of the run come whatever its length.",
        ),
    ] = None
    lr_patience: Annotated[
        int,
        Option(
            help="Evaluations in a row without improvement that the plateau schedule bears before a fall.",
            group="Optimiser",
            only_with=("schedule", ("plateau",)),
            minimum=0,
            reason="Of about thirty evaluations in a run, one or two may be bad luck.",
        ),
    ] = 2
    lr_threshold: Annotated[
        float,
        Option(
            help="The share of the best loss by which a lower one must be below it for the plateau schedule.",
            group="Optimiser",
            only_with=("schedule", ("plateau",)),
            minimum=0,
            maximum=1,
            closed="left",
            reason="PyTorch's default: below it is noise.",
        ),
    ] = 1e-4
    one_cycle_rise: Annotated[
        float,
        Option(
            help="The share of the run over which the one-cycle schedule rises.",
            group="Optimiser",
            only_with=("schedule", ("one-cycle",)),
            minimum=0,
            maximum=1,
            closed="neither",
            reason="PyTorch's default; Smith & Topin 2018 rise for somewhat less than half.",
        ),
    ] = 0.3
    one_cycle_start: Annotated[
        float,
        Option(
            help="The share of the learning rate at which the one-cycle schedule begins.",
            group="Optimiser",
            only_with=("schedule", ("one-cycle",)),
            minimum=0,
            maximum=1,
            closed="right",
            reason="PyTorch's default, 1 / 25.",
        ),
    ] = 0.04
