"""Recall over a gap: what is said follows from the figures."""

import numpy as np
import pytest

from noria.data.builtin_tasks import BuiltinParts
from noria.inspection import recall
from noria.inspection.recall import RecallDemonstration, Recalled, recall_demonstration
from noria.models.gradient_reach import GradientThroughTime, LayerGradient


def test_cells_are_trained_on_the_same_strings(monkeypatch: pytest.MonkeyPatch) -> None:
    def few(name: str, task: str, seed: int) -> BuiltinParts:
        assert (name, task, seed) == ("recall:3", "classify", 0)
        strings = ["abca", "bcab", "cabc", "acbb"] * 4
        part = strings, [string[0] for string in strings]
        return BuiltinParts(part, "few", part, part)

    monkeypatch.setattr(recall, "builtin_data", few)
    told: list[str] = []
    found = recall_demonstration(
        gap=3, cells=("rnn",), hidden_size=3, steps=2, strings=2, engine="reference", listener=told.append
    )
    assert told == ["rnn"]
    (one,) = found.cells
    assert 0 <= one.accuracy <= 1
    for through in (one.before, one.after):
        assert through.inputs == 2
        assert [len(layer.norms) for layer in through.layers] == [4]
    assert found.to_dict()["cells"][0]["cell"] == "rnn"


def test_words_follow_from_the_figures() -> None:
    def recalled(cell: str, accuracy: float, left: float) -> Recalled:
        layer = LayerGradient("recurrent.0", cell, "h", ("1", "2", "3"), np.array([left, 0.5, 1.0]))
        through = GradientThroughTime(1.0, "x", (layer,))
        return Recalled(cell, accuracy, through, through)

    cells = recalled("a", 0.9, 0.3), recalled("b", 0.13, 1e-6), recalled("c", 0.2, 0.01)
    said = RecallDemonstration(2, 10, 4, cells).words()
    assert said[0].startswith("a: accuracy 0.900 (chance 0.125)")
    assert said[0].endswith(
        "0.3 at h is left 2 steps back, at the letter to be recalled: it learnt to recall."
    )
    assert said[1].endswith("it did not learn, and what should teach it hardly arrives.")
    assert said[2].endswith("it did not learn in so many steps, though a gradient arrives.")
