"""The chaotic series of an equation with a delay.

``x' = 0.2 x_d / (1 + x_d^10) - 0.1 x``, where x_d is what x was a delay ago.

References
----------
Mackey & Glass 1977, Oscillation and chaos in physiological control systems.
"""

import numpy as np

from noria.arrays import Array, Float
from noria.data.builtin_tasks.parts import BuiltinParts, drawing

POINTS, WARM_UP = 3_000, 500
SUBSTEPS = 10  # of the integration between two points, which are one unit of time apart


def mackey_glass(seed: int, delay: int) -> BuiltinParts:
    """Give 3,000 points one unit of time apart, behind a beginning that is left out; the model splits them.

    With a delay of 17 the series is mildly chaotic. What lies before the first point is a constant with a
    little noise, drawn from the seed.
    """
    import pandas

    past = 1.2 + 0.1 * drawing(seed, "train").uniform(-1, 1, delay * SUBSTEPS + 1)
    series = trajectory(past, WARM_UP + POINTS)[WARM_UP:]
    table = pandas.DataFrame({"ds": np.arange(POINTS), "y": series})
    return BuiltinParts(table, f"Mackey-Glass series: delay {delay}, {POINTS:,} points")


def trajectory(past: Float[Array, " P"], points: int) -> Float[Array, " points"]:
    """Integrate the equation by the method of Heun.

    Parameters
    ----------
    past : array of shape (P,)
        What goes before, in steps of a tenth: the delay is ``(P - 1) / 10``, the last value the present one.
    points : int
        How many to give, one unit of time apart, the first one unit after the present.
    """
    lag, size = len(past) - 1, 1.0 / SUBSTEPS
    values: list[float] = past.tolist()
    for _ in range(points * SUBSTEPS):
        slope = _slope(values[-1], values[-1 - lag])
        ahead = values[-1] + size * slope
        values.append(values[-1] + size / 2 * (slope + _slope(ahead, values[-lag])))
    return np.array(values[lag + SUBSTEPS :: SUBSTEPS])


def _slope(value: float, delayed: float) -> float:
    return 0.2 * delayed / (1.0 + delayed**10) - 0.1 * value
