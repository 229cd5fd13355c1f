"""Why gradients vanish or explode: what a matrix does to a vector that it multiplies again and again.

The recurrence is the linear one, ``h_t = W h_{t-1}``, so that the gradient k steps back is ``(W^T)^k`` times
the gradient at the end, and nothing but W decides. An orthogonal matrix times s has all its singular values
equal to s: the norm is then s^k exactly, in every direction. Of a Gaussian matrix the largest singular value
(its *norm*) and the largest eigenvalue (its *spectral radius*) are different numbers, and it is the radius
that decides in the long run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from noria.arrays import Array, Float
from noria.errors import OptionError
from noria.inspection.figures import COLOURS, DASHES, figure, powers_of_ten, written

SCALES = (0.5, 1.0, 1.5)
RADIUS = 0.8
"""Of the Gaussian matrix: its norm is then about 1.6, above 1, and yet the gradient vanishes."""


@dataclass(frozen=True, eq=False)
class Repeated:
    """One matrix, multiplied with again and again.

    Attributes
    ----------
    name : str
    norm : float
        Its largest singular value.
    radius : float
        Its largest eigenvalue, absolutely.
    growth : array of shape (K + 1,)
        Norm of the gradient 0, 1, ..., K steps back, over that at 0; the mean over random directions.
    """

    name: str
    norm: float
    radius: float
    growth: Float[Array, " K"]

    @property
    def rate(self) -> float:
        """The factor by which the gradient changes in a step, over the second half of all."""
        half = len(self.growth) // 2
        last = len(self.growth) - 1
        return float((self.growth[last] / self.growth[half]) ** (1.0 / (last - half)))


@dataclass(frozen=True, eq=False)
class SpectralDemonstration:
    """Scaled orthogonal matrices, and a Gaussian one beside them."""

    size: int
    matrices: tuple[Repeated, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give it as plain values, for JSON."""
        return {
            "size": self.size,
            "matrices": [
                {
                    "name": one.name,
                    "norm": one.norm,
                    "radius": one.radius,
                    "rate": one.rate,
                    "growth": one.growth.tolist(),
                }
                for one in self.matrices
            ],
        }

    def words(self) -> list[str]:
        """Say what happens, and why; every sentence follows from the figures."""
        said = []
        for one in self.matrices:
            steps, end = len(one.growth) - 1, one.growth[-1]
            said.append(
                f"{one.name}: norm {one.norm:.3f}, spectral radius {one.radius:.3f}; after {steps} steps the "
                f"gradient has {end:.3g} of its norm: it {_verdict(end)}."
            )
        gaussian = self.matrices[-1]
        first = gaussian.growth[1]
        if gaussian.norm > 1.0 and gaussian.growth[-1] < 1.0:
            said.append(
                f"A norm above 1 need not explode: the Gaussian matrix has norm {gaussian.norm:.3f}, the "
                f"most that it can stretch any vector in one step. A vector is rarely in that direction (the "
                f"first step gave {first:.3f}), and the next step turns it out of it again. In the long run "
                f"a step multiplies by {gaussian.rate:.3f}, close to the radius {gaussian.radius:.3f}."
            )
        elif gaussian.growth[-1] >= 1.0:
            said.append(
                f"The Gaussian matrix has spectral radius {gaussian.radius:.3f}; in the long run a step "
                f"multiplies by {gaussian.rate:.3f}, not by the norm {gaussian.norm:.3f}."
            )
        said.append(
            "Of an orthogonal matrix times s norm and radius are both s, so that there the one says what the "
            "other does."
        )
        return said


def spectral_demonstration(
    *,
    size: int = 64,
    steps: int = 30,
    scales: Sequence[float] = SCALES,
    radius: float = RADIUS,
    directions: int = 32,
    rng: np.random.Generator | None = None,
) -> SpectralDemonstration:
    """Send random gradients back through a linear recurrence with matrices of known singular values.

    Parameters
    ----------
    size : int, default 64
        Hidden size.
    steps : int, default 30
    scales : sequence of float
        Of the orthogonal matrices: all their singular values.
    radius : float, default 0.8
        What the spectral radius of the Gaussian matrix, with entries of variance radius^2 / size, is about.
    directions : int, default 32
        Random vectors that the norms are averaged over.
    rng : numpy.random.Generator, optional
        Seeded with 0 if left out.

    References
    ----------
    Pascanu, Mikolov & Bengio 2013; Saxe, McClelland & Ganguli 2014; the circular law: Ginibre 1965.
    """
    if size < 2 or steps < 2 or directions < 1:
        raise OptionError(
            f"expected a size and steps of at least 2 and a direction, got {size}, {steps} and {directions}."
        )
    rng = np.random.default_rng(0) if rng is None else rng
    start = rng.standard_normal((size, directions))
    start /= np.linalg.norm(start, axis=0)
    found = [
        _repeated(f"orthogonal times {scale:g}", scale * orthogonal(size, rng), start, steps)
        for scale in scales
    ]
    gaussian = rng.standard_normal((size, size)) * (radius / np.sqrt(size))
    return SpectralDemonstration(size, (*found, _repeated("Gaussian", gaussian, start, steps)))


def orthogonal(size: int, rng: np.random.Generator) -> Float[Array, "H H"]:
    """Draw an orthogonal matrix, each as likely as any other."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return np.asarray(q * np.sign(np.diag(r)))  # the signs of QR are not uniform: Mezzadri 2007


def draw_spectral(demonstration: SpectralDemonstration, path: str | PathLike[str]) -> list[Path]:
    """Draw the norms against the number of steps back; give the SVG and the PNG."""
    with figure(6.4, 3.6) as drawn:
        panel = drawn.subplots()
        for place, one in enumerate(demonstration.matrices):
            panel.semilogy(
                one.growth,
                color=COLOURS[place % len(COLOURS)],
                linestyle=DASHES[place % len(DASHES)],
                marker="osD^vPX"[place % 7],
                markevery=max(1, len(one.growth) // 10),
                markersize=3.5,
                linewidth=1.4,
                label=f"{one.name}\n(norm {one.norm:.2f}, radius {one.radius:.2f})",
            )
        powers_of_ten(panel.yaxis)
        panel.set_xlabel("steps back")
        panel.set_ylabel("norm of the gradient, relative")
        panel.set_title(f"h(t) = W h(t-1), hidden size {demonstration.size}")
        panel.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), fontsize=8)
        return written(drawn, path)


def _repeated(name: str, matrix: Float[Array, "H H"], start: Array, steps: int) -> Repeated:
    norms = [1.0]
    gradient = start
    for _ in range(steps):
        gradient = matrix.T @ gradient
        norms.append(float(np.linalg.norm(gradient, axis=0).mean()))
    norm = float(np.linalg.norm(matrix, 2))
    radius = float(np.abs(np.linalg.eigvals(matrix)).max())
    return Repeated(name, norm, radius, np.array(norms))


def _verdict(end: float) -> str:
    if abs(end - 1.0) < 1e-6:
        return "stays as it is"
    return "vanishes" if end < 1.0 else "explodes"
