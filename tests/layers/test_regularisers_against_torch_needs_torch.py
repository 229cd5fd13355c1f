"""A stack with every regulariser between and on its layers, against PyTorch with the same masks."""

import numpy as np
import pytest

from noria.layers import (
    BatchNorm,
    Dropout,
    Embedding,
    FlatParameters,
    Linear,
    Mode,
    Recurrent,
    Stack,
)
from noria.layers.interchange import to_torch
from noria.sequences import Ragged
from noria.training.losses import sequence_cross_entropy

torch = pytest.importorskip("torch")

LENGTHS = (3, 6, 1, 5)
V, F, H, K = 8, 4, 5, 4  # symbols, embedding, hidden sizes of both layers
KEYS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def factors(shape, p, seed):
    return np.where(np.random.default_rng(seed).random(shape) < p, 0.0, 1 / (1 - p))


def test_same_masks_give_the_same_numbers():
    embedding = Embedding(V, F, dropout=0.3)
    first, second = Recurrent("lstm", H, drop_connect=0.4), Recurrent("lstm", K, drop_connect=0.3)
    norm, output = BatchNorm(momentum=0.3), Linear(V, weight=embedding.table)
    between = Dropout(0.3, locked=True)
    net = Stack([embedding, Dropout(0.2), first, norm, between, second, output], keys=list("edfnlso"))
    net.configure(V)
    flat = FlatParameters.build([net], np.random.default_rng(0), np.float64)
    flat.values[...] = np.random.default_rng(1).normal(size=flat.values.size, scale=0.5)
    rng = np.random.default_rng(2)
    x = Ragged.from_sequences([rng.integers(0, V, length) for length in LENGTHS])
    targets = rng.integers(0, V, sum(LENGTHS))
    masks = {
        "e.mask": factors(V, 0.3, 3),
        "d.mask": factors((sum(LENGTHS), F), 0.2, 4),
        "l.mask": factors((len(LENGTHS), H), 0.3, 5),
    }
    for key, size in (("f", H), ("s", K)):
        for number, gate in enumerate("ifgo"):
            masks[f"{key}.mask.U_{gate}"] = factors((size, size), 0.4, 10 * size + number)
    mode = Mode(training=True, rng=rng)
    logits, backward = net(x, given=masks, mode=mode)
    loss, loss_backward = sequence_cross_entropy(logits.rows, targets, label_smoothing=0.1)
    backward(loss_backward())

    def tensor(array, wanted=True):
        return torch.tensor(np.array(array), requires_grad=wanted)

    def masked(key, layer):
        values = {parameter.name: parameter.value for parameter in layer.parameters()}
        ones = {name: np.ones_like(value) for name, value in values.items()}
        drop = to_torch("lstm", ones | {f"U_{gate}": masks[f"{key}.mask.U_{gate}"] for gate in "ifgo"})
        weights = {name: tensor(array) for name, array in to_torch("lstm", values).items()}
        return weights, [
            weights[k] * tensor(drop[k], False) if k == "weight_hh" else weights[k] for k in KEYS
        ]

    table = tensor(embedding.table.value)
    gain, bias, b = tensor(norm.gain.value), tensor(norm.bias.value), tensor(output.b.value)
    ours = {"f": first, "s": second}
    lstm = {key: masked(key, layer) for key, layer in ours.items()}
    mean, variance = torch.zeros(H, dtype=torch.float64), torch.ones(H, dtype=torch.float64)

    counts = torch.tensor(np.array(x.layout.counts))
    order = np.array(x.layout.order)

    def run(key, rows):
        module = torch.nn.LSTM(rows.shape[1], ours[key].hidden_size).double()
        names = dict(zip((f"{k}_l0" for k in KEYS), lstm[key][1], strict=True))
        packed = torch.nn.utils.rnn.PackedSequence(rows, counts)
        return torch.func.functional_call(module, names, (packed,))[0].data

    ids = torch.tensor(np.array(x.rows))
    rows = (table * tensor(masks["e.mask"], False)[:, None])[ids] * tensor(masks["d.mask"], False)
    rows = run("f", rows)
    rows = torch.nn.functional.batch_norm(rows, mean, variance, gain, bias, training=True, momentum=0.3)
    of_rows = masks["l.mask"][order][np.array(x.layout.sequence_of_row)]
    rows = run("s", rows * tensor(of_rows, False))
    theirs = rows @ table.T + b
    judged = torch.nn.functional.cross_entropy(theirs, torch.tensor(targets), label_smoothing=0.1)
    judged.backward()

    np.testing.assert_allclose(loss, judged.item(), rtol=1e-12)
    np.testing.assert_allclose(norm.mean.value, mean.numpy(), rtol=1e-12)
    np.testing.assert_allclose(norm.variance.value, variance.numpy(), rtol=1e-12)
    pairs = [(embedding.table, table), (norm.gain, gain), (norm.bias, bias), (output.b, b)]
    for parameter, judge in pairs:
        np.testing.assert_allclose(parameter.gradient, judge.grad.numpy(), rtol=1e-9, atol=1e-13)
    for key, layer in ours.items():
        gradients = to_torch("lstm", {parameter.name: parameter.gradient for parameter in layer.parameters()})
        for name in KEYS[:3]:
            judge = lstm[key][0][name].grad.numpy()
            assert np.linalg.norm(judge) > 0
            np.testing.assert_allclose(gradients[name], judge, rtol=1e-9, atol=1e-13)

    after = net(x)[0].rows  # running statistics, and no mask
    rows = run_plain(table[ids], first, counts)
    rows = torch.nn.functional.batch_norm(rows, mean, variance, gain, bias, training=False)
    rows = run_plain(rows, second, counts)
    np.testing.assert_allclose(after, (rows @ table.T + b).detach().numpy(), rtol=1e-10, atol=1e-12)


def run_plain(rows, layer, counts):
    module = torch.nn.LSTM(rows.shape[1], layer.hidden_size).double()
    weights = to_torch("lstm", {parameter.name: parameter.value for parameter in layer.parameters()})
    names = {f"{key}_l0": torch.tensor(np.array(weights[key])) for key in KEYS}
    packed = torch.nn.utils.rnn.PackedSequence(rows, counts)
    return torch.func.functional_call(module, names, (packed,))[0].data
