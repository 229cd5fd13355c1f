"""Built-in data sets by name: what the table says, and what is said of a name that is not in it."""

from pathlib import Path

import numpy as np
import pytest

import noria.data.builtin_tasks as builtin
from noria.data.builtin_tasks import BuiltinParts, builtin_data, builtin_recipe, builtin_tasks, drawing
from noria.data.builtin_tasks.entry import Entry, Number, Recipe
from noria.errors import DataError, OptionError, UnknownNameError

TASKS = {"text", "classify", "regress", "tag", "forecast", "translate"}


def test_every_line_names_a_task_and_a_file_that_is_there():
    here = Path(builtin.__file__).parent
    for entry in builtin_tasks():
        assert entry.task in TASKS
        assert (here / f"{entry.module}.py").is_file(), entry
        assert len(entry.help) <= 90
    keys = [(entry.name, entry.task) for entry in builtin_tasks()]
    assert len(set(keys)) == len(keys)


def test_lines_of_one_task():
    assert {entry.task for entry in builtin_tasks("tag")} == {"tag"}
    assert sum(len(builtin_tasks(task)) for task in TASKS) == len(builtin_tasks())


def test_the_number_reaches_the_data():
    assert {len(text) for text in builtin_data("recall:7", "classify", 0).train[0]} == {8}
    assert {len(text) for text in builtin_data("recall", "classify", 0).train[0]} == {21}
    assert max(map(len, builtin_data("anbn:4", "text", 0).train)) == 8


def test_a_name_may_belong_to_two_tasks():
    texts, pairs = builtin_data("names", "text", 3), builtin_data("names", "translate", 3)
    assert texts.train == pairs.train[1]
    assert set(pairs.train[0]) == {"hill", "lake", "isle"}


def test_unknown_names_say_what_there_is():
    with pytest.raises(UnknownNameError, match=r"'recal' for 'classify'. Did you mean 'recall'\?\n.*parity"):
        builtin_data("recal", "classify", 0)
    with pytest.raises(UnknownNameError, match=r"'parity' for 'text'. It belongs to 'classify'"):
        builtin_data("parity", "text", 0)
    with pytest.raises(UnknownNameError, match=r"There are: none\."):
        builtin_data("parity", "nothing", 0)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("recall:x", r"expected a whole number behind the colon, recall\[:GAP\]"),
        ("recall:", "expected a whole number"),
        ("recall:-3", "expected a whole number"),
        ("recall:0", r"must be at least 1\. Got 0"),
        ("parity:3", r"takes no number\. Got parity:3"),
    ],
)
def test_numbers_that_mean_nothing(name, complaint):
    with pytest.raises(OptionError, match=complaint):
        builtin_recipe(name, "classify")


def test_the_first_recipe_that_fits_the_number_holds():
    near, far = Recipe({"lr": 0.1}, "near", up_to=50), Recipe({"lr": 0.2}, "far")
    entry = Entry("x", "text", "x", "x", "", number=Number("n", 20, 1, ""), recipes=(near, far))
    assert entry.recipe() is near
    assert entry.recipe(50) is near
    assert entry.recipe(51) is far
    assert Entry("x", "text", "x", "x", "", recipes=(far,)).recipe() is far
    assert Entry("x", "text", "x", "x", "").recipe().options == {}


def test_recipes_have_reasons():
    for entry in builtin_tasks():
        for recipe in entry.recipes:
            assert recipe.options
            assert len(recipe.reason) > 20
        limits = [recipe.up_to or float("inf") for recipe in entry.recipes]
        assert limits == sorted(limits)


def test_parts_are_all_given_or_none():
    with pytest.raises(DataError, match="both a validation and a test part"):
        BuiltinParts(["a"], "x", test=["b"])
    assert not BuiltinParts(["a"], "x").is_split


def test_each_part_has_a_generator_of_its_own():
    drawn = [drawing(5, part).integers(1 << 60) for part in ("train", "validation", "test", "extra")]
    assert len(set(drawn)) == 4
    assert drawing(5, "test").integers(1 << 60) == drawn[2]


def same(one, other):
    if isinstance(one, tuple):
        return all(same(*both) for both in zip(one, other, strict=True))
    if hasattr(one, "equals"):
        return bool(one.equals(other))
    return len(one) == len(other) and all(map(np.array_equal, one, other))


SMALL = (
    ("anbn:5", "text"),
    ("anbn-small", "text"),
    ("dyck:2", "text"),
    ("number-sum", "classify"),
    ("copy:3", "tag"),
    ("adding:5", "regress"),
)


@pytest.mark.parametrize(("name", "task"), SMALL)
def test_the_same_seed_gives_the_same_data(name, task):
    first, again, other = (builtin_data(name, task, seed) for seed in (4, 4, 9))
    assert same(first.train, again.train)
    assert not same(first.train, other.train)
    if first.is_split:
        assert same(first.test, again.test)
