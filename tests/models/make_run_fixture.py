"""Make the run folder that stands for the present format: interrupted, so that it can be gone on with.

    python tests/models/make_run_fixture.py

A format that was released keeps its folder for good; a new format gets a new one beside it.
"""

import shutil
import signal
from pathlib import Path

from noria.models import LanguageModel
from noria.training.report import Event, StepDone
from noria.training.run_folder import FORMAT

FOLDER = Path(__file__).parent / f"run_of_format_{FORMAT}"
TEXT = "".join(f"{k} buckets turn with the wheel {k * k % 13}.\n" for k in range(40))
SAMPLED = "turn "


def interrupted(event: Event) -> None:
    """Press Ctrl-C after the ninth step."""
    if isinstance(event, StepDone) and event.step == 9:
        signal.raise_signal(signal.SIGINT)


def make() -> None:
    """Write the folder anew."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    model = LanguageModel(
        hidden_size=5, embedding_size=3, batch_size=2, seq_length=10, eval_every=4, sample_length=8, warmup=3,
        dropout=0.1, averaging="ema", averaging_decay=0.9, lr=0.03, engine="reference",
    )  # fmt: skip
    model.fit(TEXT, steps=16, out=FOLDER, listener=interrupted)


if __name__ == "__main__":
    make()
