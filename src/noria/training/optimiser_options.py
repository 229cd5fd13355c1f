"""The options of the update rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from noria.errors import OptionError
from noria.training.option import Option
from noria.training.optioned import Options

DEFAULT_LR = {"adam": 0.004, "adamw": 0.004, "sgd": 0.5, "rmsprop": 0.002, "adagrad": 0.05}
DEFAULT_EPSILON = {"adam": 1e-8, "adamw": 1e-8, "rmsprop": 1e-8, "adagrad": 1e-10}
DEFAULT_DECAY = {"adamw": 0.01}
ADAPTIVE = ("adam", "adamw")
FIND = "find"


def lr_help(usual: Mapping[str, float | str]) -> str:
    """Say what the learning rate is, and which ones are usual."""
    rates = ", ".join(f"{name} {rate}" for name, rate in usual.items())
    return (
        "Learning rate; find: from a trial of 120 steps before the first one; none: the optimiser's own "
        f"default ({rates})."
    )


@dataclass(kw_only=True)
class OptimiserOptions(Options):
    """How a gradient becomes a change of the weights."""

    optimizer: Annotated[
        str,
        Option(
            help="The update rule.",
            group="Optimiser",
            choices=tuple(DEFAULT_LR),
            reason="Adam needs the least search for a learning rate.",
        ),
    ] = "adam"
    lr: Annotated[
        float | str | None,
        Option(
            help=lr_help(DEFAULT_LR),
            group="Optimiser",
            choices=(FIND,),
            undecided=(None, FIND),
            minimum=0,
            closed="neither",
            aliases=("learning_rate",),
            reason="One number cannot suit five update rules.",
        ),
    ] = None
    momentum: Annotated[
        float,
        Option(
            help="Momentum of sgd and rmsprop; 0: none.",
            group="Optimiser",
            only_with=("optimizer", ("sgd", "rmsprop")),
            minimum=0,
            maximum=1,
            closed="left",
            reason="Plain descent is what the name says; 0.9 is the usual choice.",
        ),
    ] = 0.0
    nesterov: Annotated[
        bool,
        Option(
            help="Whether the momentum of sgd looks ahead, as Nesterov's does.",
            group="Optimiser",
            only_with=("optimizer", ("sgd",)),
            reason="The plain form is the one that learning rates in papers are for.",
        ),
    ] = False
    beta1: Annotated[
        float,
        Option(
            help="What adam and adamw keep of the mean gradient in a step.",
            group="Optimiser",
            only_with=("optimizer", ADAPTIVE),
            minimum=0,
            maximum=1,
            closed="left",
            reason="The paper's (Kingma & Ba 2015): a memory of about 10 steps.",
        ),
    ] = 0.9
    beta2: Annotated[
        float,
        Option(
            help="What adam and adamw keep of the mean squared gradient in a step.",
            group="Optimiser",
            only_with=("optimizer", ADAPTIVE),
            minimum=0,
            maximum=1,
            closed="left",
            reason="The paper's (Kingma & Ba 2015): a memory of about 1000 steps.",
        ),
    ] = 0.999
    alpha: Annotated[
        float,
        Option(
            help="What rmsprop keeps of the mean squared gradient in a step.",
            group="Optimiser",
            only_with=("optimizer", ("rmsprop",)),
            minimum=0,
            maximum=1,
            closed="left",
            reason="PyTorch's default: a memory of about 100 steps.",
        ),
    ] = 0.99
    epsilon: Annotated[
        float | None,
        Option(
            help="Added to the root that a step is divided by; none: 1e-8, of adagrad 1e-10.",
            group="Optimiser",
            only_with=("optimizer", tuple(DEFAULT_EPSILON)),
            minimum=0,
            closed="neither",
            reason="Those of the papers and of PyTorch: large enough to divide by, too small to be seen.",
        ),
    ] = None
    weight_decay: Annotated[
        float | None,
        Option(
            help="Pull of the weight matrices towards zero, biases and gains left out: decoupled from the "
            "gradient with adamw, else as an L2 penalty; none: 0.01 with adamw, else 0.",
            group="Optimiser",
            minimum=0,
            aliases=("l2",),
            reason="AdamW is chosen for its decay (Loshchilov & Hutter 2019); others are asked for it.",
        ),
    ] = None

    @property
    def usual_lr(self) -> Mapping[str, float]:
        """The learning rate of each optimiser where none is given; a task may have others."""
        return DEFAULT_LR

    @property
    def full_lr(self) -> float:
        """The learning rate that the schedule starts from: ``lr``, or the optimiser's own default.

        The latter also stands for one that is still to be found.
        """
        return self.usual_lr[self.optimizer] if self.lr in (None, FIND) else float(self.lr)

    @property
    def full_weight_decay(self) -> float:
        """The weight decay: ``weight_decay``, or the optimiser's own default."""
        return (
            DEFAULT_DECAY.get(self.optimizer, 0.0) if self.weight_decay is None else float(self.weight_decay)
        )

    @property
    def full_epsilon(self) -> float:
        """What a step's divisor is kept from zero by: ``epsilon``, or the optimiser's own default."""
        return DEFAULT_EPSILON.get(self.optimizer, 0.0) if self.epsilon is None else float(self.epsilon)

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.nesterov and not self.momentum:
            raise OptionError(
                f"The 'nesterov' option of {owner} needs momentum to look ahead with. Got nesterov=True with "
                f"momentum={self.momentum:g}.\n  Set momentum, for example to 0.9, or leave nesterov out."
            )
