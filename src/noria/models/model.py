"""What every model does the same way: it is fitted, gone on with, saved and opened again.

A task is one class: ``class SequenceTagger(Model, TaggerOptions)``. It says how its data are read, how they
become a network, what the trainer trains, and how answers are measured; all else is here.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias

import numpy as np

from noria.engines.threads import use_threads
from noria.equations import Cell
from noria.errors import OptionError, RunError
from noria.layers import FlatParameters, Layer, Stack
from noria.models.choosing import as_in_run, choose, holding
from noria.models.description import Description, ModelDescription
from noria.models.estimator import Estimator
from noria.models.explaining import Subject, explained, gradients
from noria.models.explanation import Explanation
from noria.models.gradient_reach import GradientThroughTime
from noria.models.prepared import Prepared
from noria.models.resuming import check_cells, check_data, check_options, refuse_finished, take_over_weights
from noria.models.schema import Schema
from noria.models.stored import StoredModel, damage_named, read_run, run_config
from noria.models.wiring import chosen_cells, describe_model
from noria.training.lr_finder import FoundRate, find_learning_rate
from noria.training.randomness import generator
from noria.training.report import Listener, silent
from noria.training.run_folder import RunFolder
from noria.training.task import Task
from noria.training.trainer import Trainer
from noria.training.training_options import Budget

if TYPE_CHECKING:
    from noria.training.model_options import ModelOptions
    from noria.training.training_options import TrainingOptions

    class _WithOptions(Estimator, ModelOptions, TrainingOptions):
        """What the class of a task brings along."""

        fit: Callable[..., Any]
else:
    _WithOptions = Estimator  # options are fields: their order and defaults are those of the task's own table

Run: TypeAlias = str | PathLike[str] | RunFolder


@dataclass(frozen=True)
class Metric:
    """The figure that stands beside the loss while a model trains.

    Attributes
    ----------
    title : str
        Over its column, six characters at most.
    key : str
        Among the figures of an evaluation.
    form : str
        How it is written, as ``format`` takes it.
    """

    title: str
    key: str
    form: str


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit or a run folder gives a model, all of it together or nothing."""

    cells: list[Cell]
    schema: Any
    about: dict[str, Any]
    network: Layer
    parameters: FlatParameters


class Model(_WithOptions, ABC):
    """A network with the data it is for.

    Attributes
    ----------
    network_ : Layer
    parameters_ : FlatParameters
    description_ : Description or None
        What was understood of data and network before training; None of a model that was loaded.
    report_ : dict
        What training came to: figures on ``validation`` and ``test``, the ``baseline`` on the same test part,
        ``steps``, ``best_step``, ``parameters``, ``seconds``.
    chosen_ : dict
        What options that were left open came to be.
    """

    task: ClassVar[str]
    """What it is called on the command line and in config.toml."""
    metric: ClassVar[Metric]
    schema_class: ClassVar[type[Schema]]
    schema_file: ClassVar[str] = "schema.json"
    default_data: ClassVar[str]
    """The built-in data set that it is trained on where none is named."""

    network_: Layer
    parameters_: FlatParameters
    description_: Description | None
    report_: dict[str, Any]
    chosen_: dict[str, Any]

    # What a task fills in.

    @abstractmethod
    def prepare(self, data: Any, *, resuming: bool = False) -> Prepared:
        """Read data and fit sizes to them without training; ``fit`` takes the result in place of the data.

        Parameters
        ----------
        data : path, list of paths, BuiltinParts, or whatever ``fit`` takes
            A list of :class:`pathlib.Path` are files, a list of strings is data itself.
        resuming : bool, default False
            Whether a run is gone on with, so that nothing is read which is only there to begin with.
        """

    @abstractmethod
    def evaluate(self, data: Any) -> dict[str, Any]:
        """Measure the model on data with answers: ``"loss"`` among the figures, plain values or nested."""

    @abstractmethod
    def _network(self, cells: Sequence[Cell], schema: Any) -> Layer:
        """Wire the configured layers for data of a schema."""

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

    @abstractmethod
    def headline(self, figures: Mapping[str, Any]) -> str:
        """Say figures of a part, or of a baseline, in a few words."""

    def predict_rows(self, source: Any) -> Iterator[dict[str, Any]]:
        """Answer each row of a source in order, as they come, without holding all of it.

        Parameters
        ----------
        source : path or text stream
            None where nothing was named.

        Yields
        ------
        dict
            Plain values: one JSON object for each row.
        """
        raise OptionError(f"{type(self).__name__}: has no answers to rows; see sample and evaluate.")

    def shown(self, row: Mapping[str, Any], *, colour: bool = False) -> str:
        """Write one row of :meth:`predict_rows` for a reader; with colour as rich's markup has it."""
        return "\t".join(str(value) for value in row.values())

    def metric_of(self, prepared: Any) -> Metric:
        """Give the figure that is shown beside the loss while it trains on these data."""
        return self.metric

    def next_steps(self, run: str) -> Sequence[str]:
        """Give the commands that go on from a run."""
        return (f"noria evaluate {run} FILE", f"noria predict {run} FILE", f"noria info {run}")

    def _subject(self, data: Any, target: Any, row: int) -> Subject:
        """Give one input with what is to be done with it, for looking inside; `target` may be None."""
        raise OptionError(f"{type(self).__name__}: has no inputs that can be looked at.")

    def _initialise(self, fitted: Fitted, prepared: Any) -> None:
        """Put what is known beforehand, as pretrained vectors, in the place of what was drawn."""

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

    def _write_schema(self, run: RunFolder, schema: Any) -> None:
        run.write_json(self.schema_file, schema.to_dict())

    def _read_schema(self, run: RunFolder, about: Mapping[str, Any]) -> Any:
        source = str(run.path / self.schema_file)
        schema = self.schema_class.from_dict(run.read_json(self.schema_file), source)
        self._check_fingerprint(about, schema.fingerprint(), source)
        return schema

    # What all tasks share.

    def _train(
        self,
        prepared: Prepared,
        *,
        budget: Budget,
        out: Run | None = None,
        resume: Run | None = None,
        init_from: Run | None = None,
        listener: Listener = silent,
    ) -> Self:
        """Train on prepared data. What cannot be trained is refused before anything is written or forgotten.

        The arguments are those of the ``fit`` of every task.
        """
        if resume is None:
            chosen = choose(self, prepared, budget, self.accumulate)
            if chosen.values:
                listener(chosen)
            with holding(self, chosen.values):
                fitted, trainer = self._begin(prepared, listener, out, init_from)
        else:
            with holding(self, as_in_run(self, opened(resume))):
                fitted, trainer = self._go_on(prepared, listener, opened(resume), budget)
        self._adopt(fitted, prepared.description, {})
        with use_threads(self.threads):
            train = trainer.fit if resume is None else trainer.resume
            result = train(minutes=budget.minutes, epochs=budget.epochs, steps=budget.steps)
            baseline = self._baseline(fitted, prepared, result.test) if result.steps else {}
        self.chosen_ = {info.name: getattr(trainer.options, info.name) for info in self.undecided()}
        self.report_ = {**asdict(result), "baseline": baseline, "parameters": fitted.parameters.count}
        if prepared.extra and result.steps:
            self.report_["extra"] = {name: self.evaluate(part) for name, part in prepared.extra.items()}
        if trainer.run_folder is not None:
            trainer.run_folder.update_report(self.report_)
        return self

    def _check_fit(
        self,
        *,
        minutes: float | None,
        epochs: float | None,
        steps: int | None,
        out: Run | None,
        resume: Run | None,
        init_from: Run | None,
    ) -> Budget:
        """Check the options and the arguments that every fit has; give the budget."""
        self.validate()
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps)
        budget.validate("fit")
        if resume is not None and (out is not None or init_from is not None):
            raise OptionError("resume: a run that is gone on with takes no 'out' and no 'init_from'.")
        return budget

    def _built(self, cells: list[Cell], schema: Any, about: dict[str, Any]) -> Fitted:
        """Build the network and draw its parameters."""
        network = self._network(cells, schema)
        rng = generator(self.seed, "initial")
        layers = network.layers if isinstance(network, Stack) else [network]
        parameters = FlatParameters.build(layers, rng, np.dtype(self.dtype))
        return Fitted(cells, schema, about, network, parameters)

    def _begin(
        self, prepared: Prepared, listener: Listener, out: Run | None, weights: Run | None
    ) -> tuple[Fitted, Trainer]:
        """Build a model and begin its run: what cannot be trained is refused before anything is written."""
        about = prepared.about() if out is None else self._about(prepared)
        fitted = self._built(chosen_cells(self), prepared.schema, about)
        self._initialise(fitted, prepared)
        if weights is not None:
            source = opened(weights)
            stored = read_run(source, self.task)
            schema = self._read_schema(source, stored.about)
            differences = self._weights_differences(schema, prepared)
            take_over_weights(stored, fitted.cells, differences, fitted.parameters)
            fitted.about["weights"] = str(source.path)
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
            stored = read_run(run, self.task)
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

    def _start_run(self, out: Run, fitted: Fitted) -> RunFolder:
        """Make the run folder, with all that does not change in it."""
        about = {**fitted.about, "schema": self._fingerprint(fitted.schema)}
        config = run_config(self, fitted.cells, about)
        run = (
            out if isinstance(out, RunFolder) else RunFolder.create(Path(out), task=self.task, config=config)
        )
        with run.complete_or_removed():
            if run is out:
                run.update_config({"task": self.task, **config})
            self._write_schema(run, fitted.schema)
        return run

    def _fingerprint(self, schema: Any) -> str:
        written: str = schema.fingerprint()
        return written

    def _check_fingerprint(self, about: Mapping[str, Any], fingerprint: str, source: str) -> None:
        if about.get("schema", fingerprint) != fingerprint:
            raise RunError(f"{source}: the file does not belong to config.toml, it is another run's.")

    def find_learning_rate(self, data: Any) -> FoundRate:
        """Try learning rates that grow from step to step, as ``lr="find"`` does at the beginning of a run.

        Nothing of the model changes.

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
        prepared = data if isinstance(data, Prepared) else self.prepare(data)
        fitted = self._built(chosen_cells(self), prepared.schema, prepared.about())
        self._initialise(fitted, prepared)
        with use_threads(self.threads):
            return find_learning_rate(self._trained(fitted, prepared), self)

    @classmethod
    def resume(
        cls,
        run: Run,
        *data: Any,
        minutes: float | None = None,
        epochs: float | None = None,
        steps: int | None = None,
        listener: Listener = silent,
        **reading: Any,
    ) -> Self:
        """Go on with a run that was cut off, with its own options but ``stop_after``, which is off.

        Without a budget it is gone on with as it was planned, and ends in the same bytes as if it had never
        been interrupted. A budget gives it a new plan, as does one for a run that is finished: steps and
        epochs count from its start, minutes from now, and the learning rate goes on as in a run of the new
        length.

        Parameters
        ----------
        run : path or RunFolder
        *data
            As for ``fit``: the same as the run was made with; the files may have moved.
        minutes, epochs, steps, listener
            As for ``fit``.
        **reading
            What else the ``fit`` of the task takes to read its data, ``encoding`` for one.

        Raises
        ------
        RunError
            If there is no such run, it is finished, or its data are others: shows the difference.
        """
        folder = opened(run)
        budget = Budget(minutes=minutes, epochs=epochs, steps=steps).to_toml_dict()
        model = cls.from_run(folder).set_params(stop_after=0)
        gone_on: Self = model.fit(*data, **budget, resume=folder, listener=listener, **reading)
        return gone_on

    @property
    def summary(self) -> ModelDescription:
        """The layers, their sizes and the number of their parameters."""
        self._need_fit("be summed up")
        return describe_model(self.network_, self)

    def explain(self, data: Any, target: Any = None, *, row: int = 0) -> Explanation:
        """Read one input and record every value that the equations name, attention, and the answers.

        Parameters
        ----------
        data : text, sequence, or path
            One input, as a list of them is predicted: a text, a sequence of words or of numbers, a source.
            Of a path (:class:`pathlib.Path`), one of the inputs in that file.
        target : optional
            What the right answer is; written beside the model's own.
        row : int, default 0
            Which input of a file.

        Returns
        -------
        Explanation
            Arrays in the precision of the model, and answers with their probabilities.

        Raises
        ------
        DataError
            If the input cannot be read, or recording it does not fit into memory: says how much would.
        """
        self._need_fit("be explained")
        with use_threads(self.threads):
            return explained(self.network_, self._subject(data, target, row), self.task)

    def gradient_through_time(
        self, data: Any, target: Any = None, *, at: int | None = None, row: int = 0
    ) -> GradientThroughTime:
        """Give the norm of the gradient of a loss in the state at each step, in double precision.

        Parameters
        ----------
        data, target, row
            As for :meth:`explain`; without a target the loss is that of the model's own answer.
        at : int, optional
            The position whose answer the loss is of, where there is one at each; the last one by default.

        References
        ----------
        Bengio, Simard & Frasconi 1994; Pascanu, Mikolov & Bengio 2013.
        """
        self._need_fit("be explained")
        subject = self._subject(data, target, row)
        with holding(self, {**self.chosen_, "dtype": "float64"}):
            twin = self._built(self._fitted.cells, self._fitted.schema, self._fitted.about)
        twin.parameters.load_state_dict(self.parameters_.state_dict())
        with use_threads(self.threads):
            return gradients(twin.network, subject, at)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the model as a run folder, which ``noria.load`` opens.

        Raises
        ------
        RunError
            If the folder is there already, or cannot be written.
        """
        self._need_fit("be saved")
        with holding(self, self.chosen_):
            run = self._start_run(path, self._fitted)
        with run.complete_or_removed():
            run.write_arrays("best", self.parameters_.state_dict())
            run.update_report(self.report_)
        run.is_complete()

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Open a run folder.

        Raises
        ------
        RunError
            If it is the run of another task, or is damaged: says what of it.
        """
        return cls.from_run(RunFolder.open(Path(path)))

    @classmethod
    def from_run(cls, run: RunFolder) -> Self:
        """Make the model of an open run folder."""
        with damage_named(run):
            stored = read_run(run, cls.task)
            model = cls.from_toml_dict(stored.options)
            model.cell = stored.cell_option
            fitted = model._built(stored.cells, model._read_schema(run, stored.about), stored.about)
            stored.fill(fitted.parameters)
            model._adopt(fitted, None, stored.report)
        return model

    def _adopt(self, fitted: Fitted, description: Description | None, report: dict[str, Any]) -> None:
        """Take over what was fitted; a task adds the attributes of its own."""
        self._fitted = fitted
        self.network_ = fitted.network
        self.parameters_ = fitted.parameters
        self.description_ = description
        self.report_ = report
        self.chosen_ = {}

    def _is_fitted(self) -> bool:
        return hasattr(self, "parameters_")


def opened(run: Run) -> RunFolder:
    """Give a run folder that is there, by its path or as it is."""
    return run if isinstance(run, RunFolder) else RunFolder.open(Path(run))
