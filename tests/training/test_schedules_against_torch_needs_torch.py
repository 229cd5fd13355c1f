import numpy as np
import pytest

from noria.training.learning_rates import learning_rate
from noria.training.schedules import Schedule
from noria.training.training_options import TrainingOptions

torch = pytest.importorskip("torch", reason="PyTorch is the outside judge of schedules; install noria[torch]")

LR, STEPS, WARM = 0.8, 37, 6
SCHEDULERS = torch.optim.lr_scheduler


def rates_of(make):
    weight = torch.zeros(1)
    weight.grad = torch.zeros(1)
    optimiser = torch.optim.SGD([weight], lr=LR)
    scheduler = make(optimiser)
    rates = []
    for step in range(STEPS):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        if step < STEPS - 1:
            scheduler.step()
    return rates


def after_warmup(make):
    """Give PyTorch's warm-up, with a schedule over what is left of the run behind it."""

    def both(optimiser):
        rise = SCHEDULERS.LinearLR(optimiser, start_factor=1 / WARM, total_iters=WARM - 1)
        parts = [rise, make(optimiser, STEPS - WARM)]
        return SCHEDULERS.SequentialLR(optimiser, parts, milestones=[WARM])

    return both


CASES = {
    "constant": ({}, lambda o, n: SCHEDULERS.ConstantLR(o, factor=1.0)),
    "cosine": (
        {"final_fraction": 0.1},
        lambda o, n: SCHEDULERS.CosineAnnealingLR(o, T_max=n - 1, eta_min=0.1 * LR),
    ),
    "linear": (
        {"final_fraction": 0.1},
        lambda o, n: SCHEDULERS.LinearLR(o, start_factor=1.0, end_factor=0.1, total_iters=n - 1),
    ),
    "step": ({"decay": 0.3, "decay_every": 7}, lambda o, n: SCHEDULERS.StepLR(o, step_size=7, gamma=0.3)),
    "exponential": ({"decay": 0.9, "decay_every": 1}, lambda o, n: SCHEDULERS.ExponentialLR(o, gamma=0.9)),
}


@pytest.mark.filterwarnings("ignore:The epoch parameter")
@pytest.mark.parametrize("warmup", [0, WARM])
@pytest.mark.parametrize("schedule", CASES)
def test_same_rates(schedule, warmup):
    options, make = CASES[schedule]
    ours = [
        learning_rate(step, STEPS, lr=LR, schedule=schedule, warmup=warmup, **options)
        for step in range(STEPS)
    ]
    theirs = rates_of(after_warmup(make) if warmup else lambda o: make(o, STEPS))
    np.testing.assert_allclose(ours, theirs, rtol=1e-12)


@pytest.mark.parametrize("rise", [0.3, 0.45])
def test_same_one_cycle(rise):
    start, final = 0.2, 0.01
    ours = [
        learning_rate(
            step, STEPS, lr=LR, schedule="one-cycle", rise=rise, start_fraction=start, final_fraction=final
        )
        for step in range(STEPS)
    ]

    def make(optimiser):
        return SCHEDULERS.OneCycleLR(
            optimiser,
            max_lr=LR,
            total_steps=STEPS,
            pct_start=rise,
            div_factor=1 / start,
            final_div_factor=start / final,
            cycle_momentum=False,
        )

    np.testing.assert_allclose(ours, rates_of(make), rtol=1e-12)


@pytest.mark.parametrize(
    ("decay", "patience", "threshold", "floor"),
    [(0.5, 2, 1e-4, 0.0), (0.3, 0, 0.05, 0.05), (0.7, 4, 0.0, 0.3)],
)
def test_same_plateaus(decay, patience, threshold, floor):
    options = TrainingOptions(
        schedule="plateau",
        warmup=0,
        lr=LR,
        lr_decay=decay,
        lr_patience=patience,
        lr_threshold=threshold,
        final_lr_fraction=floor,
    )
    options.validate()
    ours = Schedule(options, steps=100)
    optimiser = torch.optim.SGD([torch.zeros(1)], lr=LR)
    theirs = SCHEDULERS.ReduceLROnPlateau(
        optimiser, factor=decay, patience=patience, threshold=threshold, min_lr=floor * LR, eps=0.0
    )
    rng = np.random.default_rng(3)
    losses = 2.0 + np.exp(-np.arange(60) / 10) + 0.02 * rng.standard_normal(60)
    rates = set()
    for step, loss in enumerate(losses):
        ours.observe(float(loss))
        theirs.step(float(loss))
        rates.add(round(ours.rate(step), 12))
        np.testing.assert_allclose(ours.rate(step), optimiser.param_groups[0]["lr"], rtol=1e-12)
    assert len(rates) > 3
