"""The report of a study: what won, by how much, whether that exceeds the spread, and what it cost."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import noria
from noria.models.citing import used
from noria.models.loading import model_class
from noria.models.wiring import chosen_cells
from noria.reports import document as doc
from noria.reports.fit import FIT_SENTENCES
from noria.reports.folder import RESULTS, refuse_other, write_report_folder
from noria.reports.gates import GATE_WORDS
from noria.reports.machine import MACHINE, machine, versions
from noria.reports.prose import LANGUAGES, MISSING, Prose
from noria.reports.references import reference_lines
from noria.studies.conclusions import conclusions, fits, metric_fits
from noria.studies.folder import StudyFolder, read_json
from noria.studies.report_figures import gates, gradients, kept_gates, learning, points
from noria.studies.report_opening import facts
from noria.studies.report_tables import cost, pairs, quality
from noria.studies.results import Results, results_of
from noria.studies.study_words import BOTH, WORDS
from noria.studies.told import Told

NAMED = 4
"""Variants that a title names."""
TABLES = (WORDS, BOTH, FIT_SENTENCES, GATE_WORDS, MACHINE)
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
    told = Told(folder.study, results, Prose(language, *TABLES))
    numbers = {
        **results.to_dict(),
        "kind": "study",
        "conclusions": {one: conclusions(results, one) for one in LANGUAGES},
        "fits": {name: {**vars(fit), "verdict": fit.verdict} for name, fit in fits(results).items()},
        "metric_fits": {name: vars(fit) for name, fit in metric_fits(results).items()},
        "command": command,
        "reason": reason,
        "noria": noria.__version__,
        "versions": versions(),
        "machine": machine(),
        "references": [{"text": text, "url": url} for text, url in _references(told)],
    }
    write_report_folder(out or folder.path, _document(told, command, reason), numbers)
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


def _document(told: Told, command: str, reason: str) -> doc.Document:
    say, results = told.say, told.results
    names = [line.name for line in results.lines]
    title = say("title", ", ".join(names))
    if len(names) > NAMED:
        title = say("title_many", len(names), told.study.recipe or told.study.task)
    lead, *others = conclusions(results, say.language)
    explanations, damaged = kept_gates(told)
    opening: list[doc.Block] = [doc.Paragraph(lead, lead=True), doc.Facts(tuple(facts(told)))]
    parts: dict[str, list[doc.Block]] = {
        "conclusions": [doc.Items(tuple(others))] if others else [],
        "variants": [quality(told), cost(told), *points(told)],
        "pairs": [*pairs(told)],
        "learning": learning(told),
        "gradients": [*gradients(told)],
        "gates": [*gates(told, explanations)],
        "samples": _samples(told),
        "what": _what(told, reason),
        "trouble": _trouble(told, damaged),
        "made_with": [_made_with(say)],
        "references": [doc.References(tuple(_references(told)))],
    }
    return doc.Document(
        title,
        say.language,
        (*opening, *([doc.Command(command)] if command else ())),
        tuple(doc.Section(say(name), tuple(blocks)) for name, blocks in parts.items()),
    )


def _samples(told: Told) -> list[doc.Block]:
    samples = told.results.samples
    note = doc.Paragraph(told.say("samples_note"))
    return [note, doc.Passages(tuple(samples.items()))] if samples else []


def _what(told: Told, reason: str) -> list[doc.Block]:
    say, study = told.say, told.study
    budget = ", ".join(say(f"of_{name}", f"{value:g}") for name, value in study.budget.items())
    shared = ", ".join(f"{name}={value}" for name, value in study.options.items())
    rows = [
        (say("task"), study.task),
        told.data,
        (say("budget"), budget),
        (say("seeds"), ", ".join(map(str, study.seeds))),
        (say("options"), shared or MISSING),
        *([(say("reason"), reason)] if reason else []),
    ]
    names = list(dict.fromkeys(name for variant in study.variants for name in variant.options))
    if names in ([], ["cell"]):  # what a variant is called says it
        return [doc.Facts(tuple(rows))]
    differing = [
        (variant.name, *(str(variant.options.get(name, MISSING)) for name in names))
        for variant in study.variants
    ]
    head = (say("variant"), *names)
    return [doc.Facts(tuple(rows)), doc.Table(say("options_caption"), (head, *differing))]


def _trouble(told: Told, damaged: Sequence[str]) -> list[doc.Block]:
    say, results = told.say, told.results
    unseen = [say(f"no_{look}", name, seed, why) for name, seed, look, why in results.unseen]
    lines = tuple(message.splitlines()[0] for message in (*results.messages, *unseen, *damaged))
    return [doc.Items(lines)] if lines else []


def _made_with(say: Prose) -> doc.Facts:
    rows = [
        (say("side_by_side"), say("one_thread")),
        (say("versions"), ", ".join(f"{name} {value}" for name, value in versions().items())),
        (say("machine"), ", ".join(f"{say(name)} {value}" for name, value in machine().items())),
    ]
    return doc.Facts(tuple(rows))


def _references(told: Told) -> list[tuple[str, str]]:
    """Give what the variants use, and what compares them."""
    study, results = told.study, told.results
    keys: dict[str, None] = {}
    for variant in study.variants:
        model = model_class(study.task)(**study.options_of(variant, study.seeds[0]))
        cells = [{"name": cell.name, "text": cell.text} for cell in chosen_cells(model)]
        config = {"task": study.task, "options": model.to_toml_dict(), "cells": cells}
        baseline: Mapping[str, Any] = {"baseline": {"name": results.baseline_name}}
        keys |= dict.fromkeys(used(config, baseline))
    reached = any(line.gradient is not None for line in results.lines)
    return [*reference_lines(keys), *STATISTICS, *(GRADIENTS if reached else ())]


def table_of(results: Results) -> list[dict[str, Any]]:
    """Give what a repeated study has to give again: the figures of each variant, without what time took."""
    return [
        {"name": line.name, "by_seed": dict(line.by_seed), "parameters": line.parameters, "loss": line.loss}
        for line in results.lines
    ]
