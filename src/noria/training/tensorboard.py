"""The events of a run as files that TensorBoard shows, for those who have it."""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from noria.errors import MissingExtraError
from noria.training.report import Evaluated, Event, Resumed, Sampled, StepDone

EVERY = 10
"""Of the steps, one in so many is written, and the first."""


class TensorBoard:
    """A listener that writes TensorBoard event files: losses, figures, gradient norm, learning rate, samples.

    ``log.jsonl`` stays the truth; this is a copy to look at. Of a run that is gone on with, what an earlier
    sitting wrote of later steps is hidden.

    Parameters
    ----------
    folder : path
        Where the files go; it is made at the first event.

    Raises
    ------
    MissingExtraError
        If tensorboardX is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from tensorboardX import SummaryWriter
        except ImportError as error:
            raise MissingExtraError(
                "TensorBoard event files need tensorboardX, which is not installed.\n"
                "  pip install 'noria[tensorboard]'"
            ) from error
        self._make = SummaryWriter
        self._folder = Path(folder)
        self._writer: Any = None
        self._purge_step = 0  # of a run that is begun anew, all that an earlier sitting wrote

    def __call__(self, event: Event) -> None:
        """Write what an event tells."""
        match event:
            case Resumed(step=step):
                self._purge_step = step + 1
            case StepDone(step=step) if step % EVERY == 0 or step in (1, event.steps):
                figures = {
                    "train/loss": event.loss,
                    "train/gradient_norm": event.gradient_norm,
                    "train/clipped_share": event.clipped_share,
                    "train/learning_rate": event.lr,
                    "train/tokens_per_second": event.tokens_per_second,
                }
                self._write(step, figures)
            case Evaluated(step=step):
                for part, one in (("validation", event.metrics), ("training_sample", event.train)):
                    self._write(step, {f"{part}/{name}": value for name, value in one.items()})
            case Sampled(step=step, text=text):
                self._open().add_text("sample", text, step)

    def _write(self, step: int, figures: dict[str, float]) -> None:
        for name, value in figures.items():
            self._open().add_scalar(name, float(value), step)

    def _open(self) -> Any:
        if self._writer is None:
            self._writer = self._make(logdir=str(self._folder), purge_step=self._purge_step)
        return self._writer

    def close(self) -> None:
        """Write what is not written yet, and close the files."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
