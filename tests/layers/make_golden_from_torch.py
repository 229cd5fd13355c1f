"""Write down what PyTorch computes, for machines without it.

python tests/layers/make_golden_from_torch.py
"""

from pathlib import Path

import numpy as np
from torch_cases import GOLDEN, make_case

FOLDER = Path(__file__).parent / "golden"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for case in GOLDEN:
        np.savez_compressed(FOLDER / f"{case.name}.npz", **make_case(case))
        print(case.name)
