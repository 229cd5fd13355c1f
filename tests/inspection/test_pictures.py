"""Pictures: they are there, SVG is well-formed, and what is to be read in them is in them."""

import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from noria.errors import DataError, ShapeError, UnknownNameError
from noria.inspection import figures, gate_pictures
from noria.inspection.album import draw_album
from noria.inspection.coloured_text import ansi, html, page
from noria.inspection.figures import label
from noria.inspection.gate_pictures import draw_map, draw_step
from noria.inspection.gradient_pictures import draw_gradients
from noria.inspection.spectral import draw_spectral, orthogonal, spectral_demonstration
from noria.inspection.unrolled_picture import draw_unrolled
from noria.inspection.unrolling import unrolled
from noria.layers import (
    Bidirectional,
    CausalAttention,
    DecoderAttention,
    Embedding,
    EncoderDecoder,
    Layer,
    Linear,
    Recurrent,
    Stack,
)
from noria.layers.pooling import LastPooling
from noria.models.explanation import Explanation, RecordedAttention, RecordedLayer
from noria.models.gradient_reach import GradientThroughTime, LayerGradient

STEPS = ("^", "$", "$\\frac$", " ", "\n", "<unk>", "\u4e2d", "\x07")


@pytest.fixture(autouse=True)
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures of few dots are drawn faster."""
    monkeypatch.setattr(figures, "DPI", 30)


def words_in(path: Path) -> str:
    """Give the text of a picture; it has to be well-formed."""
    root = ElementTree.parse(path).getroot()
    assert root.tag.endswith("svg")
    return " ".join("".join(found.itertext()) for found in root.iter() if found.tag.endswith("text"))


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    rng = np.random.default_rng(0)
    count = len(STEPS)
    values = {
        "i": rng.random((count, 5)),
        "c": rng.standard_normal((count, 5)) * 3,
        "h": rng.random((count, 5)) - 0.5,
    }
    layer = RecordedLayer("recurrent.0", "lstm", "h' = x", ("c", "h"), STEPS, values)
    attention = RecordedAttention("attention", STEPS, STEPS, np.tril(rng.random((count, count))))
    answers = tuple({"step": one, "top": [["a", 0.7], ["$", 0.3]], "target": "$"} for one in STEPS)
    return Explanation("text", "some", STEPS, (layer,), (attention,), answers)


def test_the_album_has_every_picture_twice(explanation: Explanation, tmp_path: Path) -> None:
    files = draw_album(explanation, tmp_path, value="c", units=[1, 4], step=5)
    names = {file.name for file in files}
    stems = ["gates", "map-i", "map-c", "map-h", "units-c", "attention", "answers"]
    assert names == {f"{stem}.{ending}" for stem in stems for ending in ("svg", "png")} | {"units-c.html"}
    assert all(file.stat().st_size > 500 for file in files)
    gates = words_in(tmp_path / "gates.svg")
    assert "recurrent.0 (lstm) after step 6" in gates
    assert "c (state)" in gates
    heat = words_in(tmp_path / "map-c.svg")
    for shown in ("$", "$\\frac$", "\u2423", "\u21b5", "\u4e2d", "\u2407", "value of c", "unit"):
        assert shown in heat
    assert "unit 4" in words_in(tmp_path / "units-c.svg")
    assert "looked at" in words_in(tmp_path / "attention.svg")
    assert "probability" in words_in(tmp_path / "answers.svg")


def test_a_long_text_goes_on_in_the_next_row_and_its_end_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gate_pictures, "ROW", 5)
    steps = tuple(f"w{number}" for number in range(100))
    layer = RecordedLayer("r", "rnn", "", ("h",), steps, {"h": np.zeros((100, 3))})
    draw_map(layer, "h", tmp_path / "long")
    words = words_in(tmp_path / "long.svg")
    shown = re.findall(r"w\d+", words)
    assert sorted(shown) == [f"w{number}" for number in range(85, 100)]  # three rows
    assert "from step 86" in words


def test_what_is_not_there_is_not_drawn(explanation: Explanation, tmp_path: Path) -> None:
    for wrong in ({"layer": "x"}, {"value": "q"}, {"units": [5]}):
        with pytest.raises(UnknownNameError):
            draw_album(explanation, tmp_path / "none", **wrong)
        assert not (tmp_path / "none").exists()
    with pytest.raises(DataError, match="a step from 0 to 7, got 8"):
        draw_step(explanation.layer(), 8, tmp_path / "x")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        draw_step(explanation.layer(), 0, tmp_path / "file" / "x")


def test_the_same_picture_has_the_same_bytes(explanation: Explanation, tmp_path: Path) -> None:
    first, second = (draw_step(explanation.layer(), 1, tmp_path / name)[0] for name in "ab")
    assert first.read_bytes() == second.read_bytes()


def test_coloured_text(explanation: Explanation) -> None:
    values = np.array([1.0, -0.5, 0.0])
    written = ansi(["a", "<", "\n"], values)
    assert written.startswith("\x1b[30;48;2;230;159;0ma\x1b[0m")  # the largest: orange
    assert "48;2;128;184;216m<" in written  # half way to blue
    assert written.endswith("255;255;255m\u21b5\x1b[0m\n")
    spans = html(["a", "<", "\x07"], values)
    assert re.findall(r'title="([^"]*)"', spans) == ["1.000", "-0.500", "0.000"]
    assert "&lt;" in spans
    assert "\x07" not in spans
    whole = page(explanation.layer(), "c", [0, 2])
    parser = HTMLParser()
    parser.feed(whole)
    assert whole.count('<p class="text">') == 2
    with pytest.raises(ShapeError):
        ansi(["a"], values)


def test_labels() -> None:
    assert [label(one) for one in (" ", "a b", "<unk>", "x" * 30)] == [
        "\u2423",
        "a b",
        "\ufffd",
        "x" * 13 + "\u2026",
    ]


def test_gradients_are_drawn_side_by_side(tmp_path: Path) -> None:
    one = LayerGradient("recurrent.0", "rnn", "h", ("a", "b", "c"), np.array([1e-4, 0.01, 1.0]))
    both = {name: GradientThroughTime(1.0, "x", (one,)) for name in ("rnn", "gru")}
    svg, _ = draw_gradients(both, tmp_path / "g")
    words = words_in(svg)
    for shown in (
        "rnn: recurrent.0 h",
        "gru: recurrent.0 h",
        "a tenth",
        "a thousandth",
        "steps back",
        "10\u207b\u00b3",
    ):
        assert shown in words
    nothing = LayerGradient("recurrent.0", "rnn", "h", ("a",), np.array([0.0]))
    with pytest.raises(DataError, match="nothing to draw"):
        draw_gradients({"": GradientThroughTime(1.0, "x", (nothing,))}, tmp_path / "n")


def test_the_spectral_demonstration(tmp_path: Path) -> None:
    found = spectral_demonstration(size=40, steps=20)
    for one, scale in zip(found.matrices, (0.5, 1.0, 1.5), strict=False):
        assert (one.norm, one.radius, one.rate) == pytest.approx((scale, scale, scale))
        np.testing.assert_allclose(one.growth, scale ** np.arange(21.0))
    gaussian = found.matrices[-1]
    assert gaussian.norm > 1.2 > 1.0 > gaussian.radius
    assert gaussian.growth[-1] < 1.0
    said = found.words()
    assert [re.search(r"it (\w+)", line)[1] for line in said[:4]] == [
        "vanishes",
        "stays",
        "explodes",
        "vanishes",
    ]
    assert said[4].startswith(
        f"A norm above 1 need not explode: the Gaussian matrix has norm {gaussian.norm:.3f}"
    )
    exploding = spectral_demonstration(size=40, steps=20, radius=1.4)
    assert "not by the norm" in exploding.words()[4]
    words = words_in(draw_spectral(found, tmp_path / "s")[0])
    assert f"norm {gaussian.norm:.2f}, radius {gaussian.radius:.2f}" in words
    q = orthogonal(6, np.random.default_rng(0))
    np.testing.assert_allclose(q @ q.T, np.eye(6), atol=1e-12)


def network(name: str) -> Layer:
    made: dict[str, Layer] = {
        "many to many": Stack([Embedding(9, 4), Recurrent("lstm", 6), CausalAttention(5), Linear(9)]),
        "many to one": Stack([Bidirectional(Recurrent("gru", 6)), LastPooling(backward_size=6), Linear(2)]),
    }
    encoder = Stack([Embedding(9, 4), Bidirectional(Recurrent("gru", 3))])
    encoder.configure(9)
    decoder = Stack([Embedding(7, 4), Recurrent("gru", 5), DecoderAttention(6), Linear(7)])
    made["sequence to sequence"] = EncoderDecoder(encoder, decoder, 9)
    found = made[name]
    found.configure(7 if name.startswith("seq") else 9)
    return found


@pytest.mark.parametrize("kind", ["many to many", "many to one", "sequence to sequence"])
def test_the_network_is_drawn_as_it_is(kind: str, tmp_path: Path) -> None:
    drawn = network(kind)
    found = unrolled(drawn, "runs/some")
    assert found.kind == kind
    assert found.parameters == sum(parameter.size for parameter in drawn.parameters())
    assert (
        sum(row.parameters for part in found.parts for row in part.rows) + found.between == found.parameters
    )
    words = words_in(draw_unrolled(found, tmp_path / "network")[0])
    assert f"runs/some \u00b7 {kind} \u00b7 {found.parameters:,} parameters" in words
    for part in found.parts:
        assert part.reads in words
        for row in part.rows:
            assert row.title in words
            assert row.path in words
            steps = "" if row.whole else f"{part.steps}, "
            assert f"({steps}{row.size}" in words
    last = {"many to many": "y(T)", "many to one": "y", "sequence to sequence": "memory m"}[kind]
    assert last in words
