from pathlib import Path

import numpy as np
import pytest

from noria.engines import fused
from noria.errors import RunError, UnknownNameError
from noria.layers import Group
from noria.training import ranges
from noria.training.optimisers import OPTIMISERS, SGD, AdaGrad, Adam, AdamW, RMSProp, make_optimiser
from noria.training.training_options import TrainingOptions

GOLDEN = np.load(Path(__file__).parent / "golden" / "optimisers.npz")

pytestmark = pytest.mark.usefixtures("either_engine")

SET = {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}
RULES = {
    "sgd": lambda values: SGD(values),
    "sgd_decay": lambda values: SGD(values, weight_decay=0.2),
    "momentum": lambda values: SGD(values, momentum=0.9),
    "momentum_decay": lambda values: SGD(values, momentum=0.9, weight_decay=0.1),
    "nesterov": lambda values: SGD(values, momentum=0.8, nesterov=True),
    "nesterov_decay": lambda values: SGD(values, momentum=0.8, nesterov=True, weight_decay=0.1),
    "adagrad": lambda values: AdaGrad(values),
    "adagrad_set": lambda values: AdaGrad(values, epsilon=1e-3, weight_decay=0.05),
    "rmsprop": lambda values: RMSProp(values),
    "rmsprop_set": lambda values: RMSProp(values, alpha=0.9, epsilon=1e-3, weight_decay=0.05),
    "rmsprop_momentum": lambda values: RMSProp(values, momentum=0.7, weight_decay=0.05),
    "adam": lambda values: Adam(values),
    "adam_set": lambda values: Adam(values, **SET),
    "adam_decay": lambda values: Adam(values, weight_decay=0.05),
    "adamw": lambda values: AdamW(values, weight_decay=0.01),
    "adamw_set": lambda values: AdamW(values, **SET, weight_decay=0.4),
}


def frozen_middle(size, start, stop):
    return [Group(0, start, True, False), Group(start, stop, True, True), Group(stop, size, True, False)]


@pytest.mark.parametrize("name", RULES)
def test_hundred_steps_equal_the_golden_ones(name):
    values = GOLDEN["start"].copy()
    optimiser = RULES[name](values)
    decayed = int(GOLDEN["decayed"])
    groups = [Group(0, decayed, True, False), Group(decayed, 7, False, False)]
    path = []
    for step, gradient in enumerate(GOLDEN["gradients"], 1):
        before = gradient.copy()
        optimiser.update(values, gradient, float(GOLDEN["lr"]), groups)
        np.testing.assert_array_equal(gradient, before)
        if step in GOLDEN["kept"]:
            path.append(values.copy())
    assert len(path) == 4
    np.testing.assert_allclose(np.stack(path), GOLDEN[name], rtol=1e-12, atol=1e-14)


def test_golden_has_every_rule():
    assert set(GOLDEN) == {*RULES, "start", "gradients", "kept", "lr", "decayed"}


def test_first_adam_step_is_lr_times_sign():
    values = np.array([1.0, 1.0, 1.0])
    Adam(values, epsilon=0.0).update(values, np.array([1e-5, -300.0, 2.0]), 0.25)
    np.testing.assert_allclose(values, [0.75, 1.25, 0.75], rtol=1e-12)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_chunks_do_not_show(name, dtype, monkeypatch):
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(31).astype(dtype), rng.standard_normal((5, 31)).astype(dtype)

    def run():
        values = start.copy()
        optimiser = RULES[name](values)
        for gradient in gradients:
            optimiser.update(values, gradient, 0.1)
        assert values.dtype == dtype
        return values

    whole = run()
    monkeypatch.setattr(fused, "CHUNK", 7)
    monkeypatch.setattr(fused, "PIECE", 7)
    np.testing.assert_array_equal(run(), whole)
    assert not np.allclose(whole, start)


@pytest.mark.parametrize("name", RULES)
def test_frozen_ranges_stay_and_the_others_do_not_notice(name):
    rng = np.random.default_rng(1)
    start, gradients = rng.standard_normal(13), rng.standard_normal((4, 13))
    free, held = start.copy(), start.copy()
    free_optimiser, held_optimiser = RULES[name](free), RULES[name](held)
    for gradient in gradients:
        free_optimiser.update(free, gradient, 0.1)
        held_optimiser.update(held, gradient, 0.1, frozen_middle(13, 4, 9))
    np.testing.assert_array_equal(held[4:9], start[4:9])
    np.testing.assert_array_equal(held[:4], free[:4])
    np.testing.assert_array_equal(held[9:], free[9:])
    assert (free[4:9] != start[4:9]).all()


@pytest.mark.parametrize("name", RULES)
def test_scale_is_as_if_the_gradient_had_been_shortened(name):
    rng = np.random.default_rng(3)
    values, gradients = rng.standard_normal(9), rng.standard_normal((4, 9))
    shortened = values.copy()
    optimiser, other = RULES[name](values), RULES[name](shortened)
    assert optimiser.weight_decay or "decay" not in name
    for gradient in gradients:
        before = gradient.copy()
        optimiser.update(values, gradient, 0.1, scale=0.375)
        np.testing.assert_array_equal(gradient, before)
        other.update(shortened, 0.375 * gradient, 0.1)
    np.testing.assert_allclose(values, shortened, rtol=1e-14)


@pytest.mark.parametrize("name", RULES)
def test_state_carries_a_run_on(name):
    rng = np.random.default_rng(2)
    values, gradients = rng.standard_normal(6), rng.standard_normal((8, 6))
    optimiser = RULES[name](values)
    for gradient in gradients[:5]:
        optimiser.update(values, gradient, 0.1)
    saved = {key: array.copy() for key, array in optimiser.state().items()}
    assert int(saved["steps"]) == 5
    other_values = values.copy()
    other = RULES[name](other_values)
    other.load_state(saved)
    for gradient in gradients[5:]:
        optimiser.update(values, gradient, 0.1)
        other.update(other_values, gradient, 0.1)
    np.testing.assert_array_equal(values, other_values)
    for key, array in optimiser.state().items():
        np.testing.assert_array_equal(array, other.state()[key])


def test_state_is_copied_in_and_not_shared():
    first, second = Adam(np.zeros(3)), Adam(np.zeros(3))
    second.load_state(first.state())
    second.update(np.zeros(3), np.ones(3), 0.1)
    assert not first.state()["mean"].any()


def test_foreign_state_is_refused():
    with pytest.raises(RunError, match="not that of Adam"):
        Adam(np.zeros(3)).load_state(AdaGrad(np.zeros(3)).state())
    with pytest.raises(RunError, match=r"expected .*\(3,\).* got .*\(4,\)"):
        Adam(np.zeros(3)).load_state(Adam(np.zeros(4)).state())


def test_plain_sgd_keeps_no_velocity():
    assert set(SGD(np.zeros(3)).state()) == {"steps"}
    assert set(SGD(np.zeros(3), momentum=0.5).state()) == {"steps", "velocity"}


def test_options_choose_the_rule():
    values = np.zeros(2)
    for name, rule in OPTIMISERS.items():
        assert type(make_optimiser(TrainingOptions(optimizer=name), values)) is rule


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("sgd", {}, {"momentum": 0.0, "nesterov": False, "weight_decay": 0.0}),
        ("sgd", {"momentum": 0.7, "nesterov": True}, {"momentum": 0.7, "nesterov": True}),
        ("sgd", {"weight_decay": 0.3}, {"weight_decay": 0.3}),
        ("adagrad", {}, {"epsilon": 1e-10, "weight_decay": 0.0}),
        ("adagrad", {"epsilon": 1e-4, "weight_decay": 0.3}, {"epsilon": 1e-4, "weight_decay": 0.3}),
        ("rmsprop", {}, {"alpha": 0.99, "epsilon": 1e-8, "momentum": 0.0, "weight_decay": 0.0}),
        ("rmsprop", {"alpha": 0.9, "momentum": 0.6}, {"alpha": 0.9, "momentum": 0.6}),
        ("rmsprop", {"epsilon": 1e-4, "weight_decay": 0.3}, {"epsilon": 1e-4, "weight_decay": 0.3}),
        ("adam", {}, {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "weight_decay": 0.0}),
        ("adam", {"beta1": 0.5, "beta2": 0.9}, {"beta1": 0.5, "beta2": 0.9, "decoupled": False}),
        ("adam", {"epsilon": 1e-4, "weight_decay": 0.3}, {"epsilon": 1e-4, "weight_decay": 0.3}),
        ("adamw", {}, {"beta1": 0.9, "epsilon": 1e-8, "weight_decay": 0.01, "decoupled": True}),
        ("adamw", {"weight_decay": 0.0}, {"weight_decay": 0.0}),
    ],
)
def test_options_reach_the_rule(name, options, expected):
    made = TrainingOptions(optimizer=name, **options)
    made.validate()
    rule = make_optimiser(made, np.zeros(2))
    assert {option: getattr(rule, option) for option in expected} == expected


def test_unknown_rule_is_named_with_its_neighbour():
    values = np.zeros(2)
    with pytest.raises(UnknownNameError, match="Did you mean 'adam'"):
        make_optimiser(TrainingOptions(optimizer="adamm"), values)


def test_every_choice_of_the_table_exists_and_has_a_rate():
    from noria.training.options import DEFAULT_LR, options_of

    (choices,) = [info.option.choices for info in options_of(TrainingOptions) if info.name == "optimizer"]
    assert set(choices) == set(OPTIMISERS) == set(DEFAULT_LR)


def test_chunks_cover_what_is_trained_once():
    groups = [
        Group(0, 5, True, False),
        Group(5, 9, False, False),
        Group(9, 11, True, True),
        Group(11, 12, True, False),
    ]
    parts = [(part.start, part.stop) for part in ranges.trainable_chunks(12, groups, chunk=4)]
    assert parts == [(0, 4), (4, 8), (8, 9), (11, 12)]
    assert [(part.start, part.stop) for part in ranges.trainable_chunks(5, None, chunk=4)] == [(0, 4), (4, 5)]


def test_ranges_say_what_is_decayed():
    groups = [Group(0, 5, True, False), Group(5, 9, False, False), Group(9, 12, True, True)]
    assert list(ranges.trainable_ranges(12, groups)) == [(slice(0, 5), True), (slice(5, 9), False)]
    assert list(ranges.trainable_ranges(3)) == [(slice(0, 3), True)]
