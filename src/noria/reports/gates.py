"""Gates and states of a recurrent layer while it read one input, as figures of a report."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from noria.arrays import Array
from noria.inspection.gate_pictures import draw_map, draw_step
from noria.models.explanation import RecordedLayer
from noria.reports.document import Figure
from noria.reports.prose import Prose, Sentences

STEPS = 46
"""Steps of a map, so that what was read can be read below it on a page."""

GATE_WORDS: Sentences = {
    "gates_caption": (
        "Every named value of {0} ({1}) after the last step, a bar for each unit: states are marked as such, "
        "all else are gates and candidates.",
        "Cada valor con nombre de {0} ({1}) tras el último paso, una barra por unidad: los estados están "
        "marcados («state»), lo demás son puertas y candidatos.",
    ),
    "gates_alt": (
        "Bars of the values {0} of {1} units; means: {2}.",
        "Barras de los valores {0} de {1} unidades; medias: {2}.",
    ),
    "map_caption": (
        "{0} of {1} ({2}) over the last {3} steps that were read: a line for each unit, light where it is "
        "high.",
        "{0} de {1} ({2}) sobre los últimos {3} pasos leídos: una fila por unidad, claro donde es alto.",
    ),
    "map_alt": (
        "Map of {0} units over {1} steps; values from {2} to {3}.",
        "Mapa de {0} unidades sobre {1} pasos; valores de {2} a {3}.",
    ),
    "reads_backwards": (
        "It reads the input from its end to its beginning, where its last steps are.",
        "Lee la entrada desde el final hasta el principio, donde están sus últimos pasos.",
    ),
}


def gate_figures(
    layer: RecordedLayer, prose: Prose, *, whose: str = "", suffix: str = ""
) -> Iterator[Figure]:
    """Give the figures of a layer: all values after the last step, and a gate and a state over the steps.

    Parameters
    ----------
    layer : RecordedLayer
    prose : Prose
        With ``GATE_WORDS``.
    whose : str
        What the captions begin with, where there are several models.
    suffix : str
        What the names of the figures end with, for the same reason.
    """

    def captioned(caption: str) -> str:
        said = f"{caption} {prose('reads_backwards')}" if layer.reversed else caption
        return f"{whose}: {said}" if whose else said

    # Rows stand in the order of the input, which a layer that reads backwards ends at the beginning of.
    last, end_of = (0, slice(STEPS)) if layer.reversed else (-1, slice(-STEPS, None))
    means = ", ".join(f"{name} {values[last].mean():.2f}" for name, values in layer.values.items())
    units = max(values.shape[1] for values in layer.values.values())
    yield Figure(
        f"gates{suffix}",
        captioned(prose("gates_caption", layer.path, layer.cell)),
        prose("gates_alt", ", ".join(layer.values), units, means),
        partial(draw_step, layer, last),
    )
    gate = next((name for name, values in layer.values.items() if _is_gate(values)), None)
    end = replace(
        layer,
        steps=layer.steps[end_of],
        values={name: values[end_of] for name, values in layer.values.items()},
    )
    for name in dict.fromkeys([*([gate] if gate else []), layer.states[0]]):
        values = end.values[name]
        yield Figure(
            f"map-{name}{suffix}",
            captioned(prose("map_caption", name, layer.path, layer.cell, len(values))),
            prose("map_alt", values.shape[1], len(values), f"{values.min():.2f}", f"{values.max():.2f}"),
            partial(draw_map, end, name),
        )


def _is_gate(values: Array) -> bool:
    return bool(np.all((values >= 0) & (values <= 1)))
