"""Our defaults against a good PyTorch LSTM: the built-in text, the same minutes and threads for both.

Both train on the first 90 % of the text, choose their best weights on the next 5 % and are scored on the
last 5 %, read as one text with the state carried. PyTorch's model has settings known to be good: embedding
64, LSTM 256, dropout on its output, 32 streams, windows of 64, Adam 4e-3 with a cosine to 2 %, clipping at 1.
Beside them the interpolated Kneser-Ney 5-gram on the same split.

    python benchmarks/language_model.py [--minutes 3] [--threads 2] [--quick] [--json] [-- OPTION=VALUE ...]

Options of ours are given by name, ``cell=lstm lr=0.004``. ``--quick`` trains for a quarter of a minute each.
"""

import argparse
import json
import math
import time
from itertools import pairwise

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from noria import LanguageModel
from noria.data import builtin_text
from noria.training import options_of

EMBEDDING, HIDDEN, STREAMS, WINDOW, RATE, CLIP = 64, 256, 32, 64, 4e-3, 1.0


class TorchLSTM(torch.nn.Module):
    """Embedding, one LSTM, dropout, linear."""

    def __init__(self, symbols: int, dropout: float) -> None:
        super().__init__()
        self.embedding = torch.nn.Embedding(symbols, EMBEDDING)
        self.lstm = torch.nn.LSTM(EMBEDDING, HIDDEN)
        self.dropout = torch.nn.Dropout(dropout)
        self.output = torch.nn.Linear(HIDDEN, symbols)

    def forward(
        self, ids: torch.Tensor, state: tuple[torch.Tensor, ...] | None
    ) -> tuple[torch.Tensor, tuple[torch.Tensor, ...]]:
        """Give the logits and the state after the window."""
        h, state = self.lstm(self.embedding(ids), state)
        return self.output(self.dropout(h)), state


def nats(model: TorchLSTM, ids: torch.Tensor) -> float:
    """Score a text read from its beginning, the state carried."""
    model.eval()
    total, state = 0.0, None
    with torch.no_grad():
        for begin in range(0, len(ids) - 1, 2000):
            inputs, targets = ids[begin : begin + 2000], ids[begin + 1 : begin + 2001]
            logits, state = model(inputs[: len(targets), None], state)
            total += float(torch.nn.functional.cross_entropy(logits[:, 0], targets, reduction="sum"))
    model.train()
    return total / (len(ids) - 1)


def train_torch(
    parts: dict[str, np.ndarray], symbols: int, minutes: float, dropout: float
) -> dict[str, float]:
    """Train for the minutes, clock and all; give the figure of the best weights."""
    torch.manual_seed(0)
    text = {name: torch.from_numpy(ids) for name, ids in parts.items()}
    length = (len(text["train"]) - 1) // STREAMS
    inputs = text["train"][: length * STREAMS].reshape(STREAMS, length).T
    targets = text["train"][1 : length * STREAMS + 1].reshape(STREAMS, length).T
    model = TorchLSTM(symbols, dropout)
    optimiser = torch.optim.Adam(model.parameters(), RATE)
    start, state, step, tokens = time.perf_counter(), None, 0, 0
    best, weights, evaluations = math.inf, model.state_dict(), 0
    while (share := (time.perf_counter() - start) / (60 * minutes)) < 1:
        begin = step % (length // WINDOW) * WINDOW
        state = None if begin == 0 else tuple(part.detach() for part in state)
        for group in optimiser.param_groups:
            group["lr"] = RATE * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * share)))
        logits, state = model(inputs[begin : begin + WINDOW], state)
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), targets[begin : begin + WINDOW].flatten()
        )
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        step, tokens = step + 1, tokens + STREAMS * WINDOW
        if share * 20 >= evaluations + 1:
            evaluations += 1
            if (found := nats(model, text["validation"])) < best:
                best, weights = found, {name: tensor.clone() for name, tensor in model.state_dict().items()}
    if (found := nats(model, text["validation"])) >= best:
        model.load_state_dict(weights)
    seconds = time.perf_counter() - start
    return {
        "test_nats": nats(model, text["test"]),
        "steps": step,
        "seconds": seconds,
        "tokens_per_second": tokens / seconds,
    }


def train_ours(
    minutes: float, threads: int, options: dict[str, object]
) -> tuple[LanguageModel, dict[str, float]]:
    """Train with the defaults, but for ``options``."""
    start = time.perf_counter()
    model = LanguageModel(threads=threads, **options).fit(builtin_text(), minutes=minutes)
    report = model.report_
    return model, {
        "test_nats": report["test"]["loss"],
        "steps": report["steps"],
        "seconds": time.perf_counter() - start,
        "tokens_per_second": report["steps"] * model.batch_size * model.seq_length / report["seconds"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="a quarter of a minute each")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE", help="options of ours")
    arguments = parser.parse_args()
    minutes = 0.25 if arguments.quick else arguments.minutes
    table = {info.name: info for info in options_of(LanguageModel)}
    options = {name: table[name].parse(value) for name, value in (o.split("=", 1) for o in arguments.options)}
    torch.set_num_threads(arguments.threads)
    with threadpool_limits(arguments.threads):
        model, ours = train_ours(minutes, arguments.threads, options)
        text = builtin_text().text
        cuts = [round(len(text) * share) for share in (0, 0.9, 0.95, 1)]
        names = ("train", "validation", "test")
        parts = {
            name: model.vocabulary_.encode(text[start:stop]).astype(np.int64)
            for name, (start, stop) in zip(names, pairwise(cuts), strict=True)
        }
        rows = {f"noria {model.cell}": ours}
        for dropout in (0.3,) if arguments.quick else (0.3, 0.0):
            rows[f"PyTorch LSTM, dropout {dropout}"] = train_torch(
                parts, len(model.vocabulary_), minutes, dropout
            )
    baseline = model.report_["baseline"]["loss"]
    if arguments.json:
        print(
            json.dumps(
                {
                    "minutes": minutes,
                    "threads": arguments.threads,
                    "rows": rows,
                    "kneser_ney_5_gram": baseline,
                }
            )
        )
        return
    print(
        f"built-in text, {minutes:g} minutes and {arguments.threads} threads each; "
        "nats per character on the last 5 %"
    )
    for name, row in rows.items():
        print(
            f"{name:<28} {row['test_nats']:.3f} nats   {row['test_nats'] / math.log(2):.3f} bits   "
            f"{row['steps']:>6,} steps   {row['tokens_per_second']:>8,.0f} tokens/s"
        )
    print(f"{'Kneser-Ney 5-gram':<28} {baseline:.3f} nats   {baseline / math.log(2):.3f} bits")


if __name__ == "__main__":
    main()
