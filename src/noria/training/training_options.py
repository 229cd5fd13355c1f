"""The options of training and of its budget."""

from dataclasses import dataclass
from typing import Annotated

from noria.errors import OptionError
from noria.training.length import Length
from noria.training.option import Option
from noria.training.optioned import Options
from noria.training.update_options import UpdateOptions

DEFAULT_MINUTES = 2.0
EVALUATIONS_PER_SAMPLE = 5


@dataclass(kw_only=True)
class TrainingOptions(UpdateOptions):
    """How the network learns."""

    batch_size: Annotated[
        int,
        Option(
            help="Sequences in a batch, or streams of text that are read side by side.",
            group="Training",
            minimum=1,
            reason="Rows enough for products at full speed, and updates enough for minutes of training.",
        ),
    ] = 32
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
    save_every: Annotated[
        int,
        Option(
            help="Steps between two checkpoints; 0: automatic, at every evaluation and every 500 steps.",
            group="Run",
            minimum=0,
            aliases=("checkpoint_every",),
            reason="A checkpoint costs milliseconds; a crash takes back what was done since the last one.",
        ),
    ] = 0
    save_minutes: Annotated[
        float,
        Option(
            help="Minutes after which a checkpoint is written in any case; 0: by steps alone.",
            group="Run",
            minimum=0,
            reason="However slow a step is, a crash costs a few minutes.",
        ),
    ] = 3.0
    patience: Annotated[
        int,
        Option(
            help="Evaluations in a row without improvement after which training stops; 0: off.",
            group="Budget",
            minimum=0,
            reason="The schedule is made for the whole run, and most of the gain comes at its end.",
        ),
    ] = 0
    min_delta: Annotated[
        float,
        Option(
            help="By how much the validation loss has to fall to count as an improvement for the patience.",
            group="Budget",
            minimum=0,
            reason="Any improvement is one.",
        ),
    ] = 0.0
    stop_after: Annotated[
        int,
        Option(
            help="Stop after so many steps of a longer plan, as the end of its time stops a run; 0: off.",
            group="Budget",
            minimum=0,
            reason="A run ends with its plan.",
        ),
    ] = 0
    replanned: Annotated[
        list[str] | None,
        Option(
            help="Until which step how many were planned, as 438:2190,1204:2310: together with the steps "
            "that it came to, this repeats a run of minutes.",
            group="Budget",
            reason="Nothing is planned anew where steps or epochs are given.",
        ),
    ] = None
    seed: Annotated[
        int,
        Option(
            help="Where all random choices start from. The same seed, steps and threads give the same bytes.",
            group="Training",
            minimum=0,
            reason="Any number would do, and this one is easily told.",
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
            reason="Enough to tell good weights from bad, and nearly all is left to learn from.",
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
            reason="As much as for validation.",
        ),
    ] = 0.05

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        if self.patience and self.valid_fraction == 0:
            raise OptionError(
                f"The 'patience' option of {owner} needs a validation part to judge by. Got "
                f"patience={self.patience} with valid_fraction=0.\n  Give it a share, or leave patience out."
            )
        if self.min_delta and not self.patience:
            raise OptionError(
                f"The 'min_delta' option of {owner} does nothing without 'patience'. Got min_delta="
                f"{self.min_delta:g} with patience=0.\n  Set patience, or leave min_delta out."
            )
        for name, value in (("schedule", "plateau"), ("averaging", "nt-asgd")):
            if getattr(self, name) == value and self.valid_fraction == 0:
                raise OptionError(
                    f"The {name!r} option of {owner} needs a validation part to judge by. Got "
                    f"{name}={value!r} with valid_fraction=0.\n  Give it a share, or choose another {name}."
                )
        if (self.valid_fraction or 0.0) + (self.test_fraction or 0.0) >= 1:  # None: a small one
            raise OptionError(
                f"The 'valid_fraction' and 'test_fraction' options of {owner} must leave something to "
                f"train on: their sum must be below 1. Got {self.valid_fraction} + {self.test_fraction}."
            )

    def check_budget(self, budget: "Budget") -> None:
        """Refuse ``replanned`` where the budget of a new run is not the steps that the repeated one came to.

        Raises
        ------
        OptionError
            If the budget is another one, or no run of so many steps can have been planned like that.
        """
        if self.replanned is None:
            return
        if budget.steps is None:
            raise OptionError(
                "The 'replanned' option belongs to a budget of steps, those that the run came to. Got "
                f"replanned={','.join(self.replanned)} without.\n  Give steps, or leave replanned out."
            )
        Length.read(budget.steps, self.replanned)

    def sample_interval(self, eval_every: int) -> int:
        """Give the steps between two samples of what the model does, where its task has any; 0: never."""
        return EVALUATIONS_PER_SAMPLE * eval_every


@dataclass(kw_only=True)
class Budget(Options):
    """How long to train: one of the three; none means two minutes, for a forecaster 50 passes."""

    minutes: Annotated[
        float | None,
        Option(
            help="Time to train for; the steps are as many as fit into it.",
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
            reason="Time is what people have.",
        ),
    ] = None
    steps: Annotated[
        int | None,
        Option(
            help="Updates of the weights; the same number repeats a run to the byte.",
            group="Budget",
            minimum=1,
            reason="Time is what people have.",
        ),
    ] = None

    def _check_together(self, owner: str) -> None:
        super()._check_together(owner)
        given = self.to_toml_dict()
        if len(given) > 1:
            named = " and ".join(f"{name}={value}" for name, value in given.items())
            raise OptionError(
                f"Only one of 'minutes', 'epochs' and 'steps' can be the budget of {owner}. Got {named}."
            )
