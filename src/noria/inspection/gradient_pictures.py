"""The gradient on its way back through time, as curves on a logarithmic scale."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path

import numpy as np

from noria.errors import DataError
from noria.inspection.figures import COLOURS, DASHES, figure, powers_of_ten, written
from noria.models.gradient_reach import TENTH, THOUSANDTH, GradientThroughTime

MOST = 7


def draw_gradients(
    gradients: Mapping[str, GradientThroughTime], path: str | PathLike[str], *, relative: bool = True
) -> list[Path]:
    """Draw the norm of the gradient in the state against the number of steps back, a curve for each state.

    Parameters
    ----------
    gradients : mapping of str to GradientThroughTime
        By the name of the model; several are drawn side by side.
    path : path
        Where the pictures go, without an ending.
    relative : bool, default True
        Whether norms are divided by that at distance 0, with lines at a tenth and a thousandth.

    Returns
    -------
    list of Path
        The SVG and the PNG.
    """
    curves = [
        (f"{name}: {one.path} {one.state}".removeprefix(": "), one)
        for name, gradient in gradients.items()
        for one in gradient.layers
        if not one.is_zero
    ]
    if not curves:
        raise DataError("there is nothing to draw: no gradient arrives at any state.")
    with figure(6.4, 3.8) as drawn:
        panel = drawn.subplots()
        for place, (title, one) in enumerate(curves):
            distances, norms = one.decay()
            heights = norms / norms[0] if relative else norms
            panel.semilogy(
                distances,
                np.where(heights > 0, heights, np.nan),
                color=COLOURS[place % MOST],
                linestyle=DASHES[place // MOST % MOST] if len(curves) > MOST else DASHES[place],
                marker="osD^vPX"[place % MOST],
                markersize=3,
                markevery=max(1, len(distances) // 12),
                linewidth=1.4,
                label=title,
            )
        if relative:
            for share, words in ((TENTH, "a tenth"), (THOUSANDTH, "a thousandth")):
                panel.axhline(share, color="0.5", linewidth=0.7, linestyle=(0, (2, 3)))
                place_of = {"xycoords": ("axes fraction", "data"), "ha": "right", "va": "bottom"}
                panel.annotate(words, (0.995, share), fontsize=7.5, **place_of)
        powers_of_ten(panel.yaxis)
        panel.set_xlabel("steps back from where the loss is taken")
        panel.set_ylabel("norm of dL/d state" + (", relative" if relative else ""))
        panel.set_title("gradient through time")
        panel.legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=8)
        return written(drawn, path)
