"""Every recurrent module of PyTorch that is one of our cells: same weights, outputs, states, gradients."""

import numpy as np
import pytest
from torch_cases import CASES, D, H, check_case, make_case

from noria.layers.interchange import GATES, from_torch, to_torch

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{len(case.lengths)}")
def test_same_weights_give_the_same_numbers(case):
    check_case(case, make_case(case))


@pytest.mark.parametrize("cell", GATES)
def test_weights_converted_there_and_back_run_alike_in_pytorch(cell):
    """Two biases become one (two, behind the reset gate), and the module computes what it did."""
    torch.manual_seed(1)
    name = {"rnn": "RNN", "rnn_relu": "RNN", "gru_reset_after": "GRU"}.get(cell, "LSTM")
    options = {"nonlinearity": "relu"} if cell == "rnn_relu" else {}
    options |= {"proj_size": 3} if cell == "lstm_projected" else {}
    module = getattr(torch.nn, name)(D, H, **options).double()
    x = torch.randn(5, 3, D, dtype=torch.float64)
    before = module(x)[0].detach().numpy()
    theirs = {key.removesuffix("_l0"): p.detach().numpy() for key, p in module.named_parameters()}
    back = to_torch(cell, from_torch(cell, theirs))
    assert not np.array_equal(back["bias_ih"], theirs["bias_ih"])
    with torch.no_grad():
        for key, parameter in module.named_parameters():
            parameter.copy_(torch.from_numpy(back[key.removesuffix("_l0")]))
    np.testing.assert_allclose(module(x)[0].detach().numpy(), before, rtol=1e-12)
