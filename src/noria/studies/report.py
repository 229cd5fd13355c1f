"""The report of a study: what won, by how much, whether that exceeds the spread, and what it cost."""

import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import noria
from noria.models.citing import used
from noria.models.loading import model_class
from noria.models.wiring import chosen_cells
from noria.reports.curves import FIT_SENTENCES
from noria.reports.document import (
    Block,
    Command,
    Document,
    Facts,
    Figure,
    Items,
    Paragraph,
    Passages,
    References,
    Section,
    Table,
)
from noria.reports.folder import RESULTS, refuse_other, write_report_folder
from noria.reports.machine import MACHINE, machine, versions
from noria.reports.prose import LANGUAGES, MISSING, Prose, capitalised
from noria.reports.references import reference_lines
from noria.reports.run_words import baseline_name
from noria.studies.conclusions import (
    beaten,
    conclusions,
    counted,
    difference_of,
    fits,
    seeds_of,
    steps_back,
    unseen,
)
from noria.studies.figures import draw_curves, draw_figures, draw_reach
from noria.studies.folder import StudyFolder, read_json
from noria.studies.results import Line, Results, results_of
from noria.studies.study_words import BOTH, WORDS

NAMED = 4
"""Variants that a title names."""
STATISTICS = (
    (
        "Student 1908. The probable error of a mean. Biometrika.",
        "https://doi.org/10.1093/biomet/6.1.1",
    ),
    (
        "Dunn 1961. Multiple comparisons among means. Journal of the American Statistical Association.",
        "https://doi.org/10.1080/01621459.1961.10482090",
    ),
)
GRADIENTS = (
    (
        "Bengio, Simard & Frasconi 1994. Learning long-term dependencies with gradient descent is difficult. "
        "IEEE Transactions on Neural Networks.",
        "https://doi.org/10.1109/72.279181",
    ),
)


def write_report(
    folder: StudyFolder, command: str, *, language: str = "en", reason: str = "", out: Path | None = None
) -> Results:
    """Write the report of a study, as far as it has come, and give its results.

    Parameters
    ----------
    folder : StudyFolder
    command : str
        What makes the study again.
    language : {"en", "es"}
    reason : str
        Why one would compare this.
    out : Path, optional
        Where it goes; the study's own folder if left out.

    Raises
    ------
    RunError
        If a file cannot be written.
    """
    results = results_of(folder)
    report = _Told(folder, results, command, reason, language)
    numbers = {
        **results.to_dict(),
        "kind": "study",
        "conclusions": {one: conclusions(results, one) for one in LANGUAGES},
        "fits": {name: {**vars(fit), "verdict": fit.verdict} for name, fit in fits(results).items()},
        "command": command,
        "reason": reason,
        "noria": noria.__version__,
        "versions": versions(),
        "machine": machine(),
        "references": [{"text": text, "url": url} for text, url in report.references()],
    }
    write_report_folder(out or folder.path, report.document(), numbers)
    return results


def rewrite_report(study: Path, out: Path | None = None, *, language: str = "en") -> tuple[Path, list[str]]:
    """Write the report of a study that was made before anew, in another language or elsewhere.

    Returns
    -------
    folder : Path
    sentences : list of str
        The conclusions.

    Raises
    ------
    RunError
        If it is no study, is damaged, or `out` holds something else.
    """
    folder = StudyFolder.open(study)
    if out is not None and out != study:
        refuse_other(out)
    before = read_json(study / RESULTS) if (study / RESULTS).exists() else {}
    command, reason = str(before.get("command", "")), str(before.get("reason", ""))
    results = write_report(folder, command, language=language, reason=reason, out=out)
    return out or study, conclusions(results, language)


class _Told:
    """The parts of the report of a study."""

    def __init__(
        self, folder: StudyFolder, results: Results, command: str, reason: str, language: str
    ) -> None:
        self._folder, self._study, self._results = folder, folder.study, results
        self._command, self._reason = command, reason
        self._prose = Prose(language, WORDS, BOTH, FIT_SENTENCES, MACHINE)
        self._metric = self._prose.metric(results.metric)

    def document(self) -> Document:
        """Put it together."""
        say = self._prose
        names = [line.name for line in self._results.lines]
        many = len(names) > NAMED
        title = say("title_many", len(names), self._study.recipe or self._study.task) if many else None
        lead, *others = conclusions(self._results, say.language)
        opening: list[Block] = [Paragraph(lead, lead=True), Facts(tuple(self._facts()))]
        if self._command:
            opening.append(Command(self._command))
        sections = (
            Section(say("conclusions"), (Items(tuple(others)),) if others else ()),
            Section(say("variants"), tuple(self._variants())),
            Section(say("pairs"), tuple(self._pairs())),
            Section(say("learning"), tuple(self._learning())),
            Section(say("gradients"), tuple(self._gradients())),
            Section(say("samples"), tuple(self._samples())),
            Section(say("what"), tuple(self._what())),
            Section(say("trouble"), self._trouble()),
            Section(say("made_with"), (self._made_with(),)),
            Section(say("references"), (References(tuple(self.references())),)),
        )
        return Document(title or say("title", ", ".join(names)), say.language, tuple(opening), sections)

    # The first screen.

    def _facts(self) -> list[tuple[str, str]]:
        say, results, ranked = self._prose, self._results, self._results.ranked
        if not ranked:
            return []
        best = ranked[0]
        direction = say("higher" if results.higher_is_better else "lower")
        over, mean = seeds_of(best, say), results.said(best.figure)
        is_best = say("best_is", best.name, self._metric, mean, over, direction)
        facts = [self._data(), (say("best"), is_best)]
        if len(ranked) > 1:
            facts += [(say("by"), self._by(best, ranked[1])), (say("spread"), self._exceeds(best))]
        if math.isfinite(results.baseline):
            name = baseline_name(results.baseline_name, say.language)
            words = (name, results.said(results.baseline), beaten(results, say))
            facts.append((say("baseline"), say("baseline_is", *words)))
        return [*facts, (say("cost"), self._costs(best))]

    def _data(self) -> tuple[str, str]:
        study = self._study
        return self._prose("data"), self._results.source or ", ".join(study.files) or study.data or MISSING

    def _by(self, best: Line, next_: Line) -> str:
        say, results = self._prose, self._results
        found = difference_of(results, best.name, next_.name)
        if found is None or not found.has_spread:
            return say("by_plain", results.said(abs(best.figure - next_.figure)), next_.name)
        sign = 1 if results.higher_is_better else -1
        low, high = sorted((sign * found.low, sign * found.high))
        values = (results.said(value) for value in (low, high))
        return say("by_is", results.said(sign * found.mean), next_.name, *values)

    def _exceeds(self, best: Line) -> str:
        say = self._prose
        if not self._results.judged:
            return say("unknown")
        alike, spread = unseen(self._results), self._results.said(best.deviation)
        count = len(self._results.ranked)
        if alike:
            return say("no", counted(alike, count, say), spread, best.name)
        return say("yes", spread, best.name)

    def _costs(self, best: Line) -> str:
        say, lines = self._prose, self._results.lines
        runs = sum(len(line.done) for line in lines)
        total = sum(line.seconds * len(line.done) for line in lines if math.isfinite(line.seconds))
        return say(
            "costs",
            best.name,
            say.duration(best.seconds),
            say.number(best.peak_bytes / 1e6),
            say.number(best.tokens_per_second),
            say.number(best.parameters),
            runs,
            say.duration(total),
        )

    # The sections.

    def _variants(self) -> list[Block]:
        say, results = self._prose, self._results
        ranked = results.ranked
        best = ranked[0].name if ranked and not unseen(results) and len(ranked) > 1 else None
        marked = tuple(place for place, line in enumerate(results.lines) if line.name == best)
        quality = ("variant", "mean", "deviation", "interval", "train_loss", "validation_loss", "runs")
        cost = ("variant", "parameters", "steps", "time", "speed", "peak", "tenth_of", "thousandth_of")
        blocks: list[Block] = [
            Table(
                capitalised(say("quality_caption", self._metric)),
                (tuple(map(say, quality)), *map(self._quality, results.lines)),
                marked,
            ),
            Table(say("cost_caption"), (tuple(map(say, cost)), *map(self._cost, results.lines)), marked),
        ]
        if ranked:
            means = ", ".join(
                f"{one.name} {results.said(one.figure)}" for one in results.lines if one.by_seed
            )
            words = {"metric": say("on_test", self._metric)}
            points = Figure(
                "figures",
                capitalised(say("points_caption", self._metric)),
                say("points_alt", means),
                partial(draw_figures, results=results, words=words),
            )
            blocks.append(points)
        return blocks

    def _quality(self, line: Line) -> tuple[str, ...]:
        said, count = self._results.said, len(line.done) + len(line.diverged) + len(line.failed)
        ends = (line.figure - line.half_width, line.figure + line.half_width)
        known = math.isfinite(line.half_width)
        return (
            line.name,
            said(line.figure),
            said(line.deviation),
            f"{said(ends[0])} … {said(ends[1])}" if known else MISSING,
            self._prose.number(line.train, ".3f"),
            self._prose.number(line.validation, ".3f"),
            f"{len(line.done)}/{count}",
        )

    def _cost(self, line: Line) -> tuple[str, ...]:
        say = self._prose
        return (
            line.name,
            say.number(line.parameters),
            say.number(line.steps),
            say.duration(line.seconds),
            say.number(line.tokens_per_second),
            say.number(line.peak_bytes / 1e6),
            *(line.reaches(share) or MISSING for share in ("tenth", "thousandth")),
        )

    def _pairs(self) -> list[Block]:
        say, results = self._prose, self._results
        rows = []
        for one in results.differences:
            verdict = say(one.verdict(higher_is_better=results.higher_is_better))
            interval = f"{results.said(one.low)} … {results.said(one.high)}" if one.has_spread else MISSING
            pair = f"{one.one} – {one.other}"
            rows.append((pair, results.said(one.mean), interval, str(one.seeds), verdict))
        head = tuple(map(say, ("pair", "difference", "pair_interval", "seeds", "verdict")))
        caption = say("pairs_caption", self._metric)
        return [Table(caption, (head, *rows), note=say("pairs_note"))] if rows else []

    def _learning(self) -> list[Block]:
        say, results = self._prose, self._results
        found = {name: fit for name, fit in fits(results).items() if fit.verdict != "unknown"}
        if not found:
            return []
        ends = ", ".join(f"{name} {fit.validation:.3f}" for name, fit in found.items())
        words = {key: say(key) for key in ("step", "loss", "train", "validation", "unmeasured")}
        return [
            Figure(
                "curves",
                say("curves_caption", self._metric),
                say("curves_alt", len(found), ends),
                partial(draw_curves, results=results, words={**words, "metric": self._metric}),
            ),
            Items(tuple(f"{name}: {fit.said(say)}" for name, fit in found.items())),
        ]

    def _gradients(self) -> list[Block]:
        say = self._prose
        known = [line for line in self._results.lines if line.gradient is not None]
        if not known:
            return []
        far = ", ".join(f"{line.name} {steps_back(line.reaches('tenth'), say)}" for line in known)
        words = {key: say(key) for key in ("back", "norm", "tenth", "thousandth")}
        draw = partial(draw_reach, results=self._results, words=words)
        return [Figure("reach", say("reach_caption"), say("reach_alt", far), draw)]

    def _samples(self) -> list[Block]:
        samples = self._results.samples
        note = Paragraph(self._prose("samples_note"))
        return [note, Passages(tuple(samples.items()))] if samples else []

    def _what(self) -> list[Block]:
        say, study = self._prose, self._study
        budget = ", ".join(say(f"of_{name}", f"{value:g}") for name, value in study.budget.items())
        shared = ", ".join(f"{name}={value}" for name, value in study.options.items())
        facts = [
            (say("task"), study.task),
            self._data(),
            (say("budget"), budget),
            (say("seeds"), ", ".join(map(str, study.seeds))),
            (say("options"), shared or MISSING),
            *([(say("reason"), self._reason)] if self._reason else []),
        ]
        names = list(dict.fromkeys(name for variant in study.variants for name in variant.options))
        rows = [
            (variant.name, *(str(variant.options.get(name, MISSING)) for name in names))
            for variant in study.variants
        ]
        if names in ([], ["cell"]):  # what a variant is called says it
            return [Facts(tuple(facts))]
        return [Facts(tuple(facts)), Table(say("options_caption"), ((say("variant"), *names), *rows))]

    def _trouble(self) -> tuple[Block, ...]:
        messages = tuple(message.splitlines()[0] for message in self._results.messages)
        return (Items(messages),) if messages else ()

    def _made_with(self) -> Facts:
        say = self._prose
        rows = [
            (say("side_by_side"), say("one_thread")),
            (say("versions"), ", ".join(f"{name} {value}" for name, value in versions().items())),
            (say("machine"), ", ".join(f"{say(name)} {value}" for name, value in machine().items())),
        ]
        return Facts(tuple(rows))

    def references(self) -> list[tuple[str, str]]:
        """Give what the variants use, and what compares them."""
        keys: dict[str, None] = {}
        for variant in self._study.variants:
            model = model_class(self._study.task)(**self._study.options_of(variant, self._study.seeds[0]))
            cells = [{"name": cell.name, "text": cell.text} for cell in chosen_cells(model)]
            config = {"task": self._study.task, "options": model.to_toml_dict(), "cells": cells}
            baseline: Mapping[str, Any] = {"baseline": {"name": self._results.baseline_name}}
            keys |= dict.fromkeys(used(config, baseline))
        reached = any(line.gradient is not None for line in self._results.lines)
        return [*reference_lines(keys), *STATISTICS, *(GRADIENTS if reached else ())]


def table_of(results: Results) -> list[dict[str, Any]]:
    """Give what a repeated study has to give again: the figures of each variant, without what time took."""
    return [
        {"name": line.name, "by_seed": dict(line.by_seed), "parameters": line.parameters, "loss": line.loss}
        for line in results.lines
    ]
