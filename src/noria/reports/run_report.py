"""The report of a run: what was trained on what, how it learnt, what it came to beside the figure to beat."""

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import noria
from noria.inspection.costs import layer_costs
from noria.inspection.unrolled_picture import draw_unrolled
from noria.inspection.unrolling import unrolled
from noria.models.citing import used
from noria.models.loading import load
from noria.reports.curves import FIT_SENTENCES, number
from noria.reports.document import (
    Block,
    Command,
    Document,
    Facts,
    Figure,
    Paragraph,
    Passages,
    References,
    Section,
    Table,
)
from noria.reports.folder import refuse_other, write_report_folder
from noria.reports.looking import inside
from noria.reports.machine import MACHINE, machine, versions
from noria.reports.prose import LANGUAGES, MISSING, Prose, capitalised
from noria.reports.references import reference_lines
from noria.reports.reproduction import changed_options, compare_command, own_cell, train_command
from noria.reports.run_figures import RunFigures, figures_of
from noria.reports.run_pictures import draw_curves
from noria.reports.run_tasks import answers, own_text
from noria.reports.run_words import RUN_WORDS, baseline_name
from noria.training.files import write_atomically
from noria.training.run_folder import RunFolder

FORMAT = 1
READ = 120
"""Characters of its own writing that a model of text is looked at with."""
TABLES = (RUN_WORDS, FIT_SENTENCES, MACHINE)
SPREAD_SEEDS = 5
USUAL_CELLS = ("rnn", "gru", "lstm")
COUNTS = ("tokens", "characters", "bleu_order")
"""Figures that say how much was measured, not how well."""


@dataclass(frozen=True, eq=False)
class LookedAt:
    """An input that gates and gradients are drawn of.

    Attributes
    ----------
    data, target : Any
        As ``model.explain`` takes them.
    row : int
    said : str
        What it is, in words; empty: as the model says.
    """

    data: Any
    target: Any = None
    row: int = 0
    said: str = ""


def write_run_report(
    run: Path, out: Path | None = None, *, language: str = "en", looked_at: LookedAt | None = None
) -> tuple[Path, list[str]]:
    """Write the report of a run: report.html, report.md, report.pdf, results.json and figures.

    Parameters
    ----------
    run : Path
        The folder of a run.
    out : Path, optional
        Where it goes; ``report`` in the run's folder if left out. An earlier report there is replaced.
    language : {"en", "es"}
    looked_at : LookedAt, optional
        Left out: a model of text is looked at with what it writes itself, a forecaster with the end of its
        series, others are not looked into.

    Returns
    -------
    folder : Path
    sentences : list of str
        What it comes to, the most important first.

    Raises
    ------
    RunError
        If it is no run, the run is damaged, or the folder holds something else.
    DataError
        If the input cannot be read.
    """
    model, folder = load(run), RunFolder.open(run)
    place = out or run / "report"
    refuse_other(place)
    told = _Told(model, folder, place, Prose(language, *TABLES), looked_at)
    document = told.document()
    write_report_folder(place, document, told.results())
    if own_cell(folder.config):
        write_atomically(told.cell_file, told.cell_text.encode())
    return place, told.sentences()


class _Told:
    """The parts of the report of a run."""

    def __init__(
        self, model: Any, folder: RunFolder, out: Path, prose: Prose, looked_at: LookedAt | None
    ) -> None:
        self._model, self._folder, self._out, self._prose = model, folder, out, prose
        self._figures: RunFigures = figures_of(folder, model.metric)
        self._config = folder.config
        self._looked_at = looked_at or self._own_input()
        self._costs = layer_costs(model.network_)
        self.cell_file = out / "cell.eq"

    @property
    def cell_text(self) -> str:
        """The equations of the user's own cell."""
        name = own_cell(self._config)
        return next(str(entry["text"]) for entry in self._config["cells"] if entry["name"] == name)

    def _own_input(self) -> LookedAt | None:
        if self._model.task == "forecast":
            return LookedAt(None)
        written = own_text(self._model, READ) if self._model.task == "text" else ""
        return LookedAt(written, said=self._prose("own_text")) if written else None

    # What it came to.

    def sentences(self, prose: Prose | None = None) -> list[str]:
        """Say what the run came to, the most important first."""
        say, figures = prose or self._prose, self._figures
        if not figures.part:
            return [say("no_figures")]
        value, metric = figures.written(figures.value), say.metric(figures.key)
        words = (capitalised(metric), value, say(f"{figures.part}_part"))
        name = baseline_name(str(figures.baseline.get("name", "")), say.language)
        beat = (name, figures.written(figures.to_beat))
        if math.isfinite(figures.to_beat):
            key = "beats" if figures.better_by > 0 else "equals" if figures.better_by == 0 else "misses"
            said = [say(key, *words, *beat)]
        else:
            said = [say("no_baseline", *words)]
        if figures.part == "validation":
            said.append(say("chosen_on"))
        said.append(self._fit(say))
        if figures.steps < figures.planned:
            said.append(say("unfinished", say.number(figures.steps), say.number(figures.planned)))
        return said

    def _fit(self, say: Prose) -> str:
        return self._figures.fit.said(say, ".3g")

    def results(self) -> dict[str, Any]:
        """Give all figures, for results.json."""
        figures, model = self._figures, self._model
        curve = figures.curve
        return {
            "format": FORMAT,
            "kind": "run",
            "run": str(self._folder.path),
            "task": model.task,
            "metric": figures.key,
            "part": figures.part,
            "value": figures.value,
            "to_beat": figures.to_beat,
            "better_by": figures.better_by,
            "test": figures.test,
            "validation": figures.validation,
            "baseline": figures.baseline,
            "fit": {**vars(figures.fit), "verdict": figures.fit.verdict},
            "curve": {
                "steps": curve.steps.tolist(),
                "train": curve.train.tolist(),
                "validation": {key: values.tolist() for key, values in curve.validation.items()},
            },
            "steps": figures.steps,
            "planned": figures.planned,
            "best_step": figures.best_step,
            "seconds": figures.report.get("seconds"),
            "parameters": model.summary.parameters,
            "options": self._config.get("options", {}),
            "data": self._config.get("data", {}),
            "conclusions": {one: self.sentences(Prose(one, *TABLES)) for one in LANGUAGES},
            "command": self._command(),
            "next": self._next(),
            "versions": versions(),
            "machine": machine(),
            "references": [{"text": text, "url": url} for text, url in self._references()],
        }

    # The document.

    def document(self) -> Document:
        """Put it together."""
        say = self._prose
        cells = ", ".join(dict.fromkeys(self._model.summary.cells)) or say("no_cell")
        title = say("title", say(self._model.task), cells, self._source())
        sections = (
            Section(say("learning"), tuple(self._learning())),
            Section(say("results"), tuple(self._tables())),
            Section(say("answers"), tuple(answers(self._model, self._figures, say))),
            Section(say("inside"), tuple(self._inside())),
            Section(say("made_of"), tuple(self._made_of())),
            Section(say("go_on"), (Command("\n".join(self._next())),)),
            Section(say("made_with"), (self._made_with(),)),
            Section(say("references"), (References(tuple(self._references())),)),
        )
        return Document(title, say.language, tuple(self._opening()), sections)

    def _opening(self) -> list[Block]:
        say, figures = self._prose, self._figures
        first, *others = self.sentences()
        rows = []
        for part, found in (("test", figures.test), ("validation", figures.validation)):
            if part == figures.part:
                rows.append((say(part), self._listed(found)))
        if math.isfinite(figures.to_beat):
            name = baseline_name(str(figures.baseline["name"]), say.language)
            better = figures.better_by
            size = figures.written(abs(better))
            by = say("better_by" if better > 0 else "worse_by", size) if better else say("level")
            rows += [(say("baseline"), f"{name}: {self._listed(figures.baseline)}"), (say("by"), by)]
        compare = self._compare_command()
        rows.append((say("spread"), say("one_run", compare) if compare else say("one_run_plain")))
        if figures.part:
            rows.append((say("fit"), self._fit(say)))
        rows.append((say("cost"), self._cost()))
        command = self._command()
        seed = self._config.get("options", {}).get("seed", 0)
        rows.append((say("again"), say("see_below") if command else say("from_python", figures.steps, seed)))
        lines = [line for line in others if line != self._fit(say)]
        blocks: list[Block] = [Paragraph(first, lead=True), *map(Paragraph, lines), Facts(tuple(rows))]
        return [*blocks, *([Command(command)] if command else [])]

    def _listed(self, found: Mapping[str, Any]) -> str:
        """Write the plain figures of a part, the metric first."""
        figures = self._figures
        keys = [figures.key, *(key for key in found if key not in (figures.key, *COUNTS))]
        values = [(key, number(found.get(key))) for key in keys if not isinstance(found.get(key), bool)]
        shown = [
            f"{self._prose.metric(key)} {figures.written(value) if key == figures.key else _short(value)}"
            for key, value in values
            if math.isfinite(value)
        ]
        return ", ".join(shown)

    def _cost(self) -> str:
        say, figures = self._prose, self._figures
        seconds, tokens = (number(figures.report.get(key)) for key in ("seconds", "tokens"))
        rate = tokens / seconds if seconds else math.nan
        return say(
            "costs",
            say.number(figures.steps),
            say.duration(seconds),
            say.number(tokens),
            say.number(rate),
            say.number(self._model.summary.parameters),
            say.number(figures.best_step),
        )

    def _learning(self) -> list[Block]:
        say, figures, curve = self._prose, self._figures, self._figures.curve
        if len(curve.steps) < 2:
            return [Paragraph(say("no_curve"))]
        metric = say.metric(figures.key)
        words = {name: say(name) for name in ("step", "loss", "train", "kept")}
        words |= {"metric": metric, "validation": say("validation_part"), "baseline": say("to_beat")}
        caption = say("curves_caption", metric)
        measured = figures.key in curve.validation and figures.key != "loss"
        if measured and not any(map(math.isfinite, curve.on_train(figures.key))):
            caption = f"{caption} {capitalised(say('not_on_train', metric))}"
        ends = (
            _short(float(values[place]))
            for values in (curve.train, curve.on_validation("loss"))
            for place in (0, -1)
        )
        draw = partial(
            draw_curves,
            curve=curve,
            key=figures.key,
            words=words,
            kept=float(figures.best_step or math.nan),
            baseline=figures.to_beat,
        )
        alternative = say("curves_alt", say.number(float(curve.steps[-1])), *ends)
        return [Paragraph(self._fit(say)), Figure("curves", caption, alternative, draw)]

    def _tables(self) -> list[Block]:
        say, figures = self._prose, self._figures
        columns = {"part_test": figures.test, "part_validation": figures.validation}
        shown = {say(title): found for title, found in columns.items() if found}
        if figures.baseline:
            shown[baseline_name(str(figures.baseline.get("name", "")), say.language)] = figures.baseline
        keys = [key for key in {**figures.test, **figures.validation} if key != "bleu_order"]
        rows = [
            (say.metric(key), *(_short(number(found.get(key))) for found in shown.values())) for key in keys
        ]
        if not rows:
            return []
        marked = tuple(place for place, key in enumerate(keys) if key == figures.key)
        return [Table(say("figures_caption"), ((say("figure"), *shown), *rows), marked)]

    def _inside(self) -> list[Block]:
        say, looked = self._prose, self._looked_at
        if not self._model.summary.cells:
            return []
        if looked is None:
            known = self._config.get("data", {}).get("builtin", "FILE")
            return [Paragraph(say("not_inside", shlex.quote(str(self._folder.path)), known))]
        explanation = self._model.explain(looked.data, looked.target, row=looked.row)
        gradient = self._model.gradient_through_time(looked.data, looked.target, row=looked.row)
        return inside(explanation, gradient, looked.said or explanation.source, say)

    def _made_of(self) -> list[Block]:
        say, summary = self._prose, self._model.summary
        facts = [
            (say("data"), self._source()),
            (say("network"), say("numbers", summary.dtype, ", ".join(dict.fromkeys(summary.engines)))),
        ]
        layers = [(one.path, one.kind, f"{one.output:,}", say.number(one.parameters)) for one in self._costs]
        head = (say("layer"), say("kind"), say("output"), say("parameters"))
        blocks: list[Block] = [
            Facts(tuple(facts)),
            Figure(
                "network",
                say("network_caption"),
                say("network_alt", ", ".join(one.path for one in self._costs)),
                partial(draw_unrolled, unrolled(self._model.network_, self._folder.path.name)),
            ),
            Table(say("layers_caption"), (head, *layers)),
        ]
        changed = changed_options(self._config)
        if changed:
            rows = [(name, str(value)) for name, value in changed.items()]
            blocks.append(Table(say("options_caption"), ((say("option"), say("value")), *rows)))
        texts = {str(entry["name"]): str(entry["text"]).strip() for entry in self._config.get("cells", ())}
        return [*blocks, Passages(tuple(texts.items()))] if texts else blocks

    def _made_with(self) -> Facts:
        say = self._prose
        options = self._config.get("options", {})
        threads = self._config.get("run", {}).get("threads", options.get("threads", MISSING))
        trained = say(
            "threads", self._config.get("noria", noria.__version__), threads, options.get("seed", 0)
        )
        rows = [
            (say("trained_with"), trained),
            (say("versions"), ", ".join(f"{name} {value}" for name, value in versions().items())),
            (say("machine"), ", ".join(f"{say(name)} {value}" for name, value in machine().items())),
        ]
        return Facts(tuple(rows))

    def _references(self) -> list[tuple[str, str]]:
        return reference_lines(used(self._config, self._figures.report))

    def _source(self) -> str:
        return str(self._config.get("data", {}).get("source", MISSING))

    # What is typed.

    def _command(self) -> str:
        return train_command(self._config, f"{self._folder.path}-again", str(self.cell_file))

    def _compare_command(self) -> str:
        """Write the command that gives this run a spread."""
        own, file = own_cell(self._config), str(self.cell_file)
        cells = dict.fromkeys([*self._model.summary.cells, *USUAL_CELLS])
        return compare_command(self._config, [file if name == own else name for name in cells], SPREAD_SEEDS)

    def _next(self) -> list[str]:
        path = shlex.quote(str(self._folder.path))
        steps = self._figures.planned
        more = f"noria train --resume {path}" + (f" --steps {2 * steps}" if steps else "")
        return [more, *self._model.next_steps(path)]


def _short(value: float) -> str:
    if not math.isfinite(value):
        return MISSING
    return f"{value:.4g}" if abs(value) < 1e4 else f"{value:,.0f}"
