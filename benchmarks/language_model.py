"""Our defaults against good models in PyTorch: the same text, minutes and threads for all.

Each trains on the first 90 % of the text, chooses its best weights on the next 5 % and is scored on the
last 5 %. Recurrent models read it as one text with the state carried. PyTorch's LSTM has settings known
to be good: embedding 64, 256 units, dropout on its output, 32 streams, windows of 64, Adam 4e-3 with a
cosine to 2 %, clipping at 1. The small transformer has 4 layers, 128 wide, context 64, 12 pieces in a
batch, AdamW 1e-3. Ours is told the place in the line, as by default. Beside them the interpolated
Kneser-Ney 5-gram on the same split.

    python benchmarks/language_model.py [--text FILE --characters N] [--minutes 3] [--threads 2] [--seeds 1]
        [--dropout 0.3 0] [--transformer] [--quick] [--json] [-- OPTION=VALUE ...]

Options of ours are given by name, ``cell=lstm lr=0.004``. ``--quick`` trains for a quarter of a minute each.
The order is turned round from seed to seed, so that nobody always has the quiet machine.
"""

import argparse
import json
import math
import statistics
import time
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch_language_models import TorchLSTM, TorchTransformer, train

from noria import LanguageModel
from noria.data import Text, builtin_text, read_text
from noria.training import options_of
from noria.training.report import Evaluated, Event, StepDone


def train_ours(
    text: Text, minutes: float, threads: int, options: dict[str, Any]
) -> tuple[LanguageModel, dict[str, Any]]:
    """Train with the defaults, but for ``options``."""
    clock, curve = [0.0], []

    def listen(event: Event) -> None:
        if isinstance(event, StepDone):
            clock[0] = event.seconds
        elif isinstance(event, Evaluated):
            curve.append((clock[0], event.metrics["loss"]))

    start = time.perf_counter()
    model = LanguageModel(threads=threads, **options).fit(text, minutes=minutes, listener=listen)
    report = model.report_
    return model, {
        "test_nats": report["test"]["loss"],
        "validation_nats": report["validation"]["loss"],
        "steps": report["steps"],
        "seconds": time.perf_counter() - start,
        "tokens_per_second": report["tokens"] / report["seconds"],
        "curve": curve,
    }


def parts_of(text: str, model: LanguageModel) -> dict[str, np.ndarray]:
    """Cut the text as ours was cut, as ids."""
    cuts = [round(len(text) * share) for share in (0, 0.9, 0.95, 1)]
    names = ("train", "validation", "test")
    return {
        name: model.vocabulary_.encode(text[start:stop]).astype(np.int64)
        for name, (start, stop) in zip(names, pairwise(cuts), strict=True)
    }


def share_of_time(ours: dict[str, Any], theirs: dict[str, Any]) -> float:
    """Give the share of their time after which our validation loss was as low as theirs; inf: never."""
    reached = [seconds for seconds, loss in ours["curve"] if loss <= theirs["validation_nats"]]
    return min(reached, default=math.inf) / theirs["seconds"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--text", help="a text file; left out: the built-in text")
    parser.add_argument("--characters", type=int, help="only the first so many characters of it")
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument(
        "--dropout", type=float, nargs="+", default=[0.3, 0.0], metavar="P", help="of PyTorch's LSTM"
    )
    parser.add_argument("--transformer", action="store_true", help="a small transformer as well")
    parser.add_argument("--quick", action="store_true", help="a quarter of a minute each")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="options of ours")
    arguments = parser.parse_args()
    minutes = 0.25 if arguments.quick else arguments.minutes
    table = {info.name: info for info in options_of(LanguageModel)}
    options = {name: table[name].parse(value) for name, value in (o.split("=", 1) for o in arguments.options)}
    read = read_text(arguments.text) if arguments.text else builtin_text()
    text = Text(read.text[: arguments.characters], read.source, read.encoding)
    torch.set_num_threads(arguments.threads)
    ours = "noria"
    peers: dict[str, Any] = {f"PyTorch LSTM, dropout {p:g}": (TorchLSTM, p) for p in arguments.dropout}
    if arguments.transformer:
        peers["PyTorch transformer"] = (TorchTransformer, 0.0)
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in (ours, *peers)}
    baseline = math.nan
    with threadpool_limits(arguments.threads):
        prepared = LanguageModel(**options).prepare(text)
        symbols = len(prepared.corpus.vocabulary)
        first = LanguageModel(**options)
        first.vocabulary_ = prepared.corpus.vocabulary
        parts = parts_of(text.text, first)
        for seed in range(arguments.seeds):
            order = list(rows) if seed % 2 == 0 else list(reversed(rows))
            for name in order:
                if name == ours:
                    model, row = train_ours(text, minutes, arguments.threads, {**options, "seed": seed})
                    baseline = model.report_["baseline"]["loss"]
                else:
                    peer, dropout = peers[name]
                    row = train(peer, parts, symbols, minutes, dropout, seed)
                rows[name].append(row)
    shares = {
        name: statistics.median(share_of_time(*pair) for pair in zip(rows[ours], rows[name], strict=True))
        for name in peers
    }
    if arguments.json:
        found = {"minutes": minutes, "threads": arguments.threads, "source": text.source, "rows": rows}
        print(json.dumps({**found, "share_of_time": shares, "kneser_ney_5_gram": baseline}))
        return
    print(
        f"{text.source}, {len(text):,} characters, {minutes:g} minutes and {arguments.threads} threads each; "
        f"nats per character on the last 5 %, median of {arguments.seeds} (least, most)"
    )
    for name, runs in rows.items():
        nats = [run["test_nats"] for run in runs]
        middle = statistics.median(nats)
        speed = statistics.median(run["tokens_per_second"] for run in runs)
        print(
            f"{name:<28} {middle:.3f} ({min(nats):.3f}, {max(nats):.3f})   {middle / math.log(2):.3f} bits   "
            f"{statistics.median(run['steps'] for run in runs):>7,.0f} steps   {speed:>8,.0f} tokens/s"
        )
    print(f"{'Kneser-Ney 5-gram':<28} {baseline:.3f}   {baseline / math.log(2):.3f} bits")
    for name, share in shares.items():
        when = f"after {share:.0%} of its time" if math.isfinite(share) else "not in its time"
        print(f"as good on validation as {name}: {when}")


if __name__ == "__main__":
    main()
