"""The one trainer of every model: it begins a run, or goes on with one, and settles how long it is."""

import time
from collections.abc import Callable
from copy import copy
from typing import TypeAlias

from noria.engines.threads import thread_count
from noria.errors import RunError
from noria.training import report
from noria.training.budgeting import Budgeted, Budgeting, Check
from noria.training.holding import held
from noria.training.interrupt import GentleInterrupt
from noria.training.log import LogWriter, Rewound, rewind
from noria.training.loop import Loop
from noria.training.report import Listener, Result, silent
from noria.training.run_folder import RunFolder
from noria.training.task import Task
from noria.training.training_options import Budget, TrainingOptions

Settle: TypeAlias = Callable[[Check], Budgeted]


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
        self.options = copy(options)  # it gets a learning rate that is to be found; the caller's does not
        self.run_folder = run_folder
        self._listener = listener
        self._clock = clock
        self._has_begun = False
        self._step = 0
        self._rewound: Rewound | None = None

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
            Turned into steps by a short calibration. Where the machine is faster or slower afterwards, the
            number of steps is changed on the way, so that the schedule ends with the time.
        epochs : float, optional
        steps : int, optional
            Repeats a run to the byte; one of minutes together with the option ``replanned`` of its report.

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
            If the run folder cannot be written, or another process trains in it.
        """
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps)
        budget.validate("fit")
        self.options.check_budget(budget)
        if not self._has_begun:
            self.begin()
        return self._run(lambda check: self._budgeting.begin(budget, check))

    def begin(self) -> None:
        """Write the initial state, the first with which the run is complete; ``fit`` does it if need be.

        Raises
        ------
        RunError
            If it cannot be written. What was made of the run until then is removed.
        """
        self._set_up()
        if self.run_folder is not None:
            with self.run_folder.complete_or_removed():
                self._loop.save(0)
            self.run_folder.is_complete()
        self._has_begun = True

    def load(self, budget: Budget) -> None:
        """Take up the run in the run folder after its last checkpoint; ``resume`` does it if need be.

        Nothing is written yet: what is refused here, for the reasons of :meth:`resume`, leaves the run alone.

        Parameters
        ----------
        budget : Budget
            That it will be gone on with.
        """
        budget.validate("resume")
        if self.run_folder is None:
            raise RunError("resume: there is no run folder to go on with.\n  Give one to the trainer.")
        self._set_up()
        self._step = self._loop.checkpoints.load()
        self._budgeting.refuse_spent(self._step, budget)
        rewound = rewind(self.run_folder.path / "log.jsonl", self._step)
        self._loop.progress.spent_before(rewound.seconds)
        self._rewound = rewound
        self._has_begun = True

    def resume(
        self, *, minutes: float | None = None, epochs: float | None = None, steps: int | None = None
    ) -> Result:
        """Go on with the run in the run folder, from its last checkpoint.

        Without a budget it is gone on with as it was planned last, and ends in the same bytes as if it had
        never been interrupted. With another budget it gets a new plan from here on: steps and epochs count
        from its start, minutes from now, and the schedule goes on as that of a run of the new length.

        Parameters
        ----------
        minutes, epochs, steps : number, optional

        Returns
        -------
        Result

        Raises
        ------
        OptionError
            If more than one budget is given.
        RunError
            If there is no such run, it does not belong to this task, the budget is already spent, or another
            process trains in it.
        DivergenceError
            As for :meth:`fit`.
        """
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps)
        if not self._has_begun:
            self.load(budget)
        return self._run(lambda check: self._budgeting.go_on(self._step, budget, check))

    def _set_up(self) -> None:
        task, options, folder, clock = self.task, self.options, self.run_folder, self._clock
        self._loop = Loop(task, options, folder, self._listener, clock)
        self._budgeting = Budgeting(task, options, folder, self._loop.progress, clock, self._loop.emit)
        self._step, self._rewound = 0, None

    def _run(self, settle: Settle) -> Result:
        self._has_begun = False
        if self.run_folder is None:
            return self._settled_and_run(settle)
        with held(self.run_folder.path), LogWriter(self.run_folder.path / "log.jsonl") as self._loop.log:
            return self._settled_and_run(settle)

    def _settled_and_run(self, settle: Settle) -> Result:
        loop, step, planned = self._loop, self._step, self._budgeting.planned()
        with GentleInterrupt() as interrupt:

            def check() -> None:
                if interrupt.requested:
                    raise _StoppedError

            try:
                budgeted = settle(check)
            except _StoppedError:
                self._write_what_was_taken_up()
                return loop.finish(step, planned, "interrupt")
            self._write_what_was_taken_up()
            self._announce(budgeted)
            return loop.run(step, budgeted.plan, budgeted.seconds, interrupt)

    def _write_what_was_taken_up(self) -> None:
        """Let the files of a run that is gone on with be those of its last checkpoint."""
        if self._rewound is not None:
            self._loop.checkpoints.write_best()
            self._rewound.write()

    def _announce(self, budgeted: Budgeted) -> None:
        plan, before = budgeted.plan, budgeted.before or budgeted.plan
        loop, step = self._loop, self._step
        loop.set_plan(before)
        lr_before = loop.learning_rate(step)
        loop.set_plan(plan)
        steps_per_epoch = self.task.steps_per_epoch / self.options.accumulate
        if not step:
            loop.emit(
                report.Started(
                    task=self.task.name,
                    steps=plan.steps,
                    eval_every=plan.eval_every,
                    steps_per_epoch=steps_per_epoch,
                    parameters=self.task.parameters.count,
                    lr=self.options.full_lr,
                    calibrated=budgeted.calibrated,
                )
            )
            return
        threads = thread_count()
        loop.emit(
            report.Resumed(
                step=step,
                steps=plan.steps,
                eval_every=plan.eval_every,
                planned=before.steps,
                lr_before=lr_before,
                lr=loop.learning_rate(step),
                steps_per_epoch=steps_per_epoch,
                calibrated=budgeted.calibrated,
                threads_before=self._budgeting.threads or threads,
                threads=threads,
            )
        )
        if plan != before:
            loop.give_new_patience()
            loop.save(step)
