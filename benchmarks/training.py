"""Whole training steps of a character model: ours and the same model in PyTorch.

A step is a window of 64 symbols in 32 streams: forward, cross-entropy, backward, clipping of the global norm
at 1, Adam. The state is carried from window to window, its gradient is not. Ours goes through the updater
that the trainer uses; PyTorch's Adam runs fused and in groups of tensors (foreach), and the faster counts.
Weights are the same at the start: the first loss and all first gradients are compared before anything is
timed. The reset-before GRU has no module in PyTorch: ``nn.GRU`` is its nearest peer, the loss only similar.

    python benchmarks/training.py [--quick] [--json] [--threads 1 2] [--only CELL ...] [--profile]

``--quick`` takes a few models and stays under a minute; ``--profile`` adds the pieces of our step in ms.
"""

import argparse
import time
from collections.abc import Callable
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from launch import launch, parser_of
from our_steps import OurSteps, Sides, beside_torch
from sides import largest_difference
from tables import BEST, Level, Row, Table, print_verdicts
from timing import Budget

from noria.data import Text
from noria.layers import FlatParameters
from noria.models.text.corpus import corpus_of_text
from noria.models.text.network import build_network
from noria.models.text.options import TextModelOptions, TextTrainingOptions
from noria.models.text.task import StreamTask
from noria.models.wiring import chosen_cells, engines_of

SYMBOLS, STREAMS, WINDOW, EMBEDDING, RATE, CLIP, WINDOWS = 65, 32, 64, 64, 4e-3, 1.0, 16
CELLS = {"lstm": 1.3, "gru_reset_after": 1.8, "gru": None}
"""Cells, and the geometric mean that is asked for against PyTorch's module."""

COLUMNS = {"Adam foreach": {"foreach": True}, "Adam fused": {"fused": True}}
PIECES = ("before", "forward", "loss", "backward", "clip", "optimiser")
PROFILED = 30


class Model(NamedTuple):
    """One line of the table."""

    cell: str
    embedding: bool
    layers: int
    hidden: int

    def __str__(self) -> str:
        start = f"embedding {EMBEDDING}" if self.embedding else "one-hot"
        return f"{self.cell}, {start}, {self.layers} x {self.hidden}"


GRID = tuple(Model(*choice) for choice in product(CELLS, (False, True), (1, 2), (128, 256, 512)))
QUICK = tuple(model for model in GRID if model.hidden == 128 and (model.layers == 2) == model.embedding)


class Ours(OurSteps):
    """The model of the library, trained by the trainer's updater on streams of a text."""

    def __init__(self, model: Model, text: Text) -> None:
        options = TextModelOptions(
            cell=model.cell,
            hidden_size=model.hidden,
            num_layers=model.layers,
            embedding_size=EMBEDDING * model.embedding,
            dropout=0.0,
        )
        corpus = corpus_of_text(text, 0.05, 0.05)
        network = build_network(options, chosen_cells(options), SYMBOLS)
        flat = FlatParameters.build(network.layers, np.random.default_rng(0), np.float32)
        self.ids = corpus.train.readings[0].ids
        engine = engines_of(network, "float32")[0]
        task = StreamTask(network, flat, corpus, STREAMS, WINDOW, lambda rng: "")
        super().__init__(task, flat, engine, TextTrainingOptions(grad_clip=CLIP, lr=RATE))


class Stopwatch:
    """Stands in the place of a network, and of an optimiser's step, and notes the time."""

    def __init__(self, ours: Ours) -> None:
        self.marks: list[float] = []
        self._network, self._update = ours.task.network, ours.updater.optimiser.update
        optimiser: Any = ours.updater.optimiser
        ours.task.network, optimiser.update = self, self._timed(self._update)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)

    def __call__(self, *args: Any, **options: Any) -> tuple[Any, Any]:
        """Run the network forward; time its backward too."""
        y, backward = self._timed(self._network)(*args, **options)
        timed: Any = self._timed(backward)
        timed.state = backward.state
        return y, timed

    def _timed(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            self.marks.append(time.perf_counter())
            result = function(*args, **options)
            self.marks.append(time.perf_counter())
            return result

        return run


def profile(ours: Ours) -> dict[str, float]:
    """Give the median of each piece of our step, in milliseconds."""
    stopwatch = Stopwatch(ours)
    pieces = []
    for _ in range(PROFILED):
        stopwatch.marks = [time.perf_counter()]
        ours()
        pieces.append(1e3 * np.diff(stopwatch.marks))
    return dict(zip(PIECES, np.median(pieces, axis=0).tolist(), strict=True))


def torch_sides(model: Model, ours: Ours) -> Sides:
    """Make PyTorch's steps; give them, and how far its first loss and gradients are from ours."""
    from torch_training import CharacterModel, Steps, as_model, load

    same = model.cell != "gru"
    cell = model.cell if same else "gru_reset_after"
    sides: dict[str, Callable[[], float]] = {}
    difference = None
    for column, how in COLUMNS.items():
        peer = CharacterModel(cell, SYMBOLS, EMBEDDING * model.embedding, model.hidden, model.layers)
        steps = Steps(peer, ours.ids, STREAMS, WINDOW, rate=RATE, clip=CLIP, **how)
        if same:
            load(peer, cell, ours.flat)
            loss, found = steps.gradients()
            our_loss, our_gradients = ours.gradients()
            expected = as_model(peer, cell, our_gradients, gradients=True)
            apart = max(largest_difference(expected, found), abs(loss - our_loss))
            difference = max(apart, difference or 0.0)
        sides[column] = steps
    return sides, difference


def measure(model: Model, text: Text, threads: int, budget: Budget, profiled: bool) -> Row:
    """Time one model."""
    ours = Ours(model, text)
    row = beside_torch(ours, lambda: torch_sides(model, ours), STREAMS * WINDOW, budget)
    row |= {"contest": model.cell, "model": str(model), "threads": threads}
    if profiled:
        row["profile"] = profile(ours)
        row["notes"].append("  ".join(f"{piece} {took:.3f}" for piece, took in row["profile"].items()))
    return row


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Go through the models, cell by cell."""
    budget = Budget(3, 0.3, threads) if arguments.quick else Budget(9, 3.0, threads)
    text = made_up_text()
    rows: list[Row] = []
    verdicts: list[Row] = []
    for cell in arguments.only or CELLS:
        level = CELLS[cell]
        peer = {"lstm": "nn.LSTM"}.get(cell, "nn.GRU")
        nearest = ", its nearest peer" * (cell == "gru")
        title = f"{cell} against {peer}{nearest}; {threads} thread(s), {STREAMS} streams, window {WINDOW}"
        table = Table(title, list(COLUMNS), "model", 40, limits=False)
        table.print_heading()
        of_cell = []
        for model in QUICK if arguments.quick else GRID:
            if model.cell == cell:
                row = measure(model, text, threads, budget, arguments.profile)
                table.print_row(model, row)
                of_cell.append(row)
        verdict = Level(BEST, mean=level).verdict(of_cell)
        print_verdicts([verdict])
        verdicts += [{"contest": cell, **verdict}] if verdict else []
        rows += of_cell
    return {"rows": rows, "verdicts": verdicts}


def made_up_text() -> Text:
    """Write a text in which there is something to learn, of one character fewer than there are symbols."""
    steps = np.random.default_rng(0).integers(0, 5, STREAMS * WINDOW * WINDOWS * 10 // 9)
    return Text("".join(chr(ord("0") + symbol) for symbol in np.cumsum(steps) % (SYMBOLS - 1)))


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--only", nargs="+", choices=list(CELLS), metavar="CELL", help=", ".join(CELLS))
    parser.add_argument("--profile", action="store_true", help="the pieces of our step")
    launch(parser.parse_args(), work)


if __name__ == "__main__":
    main()
