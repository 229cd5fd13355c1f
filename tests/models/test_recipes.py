"""The options that stand with built-in data are options of the model of their task."""

import pytest

from noria.data.builtin_tasks import builtin_tasks
from noria.models.loading import model_class
from noria.training.options import Budget, options_of

BUDGET = {info.name for info in options_of(Budget)}
RECIPES = [
    pytest.param(entry.task, recipe, id=f"{entry.name}-{entry.task}")
    for entry in builtin_tasks()
    for recipe in entry.recipes
]


@pytest.mark.parametrize(("task", "recipe"), RECIPES)
def test_what_a_recipe_says_is_what_the_model_is_told(task, recipe):
    budget = {name: value for name, value in recipe.options.items() if name in BUDGET}
    options = {name: value for name, value in recipe.options.items() if name not in BUDGET}
    model = model_class(task)(**options)
    model.validate()
    assert {name: model.get_params()[name] for name in options} == options
    assert len(budget) == 1, "a recipe says how long to train, in one unit"
    Budget(**budget).validate("recipe")
    assert len(recipe.reason.split()) > 5
    assert recipe.reason.endswith(".")
