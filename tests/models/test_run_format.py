"""Run folders of every format that was released load, and are gone on with."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from make_run_fixture import TEXT

from noria.models import LanguageModel, load
from noria.models.loading import MODELS, model_class
from noria.training.run_folder import FORMAT, RunFolder
from task_data import data_of

HERE = Path(__file__).parent
FOLDERS = sorted(HERE.glob("run_of_format_*"))
OTHERS = sorted(HERE.glob("runs_of_format_*/*"))


def test_there_is_one_of_each_task_in_the_present_format_and_they_are_small():
    assert f"run_of_format_{FORMAT}" in [folder.name for folder in FOLDERS]
    of_present = {folder.name for folder in OTHERS if folder.parent.name == f"runs_of_format_{FORMAT}"}
    assert of_present == MODELS.keys() - {"text"}
    for folder in [*FOLDERS, *OTHERS]:
        most = 30_000 if folder in FOLDERS else 80_000
        assert sum(file.stat().st_size for file in folder.iterdir()) < most


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_loads_with_its_options_weights_and_figures(folder):
    assert RunFolder.open(folder).config["format"] == int(folder.name.rpartition("_")[2])
    model = load(folder)
    assert (model.hidden_size, model.embedding_size, model.dropout, model.averaging) == (5, 3, 0.1, "ema")
    assert model.report_["steps"] == 9
    assert np.isfinite(model.parameters_.values).all()
    assert len(model.sample("turn ", length=12)) >= 12
    # The figure that was written down with the weights is found again.
    figures = model.evaluate(TEXT)
    assert figures["loss"] < np.log(len(model.vocabulary_))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_is_gone_on_with(folder, tmp_path):
    path = shutil.copytree(folder, tmp_path / "run")
    model = LanguageModel.resume(path, TEXT)
    assert (model.report_["steps"], model.report_["interrupted"]) == (16, False)


@pytest.mark.parametrize("folder", OTHERS, ids=lambda folder: f"{folder.parent.name}/{folder.name}")
def test_one_of_another_task_loads_answers_and_is_gone_on_with(folder, tmp_path):
    path, data = shutil.copytree(folder, tmp_path / "run"), data_of(folder.name)
    model = load(path)
    assert (model.hidden_size, model.report_["steps"]) == (3, 9)
    figures = model.evaluate(*data)
    assert np.isfinite(figures["loss"])
    assert len(model.predict(data[0])) > 0
    resumed = model_class(folder.name).resume(path, *data)
    assert (resumed.report_["steps"], resumed.report_["interrupted"]) == (16, False)
    again = model.fit(*data, steps=16)  # with the options of the run
    np.testing.assert_allclose(resumed.parameters_.values, again.parameters_.values, rtol=1e-3, atol=1e-5)
