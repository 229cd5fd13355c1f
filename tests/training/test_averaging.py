import numpy as np
import pytest
from quadratic_task import QuadraticTask

from noria.errors import RunError
from noria.training.averaging import Averaging
from noria.training.training_options import TrainingOptions

pytestmark = pytest.mark.usefixtures("either_engine")


def path(count=23, size=7, seed=0):
    return np.random.default_rng(seed).standard_normal((count, size))


def follow(averaging, values):
    for one in values:
        averaging.update(one)
    return averaging.state()["average"]


def test_asgd_is_the_mean_of_what_comes_after_its_start():
    values = path()
    np.testing.assert_allclose(follow(Averaging("asgd", values[0], start=6), values), values[6:].mean(axis=0))
    np.testing.assert_allclose(follow(Averaging("asgd", values[0]), values), values.mean(axis=0))


def test_asgd_of_a_run_that_becomes_longer_begins_its_mean_anew():
    values = path()
    averaging = Averaging("asgd", values[0], start=4)
    follow(averaging, values[:9])
    assert averaging.is_active
    averaging.start = 15
    assert not averaging.is_active, "the mean of before would stay as it is"
    for number, one in enumerate(values[9:], 10):
        averaging.update(one)
        assert averaging.is_active == (number > 15)
    np.testing.assert_allclose(averaging.state()["average"], values[15:].mean(axis=0))


def test_ema_weighs_by_age_and_its_weights_sum_to_one():
    values = path()
    weights = 0.8 ** np.arange(len(values))[::-1]
    expected = (weights / weights.sum()) @ values
    np.testing.assert_allclose(follow(Averaging("ema", values[0], decay=0.8), values), expected)
    still = np.ones((9, 5)) * np.arange(5)
    np.testing.assert_allclose(follow(Averaging("ema", still[0], decay=0.99), still), still[0])


def test_memory_of_none_is_the_last_value():
    values = path()
    np.testing.assert_allclose(follow(Averaging("ema", values[0], decay=0.0), values), values[-1])


def triggers_at(losses, patience):
    """Where algorithm 1 of Merity et al. 2018 begins to average, word for word."""
    logs = []
    for number, loss in enumerate(losses):
        if len(logs) > patience and loss > min(logs[: len(logs) - patience]):
            return number
        logs.append(loss)
    return None


@pytest.mark.parametrize("patience", [1, 2, 5])
@pytest.mark.parametrize("seed", range(6))
def test_nt_asgd_begins_where_the_paper_says(patience, seed):
    losses = np.exp(-np.arange(40) / 8) + 0.05 * np.random.default_rng(seed).standard_normal(40)
    averaging = Averaging("nt-asgd", np.zeros(3), patience=patience)
    begun = [averaging.observe(float(loss)) for loss in losses]
    expected = triggers_at(losses, patience)
    assert expected is not None
    assert [number for number, begins in enumerate(begun) if begins] == [expected]


def test_nt_asgd_waits_while_losses_are_equal_and_begins_at_the_least_above():
    averaging = Averaging("nt-asgd", np.zeros(3), patience=2)
    assert not any(averaging.observe(1.0) for _ in range(9))
    assert averaging.observe(1.0 + 1e-12)
    assert not averaging.observe(5.0)  # it has begun


def test_nt_asgd_averages_from_its_trigger_on():
    values = path()
    averaging = Averaging("nt-asgd", values[0], patience=1)
    losses = {4: 3.0, 9: 2.0, 14: 2.5, 19: 9.0}  # 2.5 is better than all but the last, 9 is not
    for number, one in enumerate(values):
        averaging.update(one)
        assert averaging.is_active == (number > 19)
        if number in losses:
            averaging.observe(losses[number])
    np.testing.assert_allclose(averaging.state()["average"], values[20:].mean(axis=0))


def test_average_stands_in_and_makes_room_again():
    task = QuadraticTask()
    parameters = task.parameters
    averaging = Averaging("asgd", parameters.values)
    with averaging.in_place(parameters):
        assert not parameters.values.any()
    values = path()
    for one in values:
        parameters.values[...] = one
        averaging.update(parameters.values)
    with averaging.in_place(parameters):
        np.testing.assert_allclose(parameters.values, values.mean(axis=0))
        kept = parameters.state_dict()
    np.testing.assert_array_equal(parameters.values, values[-1])
    np.testing.assert_allclose(kept["first.low"], values.mean(axis=0)[:3])
    with pytest.raises(KeyboardInterrupt), averaging.in_place(parameters):
        raise KeyboardInterrupt
    np.testing.assert_array_equal(parameters.values, values[-1])


def test_none_keeps_nothing_and_changes_nothing():
    task = QuadraticTask()
    averaging = Averaging("none", task.parameters.values)
    averaging.update(task.parameters.values + 1)
    assert averaging.state()["average"].size == 0
    assert not averaging.is_active
    with averaging.in_place(task.parameters):
        assert not task.parameters.values.any()


@pytest.mark.parametrize("kind", ["none", "ema", "asgd", "nt-asgd"])
@pytest.mark.parametrize("cut", [2, 9, 17])
def test_goes_on_from_its_state_to_the_bit(kind, cut):
    values = path().astype(np.float32)
    losses = np.random.default_rng(4).random(len(values))

    def make():
        return Averaging(kind, values[0], decay=0.9, start=5, patience=2)

    def go_on(averaging, numbers):
        for number in numbers:
            averaging.update(values[number])
            averaging.observe(float(losses[number]))

    whole, first, second = make(), make(), make()
    go_on(whole, range(23))
    go_on(first, range(cut))
    second.load_state({name: array.copy() for name, array in first.state().items()})
    go_on(first, range(cut, cut + 1))  # shares nothing with the second
    go_on(second, range(cut, 23))
    assert whole.is_active == (kind != "none")
    for name, array in whole.state().items():
        np.testing.assert_array_equal(array, second.state()[name], err_msg=name)


def test_foreign_state_is_refused():
    with pytest.raises(RunError, match="not that of averaging='nt-asgd'"):
        Averaging("nt-asgd", np.zeros(3)).load_state(Averaging("ema", np.zeros(3)).state())
    with pytest.raises(RunError, match=r"expected .*\(3,\).* got .*\(4,\)"):
        Averaging("ema", np.zeros(3)).load_state(Averaging("ema", np.zeros(4)).state())


def test_options_make_it():
    made = Averaging.from_options(TrainingOptions(averaging="ema", averaging_decay=0.5), np.zeros(2))
    assert (made.kind, made.decay) == ("ema", 0.5)
    made = Averaging.from_options(TrainingOptions(averaging="nt-asgd", averaging_patience=3), np.zeros(2))
    assert made.state()["latest"].shape == (3,)
