"""The loop: steps, evaluations, samples and checkpoints, until the plan is done or something ends it."""

import math
from collections.abc import Callable
from dataclasses import asdict

import numpy as np

from noria.errors import DivergenceError
from noria.training import report
from noria.training.checkpoints import Checkpoints
from noria.training.divergence import divergence_message, kept_message
from noria.training.interrupt import GentleInterrupt
from noria.training.log import LogWriter
from noria.training.plan import Plan
from noria.training.progress import Progress
from noria.training.randomness import generator
from noria.training.replanning import Replanning
from noria.training.report import Event, Listener, Result, Stop
from noria.training.run_folder import RunFolder
from noria.training.stopping import Deadline, EarlyStopping
from noria.training.task import Task, evaluated
from noria.training.training_options import TrainingOptions
from noria.training.update import Updater


class Loop:
    """Carries a plan out, and holds all that changes from step to step.

    Parameters
    ----------
    task : Task
        With its initial weights.
    options : TrainingOptions
    run_folder : RunFolder or None
    listener : callable
    clock : callable

    Attributes
    ----------
    checkpoints : Checkpoints
    progress : Progress
    log : LogWriter or None
        Gets each event before the listener does.
    """

    def __init__(
        self,
        task: Task,
        options: TrainingOptions,
        run_folder: RunFolder | None,
        listener: Listener,
        clock: Callable[[], float],
    ) -> None:
        self.task, self.options, self.run_folder = task, options, run_folder
        self._listener, self._clock = listener, clock
        self.log: LogWriter | None = None
        self._updater = Updater(task, options)
        self.progress = Progress(clock)
        self._early = EarlyStopping(options.patience, options.min_delta)
        self.checkpoints = Checkpoints(task, run_folder, self._updater, self.progress, self._early)
        self._saved_at = clock()
        self._lr = 0.0
        self._batches: float = math.inf

    def set_plan(self, plan: Plan) -> None:
        """Say how long the run is."""
        self._updater.set_length(plan.length, plan.batches or None)
        self._batches = plan.batches or math.inf

    def learning_rate(self, step: int) -> float:
        """Give the learning rate of an update, counted from 0; of the last one for those beyond."""
        return self._updater.schedule.rate(min(step, self._updater.schedule.length.steps - 1))

    def give_new_patience(self) -> None:
        """Forget the evaluations without improvement, as for a new plan."""
        self._early.stale = 0

    def run(self, step: int, plan: Plan, seconds: float | None, interrupt: GentleInterrupt) -> Result:
        """Go on after so many steps, to the end of the plan or to the first reason to stop.

        Parameters
        ----------
        step : int
        plan : Plan
            It is fitted to the time on the way, where there is a limit.
        seconds : float or None
            What the whole run may take.
        interrupt : GentleInterrupt
        """
        deadline, replanning = Deadline(seconds), Replanning(seconds, self.progress)
        self._lr = self.learning_rate(max(0, step - 1))  # of the last update, should it have been fatal
        while (stop := self._stop(step, plan, deadline, interrupt)) is None and step < plan.steps:
            self._take_step(step, plan)
            step += 1
            plan = self._planned_anew(step, plan, replanning.looked(step, plan))
            self._after_step(step, plan)
        if step == plan.steps:
            return self.finish(step, plan, None)
        assert stop is not None
        if step:
            self._stop_early(step, plan, stop)
        return self.finish(step, plan, stop)

    def _planned_anew(self, step: int, before: Plan, plan: Plan) -> Plan:
        """Change to a plan where it is another one, and write it down: a resumed run keeps to it.

        It comes before the checkpoint of the step: the log has it just once, whenever a run is killed.
        """
        if plan != before:
            if self.run_folder is not None:
                self.run_folder.update_config({"run": plan.to_toml_dict()})
            self.set_plan(plan)
        if any(step == until for until, _ in plan.earlier):
            self.emit(report.Replanned(step, plan.length.at(step), plan.length.at(step - 1)))
        return plan

    def _stop(self, step: int, plan: Plan, deadline: Deadline, interrupt: GentleInterrupt) -> Stop | None:
        """Say why the run should end after this step, if it should."""
        if interrupt.requested:
            return "interrupt"
        if self._early.is_over:
            return "patience"
        if 0 < self.options.stop_after <= step:
            return "asked"
        closing = self.progress.closing(0 if plan.evaluates(step) else 1)
        return "time" if step and deadline.is_over(self.progress.seconds, closing) else None

    def _take_step(self, step: int, plan: Plan) -> None:
        progress, done = self.progress, step + 1
        progress.step_begins()
        update = self._updater.make(step)
        self._lr = update.lr
        if not update.is_finite:
            which = "gradient" if math.isfinite(update.loss) else "loss"
            figures = f"loss {update.loss:.4g}, gradient norm {update.norm:.4g}"
            raise self._diverged(
                done, f"Step {done}: the {which} is not finite ({figures}); no update was made."
            )
        progress.step_ends(update.loss, update.tokens)
        self.emit(
            report.StepDone(
                step=done,
                steps=plan.steps,
                epoch=self._epoch(done),
                loss=progress.loss,
                batch_loss=update.loss,
                gradient_norm=update.norm,
                clipped_share=self._updater.clipping.share,
                lr=update.lr,
                tokens=progress.tokens,
                tokens_per_second=progress.tokens_per_second,
                seconds=progress.seconds,
                seconds_left=progress.seconds_left(plan.steps - done, plan.evaluations_after(step)),
            )
        )

    def _after_step(self, step: int, plan: Plan) -> None:
        """Do what the plan has after a step; the checkpoint comes last, so that it knows of all of it."""
        if plan.evaluates(step):
            loss = self._evaluate(step)
            if loss is not None:
                self._early.see(loss)
                self._updater.observe(loss)
        if plan.samples(step):
            self._sample(step)
        if plan.saves(step) or self._is_save_due():
            self.save(step)

    def _is_save_due(self) -> bool:
        minutes = self.options.save_minutes
        return bool(minutes) and self._clock() - self._saved_at >= 60.0 * minutes

    def _evaluate(self, step: int, *, planned: bool = True) -> float | None:
        """Evaluate, and give the loss on the validation part; None where there is none."""
        before, reading = self._clock(), 0.0
        what = f"Step {step}: the validation loss is not finite"
        try:
            with self._updater.averaging.in_place(self.task.parameters):
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    began = self._clock()
                    metrics, train = evaluated(self.task)
                    reading = self._clock() - began
                loss = metrics.get("loss")
                is_finite = loss is None or math.isfinite(loss)
                improved = is_finite and self.checkpoints.consider(step, metrics, planned=planned)
        except DivergenceError as error:
            raise self._diverged(step, f"{what}.") from error
        if not is_finite:
            raise self._diverged(step, f"{what} ({loss:.4g}).")
        seconds = self._clock() - before
        self.progress.evaluation_took(seconds, reading if metrics else None)
        self.emit(
            report.Evaluated(
                step,
                self._epoch(step),
                self.progress.loss,
                metrics,
                improved,
                self.checkpoints.best_step,
                seconds,
                train,
            )
        )
        return loss

    def _epoch(self, step: int) -> float:
        # the last update may gather fewer batches than the others
        return min(step * self.options.accumulate, self._batches) / self.task.steps_per_epoch

    def _sample(self, step: int) -> None:
        with self._updater.averaging.in_place(self.task.parameters):
            text = self.task.sample(generator(self.options.seed, "sample", step))
        if text is not None:
            self.emit(report.Sampled(step, text))

    def _stop_early(self, step: int, plan: Plan, stop: Stop) -> None:
        self.save(step)  # first of all: a second Ctrl-C may cut off what follows
        if stop == "interrupt":
            self.emit(report.Interrupted(step))
        else:
            self.emit(report.Stopped(step, plan.steps, stop, self._why(step, plan, stop)))
        if not plan.evaluates(step):
            self._evaluate(step, planned=False)
            self.save(step)

    def _why(self, step: int, plan: Plan, stop: Stop) -> str:
        made = f"after step {step:,} of {plan.steps:,}"
        if stop == "patience":
            return (
                f"{made}: no improvement in the last {self._early.stale} evaluations; the best were the "
                f"weights of step {self.checkpoints.best_step:,}"
            )
        if stop == "asked":
            return f"{made}: stop_after is {self.options.stop_after:,}"
        return f"{made}: the time is over, the machine became much slower; the schedule was not finished"

    def finish(self, step: int, plan: Plan | None, stop: Stop | None) -> Result:
        """Put the best weights in place, take the figure on the test part, and report.

        Parameters
        ----------
        step : int
            Steps that are made.
        plan : Plan or None
            None: there was none yet.
        stop : str or None
            Why it ends before the plan does.
        """
        self.checkpoints.restore_best()
        result = Result(
            steps=step,
            best_step=self.checkpoints.best_step,
            validation=self.checkpoints.best,
            test=self.task.evaluate("test") if step else {},
            tokens=self.progress.tokens,
            seconds=self.progress.seconds,
            clipped_steps=self._updater.clipping.events,
            interrupted=stop == "interrupt",
            planned=plan.steps if plan else step,
            stopped=stop,
            replanned=plan.length.written() or None if plan else None,
        )
        if self.run_folder is not None:
            self.run_folder.update_report(asdict(result))
        self.emit(report.Finished(result))
        return result

    def _diverged(self, step: int, what: str) -> DivergenceError:
        self.checkpoints.restore_best()
        folder = None if self.run_folder is None else str(self.run_folder.path)
        kept = kept_message(step, self.checkpoints.best_step, folder)
        message = divergence_message(what, lr=self._lr, kept=kept, task=self.task, options=self.options)
        self.emit(report.Diverged(step, message))
        return DivergenceError(message)

    def save(self, step: int) -> None:
        """Write a checkpoint, after the log that belongs to it."""
        if self.log is not None:
            self.log.force()
        self.checkpoints.save(step)
        self._saved_at = self._clock()

    def emit(self, event: Event) -> None:
        """Tell the log and the listener of an event."""
        if self.log is not None:
            self.log(event)
        self._listener(event)
