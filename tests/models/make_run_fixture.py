"""Make the run folders that stand for the present format: interrupted, so that they can be gone on with.

    PYTHONPATH=tests python tests/models/make_run_fixture.py

A format that was released keeps its folders for good; a new format gets new ones beside them.
"""

import shutil
import signal
from pathlib import Path

from noria.models import LanguageModel
from noria.models.loading import MODELS, model_class
from noria.models.model import Model
from noria.training.report import Event, StepDone
from noria.training.run_folder import FORMAT
from task_data import data_of

HERE = Path(__file__).parent
FOLDER = HERE / f"run_of_format_{FORMAT}"
OTHERS = HERE / f"runs_of_format_{FORMAT}"
TEXT = "".join(f"{k} buckets turn with the wheel {k * k % 13}.\n" for k in range(40))
SAMPLED = "turn "
TINY = {"hidden_size": 3, "batch_size": 8, "eval_every": 4, "warmup": 3, "lr": 0.03, "engine": "reference"}
"""Options of the other tasks."""
OF_SYMBOLS = {"embedding_size": 2}
OF_TASK = {"classify": OF_SYMBOLS, "tag": {**OF_SYMBOLS, "spelling_size": 2}, "translate": OF_SYMBOLS}


def tiny(task: str) -> Model:
    """Give a model of another task, of few parameters."""
    options = {**TINY, **OF_TASK.get(task, {})}
    model: Model = model_class(task)(**options)
    return model


def interrupted(event: Event) -> None:
    """Press Ctrl-C after the ninth step."""
    if isinstance(event, StepDone) and event.step == 9:
        signal.raise_signal(signal.SIGINT)


def make() -> None:
    """Write the folders anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    model = LanguageModel(
        hidden_size=5, embedding_size=3, batch_size=2, seq_length=10, eval_every=4, sample_length=8, warmup=3,
        dropout=0.1, averaging="ema", averaging_decay=0.9, lr=0.03, engine="reference",
    )  # fmt: skip
    model.fit(TEXT, steps=16, out=FOLDER, listener=interrupted)
    shutil.rmtree(OTHERS, ignore_errors=True)
    for task in sorted(MODELS.keys() - {"text"}):
        tiny(task).fit(*data_of(task), steps=16, out=OTHERS / task, listener=interrupted)


if __name__ == "__main__":
    make()
