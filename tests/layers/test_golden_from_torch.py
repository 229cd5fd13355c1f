"""What PyTorch computed once, from files: exactness without PyTorch."""

from pathlib import Path

import numpy as np
import pytest
from torch_cases import GOLDEN, check_case

from noria.errors import UnknownNameError
from noria.layers.interchange import from_torch

FOLDER = Path(__file__).parent / "golden"


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.name)
def test_same_numbers_as_pytorch_once_gave(case):
    with np.load(FOLDER / f"{case.name}.npz") as arrays:
        check_case(case, dict(arrays))


def test_two_gates_swapped_are_seen():
    """The comparison itself: with z and r in each other's place it must fail."""
    case = next(case for case in GOLDEN if case.cell == "gru_reset_after" and not case.bidirectional)
    with np.load(FOLDER / f"{case.name}.npz") as stored:
        arrays = dict(stored)
    r, z, n = np.split(arrays["weights.weight_hh_l0"], 3)
    arrays["weights.weight_hh_l0"] = np.concatenate([z, r, n])
    with pytest.raises(AssertionError, match="differs from PyTorch"):
        check_case(case, arrays)


def test_a_cell_without_a_module_is_named():
    with pytest.raises(UnknownNameError, match="cell 'mgu' has no module in PyTorch"):
        from_torch("mgu", {})
