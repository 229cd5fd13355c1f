"""The options of training and of its budget."""

from dataclasses import dataclass
from typing import Annotated

from noria.errors import OptionError
from noria.training.option import Option
from noria.training.optioned import Options

DEFAULT_LR = {"adam": 0.004, "sgd": 0.5, "adagrad": 0.05}
DEFAULT_MINUTES = 2.0


@dataclass(kw_only=True)
class TrainingOptions(Options):
    """How the network learns."""

    batch_size: Annotated[
        int,
        Option(
            help="Streams of text read side by side, or sequences in a batch.",
            group="Training",
            minimum=1,
            reason="Rows enough for products at full speed, and updates enough for minutes of training.",
        ),
    ] = 32
    seq_length: Annotated[
        int,
        Option(
            help="Steps in a window of truncated back-propagation through time; states are carried over.",
            group="Training",
            minimum=1,
            reason="Longer windows cost updates; the carried state reaches further than the gradient.",
        ),
    ] = 64
    optimizer: Annotated[
        str,
        Option(
            help="The update rule.",
            group="Optimiser",
            choices=("adam", "sgd", "adagrad"),
            reason="Adam needs the least search for a learning rate.",
        ),
    ] = "adam"
    lr: Annotated[
        float | None,
        Option(
            help="Learning rate; none: the optimiser's own default (adam 0.004, sgd 0.5, adagrad 0.05).",
            group="Optimiser",
            minimum=0,
            closed="neither",
            aliases=("learning_rate",),
            reason="One number cannot suit three update rules.",
        ),
    ] = None
    momentum: Annotated[
        float,
        Option(
            help="Momentum of sgd; 0: none.",
            group="Optimiser",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.0
    schedule: Annotated[
        str,
        Option(
            help="How the learning rate goes on after the warm-up.",
            group="Optimiser",
            choices=("constant", "cosine"),
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
            help="The share of the learning rate that the cosine schedule ends at.",
            group="Optimiser",
            minimum=0,
            maximum=1,
        ),
    ] = 0.05
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
        ),
    ] = 0.0
    eval_every: Annotated[
        int,
        Option(
            help="Steps between two evaluations on the validation part; 0: automatic, about thirty in a run.",
            group="Reporting",
            minimum=0,
            aliases=("eval_val_every",),
            reason="Often enough to catch the best weights, seldom enough to cost a few percent of the time.",
        ),
    ] = 0
    sample_every: Annotated[
        int,
        Option(
            help="Steps between two samples; 0: automatic, at every fifth evaluation and the last.",
            group="Reporting",
            minimum=0,
        ),
    ] = 0
    sample_length: Annotated[
        int,
        Option(help="Symbols in a sample; 0: no samples.", group="Reporting", minimum=0),
    ] = 120
    seed: Annotated[
        int,
        Option(
            help="Where all random choices start from. The same seed, steps and threads give the same bytes.",
            group="Training",
            minimum=0,
        ),
    ] = 0
    valid_fraction: Annotated[
        float,
        Option(
            help="Share of the data on which the best weights are chosen; 0: the last weights are kept.",
            group="Data",
            minimum=0,
            maximum=1,
            closed="left",
            aliases=("val_frac",),
        ),
    ] = 0.05
    test_fraction: Annotated[
        float,
        Option(
            help="Share of the data on which the final figure is taken, and nothing else.",
            group="Data",
            minimum=0,
            maximum=1,
            closed="left",
        ),
    ] = 0.05

    @property
    def full_lr(self) -> float:
        """The learning rate that the schedule starts from: ``lr``, or the optimiser's own default."""
        return DEFAULT_LR[self.optimizer] if self.lr is None else float(self.lr)

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.momentum and self.optimizer != "sgd":
            raise OptionError(
                f"The 'momentum' option of {owner} belongs to optimizer='sgd'. Got momentum={self.momentum} "
                f"with optimizer={self.optimizer!r}.\n  Leave momentum out, or choose sgd."
            )
        if self.valid_fraction + self.test_fraction >= 1:
            raise OptionError(
                f"The 'valid_fraction' and 'test_fraction' options of {owner} must leave something to "
                f"train on: their sum must be below 1. Got {self.valid_fraction} + {self.test_fraction}."
            )


@dataclass(kw_only=True)
class Budget(Options):
    """How long to train: at most one of the three; none of them means two minutes."""

    minutes: Annotated[
        float | None,
        Option(
            help="Time to train for, turned into a number of steps by a short calibration.",
            group="Budget",
            minimum=0,
            closed="neither",
            reason=f"Without a budget it is {DEFAULT_MINUTES:g} minutes: a first result while one looks on.",
        ),
    ] = None
    epochs: Annotated[
        float | None,
        Option(
            help="Passes over the training part.",
            group="Budget",
            minimum=0,
            closed="neither",
            aliases=("max_epochs",),
        ),
    ] = None
    steps: Annotated[
        int | None,
        Option(help="Updates of the weights; repeats a run to the byte.", group="Budget", minimum=1),
    ] = None

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        given = self.to_toml_dict()
        if len(given) > 1:
            named = " and ".join(f"{name}={value}" for name, value in given.items())
            raise OptionError(
                f"Only one of 'minutes', 'epochs' and 'steps' can be the budget of {owner}. Got {named}."
            )
