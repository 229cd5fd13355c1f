"""A run whose report is written: what is known of it, and the commands that lead on from it."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noria.models.citing import used
from noria.models.loading import load
from noria.reports.prose import MISSING
from noria.reports.references import reference_lines
from noria.reports.reproduction import compare_command, own_cell, train_command
from noria.reports.run_figures import RunFigures, figures_of
from noria.training.run_folder import RunFolder

SPREAD_SEEDS = 5
USUAL_CELLS = ("rnn", "gru", "lstm")


@dataclass(frozen=True, eq=False)
class ReportedRun:
    """A run.

    Attributes
    ----------
    model : Model
    folder : RunFolder
    figures : RunFigures
    out : Path
        The folder of the report.
    """

    model: Any
    folder: RunFolder
    figures: RunFigures
    out: Path

    @classmethod
    def open(cls, run: Path, out: Path) -> "ReportedRun":
        """Open a run, as far as it has come.

        Raises
        ------
        RunError
            If it is none, or is damaged.
        """
        model, folder = load(run), RunFolder.open(run)
        return cls(model, folder, figures_of(folder, model.metric), out)

    @property
    def config(self) -> Mapping[str, Any]:
        """What config.toml says."""
        return self.folder.config

    @property
    def options(self) -> Mapping[str, Any]:
        """The options of the run, as config.toml has them."""
        found: Mapping[str, Any] = self.config.get("options", {})
        return found

    @property
    def source(self) -> str:
        """The data."""
        return str(self.config.get("data", {}).get("source", MISSING))

    @property
    def cell_file(self) -> Path:
        """Where the equations of a cell of the user's own are written beside the report."""
        return self.out / "cell.eq"

    @property
    def cell_text(self) -> str:
        """The equations of the user's own cell; empty where it is none."""
        name = own_cell(self.config)
        entries = self.config.get("cells", ())
        return next((str(entry["text"]) for entry in entries if name and entry["name"] == name), "")

    @property
    def command(self) -> str:
        """What makes the run again; empty where no command can."""
        return train_command(
            self.config, f"{self.folder.path}-again", str(self.cell_file), self.figures.report
        )

    @property
    def compare_command(self) -> str:
        """What gives this run a spread; empty where no command can."""
        own, file = own_cell(self.config), str(self.cell_file)
        cells = dict.fromkeys([*self.model.summary.cells, *USUAL_CELLS])
        return compare_command(self.config, [file if name == own else name for name in cells], SPREAD_SEEDS)

    @property
    def next_commands(self) -> list[str]:
        """What goes on from the run."""
        path, steps = shlex.quote(str(self.folder.path)), self.figures.planned
        more = f"noria train --resume {path}" + (f" --steps {2 * steps}" if steps else "")
        return [more, *self.model.next_steps(path)]

    @property
    def references(self) -> list[tuple[str, str]]:
        """What to read of what the run used: text and address."""
        return reference_lines(used(self.config, self.figures.report))
