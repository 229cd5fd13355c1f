"""Going on with a run, or from its weights: what has to be the same is compared, differences are shown."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from noria.data import Vocabulary, describe_symbols
from noria.data.augmentation import Augmentation
from noria.equations import Cell
from noria.errors import RunError
from noria.layers import FlatParameters
from noria.models.text.corpus import Corpus
from noria.models.text.run import StoredModel
from noria.training.run_folder import RunFolder
from noria.training.training_options import Budget

FREE = frozenset({"threads", "save_every", "save_minutes", "stop_after", "thesaurus"})
"""Options that may differ from sitting to sitting. Other threads round sums otherwise, which is said; of the
thesaurus the content counts, and not the name of its file."""

CHUNK = 1 << 20
SHOWN = 40


def content_of(corpus: Corpus) -> str:
    """Give digits that two corpora do not share: of every symbol in every part, wherever the files lie."""
    digest = hashlib.blake2b(digest_size=16)
    for part in (corpus.train, corpus.validation, corpus.test):
        digest.update(f"part of {len(part.readings)}".encode())
        for reading in part.readings:
            digest.update(f"reading of {len(reading.ids)}, {reading.lead}".encode())
            for start in range(0, len(reading.ids), CHUNK):
                digest.update(reading.ids[start : start + CHUNK].astype("<i4").tobytes())
    return digest.hexdigest()


def thesaurus_of(augmentation: Augmentation | None) -> str | None:
    """Give digits that two thesauruses do not share; None where there is none."""
    if augmentation is None or augmentation.thesaurus is None:
        return None
    written = json.dumps(dict(augmentation.thesaurus), sort_keys=True)
    return hashlib.blake2b(written.encode(), digest_size=16).hexdigest()


def refuse_finished(run: RunFolder, report: Mapping[str, Any], budget: Budget) -> None:
    """Refuse to go on with a run that is complete, where no more is asked for.

    Raises
    ------
    RunError
        Says how to go on beyond its end.
    """
    steps, planned = report.get("steps"), run.config.get("run", {}).get("steps")
    if budget.to_toml_dict() or "baseline" not in report or not steps or steps != planned:
        return
    raise RunError(
        f"{run.path}: is finished, all of its {steps:,} steps are made.\n"
        f"  To train on, give more: steps={2 * steps}, epochs or minutes. The learning rate then goes on "
        "as in a run of the new length."
    )


def check_options(run: RunFolder, stored: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Refuse options that are not those of the run.

    Raises
    ------
    RunError
        Names each with both values.
    """
    names = sorted((stored.keys() | given.keys()) - FREE)
    differences = [
        f"{name}: {_shown(stored.get(name))} in the run, {_shown(given.get(name))} here"
        for name in names
        if stored.get(name) != given.get(name)
    ]
    _refuse(
        run,
        "options",
        differences,
        "Leave them out to go on with the run; for other options begin a new run, which may take over its "
        "weights (init_from).",
    )


def check_cells(run: RunFolder, stored: Sequence[Cell], given: Sequence[Cell]) -> None:
    """Refuse cells whose equations are not those of the run.

    Raises
    ------
    RunError
        Shows the first line that differs.
    """
    _refuse(run, "cells", _cell_differences(stored, given), "Give the run's own cell, or begin a new run.")


def check_data(
    run: RunFolder, stored: StoredModel, corpus: Corpus, augmentation: Augmentation | None = None
) -> None:
    """Refuse data whose symbols, vocabulary or synonyms are not those of the run.

    Raises
    ------
    RunError
        Says what is known of both.
    """
    about = stored.about
    advice = (
        "Give the text that the run was made with (it may have moved), in the same encoding and cut in the "
        "same way."
    )
    kind = "sequences" if corpus.separate else "text"
    differences = []
    if about["kind"] != kind:
        differences.append(f"kind: {about['kind']} in the run, {kind} here (lines makes sequences of a text)")
    if about.get("characters") != corpus.characters:
        differences.append(
            f"characters: {about.get('characters', 0):,} in the run, from {about.get('source', 'unknown')}; "
            f"{corpus.characters:,} here, from {corpus.source}"
        )
    differences += _vocabulary_differences(stored.vocabulary, corpus.vocabulary)
    if about.get("thesaurus") != thesaurus_of(augmentation):
        differences.append("thesaurus: the synonyms are not those of the run")
    if not differences:
        if "content" not in about:
            raise RunError(
                f"{run.path}: does not say which data it was made with, so it cannot be gone on with.\n"
                "  Begin a new run, which may take over its weights (init_from)."
            )
        if about["content"] != content_of(corpus):
            differences.append("the characters are as many and of the same kinds, but not the same")
    if differences and about.get("encoding") != corpus.encoding:
        differences.append(f"encoding: {about.get('encoding', 'unknown')} in the run, {corpus.encoding} here")
    _refuse(run, "data", differences, advice)


def take_over_weights(
    stored: StoredModel, cells: Sequence[Cell], vocabulary: Vocabulary, parameters: FlatParameters
) -> None:
    """Set the parameters of a new run to the best weights of another one.

    Raises
    ------
    RunError
        If vocabulary, cells or sizes are not the same: shows where.
    """
    shapes = {name: array.shape for name, array in stored.weights.items()}
    here = {name: array.shape for name, array in parameters.state_dict().items()}
    sizes = [
        f"{name}: {shapes.get(name, 'nothing')} in the run, {here.get(name, 'nothing')} here"
        for name in sorted(shapes.keys() | here.keys())
        if shapes.get(name) != here.get(name)
    ]
    differences = [
        *_cell_differences(stored.cells, cells),
        *_vocabulary_differences(stored.vocabulary, vocabulary),
    ]
    if differences or sizes:
        raise RunError(
            f"{stored.path}: its weights do not fit this model:\n"
            + "".join(f"  {line}\n" for line in (differences or sizes)[:8])
            + "  Cell, sizes and vocabulary have to be the same for one to begin where the other ended."
        )
    stored.fill(parameters)


def _refuse(run: RunFolder, what: str, differences: Sequence[str], advice: str) -> None:
    if differences:
        lines = "".join(f"  {line}\n" for line in differences)
        raise RunError(f"{run.path}: was made with other {what}:\n{lines}  {advice}")


def _cell_differences(stored: Sequence[Cell], given: Sequence[Cell]) -> list[str]:
    if len(stored) != len(given):
        return [f"layers: {len(stored)} in the run, {len(given)} here"]
    return [
        f"cell of layer {layer}: {there.name} in the run, {here.name} here"
        f"{_first_line(there.text, here.text)}"
        for layer, (there, here) in enumerate(zip(stored, given, strict=True), 1)
        if there != here
    ]


def _first_line(there: str, here: str) -> str:
    for one, other in _lines(there, here):
        if one != other:
            return f": {one.strip() or 'nothing'!r} and {other.strip() or 'nothing'!r}"
    return ""


def _lines(there: str, here: str) -> Iterator[tuple[str, str]]:
    ours, theirs = (
        [line for line in text.splitlines() if not line.startswith("#")] for text in (there, here)
    )
    count = max(len(ours), len(theirs))
    yield from zip(ours + [""] * (count - len(ours)), theirs + [""] * (count - len(theirs)), strict=True)


def _vocabulary_differences(stored: Vocabulary, given: Vocabulary) -> list[str]:
    there, here = stored.symbols, given.symbols
    if there == here:
        return []
    gone, new = sorted(set(there) - set(here)), sorted(set(here) - set(there))
    parts = [
        f"{describe_symbols(symbols)} only {place}"
        for symbols, place in ((gone, "in the run"), (new, "here"))
        if symbols
    ]
    told = "; ".join(parts) or "the same symbols in another order"
    return [f"vocabulary: {len(there):,} symbols in the run, {len(here):,} here; {told}"]


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "..."
