"""Run folders of every format that was released load, and are gone on with."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from make_run_fixture import TEXT

from noria.models import LanguageModel, load
from noria.training.run_folder import FORMAT, RunFolder

FOLDERS = sorted(Path(__file__).parent.glob("run_of_format_*"))


def test_there_is_one_of_the_present_format_and_it_is_small():
    assert f"run_of_format_{FORMAT}" in [folder.name for folder in FOLDERS]
    for folder in FOLDERS:
        assert sum(file.stat().st_size for file in folder.iterdir()) < 30_000


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
