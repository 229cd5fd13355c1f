"""A model in a run folder: what is written of it, and what is read back."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from noria.arrays import Array
from noria.equations import Cell, cells
from noria.errors import DataError, NoriaError, RunError, ShapeError
from noria.layers import FlatParameters
from noria.training.optioned import Options
from noria.training.run_folder import RunFolder

REPORT = "report.json"

Run: TypeAlias = str | PathLike[str] | RunFolder


@dataclass(frozen=True)
class StoredModel:
    """What a run folder holds of a model; its schema, which each task reads in its own way, aside."""

    options: dict[str, Any]
    cells: list[Cell]
    about: dict[str, Any]
    weights: dict[str, Array]
    report: dict[str, Any]
    path: str

    @property
    def cell_option(self) -> str | Cell | list[str | Cell]:
        """The 'cell' option: by name where a cell ships, otherwise the cell itself."""
        chosen: list[str | Cell] = [cell.name if _ships(cell) else cell for cell in self.cells]
        return chosen[0] if all(one == chosen[0] for one in chosen) else chosen

    def fill(self, parameters: FlatParameters) -> None:
        """Set the parameters to the weights.

        Raises
        ------
        RunError
            If they do not fit.
        """
        try:
            parameters.load_state_dict(self.weights)
        except (DataError, ShapeError) as error:
            raise RunError(f"{self.path}: the weights do not belong to config.toml: {error}") from None


def opened(run: Run) -> RunFolder:
    """Give a run folder that is there, by its path or as it is."""
    return run if isinstance(run, RunFolder) else RunFolder.open(Path(run))


def run_config(options: Options, cells: Sequence[Cell], about: Mapping[str, Any]) -> dict[str, Any]:
    """Give what config.toml says of a model: all options, the text of its cells, where its data are from."""
    return {
        "options": options.to_toml_dict(),
        "cells": [{"name": cell.name, "text": cell.text} for cell in cells],
        "data": dict(about),
    }


def read_run(run: RunFolder, task: str, unwritten: Mapping[str, Any]) -> StoredModel:
    """Read a model out of a run folder.

    Parameters
    ----------
    run : RunFolder
    task : str
    unwritten : mapping
        What options stood at that it does not name; see :class:`noria.training.optioned.Options`.

    Raises
    ------
    RunError
        If it is the run of another task, or something in it is missing or damaged.
    """
    config, path = run.config, run.path / "config.toml"
    if config.get("task") != task:
        raise RunError(f"{run.path}: expected a run of task {task!r}, got {config.get('task')!r}.")
    try:
        options, about = {**unwritten, **config["options"]}, dict(config["data"])
        if not config["cells"]:
            raise RunError("it has no cells.")
        parsed = [Cell.parse(entry["text"], name=entry["name"]) for entry in config["cells"]]
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(
            f"{path}: the file is damaged: {error} is missing or is not what it should be."
        ) from None
    except NoriaError as error:
        raise RunError(f"{path}: the file is damaged: {error}") from None
    report: Mapping[str, Any] = run.read_json(REPORT) if (run.path / REPORT).exists() else {}
    return StoredModel(
        options=options,
        cells=parsed,
        about=about,
        weights=run.read_weights(),
        report=dict(report),
        path=str(run.path),
    )


@contextlib.contextmanager
def damage_named(run: RunFolder) -> Iterator[None]:
    """Make whatever reading a run stumbles over a RunError that names the folder and keeps the reason."""
    try:
        yield
    except RunError:
        raise
    except (NoriaError, TypeError, LookupError, ValueError, AttributeError) as error:
        reason = f"{error} is missing" if type(error) is KeyError else str(error)
        raise RunError(
            f"{run.path}: the run is damaged: {reason}\n  Copy the run again from where it was made."
        ) from error


def _ships(cell: Cell) -> bool:
    return cell.name in cells.names() and cells.get(cell.name) == cell
