"""The array types that signatures are written in.

Shapes stand in the annotation, ``Float[Array, "N H"]``, and the tests check them while they run. One legend
for all of them: ``N`` rows (real tokens of a batch), ``T`` steps, ``B`` sequences, ``D`` input size, ``H``
hidden size, ``F`` features, ``V`` symbols, ``P`` parameters.
"""

import numpy as np
from jaxtyping import Bool, Float, Inexact, Int, Integer, Num, Shaped

Array = np.ndarray

__all__ = ["Array", "Bool", "Float", "Inexact", "Int", "Integer", "Num", "Shaped"]
