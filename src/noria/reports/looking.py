"""The part of a report that looks inside a model while it reads one input: gradients, gates, answers."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from noria.inspection.answer_pictures import draw_answers, draw_attention
from noria.inspection.figures import label
from noria.inspection.gradient_pictures import draw_gradients
from noria.models.explanation import Explanation
from noria.models.gradient_reach import TENTH, THOUSANDTH, GradientThroughTime
from noria.reports.document import Block, Figure, Paragraph, Table
from noria.reports.gates import gate_figures
from noria.reports.prose import Prose

WIDTH = 5.4
"""Inches of answers side by side, so that what was read can be read below them on a page."""


def inside(explanation: Explanation, gradient: GradientThroughTime, said: str, prose: Prose) -> list[Block]:
    """Draw what was recorded of one input.

    Parameters
    ----------
    explanation : Explanation
    gradient : GradientThroughTime
        Of the same input.
    said : str
        What the input is.
    prose : Prose
    """
    blocks: list[Block] = [Paragraph(prose("input", said))]
    blocks += _gradient(gradient, prose)
    if explanation.layers:
        blocks += gate_figures(explanation.layers[-1], prose)
    blocks += _answers(explanation, prose)
    for number, one in enumerate(explanation.attention):
        rows, columns = one.weights.shape
        blocks.append(
            Figure(
                f"attention-{number}",
                prose("attention_caption", one.path),
                prose("attention_alt", rows, columns, f"{one.weights.max(initial=0.0):.2f}"),
                partial(draw_attention, one),
            )
        )
    return blocks


def _gradient(gradient: GradientThroughTime, prose: Prose) -> Iterator[Block]:
    layers = [one for one in gradient.layers if not one.is_zero and len(one.norms) > 1]
    if not layers:
        return
    distances, norms = layers[-1].decay()
    named = f"{layers[-1].path} {layers[-1].state}"
    yield Figure(
        "gradient",
        prose("gradient_caption"),
        prose("gradient_alt", int(distances[-1]), named, f"{norms[-1] / norms[0]:.2g}"),
        partial(draw_gradients, {"": gradient}),
    )
    rows = []
    for one in layers:
        far = prose("beyond", int(one.decay()[0][-1]))
        shown = (far if reach is None else str(reach) for reach in map(one.reach, (TENTH, THOUSANDTH)))
        rows.append((f"{one.path} ({one.cell}) {one.state}", *shown))
    yield Table(prose("reach_caption"), ((prose("state"), prose("tenth"), prose("thousandth")), *rows))


def _answers(explanation: Explanation, prose: Prose) -> Iterator[Figure]:
    entries = [entry for entry in explanation.predictions if "top" in entry]
    if not entries:
        return
    longest = max(len(label(str(symbol))) for entry in entries for symbol, _ in entry["top"])
    some = entries[-max(4, int(WIDTH / (0.12 + 0.065 * longest))) :]
    known = [entry for entry in some if "target" in entry]
    right = sum(str(entry["top"][0][0]) == str(entry["target"]) for entry in known)
    said = prose("answers_alt", right, len(known)) if known else prose("answers_alt_plain", len(some))
    shown = replace(explanation, predictions=tuple(some))
    yield Figure("answers", prose("answers_caption"), said, partial(draw_answers, shown))
