"""How a model is kept: its network is built for a schema, written as a run folder, and opened again."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from noria.equations import Cell
from noria.errors import RunError
from noria.layers import FlatParameters, Layer, Stack
from noria.models.choosing import holding
from noria.models.description import Description
from noria.models.estimator import Estimator
from noria.models.schema import Schema
from noria.models.stored import Run, damage_named, read_run, run_config
from noria.training.randomness import generator
from noria.training.run_folder import RunFolder

if TYPE_CHECKING:
    from noria.training.model_options import ModelOptions
    from noria.training.training_options import TrainingOptions

    class _WithOptions(Estimator, ModelOptions, TrainingOptions):
        """What the class of a task brings along."""
else:
    _WithOptions = Estimator  # options are fields: their order and defaults are those of the task's own table


@dataclass(frozen=True, eq=False)
class Fitted:
    """What a fit or a run folder gives a model, all of it together or nothing."""

    cells: list[Cell]
    schema: Any
    about: dict[str, Any]
    network: Layer
    parameters: FlatParameters


class Saving(_WithOptions, ABC):
    """A network that is built, written and opened again; see :class:`noria.models.model.Model`."""

    task: ClassVar[str]
    """What it is called on the command line and in config.toml."""
    schema_class: ClassVar[type[Schema]]
    schema_file: ClassVar[str] = "schema.json"

    network_: Layer
    parameters_: FlatParameters
    description_: Description | None
    report_: dict[str, Any]
    chosen_: dict[str, Any]

    # What a task fills in.

    @abstractmethod
    def _network(self, cells: Sequence[Cell], schema: Any) -> Layer:
        """Wire the configured layers for data of a schema."""

    def _write_schema(self, run: RunFolder, schema: Any) -> None:
        run.write_json(self.schema_file, schema.to_dict())

    def _read_schema(self, run: RunFolder, about: Mapping[str, Any]) -> Any:
        source = str(run.path / self.schema_file)
        schema = self.schema_class.from_dict(run.read_json(self.schema_file), source)
        self._check_fingerprint(about, schema.fingerprint(), source)
        return schema

    def _check_fingerprint(self, about: Mapping[str, Any], fingerprint: str, source: str) -> None:
        if about.get("schema", fingerprint) != fingerprint:
            raise RunError(f"{source}: the file does not belong to config.toml, it is another run's.")

    # What all tasks share.

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
            stored = read_run(run, cls.task, cls.unwritten)
            model = cls.from_toml_dict(stored.options)
            model.cell = stored.cell_option
            fitted = model._built(stored.cells, model._read_schema(run, stored.about), stored.about)
            stored.fill(fitted.parameters)
            model._adopt(fitted, None, stored.report)
        return model

    def _built(self, cells: list[Cell], schema: Any, about: dict[str, Any]) -> Fitted:
        """Build the network and draw its parameters."""
        network = self._network(cells, schema)
        rng = generator(self.seed, "initial")
        layers = network.layers if isinstance(network, Stack) else [network]
        parameters = FlatParameters.build(layers, rng, np.dtype(self.dtype))
        return Fitted(cells, schema, about, network, parameters)

    def _start_run(self, out: Run, fitted: Fitted) -> RunFolder:
        """Make the run folder, with all that does not change in it."""
        about = {**fitted.about, "schema": fitted.schema.fingerprint()}
        config = run_config(self, fitted.cells, about)
        run = (
            out if isinstance(out, RunFolder) else RunFolder.create(Path(out), task=self.task, config=config)
        )
        with run.complete_or_removed():
            if run is out:
                run.update_config({"task": self.task, **config})
            self._write_schema(run, fitted.schema)
        return run

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
