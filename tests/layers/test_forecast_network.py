"""Every gradient of the networks of a forecaster, by complex step."""

import numpy as np
import pytest
from layer_checks import check_gradients, features

from noria.errors import OptionError, ShapeError
from noria.layers import INFERENCE, FlatParameters, Recurrent, Stack, recurrent_stack
from noria.models.forecast.network import BESIDE, FORCED, DecoderNetwork, DirectNetwork, Members
from noria.sequences import Ragged

B, T, D, H, STEPS, CHANNELS, KNOWN = 3, 4, 5, 6, 3, 2, 1


def direct(name="one"):
    return DirectNetwork(recurrent_stack("rnn", H, engine="reference"), 8, KNOWN, name=name)


def decoder(name="one", cell="gru"):
    stacks = [recurrent_stack(cell, H, engine="reference", name=part) for part in ("encoder", "decoder")]
    return DecoderNetwork(*stacks, CHANNELS, 5, KNOWN, name=name)


def beside(seed=4):
    rng = np.random.default_rng(seed)
    return {FORCED: rng.normal(size=(B, STEPS, CHANNELS)), BESIDE: rng.normal(size=(B, STEPS, KNOWN))}


def windows():
    return Ragged.from_dense(np.random.default_rng(2).normal(size=(B, T, D)))


def test_all_steps_at_once():
    given = {BESIDE: np.random.default_rng(1).normal(size=(B, KNOWN))}
    check_gradients(direct, D, features([4, 2, 3], D), given=given)  # last steps at different places


def test_a_decoder_that_is_forced():
    check_gradients(decoder, D, windows(), given=beside(), directions=2)


def test_members_side_by_side():
    def members():
        return Members([decoder("a", "rnn"), decoder("b", "rnn")])

    check_gradients(members, D, windows(), given=beside(), directions=1)


@pytest.mark.parametrize(("make", "given"), [(direct, {BESIDE: beside()[BESIDE][:, 0]}), (decoder, beside())])
def test_gradients_of_what_is_beside(make, given):
    network = make()
    network.configure(D)
    flat = FlatParameters.build([network], np.random.default_rng(0), np.float64)
    flat.values[...] = np.random.default_rng(1).normal(size=flat.values.size, scale=0.5)
    x = windows()
    y, back = network(x, given=given)
    d_y = np.random.default_rng(3).normal(size=y.rows.shape)
    back(d_y)
    for name, array in given.items():
        direction = np.random.default_rng(5).normal(size=array.shape)
        ends = [
            (network(x, given={**given, name: array + step * direction})[0].rows * d_y).sum()
            for step in (1e-6, -1e-6)
        ]
        slope = (ends[0] - ends[1]) / 2e-6
        assert abs((back.d_given[name] * direction).sum() - slope) < 1e-7 * max(1, abs(slope))


def test_each_window_is_read_alone():
    network = direct()
    network.configure(D)
    FlatParameters.build([network], np.random.default_rng(0), np.float64).values[...] += 0.3
    x = features([5, 2, 4], D)
    given = np.random.default_rng(1).normal(size=(3, KNOWN))
    y, _ = network(x, given={BESIDE: given}, mode=INFERENCE)
    for index, sequence in enumerate(x.to_sequences()):
        alone, _ = network(
            Ragged.from_sequences([sequence]), given={BESIDE: given[index : index + 1]}, mode=INFERENCE
        )
        np.testing.assert_allclose(alone.rows, y.to_dense()[index], atol=1e-12)


def test_training_begins_with_no_difference():
    network = Members([DirectNetwork(Stack([Recurrent("gru", H, engine="reference")]), 3, name="one")])
    network.configure(D)
    FlatParameters.build([network], np.random.default_rng(0))
    y, _ = network(windows().with_rows(windows().rows.astype(np.float32)))
    assert not y.rows.any()


def test_what_does_not_fit_is_refused():
    network = direct()
    network.configure(D)
    FlatParameters.build([network], np.random.default_rng(0), np.float64)
    with pytest.raises(ShapeError, match="auxiliary input 'beside' of shape"):
        network(windows(), given={BESIDE: np.zeros((B, KNOWN + 1))})
    with pytest.raises(OptionError, match="at least one network"):
        Members([])
