"""Parameter counts beside those of PyTorch's own modules: the difference is what is said of it."""

import pytest

from noria.inspection.torch_counts import TorchCount, torch_counts
from noria.layers import Bidirectional, Embedding, Layer, Recurrent, Stack

torch = pytest.importorskip("torch")

D, H = 5, 8
MODULES = {
    "rnn": torch.nn.RNN(D, H),
    "rnn_relu": torch.nn.RNN(D, H, nonlinearity="relu"),
    "lstm": torch.nn.LSTM(D, H),
    "lstm_projected": torch.nn.LSTM(D, H, proj_size=3),
    "gru_reset_after": torch.nn.GRU(D, H),
    "gru": torch.nn.GRU(D, H),
}
COUNTS = {"rnn": (112, 120), "lstm": (448, 480), "gru_reset_after": (344, 360), "gru": (336, 360)}


def counts(layer: Layer, size: int = D) -> list[TorchCount]:
    layer.configure(size)
    return list(torch_counts(layer))


@pytest.mark.parametrize("cell", MODULES)
def test_the_count_of_pytorch_is_pytorchs(cell: str) -> None:
    projected = cell == "lstm_projected"
    layer = Recurrent(cell, 3, sizes={"c": H}) if projected else Recurrent(cell, H)
    (found,) = counts(layer)
    module = MODULES[cell]
    assert found.module == f"nn.{type(module).__name__}"
    assert found.torch_parameters == sum(one.numel() for one in module.parameters())
    assert found.parameters == sum(one.size for one in layer.parameters())
    if cell in COUNTS:
        assert (found.parameters, found.torch_parameters) == COUNTS[cell]
    second = dict(module.named_parameters())["bias_hh_l0"]
    needed = H if cell == "gru_reset_after" else 0  # b_hn
    assert found.torch_parameters - found.parameters == second.numel() - needed
    assert "redundant" in str(found)


def test_every_recurrent_layer_inside_is_compared_and_no_other() -> None:
    found = counts(Stack([Embedding(9, 4), Bidirectional(Recurrent("lstm", 6)), Recurrent("janet", 3)]), 9)
    assert [(one.cell, one.hidden_size) for one in found] == [("lstm", 6), ("lstm", 6)]


def test_a_cell_that_is_not_the_shipped_one_is_not_compared() -> None:
    from noria.equations import cells, layer_normalised, replace

    assert counts(Recurrent(layer_normalised(cells.lstm), H)) == []
    assert counts(Recurrent(replace(cells.lstm, tanh="relu"), H)) == []
