"""How well a network predicts: every symbol scored once, in windows that carry the state."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from noria.arrays import Array
from noria.errors import DivergenceError
from noria.layers import INFERENCE, Layer, State, first_sequences
from noria.models.examples import SIDE_BY_SIDE
from noria.models.text.certain import Certain, tally_of
from noria.models.text.network import begun_states
from noria.models.text.reading import Reading, beginnings
from noria.sequences import Ragged
from noria.training.losses import cross_entropy_rows

LOGITS = 1 << 21
"""Logits that are in memory at once."""
ROWS = 512
"""Rows that go through a wide output layer together: all its weights are read for them."""
WIDE_LOGITS = 1 << 24
"""Logits that these may have; from 262,144 symbols on there are as many as 64 rows have."""


@dataclass(frozen=True)
class Score:
    """What predictions added up to.

    Attributes
    ----------
    total_nats : float
        Negative log-probability of all that was predicted.
    tokens : int
        Number of predictions.
    characters : int
        Characters among them; the others are ends of sequences.
    correct : int
        Predictions whose likeliest symbol was the right one.
    spelling : float
        What spelling the unknown words among them costs, in nats.
    certain : Certain or None
        Of the predictions whose answer is certain, where that is known.
    """

    total_nats: float
    tokens: int
    characters: int
    correct: int
    spelling: float = 0.0
    certain: Certain | None = None

    @property
    def nats(self) -> float:
        """Cross-entropy in nats per token."""
        return self.total_nats / self.tokens

    def figures(self) -> dict[str, float]:
        """Give the figures by their names.

        ``loss`` in nats per token, ``bits_per_character``, ``perplexity`` per token, ``accuracy`` of the next
        token, and how many ``tokens`` and ``characters`` they were taken on. Bits per character compare
        between characters, words and subwords: (nats of all tokens + nats of spelling each ``<unk>``) /
        characters / log 2. The other figures take ``<unk>`` for a token like any other. Where it is known
        what is certain, the figures of :class:`~noria.models.text.certain.Certain` too.
        """
        return {
            "loss": self.nats,
            "bits_per_character": bits_per_character(self.total_nats, self.spelling, self.characters),
            "perplexity": math.exp(min(self.nats, 700.0)),  # beyond lies what a float cannot hold
            "accuracy": self.correct / self.tokens,
            "tokens": self.tokens,
            "characters": self.characters,
            **({} if self.certain is None else self.certain.figures()),
        }


def bits_per_character(total_nats: float, spelling: float, characters: int) -> float:
    """Give what all predictions and the spelling of what is unknown cost, in bits for each character."""
    return (total_nats + spelling) / max(characters, 1) / math.log(2)


def score_readings(
    network: Layer,
    readings: Sequence[Reading],
    *,
    end: int | None = None,
    characters: int | None = None,
    spelling: float = 0.0,
) -> Score:
    """Score readings side by side, each from the initial state.

    Parameters
    ----------
    network : Layer
        From token ids to logits.
    readings : sequence of Reading
        With something to predict in each.
    end : int, optional
        The symbol that is no character.
    characters : int, optional
        Characters that are scored; left out, every symbol but `end` is one.
    spelling : float, default 0
        What spelling the unknown symbols among them costs, in nats.

    Raises
    ------
    DivergenceError
        If what it comes to is not finite, as with weights that are not.
    """
    longest_first = sorted(readings, key=lambda reading: -len(reading.ids))
    total, tokens, counted, correct = 0.0, 0, 0, 0
    tally = tally_of(longest_first)
    for begin in range(0, len(longest_first), SIDE_BY_SIDE):
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # it shows in the total
            for scored in _windows(network, longest_first[begin : begin + SIDE_BY_SIDE]):
                total += float(scored.nats.sum())
                tokens += len(scored.targets)
                counted += (
                    len(scored.targets) if end is None else int(np.count_nonzero(scored.targets != end))
                )
                correct += int(np.count_nonzero(scored.hits))
                if tally is not None:
                    tally.add(begin + scored.reading, scored.place, scored.hits)
    if not math.isfinite(total):
        raise DivergenceError(
            f"evaluation: expected a finite loss, got {total}: the weights of the model are damaged, or its "
            "training diverged.\n  Load the run again, or train with a lower lr."
        )
    counted = counted if characters is None else characters
    return Score(total, tokens, counted, correct, spelling, None if tally is None else tally.result())


class _Scored(NamedTuple):
    """Predictions of a window: nats, targets, whether the likeliest was right, and where they stand."""

    nats: Array
    targets: Array
    hits: Array
    reading: Array
    place: Array


def _windows(network: Layer, readings: Sequence[Reading]) -> Iterator[_Scored]:
    """Read in lockstep, longest first."""
    begins = beginnings(readings)
    state: State = None if begins is None else begun_states(network, begins)
    symbols = network.output_size
    rows = max(LOGITS // symbols, min(ROWS, WIDE_LOGITS // symbols), 64)
    window = max(1, rows // len(readings))
    leads = np.array([reading.lead for reading in readings])
    for begin in range(0, len(readings[0].ids) - 1, window):
        pieces = [
            reading.ids[begin : begin + window + 1] for reading in readings if len(reading.ids) - 1 > begin
        ]
        if state is not None:
            state = first_sequences(state, len(pieces))
        inputs = Ragged.from_sequences([piece[:-1] for piece in pieces])
        layout = inputs.layout
        targets = np.concatenate([piece[1:] for piece in pieces])[layout.position_in_sequences]
        logits, backward = network(inputs, state=state, mode=INFERENCE)
        state = backward.state
        scored = layout.step_of_row + begin + 1 >= leads[layout.caller_of_row]
        if scored.any():
            rows_of_scored, targets = logits.rows[scored], targets[scored]
            reading = layout.caller_of_row[scored]
            yield _Scored(
                cross_entropy_rows(rows_of_scored, targets),
                targets,
                rows_of_scored.argmax(axis=1) == targets,
                reading,
                layout.step_of_row[scored] + begin + 1 - leads[reading],
            )
