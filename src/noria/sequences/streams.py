"""One long text as parallel contiguous readings, cut into windows that carry their state (truncated BPTT).

Reading ``b`` goes on in window ``k + 1`` exactly where it stopped in window ``k``: no two windows overlap,
and the state after one window is the state before the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from noria.arrays import Array, Int
from noria.errors import DataError, OptionError
from noria.sequences.layout import Layout
from noria.sequences.ragged import Ragged


@dataclass(frozen=True, eq=False)
class Window:
    """A piece of every reading.

    Attributes
    ----------
    inputs : Ragged of token ids
        The readings' next tokens. In the last window of a whole reading fewer sequences may be left than
        before: they are the *first* ones, so the state to carry into it is the first ``inputs.batch_size``
        rows.
    targets : integer array of shape (N,)
        For each row of `inputs` the token that follows it in the text.
    index : int
        Which window of the epoch this is, from 0.
    carries : bool
        Whether the state of the window before goes in. False at the start of an epoch, where the initial
        state goes in.
    """

    inputs: Ragged
    targets: Int[Array, " N"]
    index: int
    carries: bool


class Streams:
    """Parallel readings of one text, window by window; any window can be asked for by its number alone.

    Parameters
    ----------
    ids : integer array of shape (N,)
        The token ids of the text, from which N - 1 next tokens can be predicted.
    batch_size : int
        Number of readings, B. Reading ``b`` starts where reading ``b - 1`` ends.
    window : int
        Number of steps of a window, T.
    whole : bool, default False
        False, for training: all windows are full, and fewer than B * T predictions at the end of the text
        are dropped (`dropped`). True, for evaluation: all N - 1 predictions are made, each exactly once;
        the readings' lengths differ by at most one, the last windows are shorter, and there are fewer
        readings where the text has fewer predictions than `batch_size`.

    Attributes
    ----------
    predictions : int
        Number of predictions of an epoch.
    dropped : int
        Number of predictions at the end of the text that are never made; 0 for a whole reading.

    Raises
    ------
    DataError
        If the text is too short for one window.
    OptionError
        If `batch_size` or `window` is below 1.
    """

    def __init__(self, ids: Int[Array, " N"], batch_size: int, window: int, *, whole: bool = False) -> None:
        for option, value in (("batch_size", batch_size), ("window", window)):
            if value < 1:
                raise OptionError(
                    f"The '{option}' option of Streams must be an int of at least 1. Got {value}."
                )
        possible = len(ids) - 1
        if possible < 1:
            raise DataError(
                f"Streams: a text of {len(ids)} tokens has no next token to predict; it needs at least 2."
            )
        if whole:
            readings = min(batch_size, possible)
            self._lengths = np.full(readings, possible // readings)
            self._lengths[: possible % readings] += 1
        else:
            windows = possible // (batch_size * window)
            if windows == 0:
                raise DataError(
                    f"Streams: {batch_size} readings with windows of {window} steps need "
                    f"{batch_size * window + 1} tokens, the text has {len(ids)}.\n"
                    "  Choose a smaller batch size, a shorter window or a longer text."
                )
            self._lengths = np.full(batch_size, windows * window)
        self._ids = ids
        self._starts = np.cumsum(self._lengths) - self._lengths
        self.batch_size = len(self._lengths)
        self.window_size = window
        self.predictions = int(self._lengths.sum())
        self.dropped = possible - self.predictions

    def __len__(self) -> int:
        """Give the number of windows of an epoch."""
        return -(-int(self._lengths[0]) // self.window_size)

    def window(self, index: int) -> Window:
        """Give a window of the epoch by its number, from 0; training step s reads ``s % len(streams)``."""
        if not 0 <= index < len(self):
            raise OptionError(f"Streams: expected a window number in [0, {len(self)}), got {index}.")
        begin = index * self.window_size
        remaining = np.minimum(self._lengths - begin, self.window_size)
        remaining = remaining[remaining > 0]
        steps = int(remaining[0])
        if remaining[-1] == steps:
            layout = Layout.dense(len(remaining), steps)
        else:
            layout = Layout.of_lengths(remaining)
        # lengths never rise from one reading to the next, so that sorted position and reading agree
        places = self._starts[layout.sequence_of_row] + begin + layout.step_of_row
        return Window(Ragged(self._ids[places], layout), self._ids[places + 1], index, carries=index > 0)

    def __iter__(self) -> Iterator[Window]:
        """Go through the windows of one epoch, in order."""
        return (self.window(index) for index in range(len(self)))
