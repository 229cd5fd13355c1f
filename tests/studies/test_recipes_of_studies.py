"""Studies by name: every one is there, means what it says, and makes networks that can be trained."""

import re

import numpy as np
import pytest

from noria.data.augmentation import Augmentation
from noria.errors import OptionError
from noria.models.loading import MODELS, model_class
from noria.models.wiring import recurrent_layers
from noria.studies import Study
from noria.studies.data import known_options, prepared_of
from noria.studies.design import variants_of
from noria.studies.folder import StudyFolder
from noria.studies.made_vectors import OF_TRAINING, RANDOM
from noria.studies.recipe import Asked, Row, StudyRecipe
from noria.studies.recipes import RECIPES, SPAN, recipe_named
from noria.studies.results import results_of
from noria.studies.work import run_one
from noria.training.options import options_of

TINY = {"hidden_size": 3, "batch_size": 2, "eval_every": 1, "engine": "reference"}
OF_TASK = {
    "text": {"seq_length": 4, "sample_length": 0},
    "classify": {"bidirectional": False},
    "regress": {"bidirectional": False},
    "tag": {"spelling_size": 2},
    "forecast": {"members": 1, "test_fraction": 0.1},
    "translate": {"embedding_size": 3},
}
BUILT = [
    (name, task)  # recipes for every task take turns with them, so that each is built with some
    for place, (name, recipe) in enumerate(RECIPES.items())
    for task in recipe.tasks or [list(MODELS)[place % len(MODELS)]]
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A few lines for each task, and what only a user can name."""
    place = tmp_path_factory.mktemp("recipes")
    words = ["red", "fox", "sees", "two", "big", "dogs", "run", "far", "away", "now"]
    drawn = np.random.default_rng(0)
    sentences = [" ".join(drawn.choice(words, 5)) for _ in range(40)]
    written = {
        "text.txt": "\n".join(sentences * 2),
        "classify.csv": "\n".join(
            ["text,label,age", *(f"{one},{'up' if 'fox' in one else 'down'},{len(one)}" for one in sentences)]
        ),
        "regress.csv": "\n".join(["text,value", *(f"{one},{len(one)}" for one in sentences)]),
        "tag.txt": "\n".join(" ".join(f"{word}/{word[0]}" for word in one.split()) for one in sentences),
        "forecast.csv": "\n".join(
            ["ds,y", *(f"{2001 + k // 12}-{k % 12 + 1:02d}-01,{10 + k % 12 + k / 9}" for k in range(120))]
        ),
        "translate.tsv": "\n".join(["source\ttarget", *(f"{one}\t{one[::-1]}" for one in sentences)]),
        "thesaurus.txt": "fox, wolf\nbig, large\n",
    }
    for name, text in written.items():
        (place / name).write_text(text + "\n", encoding="utf-8")
    return {name.partition(".")[0]: place / name for name in written}


def study_of(name, task, files, **more):
    recipe = recipe_named(name)
    settings = {"thesaurus": str(files["thesaurus"]), "extra_columns": ["age"]}
    settings = {key: value for key, value in settings.items() if name in ("augmentation", "features")} | more
    if task == "text":
        settings.pop("extra_columns", None)
    resolved = recipe.for_task(name, task, settings)
    options = {**TINY, **OF_TASK[task], **{k: v for k, v in recipe.options.items() if k != "hidden_size"}}
    needed = {key for key in resolved.settings if key in ("thesaurus", "extra_columns")}
    options |= {key: value for key, value in resolved.settings.items() if key not in needed}
    variants = variants_of(task, recipe.cells, recipe.grid, resolved.rows)
    return Study(task, variants, (0,), {"steps": 1}, (str(files[task]),), options=options)


def models_of(study):
    for variant in study.variants:
        options = study.options_of(variant, 0) | (
            {"hidden_size": 4} if "num_layers" in variant.options else {}
        )
        yield variant, model_class(study.task)(**options)


ASKED_FOR = {
    "optimisers": "optimizer",
    "rates": "lr",
    "schedules": "schedule",
    "batch-sizes": "batch_size",
    "windows": "seq_length lookback",
    "clipping": "grad_clip",
    "sizes": "hidden_size",
    "depth": "num_layers",
    "initialisers": "initialiser",
    "initial-scale": "initial_scale",
    "regularisers": "dropout drop_connect zoneout recurrent_dropout batch_norm layer_norm weight_decay",
    "early-stopping": "patience",
    "activations": "activation",
    "levels": "level",
    "class-balance": "class_weights resampling",
    "augmentation": "character_noise synonym_rate",
    "features": "features word_shape spelling_size calendar season_lag extra_columns",
    "vectors": "vectors freeze_embedding",
    "directions": "bidirectional",
    "pooling": "pooling",
    "attention": "attention",
    "convolution": "network",
    "ragged": "batching",
    "bptt": "seq_length accumulate",
}
"""The options in which the variants of a recipe differ."""


@pytest.mark.parametrize("name", ASKED_FOR)
def test_a_recipe_varies_what_its_name_says(name):
    recipe = RECIPES[name]
    varied = {*recipe.grid, *(option for row in recipe.rows for option in row.options)} - {"cell"}
    assert {*ASKED_FOR[name].split()} <= varied | ({"locked_dropout"} & varied)
    assert varied - {"locked_dropout", "thesaurus"} == {*ASKED_FOR[name].split()}


def test_every_recipe_is_described():
    assert set(RECIPES) == {*ASKED_FOR, "cells", "min-char-rnn"}
    for name, recipe in RECIPES.items():
        assert re.fullmatch(r"[A-Z].{20,}[.)]", recipe.reason, re.DOTALL), name
        assert re.fullmatch(r"[a-z-]+", name)
        assert {*recipe.data, *recipe.files} <= {*(recipe.tasks or MODELS)}


@pytest.mark.parametrize(("name", "task"), BUILT)
def test_every_variant_is_a_network(name, task, files):
    study = study_of(name, task, files)
    assert len(study.variants) > 1
    networks = []
    for variant, model in models_of(study):
        model.validate(variant.name)
        prepared = prepared_of(study, model)
        networks.append(prepared.description.model.parameters)
    assert min(networks) > 0


@pytest.mark.parametrize("name", ["regularisers", "levels", "augmentation", "features"])
def test_every_variant_learns(name, files):
    study = study_of(name, "text", files)
    for _, model in models_of(study):
        model.fit(prepared_of(study, model), steps=1)
        assert np.isfinite(model.report_["test"]["loss"])


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_holds_beside_the_options_of_built_in_data(name):
    recipe = recipe_named(name)
    for task in {*(recipe.tasks or MODELS)} - {*recipe.files}:
        known = dict(known_options(task, (), recipe.data.get(task)))
        known.pop("steps", None)
        rows = recipe.for_task(name, task, {"thesaurus": "x"}).rows
        for variant in variants_of(task, recipe.cells, recipe.grid, rows):
            model_class(task)(**{**known, **recipe.options, **variant.options}).validate(variant.name)


# What single recipes promise.


LEVELS = ("characters", "words", "subwords")
OF_LEVELS = [(task, level) for task in ("text", "classify", "translate") for level in LEVELS]


@pytest.mark.parametrize(("task", "level"), [*OF_LEVELS, *((task, None) for task in MODELS)])
def test_nothing_regularises_the_row_that_has_none(task, level):
    recipe = RECIPES["regularisers"]
    rows = dict(recipe.for_task("regularisers", task, {}).rows)
    options = dict(recipe.options) | ({"level": level} if level else {})
    if level is None:  # with what stands with the task's own built-in data
        known = known_options(task, (), None)
        options = {name: value for name, value in known.items() if name not in ("steps", "epochs")} | options
    model = model_class(task)(**options, **rows["none"])
    model.validate()
    undecided = model.by_level()
    switched_on = {
        info.name: undecided.get(info.name, getattr(model, info.name))
        for info in options_of(type(model))
        if info.option.group == "Regularisation" or info.name == "weight_decay"
    }
    assert len(switched_on) >= 8
    assert not any(switched_on.values()), switched_on
    assert not any(value is None and name != "thesaurus" for name, value in switched_on.items())


def test_truncated_and_full_gradients_see_the_same_steps():
    rows = RECIPES["bptt"].rows
    assert {row.options["seq_length"] * row.options["accumulate"] for row in rows} == {SPAN}
    assert [row.options["accumulate"] for row in rows][-1] == 1


def test_vectors_begin_as_the_rows_say(files):
    study = study_of("vectors", "text", files, embedding_size=5)
    tables, after = {}, {}
    for variant, model in models_of(study):
        prepared = prepared_of(study, model)
        if prepared.vectors is not None:
            tables[variant.name] = prepared.vectors.matrix
        model.fit(prepared, steps=1)
        after[variant.name] = next(model.network_.parameters()).value.copy()
    assert set(tables) == {"pretrained, tuned", "pretrained, frozen"}
    np.testing.assert_array_equal(*tables.values())
    np.testing.assert_array_equal(after["pretrained, frozen"], tables["pretrained, frozen"])
    assert np.abs(after["pretrained, tuned"] - tables["pretrained, tuned"]).max() > 1e-4
    random = model_class("text")(**study.options_of(study.variants[0], 0)).fit(str(files["text"]), steps=1)
    moved = next(random.network_.parameters()).value - after["random, frozen"]
    assert 1e-4 < np.abs(moved).max() < 0.1


@pytest.mark.parametrize(
    ("task", "more"),
    [("text", {}), ("text", {"tie_weights": True, "embedding_size": 3}), ("classify", {"embedding_size": 6})],
)
def test_made_vectors_are_as_large_as_those_that_the_model_draws(task, more, files):
    study = study_of("vectors", task, files, lr=1e-12, **more)  # what a run begins with is what it ends with
    sizes = {}
    for variant, model in models_of(study):
        model.fit(prepared_of(study, model), steps=1)
        table = next(model.network_.parameters()).value
        sizes[variant.name] = np.sqrt(np.mean(table.astype(np.float64) ** 2))
    assert len(sizes) == 4
    for size in sizes.values():
        assert size == pytest.approx(sizes["random, tuned"], rel=0.2)


@pytest.mark.parametrize("task", ["classify", "regress"])
def test_ragged_training_three_ways_ends_in_the_same_losses(task, files):
    for batching in RECIPES["ragged"].grid["batching"]:  # with what the recipe itself sets
        model_class(task)(**RECIPES["ragged"].options, batching=batching).validate()
    study = study_of("ragged", task, files)
    found = {}
    for variant, model in models_of(study):
        model.fit(prepared_of(study, model), steps=4)
        found[variant.name] = (model.report_["test"]["loss"], model.report_["tokens"])
    assert list(found) == [f"batching={way}" for way in ("packed", "padded", "one-by-one")]
    losses, tokens = zip(*found.values(), strict=True)
    assert losses[1:] == pytest.approx([losses[0]] * 2, rel=1e-5)
    assert len(set(tokens)) == 1


def test_a_file_of_vectors_takes_the_place_of_made_ones(files):
    resolved = RECIPES["vectors"].for_task("vectors", "text", {"vectors": "mine.txt", "hidden_size": 4})
    given = {name: options.get("vectors") for name, options in resolved.rows}
    assert given == {
        "random, tuned": None,
        "random, frozen": RANDOM,
        "pretrained, tuned": "mine.txt",
        "pretrained, frozen": "mine.txt",
    }
    assert resolved.settings == {"hidden_size": 4}
    left = RECIPES["vectors"].for_task("vectors", "text", {})
    assert dict(left.rows)["pretrained, tuned"]["vectors"] == OF_TRAINING


def test_a_row_without_what_only_a_user_has_is_left_out_and_said(monkeypatch):
    rows = RECIPES["augmentation"].for_task("augmentation", "text", {})
    assert [name for name, _ in rows.rows] == ["none", "2 % of characters", "10 % of characters"]
    assert rows.left_out == ["'20 % of words' is left out: it needs --set thesaurus=..."]
    monkeypatch.setattr("noria.studies.recipe.find_spec", lambda name: None)
    levels = RECIPES["levels"].for_task("levels", "text", {})
    assert [name for name, _ in levels.rows] == ["characters", "words"]
    assert "pip install 'noria[text]'" in levels.left_out[0]


def test_a_recipe_of_which_too_little_is_left():
    with pytest.raises(OptionError, match=r"nothing to compare for classify.*--set extra_columns"):
        RECIPES["features"].for_task("features", "classify", {})
    with pytest.raises(OptionError, match="is for classify and regress, not for tag"):
        RECIPES["pooling"].for_task("pooling", "tag", {})
    lonely = StudyRecipe("", rows=(Row("a"), Row("b", {"x": Asked()})))
    with pytest.raises(OptionError, match="'b' is left out: it needs --set x"):
        lonely.for_task("lonely", "text", {})


def test_an_unknown_recipe_names_the_nearest():
    with pytest.raises(OptionError, match="Did you mean 'optimisers'"):
        recipe_named("optimizers")


def test_rows_of_augmentation_change_what_is_learnt(files):
    study = study_of("augmentation", "text", files)
    changed = {}
    for variant, model in models_of(study):
        augmentation = Augmentation.of_options(model)
        text = files["text"].read_text()
        changed[variant.name] = augmentation and augmentation(text, np.random.default_rng(0))
    assert changed.pop("none") is None
    assert len(set(changed.values())) == 3
    assert "wolf" in changed["20 % of words"]


def test_balance_is_compared_by_the_figure_of_its_recipe(files, tmp_path):
    recipe = RECIPES["class-balance"]
    variants = variants_of("classify", (), {}, recipe.for_task("class-balance", "classify", {}).rows[:1])
    options = TINY | {"bidirectional": False}
    study = Study(
        "classify",
        variants,
        (0,),
        {"steps": 2},
        (str(files["classify"]),),
        None,
        options,
        metric=recipe.metric,
    )
    folder = StudyFolder.take(tmp_path / "study", study)
    run = run_one(folder, variants[0].name, 0)
    results = results_of(folder)
    assert results.metric == "macro_f1"
    assert results.higher_is_better
    assert results.lines[0].figure == run["test"]["macro_f1"]
    assert 0 <= run["test"]["macro_f1"] <= 1
    assert Study.from_dict(study.to_dict(), "here").metric == "macro_f1"


def test_the_scale_of_initial_matrices(files):
    norms = {}
    for scale in (0.5, 1.0):
        for law in ("cell", "normal"):
            options = {**TINY, "hidden_size": 7, "initial_scale": scale, "initialiser": law, "lr": 1e-12}
            model = model_class("text")(**options, **OF_TASK["text"]).fit(str(files["text"]), steps=1)
            (layer,) = recurrent_layers(model.network_)
            norms[scale, law] = {one.name: np.linalg.norm(one.value) for one in layer.parameters()}
    for law in ("cell", "normal"):
        half, whole = norms[0.5, law], norms[1.0, law]
        for name in whole:
            share = 0.5 if name.startswith(("W", "U")) else 1.0
            assert half[name] == pytest.approx(share * whole[name], rel=1e-5), (law, name)
