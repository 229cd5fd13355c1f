"""From a budget to the plan of a run, of a new one and of one that is gone on with."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from noria.engines.threads import thread_count
from noria.errors import RunError
from noria.training import report
from noria.training.calibration import calibrate, steps_within
from noria.training.length import Length
from noria.training.lr_finder import find_learning_rate
from noria.training.optimiser_options import FIND
from noria.training.plan import Plan, make_plan
from noria.training.progress import Progress
from noria.training.replanning import AIM
from noria.training.report import Listener
from noria.training.run_folder import RunFolder
from noria.training.task import Task
from noria.training.training_options import DEFAULT_MINUTES, Budget, TrainingOptions

Check: TypeAlias = Callable[[], None]


@dataclass(frozen=True)
class Budgeted:
    """A plan, and how it came to be.

    Attributes
    ----------
    plan : Plan
    seconds : float or None
        What the whole run may take, earlier sittings included; None: there is no limit.
    calibrated : bool
        Whether the steps come from a time.
    before : Plan or None
        The plan that this one takes the place of.
    """

    plan: Plan
    seconds: float | None = None
    calibrated: bool = False
    before: Plan | None = None


class Budgeting:
    """Settles before the first step how many a run has, or begins with, and writes it into the config.

    Parameters
    ----------
    task : Task
    options : TrainingOptions
        Gets the learning rate, where that is to be found.
    run_folder : RunFolder, optional
    progress : Progress
        Its clock counts from the start of the run.
    clock : callable
    emit : callable
        Gets the event of a rate that was found.
    """

    def __init__(
        self,
        task: Task,
        options: TrainingOptions,
        run_folder: RunFolder | None,
        progress: Progress,
        clock: Callable[[], float],
        emit: Listener,
    ) -> None:
        self._task, self._options, self._folder = task, options, run_folder
        self._progress, self._clock, self._emit = progress, clock, emit

    def begin(self, budget: Budget, check: Check) -> Budgeted:
        """Plan a new run; ``check`` is called before each step of a calibration, and may raise to end it."""
        minutes = budget.minutes
        if budget.steps is budget.epochs is minutes is None:
            minutes = DEFAULT_MINUTES
        self._note({"budget": {"minutes": minutes, "epochs": budget.epochs, "steps": budget.steps}})
        if self._options.lr == FIND:
            found = find_learning_rate(self._task, self._options, check=check)
            self._emit(report.RateFound(found.suggestion, found.rates.tolist(), found.losses.tolist()))
            self._options.lr = found.suggestion
        else:  # a later version may have another default
            self._options.lr = self._options.full_lr
        self._note({"options": {"lr": self._options.lr}})
        if minutes is not None:
            seconds = 60.0 * minutes
            plan = self._plan(self._calibrated(seconds, seconds - self._progress.seconds, check))
            return self._noted(Budgeted(plan, seconds, calibrated=True), minutes)
        return self._noted(Budgeted(self._repeated(self._counted(budget))), None)

    def _repeated(self, plan: Plan) -> Plan:
        """Give a plan that has come to its steps as that of another run has, if the options say so."""
        earlier = Length.read(plan.steps, self._options.replanned or ()).earlier
        if not earlier:
            return plan
        return replace(self._plan(earlier[0][1]), steps=plan.steps, earlier=earlier)

    def refuse_spent(self, step: int, budget: Budget) -> None:
        """Refuse to go on with a run, of which so many steps are made, to an end that lies behind it.

        Raises
        ------
        RunError
            If the run has made more steps than the budget has.
        """
        if budget.steps is budget.epochs is None:
            return
        plan = self._counted(budget)
        if plan.steps <= step and plan != self.planned():
            raise RunError(
                f"resume: the run has made {step:,} steps, and the budget is {plan.steps:,}.\n"
                "  Steps and epochs count from the start of the run: give more, or minutes, which count anew."
            )

    def go_on(self, step: int, budget: Budget, check: Check) -> Budgeted:
        """Plan the rest of a run after so many steps: as it was planned, or by a budget of its own.

        Steps and epochs count from the start of the run, minutes from now; ``check`` is as for :meth:`begin`.
        """
        before = self.planned()
        if before is None:
            if budget.to_toml_dict():
                self._options.replanned = None  # it belongs to the steps that were asked for
            return self.begin(budget if budget.to_toml_dict() else self._asked(), check)
        if not budget.to_toml_dict():
            # The plan is kept to the last step, so that the end is that of the uninterrupted run.
            return Budgeted(before, before=before)
        if budget.minutes is not None:
            spent, seconds = self._progress.seconds, 60.0 * budget.minutes
            plan = self._plan(step + self._calibrated(seconds, seconds, check))
            return self._noted(
                Budgeted(plan, spent + seconds, calibrated=True, before=before), budget.minutes
            )
        return self._noted(Budgeted(self._counted(budget), before=before), None)

    def _counted(self, budget: Budget) -> Plan:
        """Plan so many updates, or as many as so many epochs have; a run that came to them keeps its plan."""
        if budget.steps is not None:
            planned = self.planned()
            if planned and planned.earlier and planned.steps == budget.steps:
                return planned
            return self._plan(budget.steps)
        batches = max(1, round((budget.epochs or 0.0) * self._task.steps_per_epoch))
        steps, left = divmod(batches, self._options.accumulate)
        return self._plan(steps + 1, batches) if left else self._plan(steps)

    def _plan(self, steps: int, batches: int = 0) -> Plan:
        updates_per_epoch = self._task.steps_per_epoch / self._options.accumulate
        return make_plan(steps, self._options, updates_per_epoch, batches)

    def _calibrated(self, budget: float, left: float, check: Check) -> int:
        before = self._progress.seconds
        timing = calibrate(self._task, self._options, budget=budget, clock=self._clock, check=check)
        self._progress.calibrated(timing)
        left -= self._progress.seconds - before + (1.0 - AIM) * budget
        return steps_within(left, timing, lambda steps: self._plan(steps).evaluations)

    def _noted(self, budgeted: Budgeted, minutes: float | None) -> Budgeted:
        threads = self.threads or thread_count()
        plan = budgeted.plan.to_toml_dict()
        self._note({"run": {**plan, "lr": self._options.full_lr, "minutes": minutes, "threads": threads}})
        return budgeted

    def _note(self, changes: dict[str, Any]) -> None:
        if self._folder is not None:
            self._folder.update_config(changes)

    @property
    def threads(self) -> int:
        """The threads that the run was begun with; 0: not known."""
        threads = self._run_table().get("threads", 0)
        return threads if isinstance(threads, int) else 0

    def planned(self) -> Plan | None:
        """Read the plan of the run from the config; none if it was cut off before there was one."""
        run = self._run_table()
        if not run:
            return None
        try:
            return Plan.from_toml_dict(run, self._options.save_every)
        except (KeyError, TypeError, ValueError) as error:
            assert self._folder is not None
            raise RunError(
                f"{self._folder.path / 'config.toml'}: the file is damaged: run: {error} is missing or is "
                "not what it should be."
            ) from None

    def _run_table(self) -> dict[str, Any]:
        run = None if self._folder is None else self._folder.config.get("run")
        return run if isinstance(run, dict) else {}

    def _asked(self) -> Budget:
        """Read the budget that was asked for, where the run was cut off before there was a plan."""
        assert self._folder is not None
        asked = self._folder.config.get("budget")
        return Budget.from_toml_dict(asked if isinstance(asked, dict) else {})
