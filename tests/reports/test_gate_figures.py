"""Gates and states in reports: what the figures are drawn of, and what is said of them."""

from dataclasses import replace

import numpy as np
import pytest

from noria.models.explanation import RecordedLayer
from noria.reports import gates
from noria.reports.gates import GATE_WORDS, STEPS, gate_figures
from noria.reports.prose import LANGUAGES, Prose

LENGTH, UNITS = 60, 5


@pytest.fixture
def layer():
    ramp = np.arange(LENGTH * UNITS, dtype=float).reshape(LENGTH, UNITS) / (LENGTH * UNITS)
    values = {"g": ramp - 0.5, "f": ramp, "o": ramp / 2, "c": 3 * ramp - 1, "h": -ramp}
    steps = tuple(str(step) for step in range(LENGTH))
    return RecordedLayer("recurrent.2", "lstm", "...", ("c", "h"), steps, values)


def test_the_last_step_and_a_gate_and_a_state_over_the_last_steps(layer, monkeypatch, tmp_path):
    drawn = {}
    monkeypatch.setattr(gates, "draw_step", lambda *words: drawn.update(step=words) or [])
    monkeypatch.setattr(gates, "draw_map", lambda one, name, path: drawn.update({name: (one, path)}) or [])
    figures = list(gate_figures(layer, Prose("en", GATE_WORDS), whose="mine", suffix="-3"))
    assert [figure.name for figure in figures] == ["gates-3", "map-f-3", "map-c-3"]
    for figure in figures:
        figure.draw(tmp_path)
    assert drawn["step"] == (layer, -1, tmp_path)
    for name in ("f", "c"):
        shown, path = drawn[name]
        assert path == tmp_path
        assert shown.steps == layer.steps[-STEPS:]
        np.testing.assert_array_equal(shown.values[name], layer.values[name][-STEPS:])
    bars, gate, state = figures
    assert bars.caption.startswith("mine: Every named value of recurrent.2 (lstm) after the last step")
    last = {name: values[-1].mean() for name, values in layer.values.items()}
    means = ", ".join(f"{name} {value:.2f}" for name, value in last.items())
    assert bars.alternative == f"Bars of the values g, f, o, c, h of 5 units; means: {means}."
    assert gate.caption.startswith(f"mine: f of recurrent.2 (lstm) over the last {STEPS} steps")
    assert gate.alternative == f"Map of 5 units over {STEPS} steps; values from 0.23 to 1.00."
    assert state.alternative == f"Map of 5 units over {STEPS} steps; values from -0.30 to 1.99."


def test_a_layer_that_reads_backwards_is_drawn_where_it_ends(layer, monkeypatch, tmp_path):
    drawn = {}
    monkeypatch.setattr(gates, "draw_step", lambda *words: drawn.update(step=words) or [])
    monkeypatch.setattr(gates, "draw_map", lambda one, name, path: drawn.update({name: one}) or [])
    backward = replace(layer, reversed=True)
    for place, language in enumerate(LANGUAGES):
        figures = list(gate_figures(backward, Prose(language, GATE_WORDS), whose="mine"))
        assert all(figure.caption.endswith(GATE_WORDS["reads_backwards"][place]) for figure in figures)
        for figure in figures:
            figure.draw(tmp_path)
        assert drawn["step"] == (backward, 0, tmp_path)
        assert drawn["f"].steps == layer.steps[:STEPS]
        np.testing.assert_array_equal(drawn["f"].values["f"], layer.values["f"][:STEPS])
        assert f"f {layer.values['f'][0].mean():.2f}" in figures[0].alternative
    forward = gate_figures(layer, Prose("en", GATE_WORDS))
    assert not any(GATE_WORDS["reads_backwards"][0] in figure.caption for figure in forward)


def test_without_gates_a_state_alone_and_without_others_no_name(layer):
    values = {name: layer.values[name] for name in ("g", "c")}
    plain = RecordedLayer("recurrent", "rnn", "...", ("c",), layer.steps, values)
    for language in LANGUAGES:
        say = Prose(language, GATE_WORDS)
        figures = list(gate_figures(plain, say))
        assert [figure.name for figure in figures] == ["gates", "map-c"]
        assert figures[0].caption == say("gates_caption", "recurrent", "rnn")
