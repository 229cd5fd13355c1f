"""The options of an update around its rule: clipping, accumulation, averaging."""

from dataclasses import dataclass
from typing import Annotated

from noria.training.option import Option
from noria.training.schedule_options import ScheduleOptions


@dataclass(kw_only=True)
class UpdateOptions(ScheduleOptions):
    """What happens to gradients before the rule, and to weights after it."""

    grad_clip: Annotated[
        float,
        Option(
            help="Largest norm of the whole gradient; a longer one is shortened to it. 0: off.",
            group="Optimiser",
            minimum=0,
            reason="Acts on the rare exploding step and leaves the others alone (Pascanu et al. 2013).",
        ),
    ] = 1.0
    grad_clip_value: Annotated[
        float,
        Option(
            help="Largest magnitude of a single value of the gradient, cut before the norm is taken. 0: off.",
            group="Optimiser",
            minimum=0,
            reason="Cutting values turns the gradient; the norm does not.",
        ),
    ] = 0.0
    accumulate: Annotated[
        int,
        Option(
            help="Batches whose mean gradient makes one update.",
            group="Optimiser",
            minimum=1,
            reason="For batches larger than the memory; otherwise more updates learn faster.",
        ),
    ] = 1
    averaging: Annotated[
        str,
        Option(
            help="Which average of the weights over the steps is evaluated and kept: ema forgets, asgd is "
            "the mean from some step on, nt-asgd the mean since the validation loss stopped falling.",
            group="Optimiser",
            choices=("none", "ema", "asgd", "nt-asgd"),
            reason="A rate that falls to the end of the run does most of what an average would.",
        ),
    ] = "none"
    averaging_decay: Annotated[
        float,
        Option(
            help="What ema keeps of the average in a step.",
            group="Optimiser",
            only_with=("averaging", ("ema",)),
            minimum=0,
            maximum=1,
            closed="left",
            reason="A memory of about 1000 steps.",
        ),
    ] = 0.999
    averaging_start: Annotated[
        float,
        Option(
            help="The share of the run before asgd begins to average.",
            group="Optimiser",
            only_with=("averaging", ("asgd",)),
            minimum=0,
            maximum=1,
            closed="left",
            reason="Weights from the start of a run are not worth keeping in the mean.",
        ),
    ] = 0.5
    averaging_patience: Annotated[
        int,
        Option(
            help="nt-asgd begins when the validation loss is above the best of all but so many last ones.",
            group="Optimiser",
            only_with=("averaging", ("nt-asgd",)),
            minimum=1,
            maximum=10_000,
            reason="That of Merity et al. 2018.",
        ),
    ] = 5
