"""One step, or a few, after another: each time a run of its own, with a copy of the weights."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from noria.arrays import Array
from noria.engines.seam import KernelStream, needs_given

if TYPE_CHECKING:
    from noria.engines.reference.kernel import ReferenceKernel


class ReferenceStream(KernelStream):
    """See :class:`noria.engines.seam.KernelStream`."""

    def __init__(self, kernel: "ReferenceKernel", theta: Array, batch: int) -> None:
        self.kernel: ReferenceKernel = kernel
        self._theta, self._batch = np.array(theta), batch
        cell = kernel.program.forward.cell
        self._read = [given.name for given in cell.givens if needs_given(kernel, given.name)]

    def step(
        self, x: Array, states: Mapping[str, Array], given: Mapping[str, Array] | None = None
    ) -> dict[str, Array]:
        """Run the steps."""
        for name, state in states.items():
            if len(state) != self._batch:
                raise self._misfit(name, state)
        dtype = self.kernel.dtype
        named = {name: np.asarray(self._named_given(given, name), dtype) for name in self._read}
        rows = x if x.dtype.kind in "iu" else np.asarray(x, dtype)
        counts = np.full(len(rows) // self._batch, self._batch)
        run = self.kernel.start(self._theta, states, counts, given=named, save=False)
        self._outputs = run.forward(rows)
        finals = run.finals
        run.release()
        return finals

    def outputs(self) -> Array:
        """Copy the rows of h."""
        return np.array(self._outputs)
