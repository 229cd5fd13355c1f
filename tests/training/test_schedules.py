import itertools
import math

import pytest

from noria.errors import UnknownNameError
from noria.training.schedules import SCHEDULES, learning_rate


def rates(steps, **options):
    return [learning_rate(step, steps, lr=0.8, **options) for step in range(steps)]


def test_constant_is_constant():
    assert rates(5) == [0.8] * 5


def test_warmup_rises_in_equal_parts_to_the_full_rate():
    assert rates(10, warmup=4) == pytest.approx([0.2, 0.4, 0.6, 0.8] + [0.8] * 6)


def test_cosine_starts_full_passes_the_middle_and_ends_at_its_fraction():
    got = rates(11, schedule="cosine", final_fraction=0.25)
    assert got[0] == pytest.approx(0.8)
    assert got[5] == pytest.approx((0.8 + 0.2) / 2)
    assert got[10] == pytest.approx(0.2)
    assert got[2] == pytest.approx(0.2 + 0.6 * 0.5 * (1 + math.cos(math.pi * 0.2)))
    assert all(later < earlier for earlier, later in itertools.pairwise(got))


def test_cosine_begins_where_the_warmup_ends():
    got = rates(24, schedule="cosine", warmup=3)
    assert got[2] == got[3] == pytest.approx(0.8)
    assert got[4] < 0.8
    assert got[-1] == pytest.approx(0.0, abs=1e-15)


def test_warmup_takes_at_most_half_of_a_short_run():
    assert rates(6, warmup=50) == pytest.approx([0.8 / 3, 1.6 / 3, 0.8, 0.8, 0.8, 0.8])


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_shortest_runs_have_a_rate(schedule, steps):
    got = rates(steps, schedule=schedule, warmup=10, final_fraction=0.1)
    assert all(0 < rate <= 0.8 for rate in got)


def test_unknown_schedule_lists_the_known_ones():
    with pytest.raises(UnknownNameError, match="constant, cosine"):
        learning_rate(0, 10, lr=1.0, schedule="sine")


def test_every_choice_of_the_table_exists():
    from noria.training.options import TrainingOptions, options_of

    (choices,) = [info.option.choices for info in options_of(TrainingOptions) if info.name == "schedule"]
    assert set(choices) == set(SCHEDULES)
