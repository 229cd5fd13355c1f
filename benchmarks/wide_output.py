"""Training steps of a word model with many words: a sample of them scored, all of them, and PyTorch's.

A step is a window of 64 words in 8 streams through an embedding of 128 values, one layer of 256, dropout left
out: forward, cross-entropy, backward, clipping, Adam. Three sides of ours take it in turn: with a sample of
the words scored, as by default where there are many; with all of them; and of a model that knows 64 words and
so has hardly an output layer. PyTorch scores all. Words are made up, and as frequent as Zipf says. With all
of them, the first loss and all first gradients are compared with PyTorch's before anything is timed.

    python benchmarks/wide_output.py [--quick] [--json] [--threads 1 2] [--cell lstm] [--words 4096 30000 ...]
    python benchmarks/wide_output.py --text FILE [--minutes 3] [--threads 2] [--words 30000] [--seeds 3]

With ``--text``, whole models learn a file for the same minutes, with the defaults but for what is scored, and
their perplexities on the test part, always of all words, are compared.
"""

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from launch import launch, parser_of
from our_steps import OurSteps, Sides, beside_torch
from sides import largest_difference
from tables import Row, Table
from timing import Budget

from noria import LanguageModel
from noria.data import Text
from noria.layers import FlatParameters
from noria.models.text.corpus import corpus_of_text
from noria.models.text.network import build_network
from noria.models.text.options import TextModelOptions, TextTrainingOptions
from noria.models.text.task import StreamTask
from noria.models.wiring import chosen_cells, engines_of
from noria.training.symbol_loss import SymbolLoss
from noria.training.symbol_options import SAMPLES
from noria.training.token_options import TokenOptions

STREAMS, WINDOW, EMBEDDING, HIDDEN, RATE, CLIP, FEW = 8, 64, 128, 256, 1e-3, 1.0, 64
WORDS = (4096, 8192, 16384, 30000)
ALL, REST = "all words", f"of {FEW} words"
COLUMNS = {"Adam foreach": {"foreach": True}, "Adam fused": {"fused": True}}


class Ours(OurSteps):
    """A word model of the library, trained by the trainer's updater."""

    def __init__(self, cell: str, words: int, samples: int) -> None:
        options = TextModelOptions(cell=cell, hidden_size=HIDDEN, embedding_size=EMBEDDING, dropout=0.0)
        tokens = TokenOptions(level="words", min_count=1, vocabulary_size=words)
        corpus = corpus_of_text(made_up_text(words), 0.05, 0.05, tokens)
        self.symbols = len(corpus.vocabulary)
        network = build_network(options, chosen_cells(options), self.symbols)
        flat = FlatParameters.build(network.layers, np.random.default_rng(0), np.float32)
        self.ids = corpus.train.readings[0].ids
        loss = SymbolLoss(self.symbols, samples=samples, counts=corpus.target_counts())
        task = StreamTask(network, flat, corpus, STREAMS, WINDOW, lambda rng: "", loss=loss)
        training = TextTrainingOptions(grad_clip=CLIP, lr=RATE)
        super().__init__(task, flat, engines_of(network, "float32")[0], training)


def made_up_text(words: int) -> Text:
    """Write each word once, and then as often as Zipf says."""
    rng, ranks = np.random.default_rng(0), np.arange(1, words + 1)
    drawn = rng.choice(words, 20 * STREAMS * WINDOW, p=(1 / ranks) / (1 / ranks).sum())
    return Text(" ".join(f"w{word}" for word in [*rng.permutation(words), *drawn]))


def torch_sides(cell: str, whole: Ours) -> Sides:
    """Make PyTorch's steps; give them, and how far its first loss and gradients are from ours."""
    from torch_training import CharacterModel, Steps, as_model, load

    sides: dict[str, Callable[[], float]] = {}
    difference = 0.0
    for column, how in COLUMNS.items():
        peer = CharacterModel(cell, whole.symbols, EMBEDDING, HIDDEN, 1)
        steps = Steps(peer, whole.ids, STREAMS, WINDOW, rate=RATE, clip=CLIP, **how)
        load(peer, cell, whole.flat)
        loss, found = steps.gradients()
        our_loss, our_gradients = whole.gradients()
        expected = as_model(peer, cell, our_gradients, gradients=True)
        difference = max(difference, largest_difference(expected, found), abs(loss - our_loss))
        sides[column] = steps
    return sides, difference


def measure(cell: str, words: int, threads: int, budget: Budget) -> Row:
    """Time one number of words."""
    sampled, whole, rest = (Ours(cell, *sizes) for sizes in ((words, SAMPLES), (words, 0), (FEW, 0)))
    tokens, own = STREAMS * WINDOW, {ALL: whole, REST: rest}
    row = beside_torch(sampled, lambda: torch_sides(cell, whole), tokens, budget, own)
    return row | {"words": words, "samples": SAMPLES, "threads": threads}


def learn(path: Path, words: int, minutes: float, seeds: int, threads: int) -> list[Row]:
    """Train models for the same minutes, one after the other; give and print their figures."""
    rows: list[Row] = []
    for seed in range(seeds):
        for samples in (0, SAMPLES):
            model = LanguageModel(
                level="words", vocabulary_size=words, softmax_samples=samples, sample_length=0, seed=seed,
                threads=threads,
            )  # fmt: skip
            report = model.fit(path, minutes=minutes).report_
            figures = {name: report["test"][name] for name in ("loss", "perplexity", "bits_per_character")}
            rows.append({"samples": samples, "seed": seed, "steps": report["steps"], **figures})
            what = f"{samples:,} words and those that come" if samples else ALL
            print(
                f"seed {seed}, {what:<36} {report['steps']:>7,} steps, test {figures['loss']:.3f} nats, "
                f"perplexity {figures['perplexity']:,.1f}",
                flush=True,
            )
        before, after = (row["perplexity"] for row in rows[-2:])
        print(f"  {after / before:.2f} times the perplexity of all words", flush=True)
    pairs = zip(rows[::2], rows[1::2], strict=True)
    ratios = [after["perplexity"] / before["perplexity"] for before, after in pairs]
    print(f"median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    return rows


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Time the steps, or let models learn."""
    words = arguments.words or (WORDS[-1:] if arguments.quick or arguments.text else WORDS)
    if arguments.text:
        return {"rows": learn(arguments.text, words[0], arguments.minutes, arguments.seeds, threads)}
    budget = Budget(3, 0.3, threads) if arguments.quick else Budget(9, 5.0, threads)
    title = f"{arguments.cell}, {SAMPLES:,} words drawn for a batch; {threads} thread(s)"
    table = Table(title, [ALL, REST, *COLUMNS], "words", 8, limits=False)
    table.print_heading()
    rows = []
    for count in words:
        rows.append(measure(arguments.cell, count, threads, budget))
        table.print_row(f"{count:,}", rows[-1])
    return {"rows": rows}


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--cell", default="lstm", choices=("lstm", "rnn", "gru_reset_after"))
    parser.add_argument("--words", type=int, nargs="+", metavar="N", help="how many words there are")
    parser.add_argument("--text", type=Path, metavar="FILE", help="learn this instead of timing steps")
    parser.add_argument("--minutes", type=float, default=3.0, help="of each training (default 3)")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="trainings of each (default 1)")
    launch(parser.parse_args(), work)


if __name__ == "__main__":
    main()
