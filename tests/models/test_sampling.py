import numpy as np
import pytest

from noria.errors import DivergenceError, OptionError
from noria.models.text.sampling import Sampler

LOGITS = np.log(np.array([0.05, 0.4, 0.1, 0.3, 0.15], dtype=np.float64)) + 2.5


@pytest.mark.parametrize(
    ("sampler", "expected"),
    [
        (Sampler(), [0.05, 0.4, 0.1, 0.3, 0.15]),
        (Sampler(top_k=2), [0, 4 / 7, 0, 3 / 7, 0]),
        (Sampler(top_k=99), [0.05, 0.4, 0.1, 0.3, 0.15]),
        (Sampler(top_p=0.71), [0, 0.4 / 0.85, 0, 0.3 / 0.85, 0.15 / 0.85]),
        (Sampler(top_p=0.01), [0, 1, 0, 0, 0]),
        (Sampler(top_k=3, top_p=0.5), [0, 4 / 7, 0, 3 / 7, 0]),
        (Sampler(greedy=True, temperature=3.0), [0, 1, 0, 0, 0]),
    ],
)
def test_distributions_by_value(sampler, expected):
    np.testing.assert_allclose(sampler.probabilities(LOGITS), expected, atol=1e-12)


def test_temperature_sharpens_and_flattens():
    p = np.exp(LOGITS - 2.5)
    for temperature in (0.5, 1.5):
        powered = p ** (1 / temperature)
        got = Sampler(temperature=temperature).probabilities(LOGITS)
        np.testing.assert_allclose(got, powered / powered.sum(), rtol=1e-12)
    cold = Sampler(temperature=1e-300).probabilities(LOGITS)
    np.testing.assert_array_equal(cold, [0, 1, 0, 0, 0])


def test_what_is_banned_is_never_drawn_and_the_rest_keeps_its_proportions():
    got = Sampler().probabilities(LOGITS, banned=[1, 4])
    np.testing.assert_allclose(got, [1 / 9, 0, 2 / 9, 6 / 9, 0], atol=1e-12)
    assert Sampler(greedy=True).draw(LOGITS, np.random.default_rng(0), banned={1}) == 3
    with pytest.raises(OptionError, match="all of them banned"):
        Sampler().probabilities(LOGITS, banned=range(5))


def test_draws_follow_the_distribution():
    rng, sampler = np.random.default_rng(1), Sampler(temperature=0.8, top_k=4)
    draws = 6000
    counts = np.bincount([sampler.draw(LOGITS, rng) for _ in range(draws)], minlength=5)
    p = sampler.probabilities(LOGITS)
    assert counts[0] == 0
    deviation = np.sqrt(draws * p * (1 - p))
    assert (np.abs(counts - draws * p) <= 4.5 * deviation).all()


def test_the_same_generator_gives_the_same_draws_and_greedy_takes_nothing_from_it():
    first, second = np.random.default_rng(2), np.random.default_rng(2)
    one, other = ([Sampler().draw(LOGITS, rng) for _ in range(20)] for rng in (first, second))
    assert one == other
    Sampler(greedy=True).draw(LOGITS, first)
    assert first.random() == second.random()


def test_of_equal_logits_the_lowest_id_comes_first():
    equal = np.zeros(4, dtype=np.float32)
    assert Sampler(greedy=True).draw(equal, np.random.default_rng(0)) == 0
    np.testing.assert_allclose(Sampler(top_k=2).probabilities(equal), [0.5, 0.5, 0, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"temperature": 0.0}, r"The 'temperature' option of Sampler must be a float in \(0"),
        ({"temperature": float("nan")}, "'temperature'"),
        ({"top_k": -1}, "The 'top_k' option of Sampler must be an int in"),
        ({"top_p": 0.0}, r"The 'top_p' option of Sampler must be a float in \(0, 1\]. Got 0.0."),
        ({"top_p": 1.5}, "'top_p'"),
    ],
)
def test_options_outside_their_range_are_named(options, message):
    with pytest.raises(OptionError, match=message):
        Sampler(**options)


def test_damaged_logits_are_not_drawn_from():
    with pytest.raises(DivergenceError, match="NaN"):
        Sampler().probabilities(np.array([0.1, np.nan]))
