"""Which defaults of the language model hold for which text and which budget.

Pieces of several texts, of several sizes, are trained on for several numbers of updates with the defaults and
with one of them changed. All is judged by the validation part: the test part is for nothing to be chosen on.
The last column is the difference to the first line. What was measured, and what follows from it, stands in
defaults.md.

    python benchmarks/defaults.py [TEXT ...] [--quick] [--json] [--sizes 100000,400000] [--steps 1700,3400]
                                  [--lines recurrent,cell,...] [--seeds 1] [--threads N] [OPTION=VALUE ...]
"""

import argparse
import json
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from noria import LanguageModel
from noria.data import builtin_text, read_text
from noria.equations import Initial
from noria.models.text import network
from noria.training import options_of

PLAIN = "plain"
LINES: dict[str, dict[str, dict[str, Any]]] = {
    "recurrent": {
        "recurrent dropout 0.1": {"recurrent_dropout": 0.1},
        "recurrent dropout 0.2": {"recurrent_dropout": 0.2},
    },
    "features": {
        "no features": {"features": "none"},
        "shape, line, word": {"features": ["shape", "line", "word"]},
    },
    "dropout": {"dropout 0.1": {"dropout": 0.1}, "dropout 0.5": {"dropout": 0.5}},
    "cell": {"lstm": {"cell": "lstm"}, "gru": {"cell": "gru"}},
    "vectors": {"vectors of length 1": {"deviation": 0.125}, "vectors of length 16": {"deviation": 2.0}},
    "hidden": {
        f"hidden {size}": {"hidden_size": size, "share": share}
        for size, share in ((128, 2.4), (192, 1.6), (384, 0.487), (512, 0.28))
    },
    "batch": {
        "16 streams": {"batch_size": 16, "share": 1.8},
        "windows of 32": {"seq_length": 32, "share": 1.8},
    },
    "dropouts": {
        f"dropout {p:g}, recurrent dropout {q:g}": {"dropout": p, "recurrent_dropout": q}
        for p, q in ((0.3, 0.2), (0.3, 0.3), (0.5, 0.2), (0.5, 0.3), (0.5, 0.4))
    },
    "lr": {f"lr {rate:g}": {"lr": rate} for rate in (0.004, 0.008, 0.016)},
    "wide": {
        "two layers of 256": {"hidden_size": [256, 256], "share": 0.74},
        "hidden 512": {"hidden_size": 512, "share": 0.575},
        "windows of 32": {"seq_length": 32, "share": 1.87},
        "windows of 128": {"seq_length": 128, "share": 0.52},
        "16 streams": {"batch_size": 16, "share": 1.87},
        "lr 0.005": {"lr": 0.005},
        "lr 0.02": {"lr": 0.02},
        "linear": {"schedule": "linear"},
        "one-cycle": {"schedule": "one-cycle"},
    },
    "small": {
        "adamw, weight decay 0.05": {"optimizer": "adamw", "weight_decay": 0.05},
        "adamw, weight decay 0.2": {"optimizer": "adamw", "weight_decay": 0.2},
        "embedding dropout 0.1": {"embedding_dropout": 0.1},
        "dropout 0.6, recurrent dropout 0.4": {"dropout": 0.6, "recurrent_dropout": 0.4},
    },
    "words": {
        "as characters": {
            "embedding_size": 64,
            "batch_size": 32,
            "dropout": 0.3,
            "input_dropout": 0.0,
            "lr": 0.01,
        }
    },
}
"""The options of each line; ``deviation`` is that of the vectors of symbols before training, ``share`` how
many times as many steps take the same time. Shares are those beside 256 units, of ``wide`` beside 384."""
PIECE = 1
"""The seed of the place that a piece is taken from."""


def pieces(texts: Sequence[Path], sizes: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Give the name and the characters of each piece; a text that is shorter is taken whole, once."""
    for path in texts or [None]:
        text = (builtin_text() if path is None else read_text(path)).text
        for size in sorted({min(size or len(text), len(text)) for size in sizes}):
            start = int(np.random.default_rng(PIECE).integers(0, len(text) - size + 1))
            yield "built in" if path is None else path.stem, text[start : start + size]


def train(text: str, steps: int, seed: int, threads: int, options: dict[str, Any]) -> dict[str, float]:
    """Train one model; give the loss of its best weights on the validation part."""
    options = dict(options)
    steps = round(steps * options.pop("share", 1))
    network.OF_SYMBOLS = Initial("normal", (options.pop("deviation", 1.0),))
    model = LanguageModel(
        **{"recurrent_dropout": 0.0, "seed": seed, "threads": threads, "sample_length": 0, **options}
    )
    model.fit(text, steps=steps)
    report = model.report_
    return {
        "validation": report["validation"]["loss"],
        "best_step": report["best_step"],
        "passes": report["tokens"] / model.description_.data.train,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument(
        "texts",
        nargs="*",
        metavar="TEXT",
        help="files; without one, the built-in text; OPTION=VALUE (level=words) is for all lines",
    )
    parser.add_argument("--quick", action="store_true", help="20,000 characters, 150 updates, two lines")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument(
        "--sizes", default="100000,400000", help="characters of the pieces; 0: the whole text"
    )
    parser.add_argument("--steps", default="1700,3400", help="updates")
    parser.add_argument(
        "--lines", default="recurrent", help=f"which options are changed, of {', '.join(LINES)}"
    )
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--threads", type=int, default=1, metavar="N")
    asked = parser.parse_args()
    sizes, budgets, seeds = _numbers(asked.sizes), _numbers(asked.steps), asked.seeds
    table = {info.name: info for info in options_of(LanguageModel)}
    texts = [Path(word) for word in asked.texts if "=" not in word]
    given = dict(word.split("=", 1) for word in asked.texts if "=" in word)
    common = {name: table[name].parse(value) for name, value in given.items()}
    lines = {PLAIN: {}} | {
        name: line for axis in asked.lines.split(",") for name, line in LINES[axis].items()
    }
    if asked.quick:
        sizes, budgets, seeds, lines = [20_000], [150], 1, dict(list(lines.items())[:2])
    rows = []
    with threadpool_limits(asked.threads):
        for name, text in pieces(texts, sizes):
            for steps in budgets:
                plain = 0.0
                for line, options in lines.items():
                    runs = [
                        train(text, steps, seed, asked.threads, common | options) for seed in range(seeds)
                    ]
                    means = {key: statistics.fmean(run[key] for run in runs) for key in runs[0]}
                    plain = means["validation"] if line == PLAIN else plain
                    row = {"text": name, "characters": len(text), "steps": steps, "line": line, **means}
                    rows.append({**row, "difference": means["validation"] - plain})
                    if not asked.json:
                        _print(rows[-1], is_first=len(rows) == 1)
    if asked.json:
        print(json.dumps({"seeds": seeds, "rows": rows}))


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _print(row: dict[str, Any], *, is_first: bool) -> None:
    if is_first:
        head = f"{'text':<12} {'size':>9} {'steps':>6} {'passes':>6}  {'':<22}"
        print(f"{head} {'validation':>10} {'difference':>10}")
    place = f"{row['text']:<12} {row['characters']:>9,} {row['steps']:>6,} {row['passes']:>6.1f}"
    loss = f"{row['validation']:>10.4f} {row['difference']:>+10.4f}"
    print(f"{place}  {row['line']:<22} {loss}", flush=True)


if __name__ == "__main__":
    main()
