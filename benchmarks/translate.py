"""Translators: whole training steps beside the same model in PyTorch, and what they learn.

A step is a batch of 64 pairs: forward, cross-entropy, backward, clipping of the global norm at 1, Adam. Ours
packs its batch anew in every step and goes through the trainer's updater; PyTorch's batch is padded
beforehand, its encoder runs on packed sequences where lengths differ, and the faster of its two ways of
running Adam counts. Weights are the same at the start: the loss and all gradients are compared before
anything is timed.

    python benchmarks/translate.py [--quick] [--json] [--threads 1 2] [--only NAME ...]
    python benchmarks/translate.py --learn NAME ... [--seeds N] [--minutes M]

``--learn`` trains on built-in data instead, with the settings of the one table, and prints the exact answers
on a test part that nothing was chosen on, and the baseline; ``attention`` compares translators with attention
and without on strings in reverse, by length.
"""

import argparse
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from launch import launch, parser_of
from our_steps import OurSteps, Sides, beside_torch
from sides import largest_difference
from tables import BEST, Level, Row, Table, print_verdicts
from timing import Budget

from noria.arrays import Array
from noria.data.builtin_tasks import builtin_data, builtin_recipe
from noria.layers import FlatParameters, Mode
from noria.models.translate.corpus import Example
from noria.models.translate.network import build_network
from noria.models.translate.options import TranslatorModelOptions
from noria.models.translate.task import TranslationTask
from noria.models.translate.translator import Translator
from noria.models.wiring import chosen_cells, engines_of
from noria.training.training_options import TrainingOptions

SYMBOLS, BATCH, EMBEDDING, RATE, CLIP, END = 60, 64, 64, 4e-3, 1.0, 1
ASKED = 1.5
"""Times as fast as PyTorch, as a geometric mean."""

COLUMNS = {"Adam foreach": {"foreach": True}, "Adam fused": {"fused": True}}

LEARNT = {"reverse": 0.99, "sort": 0.99, "pick": 0.99, "numbers-es-en": 0.99, "dates": 0.99}
"""Built-in data, and the share of exact answers that is asked for."""
COMPARED = "attention"


class Model(NamedTuple):
    """One line of the table."""

    attention: str
    both_ends: bool
    layers: int
    hidden: int
    steps: int
    ragged: bool

    def __str__(self) -> str:
        read = "both ends" if self.both_ends else "one end"
        lengths = f"1 to {self.steps}" if self.ragged else f"{self.steps}"
        return f"{self.attention}, {read}, {self.layers} x {self.hidden}, {lengths} symbols"


GRID = (
    Model("general", True, 1, 128, 20, False),
    Model("general", True, 1, 128, 20, True),
    Model("general", True, 1, 256, 40, True),
    Model("general", True, 2, 256, 20, True),
    Model("general", False, 1, 256, 20, True),
    Model("dot", False, 1, 128, 20, True),
    Model("additive", True, 1, 128, 20, False),
    Model("additive", True, 1, 128, 20, True),
    Model("none", True, 1, 128, 20, True),
)
QUICK = (GRID[1], GRID[7])


class OneBatch(TranslationTask):
    """Always the same batch."""

    def step(self, step: int, mode: Mode) -> Any:
        """Run it."""
        return self.forward_backward(self.train, mode)


class Ours(OurSteps):
    """The translator of the library, trained by the trainer's updater."""

    def __init__(self, model: Model) -> None:
        options = TranslatorModelOptions(
            hidden_size=model.hidden,
            num_layers=model.layers,
            bidirectional=model.both_ends,
            attention=model.attention,
            embedding_size=EMBEDDING,
            dropout=0.0,
        )
        rng = np.random.default_rng(0)
        network = build_network(options, chosen_cells(options), SYMBOLS, SYMBOLS)
        flat = FlatParameters.build([network], rng, np.float32)
        engine = engines_of(network, "float32")[0]
        self.read, self.written = (self._drawn(model, rng) for _ in range(2))
        examples = [Example("", "", *pair) for pair in zip(self.read, self.written, strict=True)]
        schema: Any = NamedTuple("Ends", [("end", int)])(END)
        task = OneBatch(network, flat, schema, examples, [], [], batch_size=BATCH, seed=0, writer=_no_writer)
        super().__init__(task, flat, engine, TrainingOptions(grad_clip=CLIP, lr=RATE))

    @staticmethod
    def _drawn(model: Model, rng: np.random.Generator) -> list[Array]:
        lengths = rng.integers(1, model.steps + 1, BATCH) if model.ragged else [model.steps] * BATCH
        return [rng.integers(END + 1, SYMBOLS, length) for length in lengths]


def torch_sides(model: Model, ours: Ours) -> Sides:
    """Make PyTorch's steps; give them, and how far its first loss and gradients are from ours."""
    from torch_translation import Steps, TorchTranslator, as_model, load

    sides: dict[str, Callable[[], float]] = {}
    difference = 0.0
    our_loss, our_gradients = ours.gradients()
    for column, how in COLUMNS.items():
        peer = TorchTranslator(
            model.attention, model.both_ends, SYMBOLS, EMBEDDING, model.hidden, model.layers
        )
        load(peer, ours.flat)
        steps = Steps(peer, ours.read, ours.written, END, rate=RATE, clip=CLIP, **how)
        loss, found = steps.gradients()
        expected = as_model(peer, our_gradients, gradients=True)
        difference = max(difference, largest_difference(expected, found), abs(loss - our_loss))
        sides[column] = steps
    return sides, difference


def measure(model: Model, threads: int, budget: Budget) -> Row:
    """Time one model."""
    ours = Ours(model)
    symbols = sum(len(ids) for ids in ours.written)
    row = beside_torch(ours, lambda: torch_sides(model, ours), symbols, budget)
    return {"contest": model.attention, "model": str(model), "threads": threads, **row}


def speed(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Go through the models."""
    budget = Budget(3, 0.5, threads) if arguments.quick else Budget(9, 3.0, threads)
    wanted = arguments.only or {model.attention for model in GRID}
    table = Table(f"training, {BATCH} pairs, {threads} thread(s)", list(COLUMNS), "model", 48, limits=False)
    table.print_heading()
    rows = []
    for model in QUICK if arguments.quick else GRID:
        if model.attention in wanted:
            rows.append(measure(model, threads, budget))
            table.print_row(model, rows[-1])
    verdict = Level(BEST, mean=ASKED).verdict(rows)
    print_verdicts([verdict])
    return {"rows": rows, "verdicts": [verdict] if verdict else []}


def learn(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Train on built-in data with several seeds."""
    rows: list[Row] = []
    for name in arguments.learn:
        ways: dict[str, Mapping[str, Any]] = {name: {}}
        if name == COMPARED:
            ways = {f"reverse, attention {score}": {"attention": score} for score in ("none", "general")}
        for way, options in ways.items():
            data = "reverse" if name == COMPARED else name
            figures = []
            for seed in range(arguments.seeds):
                figures.append(_learnt(data, seed, arguments.minutes, options))
                _print_learnt(way, seed, figures[-1])
            exact = [one["test"]["exact_match"] for one in figures]
            asked = LEARNT.get(name)
            reached = "" if asked is None else f", asked {asked}: {_word(np.median(exact) >= asked)}"
            print(f"  {way}: median {np.median(exact):.4f}, worst {min(exact):.4f}{reached}", flush=True)
            rows.append({"way": way, "figures": figures, "wrong": False})
    return {"rows": rows, "verdicts": []}


def _learnt(data: str, seed: int, minutes: float | None, options: Mapping[str, Any]) -> dict[str, Any]:
    recipe = dict(builtin_recipe(data, "translate").options)
    steps = recipe.pop("steps")
    budget = {"steps": steps} if minutes is None else {"minutes": minutes}
    model = Translator(**{**recipe, **options, "seed": seed})
    report = model.fit(builtin_data(data, "translate", seed), **budget).report_
    kept: dict[str, Any] = {
        key: report[key] for key in ("test", "baseline", "steps", "seconds", "parameters")
    }
    return kept


def _print_learnt(way: str, seed: int, found: Mapping[str, Any]) -> None:
    test, baseline = found["test"], found["baseline"]
    thirds = " ".join(f"{test[f'exact_match_{third}']:.4f}" for third in ("short", "middle", "long"))
    print(
        f"{way:<28} seed {seed}  exact {test['exact_match']:.4f} (thirds by length {thirds})  "
        f"{found['steps']} steps, {found['seconds']:.0f} s; "
        f"{baseline['name']} {baseline['exact_match']:.4f}",
        flush=True,
    )


def _word(reached: bool) -> str:
    return "reached" if reached else "NOT reached"


def _no_writer() -> Any:
    raise AssertionError("nothing is translated here")


def work(arguments: argparse.Namespace, threads: int) -> dict[str, Any]:
    """Measure speed, or what is learnt."""
    return learn(arguments, threads) if arguments.learn else speed(arguments, threads)


def main() -> None:
    parser = parser_of(__doc__)
    scores = sorted({model.attention for model in GRID})
    parser.add_argument("--only", nargs="+", choices=scores, metavar="SCORE", help=", ".join(scores))
    names = [*LEARNT, COMPARED]
    parser.add_argument("--learn", nargs="+", choices=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="seeds to learn with (default 1)")
    parser.add_argument(
        "--minutes", type=float, metavar="M", help="for each (default: as many steps as usual)"
    )
    launch(parser.parse_args(), work)


if __name__ == "__main__":
    main()
