"""The one loop that trains every model."""

import math
import time
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from noria.errors import DivergenceError
from noria.training import report
from noria.training.calibration import calibrate, steps_within
from noria.training.checkpoints import Checkpoints
from noria.training.divergence import divergence_message, kept_message
from noria.training.interrupt import GentleInterrupt
from noria.training.log import LogWriter
from noria.training.plan import Plan, make_plan
from noria.training.progress import Progress
from noria.training.randomness import generator
from noria.training.report import Event, Listener, Result, silent
from noria.training.run_folder import RunFolder
from noria.training.schedules import learning_rate
from noria.training.task import Task
from noria.training.training_options import DEFAULT_MINUTES, Budget, TrainingOptions
from noria.training.update import Updater


class _StoppedError(Exception):
    """Ctrl-C was heard before the first step."""


class Trainer:
    """Trains a task: steps, evaluations, samples, checkpoints, and the events that tell of them.

    Parameters
    ----------
    task : Task
        The model with its data.
    options : TrainingOptions
        A model that inherits from it will do.
    run_folder : RunFolder, optional
        Where checkpoints, log and report go. Without one nothing is written.
    listener : callable
        Gets each event; by default nobody does.
    clock : callable
        Seconds that only rise.
    """

    def __init__(
        self,
        task: Task,
        options: TrainingOptions,
        run_folder: RunFolder | None = None,
        listener: Listener = silent,
        *,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        options.validate()
        self.task = task
        self.options = options
        self.run_folder = run_folder
        self._listener = listener
        self._log: Listener = silent
        self._clock = clock
        self._has_begun = False

    def fit(
        self, *, minutes: float | None = None, epochs: float | None = None, steps: int | None = None
    ) -> Result:
        """Train for a budget; without one, for two minutes.

        Afterwards the parameters are those that did best on the validation part. Ctrl-C ends the run after
        the step that it is in, with everything saved and evaluated; a second Ctrl-C ends it at once. Before
        the first step there is nothing to evaluate: the result has 0 steps and no figures.

        Parameters
        ----------
        minutes : float, optional
            Turned into steps by a short calibration.
        epochs : float, optional
        steps : int, optional
            Repeats a run to the byte.

        Returns
        -------
        Result

        Raises
        ------
        OptionError
            If more than one budget is given.
        DivergenceError
            At the first loss or gradient that is not finite. The parameters are then the best so far.
        RunError
            If the run folder cannot be written.
        """
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps)
        budget.validate("fit")
        if not self._has_begun:
            self.begin()
        self._has_begun = False
        if self.run_folder is None:
            return self._run(budget)
        with LogWriter(self.run_folder.path / "log.jsonl") as self._log:
            return self._run(budget)

    def begin(self) -> None:
        """Write the initial state, the first with which the run is complete; ``fit`` does it if need be.

        Raises
        ------
        RunError
            If it cannot be written. What was made of the run until then is removed.
        """
        self._updater = Updater(self.task, self.options)
        self._checkpoints = Checkpoints(self.task, self.run_folder)
        self._progress = Progress(self._clock)
        if self.run_folder is not None:
            with self.run_folder.complete_or_removed():
                self._save_last(0)
            self.run_folder.is_complete()
        self._has_begun = True

    def _run(self, budget: Budget) -> Result:
        with GentleInterrupt() as interrupt:
            step = 0
            try:
                plan = self._plan(budget, interrupt)
            except _StoppedError:
                return self._finish(step, interrupted=True)
            while step < plan.steps and not interrupt.requested:
                self._take_step(step, plan)
                step += 1
                if plan.evaluates(step):
                    self._evaluate(step)
                elif plan.saves(step):
                    self._save_last(step)
                if plan.samples(step):
                    self._sample(step)
            if 0 < step < plan.steps:
                self._stop_early(step, plan)
            return self._finish(step, interrupted=step < plan.steps)

    def _plan(self, budget: Budget, interrupt: GentleInterrupt) -> Plan:
        """Settle how many steps, decided before the first one and written into the config."""
        if budget.steps is not None:
            steps = budget.steps
        elif budget.epochs is not None:
            steps = max(1, round(budget.epochs * self.task.steps_per_epoch))
        else:
            minutes = DEFAULT_MINUTES if budget.minutes is None else budget.minutes
            steps = self._calibrate(60.0 * minutes, interrupt)
        plan = self._plan_of(steps)
        if self.run_folder is not None:
            self.run_folder.update_config(
                {"run": {**asdict(plan), "lr": self.options.full_lr, "minutes": budget.minutes}}
            )
        self._emit(
            report.Started(
                task=self.task.name,
                steps=steps,
                eval_every=plan.eval_every,
                steps_per_epoch=self.task.steps_per_epoch,
                parameters=self.task.parameters.count,
                lr=self.options.full_lr,
                calibrated=budget.steps is None and budget.epochs is None,
            )
        )
        return plan

    def _plan_of(self, steps: int) -> Plan:
        return make_plan(steps, self.options, self.task.steps_per_epoch)

    def _calibrate(self, seconds: float, interrupt: GentleInterrupt) -> int:
        def check() -> None:
            if interrupt.requested:
                raise _StoppedError

        timing = calibrate(self.task, self.options, budget=seconds, clock=self._clock, check=check)
        self._progress.evaluation_took(timing.evaluation)
        left = seconds - self._progress.seconds
        # One evaluation more than those of the validation part: the test.
        return steps_within(left, timing, lambda steps: self._plan_of(steps).evaluations + 1)

    def _take_step(self, step: int, plan: Plan) -> None:
        progress, done = self._progress, step + 1
        progress.step_begins()
        self._lr = self._learning_rate(step, plan.steps)
        update = self._updater.make(step, self._lr)
        if not update.is_finite:
            which = "gradient" if math.isfinite(update.loss) else "loss"
            figures = f"loss {update.loss:.4g}, gradient norm {update.norm:.4g}"
            raise self._diverged(
                done, f"Step {done}: the {which} is not finite ({figures}); no update was made."
            )
        progress.step_ends(update.loss, update.tokens)
        self._emit(
            report.StepDone(
                step=done,
                steps=plan.steps,
                epoch=done / self.task.steps_per_epoch,
                loss=progress.loss,
                batch_loss=update.loss,
                gradient_norm=update.norm,
                clipped_share=self._updater.clipping.share,
                lr=self._lr,
                tokens=progress.tokens,
                tokens_per_second=progress.tokens_per_second,
                seconds=progress.seconds,
                seconds_left=progress.seconds_left(
                    plan.steps - done, plan.evaluations + 1 - step // plan.eval_every
                ),
            )
        )

    def _learning_rate(self, step: int, steps: int) -> float:
        options = self.options
        return learning_rate(
            step,
            steps,
            lr=options.full_lr,
            schedule=options.schedule,
            warmup=options.warmup,
            final_fraction=options.final_lr_fraction,
        )

    def _evaluate(self, step: int) -> None:
        before = self._clock()
        try:
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                metrics = self.task.evaluate("validation")
        except DivergenceError as error:
            raise self._diverged(step, f"Step {step}: the validation loss is not finite.") from error
        if not math.isfinite(metrics.get("loss", 0.0)):
            raise self._diverged(
                step, f"Step {step}: the validation loss is not finite ({metrics['loss']:.4g})."
            )
        improved = self._checkpoints.consider(step, metrics)
        self._save_last(step)
        seconds = self._clock() - before
        self._progress.evaluation_took(seconds)
        epoch = step / self.task.steps_per_epoch
        self._emit(
            report.Evaluated(
                step, epoch, self._progress.loss, metrics, improved, self._checkpoints.best_step, seconds
            )
        )

    def _sample(self, step: int) -> None:
        text = self.task.sample(generator(self.options.seed, "sample", step))
        if text is not None:
            self._emit(report.Sampled(step, text))

    def _stop_early(self, step: int, plan: Plan) -> None:
        self._save_last(step)  # first of all: a second Ctrl-C may cut off what follows
        self._emit(report.Interrupted(step))
        if not plan.evaluates(step):
            self._evaluate(step)

    def _finish(self, step: int, *, interrupted: bool) -> Result:
        self._checkpoints.restore_best()
        result = Result(
            steps=step,
            best_step=self._checkpoints.best_step,
            validation=self._checkpoints.best,
            test=self.task.evaluate("test") if step else {},
            tokens=self._progress.tokens,
            seconds=self._progress.seconds,
            clipped_steps=self._updater.clipping.events,
            interrupted=interrupted,
        )
        if self.run_folder is not None:
            self.run_folder.update_report(asdict(result))
        self._emit(report.Finished(result))
        return result

    def _diverged(self, step: int, what: str) -> DivergenceError:
        self._checkpoints.restore_best()
        folder = None if self.run_folder is None else str(self.run_folder.path)
        kept = kept_message(step, self._checkpoints.best_step, folder)
        message = divergence_message(what, lr=self._lr, kept=kept, task=self.task, options=self.options)
        self._emit(report.Diverged(step, message))
        return DivergenceError(message)

    def _save_last(self, step: int) -> None:
        self._checkpoints.save_last(step, self._updater, self._progress)

    def _emit(self, event: Event) -> None:
        self._log(event)
        self._listener(event)
