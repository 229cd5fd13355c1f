"""What is said when a loss or a gradient is not finite."""

import math

import numpy as np

from noria.training.task import Task
from noria.training.training_options import TrainingOptions


def divergence_message(what: str, *, lr: float, kept: str, task: Task, options: TrainingOptions) -> str:
    """Write the message of a DivergenceError: where it happened, what is kept, three things to try.

    Parameters
    ----------
    what : str
        What happened, as a sentence: step, loss and norm.
    lr : float
        The learning rate at that step.
    kept : str
        Where the last good weights are, as a sentence.
    task : Task
        For the gradient norms of its layers.
    options : TrainingOptions
    """
    layer = _culprit(task.layer_norms())
    lower_lr = f"lr={options.full_lr / 5:.2g} (a fifth of {options.full_lr:g})"
    clip = f"grad_clip={options.grad_clip / 4:.2g} (a quarter of {options.grad_clip:g})"
    precise = task.parameters.values.dtype == np.float64
    third = (
        f"warmup={max(100, 4 * options.warmup)} (it is {options.warmup})" if precise else 'dtype="float64"'
    )
    return (
        f"{what} The learning rate was {lr:.3g}.\n"
        f"  {layer}{kept}\n"
        f"  Try {lower_lr}, {clip if options.grad_clip else 'grad_clip=1 (it is off)'}, or {third}."
    )


def kept_message(step: int, best_step: int, folder: str | None) -> str:
    """Say what is left of the run after a step that diverged, and where."""
    if best_step:
        place = "in memory" if folder is None else f"in {folder}"
        return f"The best weights so far, of step {best_step}, are kept {place}."
    if step <= 1:
        return "Nothing was learnt before it."
    place = "" if folder is None else f" The latest that were saved are in {folder}."
    return f"There was no evaluation before it, so the model has its initial weights.{place}"


def _culprit(norms: dict[str, float]) -> str:
    """Name the layer to look at: going backwards the first that is not finite, else the largest."""
    if not norms:
        return ""
    for layer in reversed(norms):
        if not math.isfinite(norms[layer]):
            where = "Going backwards, the first layer whose gradient is not finite is"
            return f"{where} {layer!r} (norm {norms[layer]:g}). "
    layer = max(norms, key=norms.__getitem__)
    return f"The largest gradient is that of {layer!r} (norm {norms[layer]:g}). "
