"""How a model is fitted to data, and gone on with: the same way for every task."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Self, TypeVar

from noria.engines.threads import use_threads
from noria.errors import OptionError
from noria.models.choosing import all_chosen, as_in_run, choose, choose_shape, holding
from noria.models.prepared import Prepared
from noria.models.resuming import check_cells, check_data, check_options, refuse_finished, take_over_weights
from noria.models.saving import Fitted, Saving
from noria.models.stored import Run, StoredModel, damage_named, opened, read_run
from noria.models.wiring import chosen_cells, describe_model
from noria.training.lr_finder import FoundRate, find_learning_rate
from noria.training.optioned import options_of
from noria.training.report import Listener, silent
from noria.training.run_folder import RunFolder
from noria.training.task import Task
from noria.training.trainer import Trainer
from noria.training.training_options import Budget

PreparedData = TypeVar("PreparedData", bound=Prepared)


class Fitting(Saving):
    """A network that is trained; see :class:`noria.models.model.Model`."""

    # What a task fills in.

    @abstractmethod
    def prepare(self, data: Any, y: Any = None, *, resuming: bool = False) -> Prepared:
        """Read data and fit sizes to them without training; ``fit`` takes the result in place of the data.

        Parameters
        ----------
        data : path, list of paths, BuiltinParts, or what the task takes
            A list of :class:`pathlib.Path` are files, a list of strings is data itself.
        y : optional
            The answers to data in memory.
        resuming : bool, default False
            Whether a run is gone on with, so that nothing is read which is only there to begin with.
        """

    @abstractmethod
    def evaluate(self, data: Any) -> dict[str, Any]:
        """Measure the model on data with answers: ``"loss"`` among the figures, plain values or nested."""

    @abstractmethod
    def _trained(self, fitted: Fitted, prepared: Any) -> Task:
        """Join network and data to what the trainer trains."""

    @abstractmethod
    def _baseline(self, fitted: Fitted, prepared: Any, test: Mapping[str, float]) -> dict[str, Any]:
        """Give the figures to beat on the test part: ``name``, its figures, and whether they were beaten.

        Parameters
        ----------
        fitted : Fitted
        prepared : Prepared
        test : mapping
            Those of the model.
        """

    def _budget(self, budget: Budget, prepared: Any) -> Budget:
        """Give the budget of a new run; the trainer knows what to do with an empty one."""
        return budget

    def _initialise(self, fitted: Fitted, prepared: Any) -> None:
        """Put what is known beforehand, as pretrained vectors, in the place of what was drawn."""

    def _details(self, prepared: Any) -> dict[str, Any]:
        """Give what more the report is to say of the test part."""
        return {}

    def _finish(self, prepared: Any, run: RunFolder) -> None:
        """Put into the run folder what is made when training is over."""

    def _about(self, prepared: Any) -> dict[str, Any]:
        """Give what config.toml says of the data of a run that is written."""
        return {**prepared.about(), "content": prepared.content()}

    def _data_differences(self, stored: StoredModel, schema: Any, prepared: Any) -> list[str]:
        """Say in what the data here are not those of a run, with its schema."""
        differences: list[str] = schema.differences(prepared.schema)
        return differences

    def _weights_differences(self, schema: Any, prepared: Any) -> list[str]:
        """Say why weights that belong to a schema cannot serve these data."""
        differences: list[str] = schema.differences(prepared.schema)
        return differences

    # What all tasks share.

    def fit(
        self,
        data: Any,
        y: Any = None,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        out: Run | None = None,
        resume: Run | None = None,
        init_from: Run | None = None,
        listener: Listener = silent,
        **reading: Any,
    ) -> Self:
        """Train: what cannot be trained is refused before anything is written or forgotten.

        A model that was fitted before keeps its weights then.

        Parameters
        ----------
        data, y
            Whatever :meth:`prepare` takes, or what it gave.
        minutes, epochs, steps : number, optional
            The budget, one of the three; without one it is two minutes, for a forecaster 50 epochs of at most
            3,000 steps.
        out : path or RunFolder, optional
            The run folder to write. Left out, nothing is written.
        resume : path or RunFolder, optional
            The run folder to go on with, in place of `out`; see :meth:`resume`.
        init_from : path or RunFolder, optional
            A run whose best weights this one begins with. Cell, sizes and schema have to be the same.
        listener : callable
            Gets the events of training.
        **reading
            What else :meth:`prepare` takes.

        Returns
        -------
        self
            With the weights that did best on the validation part.

        Raises
        ------
        OptionError
            If an option is outside its range, or two contradict each other.
        DataError
            If the data cannot be read, or hold too little to be trained on.
        DivergenceError
            If training diverges; says where, and what to try.
        RunError
            If the run folder is there already, or cannot be written.
        """
        self.validate()
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps)
        budget.validate("fit")
        if resume is not None and (out is not None or init_from is not None):
            raise OptionError("resume: a run that is gone on with takes no 'out' and no 'init_from'.")
        if resume is None:
            self.check_budget(budget)
        run = None if resume is None else opened(resume)
        prepared = self._prepared(data, y, run, reading)
        if run is None:
            budget = self._budget(budget, prepared)
            prepared = self.settled(prepared, budget, init_from)
            chosen = choose(self, prepared, budget, self.accumulate)
            if chosen.values:
                listener(chosen)
            with holding(self, all_chosen(self, prepared, chosen)):
                fitted, trainer = self._begin(prepared, listener, out, init_from)
        else:
            with holding(self, as_in_run(self, run)):
                fitted, trainer = self._go_on(prepared, listener, run, budget)
        self._adopt(fitted, prepared.description, {})
        with use_threads(self.threads):
            train = trainer.fit if run is None else trainer.resume
            result = train(minutes=budget.minutes, epochs=budget.epochs, steps=budget.steps)
            baseline = self._baseline(fitted, prepared, result.test) if result.steps else {}
        self.chosen_ = {info.name: getattr(trainer.options, info.name) for info in self.undecided()}
        self.report_ = {**asdict(result), "baseline": baseline, "parameters": fitted.parameters.count}
        if result.steps:
            self.report_ |= self._details(prepared)
            extra = {name: self.evaluate(part) for name, part in prepared.extra.items()}
            self.report_ |= {"extra": extra} if extra else {}
        if trainer.run_folder is not None:
            trainer.run_folder.update_report(self.report_)
            self._finish(prepared, trainer.run_folder)
        return self

    @classmethod
    def resume(
        cls,
        run: Run,
        data: Any,
        y: Any = None,
        *,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        listener: Listener = silent,
        **reading: Any,
    ) -> Self:
        """Go on with a run that was cut off, with its own options but ``stop_after``, which is off.

        Without a budget it is gone on with as it was planned last, and ends in the same bytes as if it had
        never been interrupted. A budget gives it a new plan, as does one for a run that is finished: steps
        and epochs count from its start, minutes from now, and the learning rate goes on as in a run of the
        new length.

        Parameters
        ----------
        run : path or RunFolder
        data, y
            As for :meth:`fit`: the same as the run was made with; the files may have moved.
        minutes, epochs, steps, listener, **reading
            As for :meth:`fit`.

        Raises
        ------
        RunError
            If there is no such run, it is finished, or its data are others: shows the difference.
        """
        folder = opened(run)
        model = cls.from_run(folder).set_params(stop_after=0)
        return model.fit(
            data,
            y,
            minutes=minutes,
            epochs=epochs,
            steps=steps,
            resume=folder,
            listener=listener,
            **reading,
        )

    def find_learning_rate(self, data: Any) -> FoundRate:
        """Try learning rates that grow from step to step, as ``lr="find"`` does at the beginning of a run.

        Nothing of the model changes; options that are left open are what they are in a run without a budget.

        Parameters
        ----------
        data : Prepared, or whatever ``prepare`` takes
            ``model.prepare(X, y)`` where there is more than one thing to give.

        Returns
        -------
        FoundRate
            The suggestion, and the curve that it was read off.

        Raises
        ------
        DivergenceError
            If the loss falls at none of the rates.
        """
        self.validate()
        prepared = self._prepared(data, None, None, {})
        budget = self._budget(Budget(), prepared)
        prepared = self.settled(prepared, budget)
        chosen = choose(self, prepared, budget, self.accumulate)
        with holding(self, all_chosen(self, prepared, chosen)), use_threads(self.threads):
            fitted = self._built(chosen_cells(self), prepared.schema, prepared.about())
            self._initialise(fitted, prepared)
            return find_learning_rate(self._trained(fitted, prepared), self)

    def settled(self, prepared: PreparedData, budget: Budget, init_from: Run | None = None) -> PreparedData:
        """Choose what shapes the network and is left open, by the budget of a new run; describe it anew.

        Parameters
        ----------
        prepared : Prepared
            What :meth:`prepare` gave; it stays as it is. What has been settled before is not settled anew.
        budget : Budget
        init_from : path or RunFolder, optional
            A run whose weights will be taken over: the network is of its shape then.
        """
        shape = choose_shape(self, prepared, self._budget(budget, prepared), self.accumulate)
        if init_from is not None:
            known = as_in_run(self, opened(init_from))
            shaping = {info.name for info in self.undecided() if info.option.group == "Model"}
            shape |= {name: known[name] for name in shaping & known.keys() - prepared.decided.keys()}
        if not shape:
            return prepared
        decided = {**prepared.decided, **shape}
        short = vars(self.decided())
        with holding(self, {info.name: short[info.name] for info in self.undecided()} | decided):
            described = describe_model(self._network(chosen_cells(self), prepared.schema), self)
        return replace(prepared, decided=decided, description=replace(prepared.description, model=described))

    def _prepared(self, data: Any, y: Any, run: RunFolder | None, reading: Mapping[str, Any]) -> Any:
        """Read data, unless that has been done; for a run that is gone on with, if there is one."""
        if not isinstance(data, Prepared):
            with holding(self, {} if run is None else as_in_run(self, run)):
                return self.prepare(data, y, resuming=run is not None, **reading)
        given = [*([] if y is None else ["y"]), *reading]
        if given:
            raise OptionError(f"fit: these data have been read already. Leave out {', '.join(given)}.")
        return data

    def _begin(
        self, prepared: Prepared, listener: Listener, out: Run | None, weights: Run | None
    ) -> tuple[Fitted, Trainer]:
        """Build a model and begin its run: what cannot be trained is refused before anything is written."""
        about = prepared.about() if out is None else self._about(prepared)
        fitted = self._built(chosen_cells(self), prepared.schema, about)
        self._initialise(fitted, prepared)
        if weights is not None:
            source = opened(weights)
            stored = read_run(source, self.task, self.unwritten)
            schema = self._read_schema(source, stored.about)
            differences = self._weights_differences(schema, prepared)
            shaping = {info.name for info in options_of(type(self)) if info.option.group == "Model"}
            options = {name: value for name, value in self.to_toml_dict().items() if name in shaping}
            take_over_weights(stored, fitted.cells, differences, fitted.parameters, options)
            fitted.about["weights"] = str(source.path.resolve())
        task = self._trained(fitted, prepared)
        run = None if out is None else self._start_run(out, fitted)
        trainer = Trainer(task, self, run, listener)
        trainer.begin()
        return fitted, trainer

    def _go_on(
        self, prepared: Prepared, listener: Listener, run: RunFolder, budget: Budget
    ) -> tuple[Fitted, Trainer]:
        """Build the model of a run and take the run up, unless options or data are not those of the run.

        Raises
        ------
        RunError
            Shows the difference.
        """
        with damage_named(run):
            stored = read_run(run, self.task, self.unwritten)
            schema = self._read_schema(run, stored.about)
            made_with = type(self).from_toml_dict(stored.options).to_toml_dict()
        given = self.to_toml_dict()
        check_cells(run, stored.cells, chosen_cells(self))
        check_options(run, {**made_with, "cell": given["cell"]}, given)
        check_data(run, stored.about, self._data_differences(stored, schema, prepared), prepared.content())
        refuse_finished(run, stored.report, budget)
        fitted = self._built(stored.cells, prepared.schema, stored.about)
        trainer = Trainer(self._trained(fitted, prepared), self, run, listener)
        trainer.load(budget)
        return fitted, trainer
